// The state of the page as a link, so that a trajectory, a group or a filtered list can be sent to somebody:
//   view.html#key=...&view=group&colour=mask&verdict=wrong&step=10-20&q=text

const COLOURS = ["reading", "mask", "advantage"];

function readLink(hash, filters) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  filters.clear();
  for (const [name, values] of filters.chosen) for (const value of parameters.getAll(name)) values.add(value);
  const ends = (parameters.get("step") ?? "").split("-").map((end) => (/^\d+$/.test(end) ? Number(end) : null));
  filters.step = [ends[0], ends.length > 1 ? ends[1] : ends[0]]; // one number is one step
  const colour = parameters.get("colour");
  return {
    key: parameters.get("key"),
    view: parameters.get("view") === "group" ? "group" : "one",
    colour: COLOURS.includes(colour) ? colour : "reading",
    order: Object.hasOwn(ORDERS, parameters.get("order") ?? "") ? parameters.get("order") : "file",
    query: parameters.get("q") ?? "",
  };
}

function writeLink(state, filters) {
  const parameters = new URLSearchParams();
  if (state.key !== null) parameters.set("key", state.key);
  if (state.view !== "one") parameters.set("view", state.view);
  if (state.colour !== "reading") parameters.set("colour", state.colour);
  if (state.order !== "file") parameters.set("order", state.order);
  for (const [name, values] of filters.chosen) for (const value of values) parameters.append(name, value);
  const [first, last] = filters.step;
  if (first !== null || last !== null) parameters.set("step", `${first ?? ""}-${last ?? ""}`);
  if (state.query) parameters.set("q", state.query);
  return `#${parameters}`;
}
