// Making elements. Text of a record only ever becomes text nodes: nothing here, or anywhere else, parses it as HTML.

// Characters that hide or reorder text. A reader must see them: they are how code is made to look like other code.
const HIDDEN = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f"
  + "\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]");
const BIDI_NAMES = {
  0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM", 0x202a: "LRE", 0x202b: "RLE",
  0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI",
};

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(2)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : text(String(child)));
  }
  return element;
}

// A text node, or a fragment in which hidden characters are drawn as small labels.
function text(value) {
  if (!HIDDEN.test(value)) return document.createTextNode(value);
  const fragment = document.createDocumentFragment();
  let rest = value;
  for (let match = HIDDEN.exec(rest); match; match = HIDDEN.exec(rest)) {
    const code = rest.charCodeAt(match.index);
    const name = BIDI_NAMES[code] ?? code.toString(16).toUpperCase().padStart(2, "0");
    const label = document.createElement("span");
    label.className = "hidden-character";
    label.title = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    label.textContent = name;
    fragment.append(rest.slice(0, match.index), label);
    rest = rest.slice(match.index + 1);
  }
  fragment.append(rest);
  return fragment;
}

const LONG = 20_000;

// An element for text of any length: a long one shows its two ends, and the rest when asked. `fill(element, text)` puts
// the text in.
function longText(element, value, fill = (target, part) => target.append(text(part))) {
  if (value.length <= LONG) {
    fill(element, value);
    return element;
  }
  const half = LONG / 2;
  const more = el("button", { class: "more", type: "button" }, `show ${count(value.length - LONG)} more characters`);
  more.addEventListener("click", () => {
    element.replaceChildren();
    fill(element, value);
  });
  fill(element, value.slice(0, half));
  element.append(more);
  fill(element, value.slice(-half));
  return element;
}

// A button, with the key that does the same.
function button(label, onclick, key) {
  return el("button", { type: "button", class: key ? "primary" : null, onclick }, label, key && el("kbd", null, key));
}

function byId(id) {
  return document.getElementById(id);
}

function count(number) {
  return number.toLocaleString("en");
}

// Say something for a moment, also to a screen reader.
function toast(message) {
  const box = byId("toast");
  box.textContent = message;
  box.classList.add("shown");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => box.classList.remove("shown"), 2500);
}

async function copy(value, what) {
  try {
    await navigator.clipboard.writeText(value);
    toast(`copied ${what}`);
  } catch {
    toast("this browser does not let a file copy");
  }
}
