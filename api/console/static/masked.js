// What the server shows in place of secrets. It is sent back only inside of an object, where it means that they stay.

import { isObject } from "./exactjson.js";

export const MASKED = "*****";

/** Whether a secret is hidden anywhere in a value. */
export function holdsMask(value) {
  if (typeof value === "string") return value.includes(MASKED);
  if (value === null || typeof value !== "object") return false;
  return Object.entries(value).some(([name, each]) => (!Array.isArray(value) && holdsMask(name)) || holdsMask(each));
}

/** Whether members of a value can be changed beside the secrets in it: the server keeps those that are sent back as shown. */
export function keepsMembers(value) {
  return isObject(value) && holdsMask(value) && !Object.keys(value).some(holdsMask);
}

/** The values without those in which a secret is hidden, and the dotted names of what was left out. */
export function withoutMasked(values, before = "") {
  const [shown, hidden] = [{}, []];
  for (const [name, value] of Object.entries(values)) {
    if (!holdsMask(value) && !holdsMask(name)) shown[name] = value;
    else if (typeof value === "string" || Array.isArray(value) || holdsMask(name)) hidden.push(before + name);
    else {
      const inner = withoutMasked(value, `${before}${name}.`);
      hidden.push(...inner.hidden);
      if (Object.keys(inner.shown).length > 0) shown[name] = inner.shown;
    }
  }
  return { shown, hidden };
}
