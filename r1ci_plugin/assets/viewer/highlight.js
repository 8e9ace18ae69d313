// Colours for Python. One pass over the text by one expression; what it does not know stays plain.

const KEYWORDS = new Set(("False None True and as assert async await break class continue def del elif else except "
  + "finally for from global if import in is lambda match nonlocal not or pass raise return try while with "
  + "yield").split(" "));
const BUILTINS = new Set(("abs all any bin bool chr dict divmod enumerate filter float format frozenset hex input int "
  + "isinstance iter len list map max min next oct open ord pow print range repr reversed round set slice sorted str "
  + "sum tuple type zip").split(" "));
// A string in three quotes may span lines, and the whole rest if it is not closed.
const TRIPLE = [`"""`, "'''"].map((quotes) => `${quotes}[^]*?(?:${quotes}|(?![^]))`).join("|");
const TOKEN = new RegExp([
  /(?<comment>#[^\n]*)/,
  /(?<string>(?:\b[rbfuRBFU]{1,2})?(?:TRIPLE|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
  /(?<number>\b(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?)[jJ]?)/,
  /(?<decorator>^[ \t]*@[\w.]+)/,
  /(?<name>[\p{L}_][\p{L}\p{N}_]*)/,
].map((part) => part.source.replace("TRIPLE", TRIPLE)).join("|"), "gmu");

// The text in pieces [kind or null, text], in order and complete.
function pythonPieces(code) {
  const pieces = [];
  let place = 0;
  let before = "";
  for (const match of code.matchAll(TOKEN)) {
    if (match.index > place) pieces.push([null, code.slice(place, match.index)]);
    pieces.push([kindOf(match, before), match[0]]);
    before = match.groups.name ?? "";
    place = match.index + match[0].length;
  }
  if (place < code.length) pieces.push([null, code.slice(place)]);
  return pieces;
}

function kindOf(match, before) {
  const { name, ...others } = match.groups;
  if (name === undefined) return Object.keys(others).find((kind) => others[kind] !== undefined);
  if (before === "def" || before === "class") return "definition";
  if (KEYWORDS.has(name)) return "keyword";
  return BUILTINS.has(name) ? "builtin" : null;
}

// Fill an element with code: one element a line, numbered, since tracebacks speak of lines.
function fillPython(element, code) {
  let line = el("span", { class: "line" });
  for (const [kind, piece] of pythonPieces(code.replace(/\n$/, ""))) {
    piece.split("\n").forEach((part, number) => {
      if (number > 0) {
        element.append(line, "\n");
        line = el("span", { class: "line" });
      }
      if (part) line.append(kind ? el("span", { class: `py-${kind}` }, part) : text(part));
    });
  }
  element.append(line);
}
