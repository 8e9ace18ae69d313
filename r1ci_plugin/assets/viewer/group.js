// The rollouts of one question side by side: what the group's advantages compare.

function groupElement(context, rows, bodies) {
  const judged = rows.filter((row) => row.verdict !== "lost");
  const right = rows.filter((row) => row.verdict === "correct").length;
  const [suite, name] = splitTask(rows[0].task);
  return el("div", { class: "group" },
    el("header", { class: "detail-head" },
      el("div", { class: "title-line" },
        el("h2", null, el("span", { class: "suite" }, `${suite}/`), name),
        el("span", { class: "group-score" }, `${right} of ${judged.length} correct`),
        el("div", { class: "actions" },
          button("copy link", () => context.copyLink()),
          button("one at a time ", () => context.toggleGroup(), "g")))),
    questionElement(bodies[0], bodies[0].question.prompt.length > 600),
    context.colour !== "reading" && groupLegend(context),
    el("div", { class: "columns" }, rows.map((row, number) => columnElement(context, rows, row, bodies[number]))));
}

function groupLegend(context) {
  const box = legend(context.colour, { advantage: null }, context.scale);
  if (context.colour === "advantage" && context.scale > 0) {
    box.replaceChildren("advantage of every sampled token", ramp(context.scale));
  }
  return box;
}

function columnElement(context, rows, row, body) {
  const isCurrent = row.key === context.key;
  const pick = () => context.open(context.store.byKey.get(row.key));
  return el("article", { class: `column verdict-${row.verdict}`, "aria-current": isCurrent ? "true" : null },
    el("header", { class: "column-head" },
      el("button", { type: "button", class: "column-pick", title: "show this one alone", onclick: pick },
        verdictMark(row.verdict), el("strong", null, row.verdict),
        row.reward !== null && el("span", { class: "quiet" }, `reward ${signed(row.reward)}`)),
      el("div", { class: "quiet column-facts" }, whatDiffers(rows, row)),
      row.advantage !== null && advantageBar(row.advantage, context.scale),
      body.answer && el("div", { class: "answer-line" }, longText(el("code"), body.answer)),
      el("div", { class: "reason" }, row.verdict === "lost" ? body.reason : body.verdict?.reason)),
    (body.notes ?? []).map(noteElement),
    conversationElement(context, row, body));
}

// Bring the marked column into view, from where the columns stood before. Only sideways: the question stays in view.
function revealColumn(columns, scrollLeft) {
  const { offsetLeft, offsetWidth } = columns.querySelector("[aria-current]");
  const left = offsetLeft - columns.offsetLeft;
  columns.scrollLeft = Math.max(left + offsetWidth - columns.clientWidth, Math.min(left, scrollLeft));
}

// What tells one rollout of a question from the others.
function whatDiffers(rows, row) {
  const facts = ["agent", "policy", "form"].filter((name) => rows.some((other) => other[name] !== row[name]));
  return [...facts.map((name) => row[name]), `sample ${row.sample}`].filter(Boolean).join(" \u00b7 ");
}

// A bar from the middle: to the right above the group's mean, to the left below.
function advantageBar(advantage, scale) {
  const share = Math.min(1, Math.abs(advantage) / (scale || 1));
  const bar = el("i", { class: advantage < 0 ? "minus" : "plus" });
  bar.style.width = `${50 * share}%`;
  return el("div", { class: "advantage", title: "advantage, on the scale of the largest of this page" },
    el("span", { class: "track" }, bar), el("span", null, signed(advantage)));
}
