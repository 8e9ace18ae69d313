// The records. The index (one column a fact) is inflated when the page opens; bodies lie in compressed chunks, which
// are inflated when one of theirs is looked at, and forgotten again when many others have been.

const KEPT_CHUNKS = 24;

class Store {
  static async open() {
    const index = await inflate(byId("index").textContent);
    const blocks = [...document.querySelectorAll("script.chunk")];
    return new Store(index, blocks);
  }

  constructor(index, blocks) {
    this.count = index.count;
    this.columns = index.columns;
    this.starts = index.starts;
    this.blocks = blocks;
    this.kept = new Map();
    this.byKey = new Map();
    this.groups = new Map();
    for (let place = 0; place < this.count; place++) {
      this.byKey.set(this.columns.key[place], place);
      const group = this.groups.get(this.columns.group[place]);
      if (group) group.push(place);
      else this.groups.set(this.columns.group[place], [place]);
    }
    for (const group of this.groups.values()) group.sort((a, b) => this.compareSiblings(a, b));
  }

  get(name, place) {
    return this.columns[name][place];
  }

  // All facts of one record that the list needs.
  row(place) {
    return Object.fromEntries(Object.entries(this.columns).map(([name, values]) => [name, values[place]]));
  }

  // The places of the rollouts of the same question (in training: of the same draw of it), this one's included.
  siblings(place) {
    return this.groups.get(this.columns.group[place]);
  }

  // Answers come in any order; side by side they stand by who answered, then by number.
  compareSiblings(a, b) {
    for (const name of ["policy", "agent", "form", "sample"]) {
      const order = compare(this.columns[name][a], this.columns[name][b]);
      if (order) return order;
    }
    return a - b;
  }

  async body(place) {
    const chunk = this.chunkOf(place);
    return (await this.chunk(chunk))[place - this.starts[chunk]];
  }

  chunkOf(place) {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // The bodies of a chunk. A Map keeps the order of insertion: the first key is the one not used for longest.
  chunk(number) {
    const bodies = this.kept.get(number) ?? inflate(this.blocks[number].textContent);
    this.kept.delete(number);
    this.kept.set(number, bodies);
    if (this.kept.size > KEPT_CHUNKS) this.kept.delete(this.kept.keys().next().value);
    return bodies;
  }
}

// Base64 of zlib of JSON. The browser inflates; no library is needed.
async function inflate(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < binary.length; place++) bytes[place] = binary.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}
