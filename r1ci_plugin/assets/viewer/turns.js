// Turns as a conversation: words, the code call, its execution result, and so on to the answer.

function turnElement(turn, number, colour) {
  const head = el("header", { class: "turn-head" },
    el("span", { class: "turn-number" }, `Turn ${number + 1}`),
    turn.ids && el("span", { class: "quiet" }, plural(turn.ids.length, "token")),
    turn.imitates_result && el("span", { class: "warning" }, "writes an execution result itself"),
    !turn.call && turn.segments.some(([kind]) => kind === "python") && el("span", { class: "warning" }, "code not run"),
    turn.open_block && el("span", { class: "warning" }, "code block left open"));
  const body = colour === "reading" ? readingParts(turn) : [rawTurn(turn)];
  return el("section", { class: "turn" }, head, body, turn.call && resultElement(turn.call, colour));
}

// The sampled text cut where the interaction format cuts it (`segments` covers it to the last character).
function readingParts(turn) {
  const parts = [];
  let place = 0;
  let words = null;
  for (const [kind, length] of turn.segments) {
    const value = turn.text.slice(place, place + length);
    place += length;
    if (kind === "words" || kind === "answer") {
      if (!words && !value.trim()) continue;
      words ??= parts[parts.push(el("div", { class: "words" })) - 1];
      words.append(kind === "answer" ? el("mark", { class: "answer" }, value) : longText(el("span"), value));
      continue;
    }
    words = null;
    if (kind === "python") parts.push(codeElement(value));
    if (kind === "block") parts.push(el("pre", { class: "block" }, longText(el("code"), value)));
  }
  return parts;
}

function codeElement(code) {
  const button = el("button", { type: "button", class: "copy", onclick: () => copy(code, "the script") }, "copy");
  return el("figure", { class: "code" },
    el("figcaption", null, "python", button),
    el("pre", null, longText(el("code"), code, fillPython)));
}

function resultElement(call, colour) {
  const { result } = call;
  if (!result) return el("div", { class: "result" }, el("header", null, "No result: the trajectory ended first."));
  const isShown = Boolean(call.inserted_text);
  const note = result.status === "sandbox_error" ? "an infrastructure failure is never shown to the policy"
    : isShown ? null : "the policy did not see it: the trajectory ended here";
  const box = el("div", { class: `result status-${result.status}` },
    el("header", null,
      el("span", { class: "status" }, result.status.replaceAll("_", " ")),
      el("span", { class: "result-title" }, "Execution result"),
      note && el("span", { class: "warning" }, note),
      resultFacts(result)));
  const shown = call.shown || result.reason;
  if (shown && (colour === "reading" || !isShown)) box.append(el("pre", null, longText(el("code"), shown)));
  box.append(...captured(result, call.shown ?? ""));
  return box;
}

function resultFacts(result) {
  const isolation = result.isolation;
  const facts = [
    [seconds(result.run_s), "time the script ran"],
    result.queue_s >= 0.05 && [`${seconds(result.queue_s)} queued`, "time it waited for a free slot"],
    result.max_rss_mb && [`${Math.round(result.max_rss_mb)} MB`, "most memory in use"],
    result.exit_code && [`exit ${result.exit_code}`, "exit code"],
    result.signal && [`signal ${result.signal}`, "ended by a signal"],
    result.attempts > 1 && [`${result.attempts} attempts`, "tries of a remote executor"],
    result.backend !== "local" && [result.backend, result.endpoint || "executor"],
  ];
  return el("span", { class: "facts" },
    facts.filter(Boolean).map(([value, title]) => el("span", { title }, value)),
    el("span", { class: `isolation isolation-${isolation}`, title: ISOLATION_MEANING[isolation] ?? "isolation level" },
      `isolation ${isolation}`));
}

// What the script wrote, where the policy read less of it.
function captured(result, shown) {
  return ["stdout", "stderr"].flatMap((name) => {
    const value = result[name];
    if (!value.trim() || shown.includes(value.replace(/^\n+|\n+$/g, ""))) return [];
    const cut = result[`${name}_truncated`] ? ", cut by the executor" : "";
    return el("details", null,
      el("summary", null, `all of ${name} (${count(result[`${name}_bytes`] || value.length)} bytes${cut})`),
      el("pre", null, longText(el("code"), value)));
  });
}
