// Which of the two pages is shown, / or /video: one document, so that going from one to the other
// cuts no connection.

import { emit } from "../shared/dom.js";

const PATHS = { status: "/", video: "/video" };

// Event: "change" (view).
export class Views extends EventTarget {
  constructor() {
    super();
    this.links = [...document.querySelectorAll("#views a[data-view]")];
    for (const link of this.links) link.addEventListener("click", (event) => this.#clicked(event, link.dataset.view));
    addEventListener("popstate", () => this.#use());
    this.#use();
  }

  get view() {
    return document.body.dataset.view;
  }

  next() {
    this.#go(this.view === "video" ? "status" : "video");
  }

  #clicked(event, view) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // another tab
    event.preventDefault();
    this.#go(view);
  }

  #go(view) {
    if (view === this.view) return;
    history.pushState(null, "", PATHS[view]);
    this.#use();
    scrollTo(0, 0);
  }

  #use() {
    const view = location.pathname.replace(/\/$/, "") === PATHS.video ? "video" : "status";
    document.body.dataset.view = view;
    for (const node of document.querySelectorAll("[data-in]")) node.hidden = node.dataset.in !== view;
    for (const link of this.links) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    emit(this, "change", view);
  }
}
