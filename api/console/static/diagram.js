// A BPMN diagram that can be moved and zoomed, with the states of its elements; bpmn-js draws it.

import { el, fill } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { Minimap } from "./minimap.js";
import { box } from "./notice.js";

/** What draws, on its way as soon as a page needs it; it is larger than all that is ours. */
const viewer = import("./bpmn-js/navigated-viewer.js");
// Whoever draws is told.
viewer.catch(() => null);

const SMALLEST_READABLE = 0.34;
const HEIGHT = { least: 170, most: 460 };
const ROOM = { side: 24, top: 28, bottom: 52 };

export class Diagram {
  /** `select` is told the business object of the element that somebody clicks, or null for none. */
  constructor({ label, select = () => {} }) {
    this.label = label;
    this.select = select;
    this.painted = new Map();
    this.viewer = null;
    this.minimap = null;
    this.moved = false;
    /** Counts what is shown: whatever was asked for before is not drawn any more. */
    this.turn = 0;
    this.canvas = el("div", { class: "diagram-canvas" });
    this.buttons = el(
      "div",
      { class: "diagram-buttons" },
      this.#button("plus", "zoom.in", () => this.#zoom(1.25)),
      this.#button("minus", "zoom.out", () => this.#zoom(0.8)),
      this.#button("fit", "zoom.fit", () => this.fit(true)),
      document.fullscreenEnabled && this.#button("full", "zoom.full", () => this.#full()),
    );
    this.node = el("div", { class: "diagram", role: "group", "aria-label": label }, this.canvas, this.buttons);
    this.sizes = new ResizeObserver(() => this.#resized());
  }

  #button(sign, text, act) {
    return el(
      "button",
      { type: "button", class: "square", "aria-label": t(text), title: t(text), onclick: act },
      icon(sign),
    );
  }

