// All of a large diagram in small, with the part that is seen: a click or a drag goes there.

import { el, fill } from "./element.js";
import { t } from "./language.js";

const SVG = "http://www.w3.org/2000/svg";

export class Minimap {
  constructor(viewer) {
    this.canvas = viewer.get("canvas");
    this.svg = document.createElementNS(SVG, "svg");
    this.frame = this.#shape("rect", { class: "minimap-frame" });
    this.node = el("div", { class: "minimap", "aria-hidden": "true", title: t("minimap") }, this.svg);
    const shapes = viewer.get("elementRegistry").filter(({ width, parent, labelTarget }) => width && parent && !labelTarget);
    const { inner } = this.canvas.viewbox();
    // As high as it has to be: a flat diagram is not hidden behind its own picture.
    this.node.style.height = `${Math.min(88, Math.max(28, (160 * inner.height) / inner.width))}px`;
    this.svg.setAttribute("viewBox", `${inner.x - 20} ${inner.y - 20} ${inner.width + 40} ${inner.height + 40}`);
    this.shapes = new Map(shapes.map(({ id, x, y, width, height }) => [id, this.#shape("rect", { x, y, width, height, rx: 6 })]));
    for (const shape of this.shapes.values()) this.svg.append(shape);
    this.svg.append(this.frame);
    viewer.get("eventBus").on("canvas.viewbox.changed", () => this.follow());
    this.node.onpointerdown = (event) => {
      this.node.setPointerCapture(event.pointerId);
      this.#go(event);
    };
    this.node.onpointermove = (event) => event.buttons > 0 && this.#go(event);
    this.follow();
  }

  #shape(name, attributes) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    return shape;
  }

  follow() {
    const { x, y, width, height } = this.canvas.viewbox();
    for (const [name, value] of Object.entries({ x, y, width, height })) this.frame.setAttribute(name, value);
  }

  /** Show the states of the elements in small, too. */
  paint(looks) {
    for (const [id, shape] of this.shapes) shape.setAttribute("class", looks.get(id)?.classes.join(" ") ?? "");
  }

  #go(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    const { width, height } = this.canvas.viewbox();
    this.canvas.viewbox({ x: point.x - width / 2, y: point.y - height / 2, width, height });
  }

  close() {
    fill(this.node);
    this.node.remove();
  }
}
