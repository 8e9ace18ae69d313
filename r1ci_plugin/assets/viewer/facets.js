// The filters at the side: for every facet its values, how many trajectories each would list, and their pass rate.

const FOLDED = 10; // values of a facet that show at first

class FacetPanel {
  constructor(element, filters, onChange) {
    this.element = element;
    this.filters = filters;
    this.onChange = onChange;
    this.unfolded = new Set();
  }

  draw(counts) {
    const focus = document.activeElement?.dataset?.focus; // drawing anew must not lose the keyboard's place
    this.element.replaceChildren(
      this.stepElement() ?? "",
      ...this.filters.facets.map((facet) => this.facetElement(facet, counts.get(facet.name))));
    if (focus) this.element.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
  }

  facetElement(facet, counts) {
    const chosen = this.filters.chosen.get(facet.name);
    const values = facet.order ? facet.order.filter((value) => facet.values.all.includes(value)) : facet.values.all;
    const isFolded = values.length > FOLDED + 2 && !this.unfolded.has(facet.name);
    const shown = isFolded ? values.filter((value, number) => number < FOLDED || chosen.has(value)) : values;
    const unfold = () => {
      this.unfolded.add(facet.name);
      this.draw(this.lastCounts);
    };
    this.lastCounts = new Map([...(this.lastCounts ?? []), [facet.name, counts]]);
    return el("fieldset", { class: "facet", "data-facet": facet.name },
      el("legend", null, facet.title),
      shown.map((value, number) => [
        facet.name === "task" && splitTask(value)[0] !== splitTask(shown[number - 1] ?? "")[0]
          && el("div", { class: "suite-head" }, splitTask(value)[0]),
        this.valueElement(facet, value, counts.get(value), chosen.has(value)),
      ]),
      isFolded && el("button", { type: "button", class: "more", onclick: unfold }, `all ${values.length}`));
  }

  valueElement(facet, value, tally = { all: 0, judged: 0, right: 0 }, isChosen) {
    const change = () => {
      this.filters.toggle(facet.name, value);
      this.onChange();
    };
    const label = facet.words?.[value] ?? (facet.name === "task" ? splitTask(value)[1] : value);
    const rate = el("i");
    rate.style.width = `${tally.judged ? 100 * tally.right / tally.judged : 0}%`;
    const title = `${facet.meaning?.[value] ?? label}: ${count(tally.all)} listed`
      + `, ${percent(tally.right, tally.judged)} correct`;
    return el("label", { class: `value${tally.all ? "" : " empty"}`, title },
      el("input", { type: "checkbox", checked: isChosen, onchange: change, "data-focus": `${facet.name}=${value}` }),
      facet.name === "verdict" && verdictMark(value),
      facet.name === "call" && el("i", { class: `call call-${value}` }),
      el("span", { class: "value-name" }, label),
      facet.name !== "verdict" && el("span", { class: "rate", "aria-hidden": "true" }, rate),
      el("span", { class: "value-count" }, count(tally.all)));
  }

  stepElement() {
    if (!this.filters.steps) return null;
    const [first, last] = this.filters.steps;
    const input = (end, placeholder, label) => el("input", {
      type: "number", min: first, max: last, placeholder, "aria-label": label, value: this.filters.step[end] ?? "",
      "data-focus": `step=${end}`,
      onchange: (event) => {
        this.filters.step[end] = event.target.value === "" ? null : Number(event.target.value);
        this.onChange();
      },
    });
    return el("fieldset", { class: "facet", "data-facet": "step" },
      el("legend", null, "Step"),
      el("div", { class: "range" }, input(0, first, "first step"), "to", input(1, last, "last step")));
  }
}
