// Another id for an element: whatever reads its outputs goes on reading them, in one step that is undone as one.

/** A text in which `outputs.<from>` is `outputs.<to>`; longer names that begin alike are others. */
export function renamed(text, from, to) {
  const name = from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.replace(new RegExp(`\\boutputs\\.${name}(?![\\w:-])`, "g"), () => `outputs.${to}`);
}

/** Every text of a model that would be another, as `[object, property, text]`. */
export function textsToRename(root, from, to) {
  const found = [];
  const seen = new Set();
  const open = [root];
  while (open.length > 0) {
    const object = open.pop();
    if (seen.has(object)) continue;
    seen.add(object);
    for (const property of object.$descriptor?.properties ?? []) {
      if (property.isReference || property.isVirtual || property.name === "di") continue;
      const name = property.ns.name;
      const value = object.get(name);
      if (typeof value === "string") {
        const text = renamed(value, from, to);
        if (text !== value) found.push([object, name, text]);
      } else if (Array.isArray(value)) open.push(...value.filter((each) => each?.$descriptor));
      else if (value?.$descriptor) open.push(value);
    }
  }
  return found;
}

/** A command of the modeler: `context` is `{ element, id, root }`. */
export class Rename {
  static $inject = ["modeling", "elementRegistry"];

  constructor(modeling, elementRegistry) {
    Object.assign(this, { modeling, elementRegistry });
  }

  preExecute({ element, id, root }) {
    const from = element.businessObject.id;
    for (const [object, name, text] of textsToRename(root, from, id)) {
      const shown = this.#shownBy(object) ?? element;
      this.modeling.updateModdleProperties(shown, object, { [name]: text });
    }
    this.modeling.updateProperties(element, { id });
  }

  /** The element of the diagram that an object belongs to. */
  #shownBy(object) {
    for (let each = object; each; each = each.$parent) {
      const shown = each.id && this.elementRegistry.get(each.id);
      if (shown) return shown;
    }
    return null;
  }

  execute() {
    return [];
  }
  revert() {
    return [];
  }
}