  #full() {
    if (document.fullscreenElement === this.node) document.exitFullscreen();
    else this.node.requestFullscreen().then(() => this.fit(true));
  }

  /** Draw the diagram of the process with this key; whether that could be done. */
  async show(xml, key) {
    this.close();
    const turn = this.turn;
    try {
      await viewer;
    } catch {
      fill(this.canvas, box("failed", el("p", {}, t("page.missing"))));
      return false;
    }
    if (turn !== this.turn) return false;
    this.viewer = new window.BpmnJS({
      container: this.canvas,
      // The page scrolls under the pointer; with Ctrl the wheel zooms, as in a map.
      zoomScroll: { enabled: false },
      bpmnRenderer: {
        defaultFillColor: "var(--diagram-fill)",
        defaultStrokeColor: "var(--diagram-line)",
        defaultLabelColor: "var(--diagram-text)",
      },
      // Texts are measured before they are drawn, which takes the name of a font.
      textRenderer: {
        defaultStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
        externalStyle: { fontSize: 11 },
      },
    });
    try {
      await this.viewer.importXML(xml);
      const chosen = this.#diagramOf(key);
      if (chosen !== null) await this.viewer.open(chosen);
    } catch (error) {
      this.close();
      fill(this.canvas, box("failed", el("p", {}, t("diagram.wrong")), el("p", { lang: "en" }, error.message)));
      return false;
    }
    this.viewer.get("eventBus").on("element.click", ({ element }) => this.#clicked(element));
    this.#listen();
    this.#height();
    this.fit();
    if (this.isCropped) {
      this.minimap = new Minimap(this.viewer);
      this.node.append(this.minimap.node);
    }
    this.sizes.observe(this.canvas);
    return true;
  }

  #diagramOf(key) {
    const diagrams = this.viewer.getDefinitions().diagrams ?? [];
    const holds = ({ plane }) =>
      plane?.bpmnElement?.id === key ||
      (plane?.bpmnElement?.participants ?? []).some(({ processRef }) => processRef?.id === key);
    const found = diagrams.find(holds);
    return found === undefined || found === diagrams[0] ? null : found;
  }

  #clicked(element) {
    const object = (element.labelTarget ?? element).businessObject;
    this.select(element.parent ? object : null);
  }

  #listen() {
    const svg = this.canvas.querySelector(".djs-container > svg");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", t("diagram.keys", { name: this.label }));
    svg.onkeydown = (event) => this.#pressed(event);
    const pointers = new Map();
    this.canvas.onwheel = (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.#zoom(event.deltaY < 0 ? 1.1 : 0.9, event);
    };
    this.canvas.onpointerdown = (event) => {
      if (event.pointerType === "mouse") this.moved = true;
      else pointers.set(event.pointerId, event);
    };
    this.canvas.onpointermove = (event) => {
      const last = pointers.get(event.pointerId);
      if (last === undefined) return;
      this.moved = true;
      this.viewer.get("canvas").scroll({ dx: event.clientX - last.clientX, dy: event.clientY - last.clientY });
      pointers.set(event.pointerId, event);
    };
    this.canvas.onpointerup = this.canvas.onpointercancel = (event) => pointers.delete(event.pointerId);
  }

  #pressed(event) {
    const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    const zooms = { "+": 1.25, "-": 0.8 };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves || event.key in zooms)) return;
    event.preventDefault();
    if (event.key in zooms) return this.#zoom(zooms[event.key]);
    const [dx, dy] = moves[event.key];
    this.moved = true;
    this.viewer.get("canvas").scroll({ dx, dy });
  }

  #resized() {
    const width = this.canvas.clientWidth;
    if (this.viewer === null || width === 0 || width === this.width) return;
    this.#height();
    if (!this.moved) this.fit();
  }

  #height() {
    if (document.fullscreenElement === this.node) return;
    this.width = this.canvas.clientWidth;
    const { inner } = this.viewer.get("canvas").viewbox();
    const scale = Math.min(1, (this.canvas.clientWidth - 2 * ROOM.side) / inner.width);
    const wanted = Math.max(scale, SMALLEST_READABLE) * inner.height + ROOM.top + ROOM.bottom;
    this.canvas.style.height = `${Math.round(Math.min(HEIGHT.most, Math.max(HEIGHT.least, wanted)))}px`;
    this.viewer.get("canvas").resized();
  }

  #zoom(factor, event) {
    if (this.viewer === null) return;
    const canvas = this.viewer.get("canvas");
    const frame = this.canvas.getBoundingClientRect();
    const center = event ? { x: event.clientX - frame.left, y: event.clientY - frame.top } : "auto";
    this.moved = true;
    canvas.zoom(Math.min(3, Math.max(0.05, canvas.zoom() * factor)), center);
  }

  /** Show all of it; a large one is shown from its beginning, unless `whole` is wanted, so that it can be read. */
  fit(whole = false) {
    if (this.viewer === null) return;
    const canvas = this.viewer.get("canvas");
    canvas.resized();
    const { inner, outer } = canvas.viewbox();
    const [width, height] = [outer.width - 2 * ROOM.side, outer.height - ROOM.top - ROOM.bottom];
    const scale = Math.max(Math.min(1, width / inner.width, height / inner.height), whole ? 0.02 : SMALLEST_READABLE);
    const place = (start, size, room) => start - Math.max(0, (room / scale - size) / 2);
    canvas.viewbox({
      x: place(inner.x, inner.width, width) - ROOM.side / scale,
      y: place(inner.y, inner.height, height) - ROOM.top / scale,
      width: outer.width / scale,
      height: outer.height / scale,
    });
    this.isCropped = inner.width * scale > width + 1 || inner.height * scale > height + 1;
    this.moved = false;
  }

  /** The element with this id, or undefined. */
  find(id) {
    return this.viewer?.get("elementRegistry").get(id);
  }

  /** All elements that `wanted` is true of. */
  all(wanted) {
    return (
      this.viewer
        ?.get("elementRegistry")
        .filter(({ businessObject, labelTarget }) => !labelTarget && wanted(businessObject)) ?? []
    );
  }

  /**
   * Show these looks by element id: `{classes, badges}` with CSS classes and `[place, class, sign, text, title]`.
   * What is as before is not touched.
   */
  paint(looks) {
    if (this.viewer === null) return;
    for (const [id, signature] of this.painted) {
      if (JSON.stringify(looks.get(id)) !== signature) this.#clear(id, JSON.parse(signature));
    }
    this.minimap?.paint(looks);
    for (const [id, look] of looks) {
      if (!this.painted.has(id) && this.find(id) !== undefined) this.#draw(id, look);
    }
  }

  #clear(id, look) {
    const canvas = this.viewer.get("canvas");
    for (const name of look.classes) canvas.removeMarker(id, name);
    this.viewer.get("overlays").remove({ element: id, type: "state" });
    this.painted.delete(id);
  }

  #draw(id, look) {
    const canvas = this.viewer.get("canvas");
    for (const name of look.classes) canvas.addMarker(id, name);
    for (const [where, kind, sign, text, title] of look.badges) {
      const html = el("div", { class: `mark ${kind}`, title }, sign && icon(sign), text && el("span", {}, text));
      const position = {
        state: { top: -11, right: 13 },
        count: { bottom: 11, left: -7 },
        wait: { bottom: -6, left: 0 },
      }[where];
      this.viewer.get("overlays").add(id, "state", { position, html });
    }
    this.painted.set(id, JSON.stringify(look));
  }

  /** Mark one element as the one that is spoken of; null for none. */
  point(id) {
    if (this.viewer === null) return;
    const canvas = this.viewer.get("canvas");
    if (this.pointed && this.find(this.pointed)) canvas.removeMarker(this.pointed, "is-pointed");
    this.pointed = id;
    if (id !== null && this.find(id) !== undefined) canvas.addMarker(id, "is-pointed");
  }

  /** Bring an element into view. */
  reach(id) {
    const element = this.find(id);
    if (element === undefined) return;
    this.moved = true;
    this.viewer.get("canvas").scrollToElement(element, 60);
  }

  close() {
    this.turn += 1;
    this.sizes.disconnect();
    this.minimap?.close();
    this.minimap = null;
    this.viewer?.destroy();
    this.viewer = null;
    this.painted.clear();
    fill(this.canvas);
  }
}
