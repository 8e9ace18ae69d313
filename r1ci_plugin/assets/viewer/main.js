// The page: what is shown, and how it changes. Everything that can be linked to is in `state` and in the filters.

const TYPING_MS = 150; // pause in typing after which a search begins

class App {
  constructor(store) {
    this.store = store;
    this.filters = new Filters(store);
    this.search = new Search(store);
    this.panel = new FacetPanel(byId("facets"), this.filters, () => this.narrow());
    this.list = new List(byId("list"), store, (place) => this.select(place));
    this.scale = (store.columns.advantage ?? []).reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
    const isTrained = store.columns.advantage?.some((value) => value !== null);
    this.colours = COLOURS.filter((colour) => colour !== "advantage" || isTrained);
    this.state = { key: null, view: "one", colour: "reading", order: "file", query: "" };
    this.drawn = 0;
    this.connect();
  }

  connect() {
    byId("search").addEventListener("input", (event) => this.type(event.target.value));
    byId("order").append(...Object.entries(ORDERS)
      .filter(([name]) => !["step", "reward"].includes(name) || this.filters.steps)
      .map(([value, order]) => el("option", { value }, order.title)));
    byId("order").addEventListener("change", (event) => this.change({ order: event.target.value }));
    byId("colour-advantage").hidden = !this.colours.includes("advantage");
    for (const colour of COLOURS) byId(`colour-${colour}`).addEventListener("click", () => this.change({ colour }));
    byId("theme").addEventListener("click", () => this.nextTheme());
    byId("help-button").addEventListener("click", () => this.toggleHelp());
    byId("help-close").addEventListener("click", () => this.toggleHelp());
    byId("facets-button").addEventListener("click", () => this.toggleFacets());
    byId("clear").addEventListener("click", () => this.clear());
    addEventListener("hashchange", () => this.follow());
    listenToKeys(this);
    fillHelp();
  }

  // Show what the address says.
  follow() {
    this.state = readLink(location.hash, this.filters);
    byId("search").value = this.state.query;
    this.startSearch();
    this.refresh();
  }

  change(changes) {
    Object.assign(this.state, changes);
    this.refresh();
  }

  // Draw everything anew.
  refresh() {
    this.refreshList();
    this.show();
  }

  // After a choice of the reader: what is shown should be listed.
  narrow() {
    this.refreshList();
    if (this.places.length && this.list.selected < 0) this.select(this.places[0]);
    else this.show();
  }

  refreshList() {
    const { places, counts } = this.filters.apply(this.state.order);
    this.places = places;
    if (this.state.key === null && places.length) this.state.key = this.store.get("key", places[0]);
    byId("order").value = this.state.order;
    this.panel.draw(counts);
    this.summarise(); // first: its height decides how much of the list is in view
    this.list.show(places, this.place);
  }

  get place() {
    return this.store.byKey.get(this.state.key);
  }

  get siblings() {
    return this.place === undefined ? [] : this.store.siblings(this.place);
  }

  summarise() {
    const judged = this.places.filter((place) => this.store.get("verdict", place) !== "lost");
    const right = judged.filter((place) => this.store.get("verdict", place) === "correct");
    const coded = judged.filter((place) => this.store.get("calls", place).length > 0);
    const all = this.places.length === this.store.count ? "" : ` of ${count(this.store.count)}`;
    byId("summary").replaceChildren(
      el("b", null, count(this.places.length)), `${all} \u00b7 `,
      el("b", null, percent(right.length, judged.length)), " correct \u00b7 ",
      el("b", null, percent(coded.length, judged.length)), " use code");
    byId("empty").hidden = this.places.length > 0;
    byId("clear").hidden = !this.filters.active;
  }

