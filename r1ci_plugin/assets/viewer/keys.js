// The keyboard. `KEYS` is also what the help shows, so that the two agree.

const KEYS = [
  {
    keys: ["j", "ArrowDown"], shown: "j \u2193",
    help: "next trajectory, or next question side by side",
    run: (app) => app.move(1),
  },
  { keys: ["k", "ArrowUp"], shown: "k \u2191", help: "the one before", run: (app) => app.move(-1) },
  {
    keys: ["l", "ArrowRight"], shown: "l \u2192",
    help: "next rollout of the same question",
    run: (app) => app.moveInGroup(1),
  },
  { keys: ["h", "ArrowLeft"], shown: "h \u2190", help: "the one before", run: (app) => app.moveInGroup(-1) },
  { keys: ["PageDown"], shown: "PgDn", help: "a page down the list", run: (app) => app.move(app.list.page()) },
  { keys: ["PageUp"], shown: "PgUp", help: "a page up", run: (app) => app.move(-app.list.page()) },
  { keys: ["Home"], shown: "Home", help: "the first of the list", run: (app) => app.move(-Infinity) },
  { keys: ["End"], shown: "End", help: "the last", run: (app) => app.move(Infinity) },
  {
    keys: ["g"], shown: "g",
    help: "all rollouts of the question side by side, or one",
    run: (app) => app.toggleGroup(),
  },
  {
    keys: ["Enter"], shown: "Enter",
    help: "read: the arrows then scroll; side by side: show the marked one alone",
    run: (app) => app.enter(),
  },
  {
    keys: ["Escape"], shown: "Esc",
    help: "back to the list; then clear search and filters",
    run: (app) => app.escape(),
  },
  { keys: ["m"], shown: "m", help: "colour: reading, loss mask, advantage", run: (app) => app.nextColour() },
  { keys: ["/"], shown: "/", help: "search", run: (app) => app.focusSearch() },
  { keys: ["f"], shown: "f", help: "show or hide the filters", run: (app) => app.toggleFacets() },
  { keys: ["c"], shown: "c", help: "copy a link to what is shown", run: (app) => app.copyLink() },
  { keys: ["t"], shown: "t", help: "light or dark", run: (app) => app.nextTheme() },
  { keys: ["?"], shown: "?", help: "this help", run: (app) => app.toggleHelp() },
];
const SCROLLING = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "PageDown", "PageUp", "Home", "End"];

function listenToKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    const isTyping = target.matches("input:not([type=checkbox]), select, textarea");
    if (isTyping && !["Escape", "Enter"].includes(event.key)) return;
    // Enter and Space on a button, a check box or a folded part do what they always do.
    if (event.key === "Enter" && target.matches("button, summary, input[type=checkbox], select")) return;
    if (app.isReading && SCROLLING.includes(event.key)) return;
    if (byId("help").open && !["Escape", "?"].includes(event.key)) return;
    const bound = KEYS.find((entry) => entry.keys.includes(event.key));
    if (!bound) return;
    event.preventDefault();
    bound.run(app);
  });
}

function fillHelp() {
  byId("help-keys").append(...KEYS.flatMap((entry) => [
    el("dt", null, entry.shown.split(" ").map((key) => el("kbd", null, key))), el("dd", null, entry.help),
  ]));
}
