// A trajectory as the trainer sees it: one stretch of tokens, coloured by loss mask or by advantage.
// Sampled tokens (mask 1) are what the loss is taken over; inserted ones (mask 0) are execution results.

// A turn's sampled and inserted text. `lengths` has one entry a token where the page was made with the tokenizer.
function rawTurn(turn) {
  const raw = el("div", { class: "raw" });
  raw.append(stretch(turn.text + (turn.end ?? ""), turn, "sampled"));
  if (turn.call?.inserted_text) raw.append(stretch(turn.call.inserted_text, turn.call, "inserted"));
  return raw;
}

function stretch(value, source, mask) {
  const span = el("span", { class: `stretch ${mask}` });
  if (!source.lengths) return longText(span, value);
  let place = 0;
  let together = []; // tokens that spell one character between them
  source.lengths.forEach((length, number) => {
    together.push(source.ids[number]);
    if (length === 0) return;
    const title = `token ${together.join(" ")}`;
    span.append(el("span", { class: "token", title }, value.slice(place, place + length)));
    place += length;
    together = [];
  });
  return span;
}

function legend(colour, row, scale) {
  const tokens = (number) => (number ? ` ${plural(number, "token")}` : "");
  if (colour === "mask") {
    return el("div", { class: "legend" },
      el("span", { class: "swatch sampled" }), `sampled, in the loss (mask 1)${tokens(row.sampled)}`,
      el("span", { class: "swatch inserted" }), `inserted, not in the loss (mask 0)${tokens(row.inserted)}`);
  }
  if (row.advantage === null) {
    return el("div", { class: "legend" }, "This record has no advantage: only training computes one.");
  }
  return el("div", { class: "legend" },
    el("span", { class: "swatch sampled" }), `advantage ${signed(row.advantage)} on every sampled token`,
    el("span", { class: "swatch inserted" }), "no advantage (mask 0)",
    ramp(scale));
}

function ramp(scale) {
  return el("span", { class: "ramp" }, `\u2212${scale.toFixed(1)} \u2026 +${scale.toFixed(1)}`);
}

// Set the colours of everything inside `element` for one record. The strength goes by the largest advantage of the run.
function paint(element, colour, row, scale) {
  element.dataset.colour = colour;
  const advantage = row.advantage ?? 0;
  element.dataset.sign = advantage > 0 ? "plus" : advantage < 0 ? "minus" : "zero";
  element.style.setProperty("--strength", `${Math.round(100 * Math.min(1, Math.abs(advantage) / (scale || 1)))}%`);
}
