// Searching the text of every record: chunk after chunk, giving the page time to breathe between them.

const BREATH_MS = 60;
const MARKED = 2000; // matches that are marked in one view

class Search {
  constructor(store) {
    this.store = store;
    this.run = 0;
  }

  // The places whose text holds `query` (capitals do not matter), as they are found: `onFound(places, share done)`.
  // A later call ends an earlier one.
  async find(query, onFound) {
    const run = ++this.run;
    const needle = query.toLowerCase();
    const found = new Set();
    let pause = performance.now() + BREATH_MS;
    for (let chunk = 0; chunk < this.store.blocks.length; chunk++) {
      const bodies = await this.store.chunk(chunk);
      if (run !== this.run) return;
      bodies.forEach((body, number) => {
        const place = this.store.starts[chunk] + number;
        if (haystack(this.store, place, body).some((part) => part.toLowerCase().includes(needle))) found.add(place);
      });
      if (performance.now() < pause) continue;
      onFound(found, (chunk + 1) / this.store.blocks.length);
      await new Promise((resume) => setTimeout(resume));
      if (run !== this.run) return;
      pause = performance.now() + BREATH_MS;
    }
    onFound(found, 1);
  }

  stop() {
    this.run++;
  }
}

function haystack(store, place, body) {
  const calls = body.turns.flatMap((turn) => (turn.call ? [turn.call] : []));
  return [
    store.get("key", place), store.get("task", place), body.question.prompt, body.answer ?? "", body.reason ?? "",
    body.verdict?.reason ?? "", ...(body.notes ?? []).map((note) => note.text), ...body.turns.map((turn) => turn.text),
    ...calls.flatMap((call) => [call.shown ?? "", call.result?.stdout ?? "", call.result?.stderr ?? ""]),
  ];
}

// Mark where the query stands in an element, also across tokens, without touching its nodes. Browsers that cannot do so
// show no marks.
function markMatches(element, query) {
  if (!globalThis.Highlight) return;
  CSS.highlights.delete("search");
  if (!query) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const ranges = rangesOf(nodes, nodes.map((node) => node.data).join(""), query);
  CSS.highlights.set("search", new Highlight(...ranges));
}

function rangesOf(nodes, whole, query) {
  const lower = whole.toLowerCase();
  const hay = lower.length === whole.length ? lower : whole; // rare letters change length with their case
  const needle = query.toLowerCase();
  const ranges = [];
  let number = 0; // of the node that holds the place, and where it begins
  let start = 0;
  const settle = (place) => {
    while (start + nodes[number].length < place) start += nodes[number++].length;
    return [nodes[number], place - start];
  };
  for (let at = hay.indexOf(needle); at >= 0 && ranges.length < MARKED; at = hay.indexOf(needle, at + needle.length)) {
    const range = new Range();
    range.setStart(...settle(at));
    range.setEnd(...settle(at + needle.length));
    ranges.push(range);
  }
  return ranges;
}