  // Draw the selected trajectory or its group. Bodies come later than the call: what was overtaken is dropped.
  async show() {
    const turn = ++this.drawn;
    history.replaceState(null, "", writeLink(this.state, this.filters));
    for (const colour of COLOURS) {
      byId(`colour-${colour}`).setAttribute("aria-pressed", String(colour === this.state.colour));
    }
    document.body.dataset.view = this.state.view;
    const detail = byId("detail");
    if (this.place === undefined) {
      detail.replaceChildren(el("p", { class: "nothing" },
        this.state.key === null ? "Nothing to show." : `This page holds no trajectory ${this.state.key}.`));
      return;
    }
    const isGroup = this.state.view === "group";
    const shown = isGroup ? this.siblings : [this.place];
    const bodies = await Promise.all(shown.map((place) => this.store.body(place)));
    if (turn !== this.drawn) return;
    const context = this.context();
    const rows = shown.map((place) => this.store.row(place));
    const isSame = detail.dataset.shown === (isGroup ? rows[0].group : this.state.key);
    const { scrollTop } = detail;
    const scrollLeft = isSame ? detail.querySelector(".columns")?.scrollLeft ?? 0 : 0;
    detail.replaceChildren(isGroup ? groupElement(context, rows, bodies) : detailElement(context, rows[0], bodies[0]));
    detail.dataset.shown = isGroup ? rows[0].group : this.state.key;
    detail.scrollTop = isSame ? scrollTop : 0;
    if (isGroup) revealColumn(detail.querySelector(".columns"), scrollLeft);
    markMatches(detail, this.state.query);
  }

  // What the drawing functions may know and do.
  context() {
    return {
      store: this.store,
      key: this.state.key,
      colour: this.state.colour,
      view: this.state.view,
      scale: this.scale,
      siblings: this.siblings,
      select: (place) => this.select(place),
      open: (place) => this.open(place),
      toggleGroup: () => this.toggleGroup(),
      copyLink: () => this.copyLink(),
    };
  }

  select(place) {
    this.state.key = this.store.get("key", place);
    this.list.select(place);
    this.show();
  }

  open(place) {
    this.state.view = "one";
    this.select(place);
  }

  // Side by side, a step leads to the next question.
  move(by) {
    if (this.state.view === "one" || !Number.isFinite(by)) {
      this.list.move(by);
      return;
    }
    const group = this.place === undefined ? null : this.store.get("group", this.place);
    const from = this.list.selected < 0 ? 0 : this.list.selected;
    for (let number = from; number >= 0 && number < this.places.length; number += Math.sign(by)) {
      if (this.store.get("group", this.places[number]) !== group) {
        this.select(this.places[number]);
        return;
      }
    }
  }

  moveInGroup(by) {
    const { siblings } = this;
    const place = siblings[siblings.indexOf(this.place) + by];
    if (place !== undefined) this.select(place);
  }

  toggleGroup() {
    if (this.place !== undefined) this.change({ view: this.state.view === "one" ? "group" : "one" });
  }

  nextColour() {
    this.change({ colour: this.colours[(this.colours.indexOf(this.state.colour) + 1) % this.colours.length] });
  }

  get isReading() {
    return byId("detail").contains(document.activeElement) && this.state.view === "one";
  }

  enter() {
    if (document.activeElement === byId("search")) byId("list").focus();
    else if (this.state.view === "group") this.open(this.place);
    else byId("detail").focus();
  }

  // One step back: help, then a field or the reading, then the group, then search and filters.
  escape() {
    const list = byId("list");
    if (byId("help").open) byId("help").close();
    else if (document.activeElement !== list && document.activeElement !== document.body) list.focus();
    else if (this.state.view === "group") this.toggleGroup();
    else this.clear();
  }

  clear() {
    this.filters.clear();
    byId("search").value = "";
    this.state.query = "";
    this.startSearch();
    this.refresh();
  }

  focusSearch() {
    byId("search").focus();
    byId("search").select();
  }

  type(query) {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      this.state.query = query;
      this.startSearch(() => this.narrow());
      if (!query) this.refresh();
    }, TYPING_MS);
  }

  // Search for `state.query`; the list follows while it goes on.
  startSearch(onEnd = () => this.show()) {
    this.search.stop();
    const progress = byId("progress");
    progress.hidden = true;
    this.filters.found = this.state.query ? new Set() : null;
    if (!this.state.query) return;
    this.search.find(this.state.query, (found, share) => {
      this.filters.found = found;
      progress.hidden = share === 1;
      progress.value = share;
      this.refreshList();
      if (share === 1) onEnd();
    });
  }

  toggleHelp() {
    const help = byId("help");
    if (help.open) help.close();
    else help.showModal();
  }

  toggleFacets() {
    document.body.classList.toggle("facets-toggled");
  }

  copyLink() {
    copy(location.href, "the link");
  }

  nextTheme() {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  }
}

async function start() {
  try {
    const app = new App(await Store.open());
    app.follow();
    byId("list").focus();
  } catch (error) {
    byId("detail").replaceChildren(el("p", { class: "nothing" }, `The page could not be opened: ${error}`));
    throw error;
  }
}

start();
