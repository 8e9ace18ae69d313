// Drawn marks. A verdict differs in shape as well as in colour, so that it is read without colours too.

const SVG = "http://www.w3.org/2000/svg";
const VERDICT_MARKS = {
  correct: { shape: "circle", path: "M4.8 8.3l2.2 2.2 4.3-4.8" },
  wrong: { shape: "square", path: "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" },
  unparseable: { shape: "diamond", path: "M6.4 6.6a1.7 1.7 0 1 1 2.3 1.6c-.5.2-.7.5-.7 1M8 10.9v.1" },
  timeout: { shape: "diamond", path: "M8 5.2v3l1.9 1.3" },
  error: { shape: "diamond", path: "M8 4.9v3.7M8 10.9v.1" },
  lost: { shape: "ring", path: "M5.5 8h5" },
};
const SHAPES = {
  circle: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z",
  ring: "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13z",
  square: "M4 1.5h8A2.5 2.5 0 0 1 14.5 4v8a2.5 2.5 0 0 1-2.5 2.5H4A2.5 2.5 0 0 1 1.5 12V4A2.5 2.5 0 0 1 4 1.5z",
  diamond: "M8 .6L15.4 8 8 15.4.6 8z",
};

function verdictMark(verdict) {
  const mark = VERDICT_MARKS[verdict] ?? VERDICT_MARKS.error;
  const svg = svgElement("svg", {
    viewBox: "0 0 16 16", class: `mark verdict-${verdict}`, role: "img", "aria-label": verdict,
  });
  svg.append(
    svgElement("path", { d: SHAPES[mark.shape], class: mark.shape === "ring" ? "mark-ring" : "mark-shape" }),
    svgElement("path", { d: mark.path, class: "mark-line" }),
  );
  return svg;
}

function svgElement(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// One small tile for every code call, by how it ended.
function callStrip(calls) {
  if (!calls.length) return el("span", { class: "strip none", title: "no code call" }, "words");
  const title = `code calls: ${calls.join(", ")}`;
  return el("span", { class: "strip", title, role: "img", "aria-label": title },
    calls.map((status) => el("i", { class: `call call-${status}` })));
}
