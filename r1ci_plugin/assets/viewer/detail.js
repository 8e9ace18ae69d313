// One trajectory, whole: what was asked, what was said and run, and what the verifier made of it.

function detailElement(context, row, body) {
  return el("div", { class: "detail" },
    detailHead(context, row, body),
    siblingsElement(context, row),
    verdictElement(row, body),
    questionElement(body, false),
    (body.notes ?? []).map(noteElement),
    conversationElement(context, row, body),
    truthElement(body));
}

function detailHead(context, row, body) {
  const [suite, name] = splitTask(row.task);
  const facts = [
    ["agent", row.agent],
    ["policy", row.policy],
    ["form", row.form],
    ["step", row.step],
    ["stage", row.stage],
    ["sample", row.sample],
    ["temperature", row.temperature],
    ["difficulty", row.difficulty],
    ["seed", body.question.seed],
    ["question", body.question_id],
  ];
  return el("header", { class: "detail-head" },
    el("div", { class: "title-line" },
      el("h2", null, el("span", { class: "suite" }, `${suite}/`), name),
      el("div", { class: "actions" },
        button("copy link", () => context.copyLink()),
        context.siblings.length > 1
          && button(`side by side (${context.siblings.length}) `, () => context.toggleGroup(), "g"))),
    el("dl", { class: "facts-line" },
      facts.filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([label, value]) => el("div", null, el("dt", null, label), el("dd", null, value)))));
}

// The other rollouts of the question as marks, to step through with h and l.
function siblingsElement(context, row) {
  if (context.siblings.length < 2) return null;
  const right = context.siblings.filter((place) => context.store.get("verdict", place) === "correct").length;
  return el("div", { class: "siblings" },
    el("span", { class: "quiet" }, `${right} of ${context.siblings.length} rollouts of this question are correct`),
    el("span", { class: "sibling-marks" }, context.siblings.map((place) => {
      const other = context.store.row(place);
      const isThis = other.key === row.key;
      return el("button", {
        type: "button", class: "sibling", "aria-current": isThis ? "true" : null,
        title: `${other.agent}, sample ${other.sample}: ${other.verdict}`, onclick: () => context.select(place),
      }, verdictMark(other.verdict));
    })));
}

function verdictElement(row, body) {
  const reason = row.verdict === "lost" ? body.reason || "lost to the infrastructure" : body.verdict?.reason ?? "";
  const numbers = [
    ["stop reason", OUTCOME_WORDS[row.outcome] ?? row.outcome, OUTCOME_MEANING[row.outcome]],
    ["turns", String(row.turns)],
    ["code calls", String(row.calls.length)],
    ["sampled tokens", row.sampled ? count(row.sampled) : null],
    ["inserted", row.inserted ? count(row.inserted) : null],
    ["prompt", body.prompt_tokens ? count(body.prompt_tokens) : null],
    ["wall time", row.wall_s ? seconds(row.wall_s) : null],
    ["cost", body.usage?.cost ? body.usage.cost.toPrecision(2) : null],
  ];
  return el("section", { class: `verdict-card verdict-${row.verdict}` },
    el("div", { class: "verdict-line" },
      verdictMark(row.verdict),
      el("strong", null, row.verdict),
      el("span", { class: "reason" }, reason)),
    body.answer !== null && body.answer !== undefined
      && el("div", { class: "answer-line" },
        el("span", { class: "quiet" }, "answer"), longText(el("code"), body.answer)),
    el("dl", { class: "numbers" }, numbers.filter(([, value]) => value !== null)
      .map(([label, value, title]) => el("div", { title }, el("dt", null, label), el("dd", null, value)))),
    rewardElement(row, body));
}

function rewardElement(row, body) {
  if (!body.training) return null;
  const chip = (label, value, words) =>
    el("span", { class: "part" }, `${label} `, el("b", { class: value < 0 ? "minus" : "plus" }, words));
  const parts = Object.entries(body.training.parts ?? {}).filter(([, value]) => value !== 0 && value !== null);
  return el("div", { class: "reward" },
    row.reward !== null && chip("reward", row.reward, signed(row.reward)),
    row.advantage !== null && chip("advantage", row.advantage, signed(row.advantage)),
    parts.map(([label, value]) => chip(label.replaceAll("_", " "), value, String(Math.round(value * 1000) / 1000))));
}

function questionElement(body, isFolded) {
  const prompt = body.question.prompt;
  return el("details", { class: "question", open: !isFolded },
    el("summary", null, "Question"),
    longText(el("div", { class: "words" }), prompt));
}

function noteElement(note) {
  return el("aside", { class: "note" },
    el("header", null, note.role),
    longText(el("div", { class: "words" }), note.text));
}

function conversationElement(context, row, body) {
  const conversation = el("div", { class: "conversation" });
  paint(conversation, context.colour, row, context.scale);
  if (context.colour !== "reading") conversation.append(...rawHead(context, row, body));
  conversation.append(
    ...body.turns.map((turn, number) => turnElement(turn, number, context.colour)),
    el("footer", { class: "ending" },
      el("b", null, OUTCOME_WORDS[row.outcome] ?? row.outcome), ` ${OUTCOME_MEANING[row.outcome] ?? ""}`));
  return conversation;
}

// Before the tokens: what their colours mean (side by side it stands above all columns), and the prompt.
function rawHead(context, row, body) {
  const prompt = body.prompt && el("details", { class: "question prompt" },
    el("summary", null, "Prompt, as the policy read it"),
    el("div", { class: "raw" }, stretch(body.prompt.text, body.prompt, "inserted")));
  return [context.view === "one" && legend(context.colour, row, context.scale), prompt].filter(Boolean);
}

// Folded, since it holds the answer.
function truthElement(body) {
  return el("details", { class: "truth" },
    el("summary", null, "What the verifier knows"),
    el("pre", null, longText(el("code"), JSON.stringify(body.question.payload, null, 2))));
}

function splitTask(task) {
  const cut = task.indexOf("/");
  return cut < 0 ? ["", task] : [task.slice(0, cut), task.slice(cut + 1)];
}
