// Which records are listed, and in which order. A facet is a fact with a few values; chosen values of one facet widen
// the choice, facets narrow each other.

const FACETS = [
  { name: "verdict", title: "Verdict", order: VERDICTS },
  { name: "outcome", title: "Stop reason", words: OUTCOME_WORDS, meaning: OUTCOME_MEANING },
  { name: "task", title: "Task" },
  { name: "call", title: "Code calls", words: CALL_WORDS },
  { name: "stage", title: "Stage" },
  { name: "agent", title: "Agent" },
  { name: "policy", title: "Policy" },
  { name: "form", title: "Form" },
  { name: "temperature", title: "Temperature" },
  { name: "difficulty", title: "Difficulty" },
];

const ORDERS = {
  file: { title: "file order", of: (store, place) => place },
  task: { title: "task", of: (store, place) => store.get("task", place) },
  step: { title: "step", of: (store, place) => store.get("step", place) },
  reward: { title: "reward", of: (store, place) => store.get("reward", place) },
  turns: { title: "most turns", of: (store, place) => -store.get("turns", place) },
  tokens: { title: "most tokens", of: (store, place) => -(store.get("sampled", place) + store.get("inserted", place)) },
  time: { title: "longest time", of: (store, place) => -store.get("wall_s", place) },
};

class Filters {
  constructor(store) {
    this.store = store;
    this.facets = FACETS.map((facet) => ({ ...facet, values: valuesOf(store, facet.name) }))
      .filter((facet) => facet.values.all.length > 1);
    const steps = store.columns.step?.filter((step) => step !== null) ?? [];
    this.steps = steps.length ? [steps.reduce((a, b) => Math.min(a, b)), steps.reduce((a, b) => Math.max(a, b))] : null;
    this.clear();
  }

  clear() {
    this.chosen = new Map(this.facets.map((facet) => [facet.name, new Set()]));
    this.step = [null, null];
    this.found = null; // places in which the searched text stands; null: no search
  }

  get active() {
    return this.found !== null || this.step.some((end) => end !== null)
      || [...this.chosen.values()].some((values) => values.size > 0);
  }

  toggle(name, value) {
    const values = this.chosen.get(name);
    if (!values.delete(value)) values.add(value);
  }

  // The listed places in order, and for every facet how many there would be of each value, were it not chosen from.
  apply(order) {
    const places = [];
    const counts = new Map(this.facets.map((facet) => [facet.name, new Map()]));
    for (let place = 0; place < this.store.count; place++) {
      if (!this.inStep(place) || (this.found && !this.found.has(place))) continue;
      const failing = this.facets.filter((facet) => !this.passes(facet, place));
      if (failing.length === 0) places.push(place);
      if (failing.length > 1) continue;
      const counted = failing.length ? failing : this.facets;
      for (const facet of counted) this.count(counts.get(facet.name), facet, place);
    }
    const by = ORDERS[order] ?? ORDERS.file;
    if (by !== ORDERS.file) places.sort((a, b) => compare(by.of(this.store, a), by.of(this.store, b)) || a - b);
    return { places, counts };
  }

  passes(facet, place) {
    const chosen = this.chosen.get(facet.name);
    return chosen.size === 0 || facet.values.of(place).some((value) => chosen.has(value));
  }

  count(counts, facet, place) {
    const isRight = this.store.get("verdict", place) === "correct";
    const isLost = this.store.get("verdict", place) === "lost";
    for (const value of facet.values.of(place)) {
      const tally = counts.get(value) ?? { all: 0, judged: 0, right: 0 };
      tally.all += 1;
      tally.judged += isLost ? 0 : 1;
      tally.right += isRight ? 1 : 0;
      counts.set(value, tally);
    }
  }

  inStep(place) {
    const [first, last] = this.step;
    if (first === null && last === null) return true;
    const step = this.store.get("step", place);
    return step !== null && (first === null || step >= first) && (last === null || step <= last);
  }
}

// The values of a facet as texts, in order, and those of one place. Ways a code call ended are several for a record.
function valuesOf(store, name) {
  const distinct = (statuses) => (statuses.length ? [...new Set(statuses)] : ["none"]);
  const column = name === "call"
    ? store.columns.calls?.map(distinct) ?? []
    : store.columns[name]?.map((value) => (value === null || value === "" ? [] : [String(value)])) ?? [];
  const all = [...new Set(column.flat())].sort(compare);
  return { all, of: (place) => column[place] };
}

// Numbers by size, also where they are texts; what is missing last.
function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
