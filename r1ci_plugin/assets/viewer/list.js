// The list of trajectories. It is virtual: only the lines in view are in the document, whatever the number of records.

const LINE = 58; // height of a line in pixels, as in layout.css
const SPARE = 6; // lines kept ready above and below

class List {
  constructor(element, store, onSelect) {
    this.element = element;
    this.store = store;
    this.onSelect = onSelect;
    this.canvas = el("div", { class: "canvas", role: "presentation" });
    this.lines = new Map();
    this.places = [];
    this.selected = -1;
    element.append(this.canvas);
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(element);
  }

  // Show these records; `place` is the selected one, in the list or not.
  show(places, place) {
    this.places = places;
    this.numbers = new Map(places.map((listed, number) => [listed, number]));
    this.selected = this.numbers.get(place) ?? -1;
    this.canvas.style.height = `${places.length * LINE}px`;
    this.clear();
    this.draw();
    this.reveal();
  }

  select(place) {
    this.selected = this.numbers.get(place) ?? -1;
    this.clear();
    this.draw();
    this.reveal();
  }

  clear() {
    for (const line of this.lines.values()) line.remove();
    this.lines.clear();
  }

  // Move the selection by a number of lines.
  move(by) {
    if (!this.places.length) return;
    const from = this.selected < 0 && by > 0 ? -1 : this.selected;
    this.onSelect(this.places[Math.max(0, Math.min(this.places.length - 1, from + by))]);
  }

  page() {
    return Math.max(1, Math.floor(this.element.clientHeight / LINE) - 1);
  }

  reveal() {
    if (this.selected < 0) return;
    const top = this.selected * LINE;
    const { scrollTop, clientHeight } = this.element;
    const isFar = Math.abs(top - scrollTop - clientHeight / 2) > clientHeight;
    if (isFar) this.element.scrollTop = top - (clientHeight - LINE) / 2;
    else if (top < scrollTop) this.element.scrollTop = top;
    else if (top + LINE > scrollTop + clientHeight) this.element.scrollTop = top + LINE - clientHeight;
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / LINE) - SPARE);
    const bottom = this.element.scrollTop + this.element.clientHeight;
    const last = Math.min(this.places.length, Math.ceil(bottom / LINE) + SPARE);
    for (const [number, line] of this.lines) {
      if (number >= first && number < last) continue;
      line.remove();
      this.lines.delete(number);
    }
    for (let number = first; number < last; number++) {
      if (this.lines.has(number)) continue;
      const line = this.line(number);
      this.lines.set(number, line);
      this.canvas.append(line);
    }
    this.element.setAttribute("aria-activedescendant", this.selected < 0 ? "" : `line-${this.selected}`);
  }

  line(number) {
    const place = this.places[number];
    const row = this.store.row(place);
    const [suite, name] = splitTask(row.task);
    const where = [row.step === null ? row.agent : `step ${row.step}`, row.sample > 0 && `#${row.sample}`];
    const line = el("div", {
      class: "line-item", role: "option", id: `line-${number}`, "aria-selected": String(number === this.selected),
      "aria-setsize": this.places.length, "aria-posinset": number + 1, onclick: () => this.onSelect(place),
    },
    verdictMark(row.verdict),
    el("div", { class: "line-top" }, el("span", { class: "line-task" }, name), el("span", { class: "suite" }, suite)),
    el("div", { class: "line-side" }, where.filter(Boolean).join(" \u00b7 ")),
    el("div", { class: "line-answer" },
      row.answer ? el("code", null, row.answer) : el("em", null, OUTCOME_WORDS[row.outcome] ?? row.outcome)),
    callStrip(row.calls));
    line.style.transform = `translateY(${number * LINE}px)`;
    return line;
  }
}
