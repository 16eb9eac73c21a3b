// Times as the server writes them, in its own zone: shown as they are, and compared with the server's own present.

import { t } from "./language.js";

let ahead = 0;

function read(text) {
  const [year, month, day, hour, minute, second] = text.split(/[- :]/).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Learn from the server's present time how far its clock and zone are from here. */
export function settle(text) {
  ahead = read(text) - Date.now();
}

/** Seconds between two times; until now where there is no second. */
export function seconds(from, to) {
  return Math.max(0, Math.round(((to === null ? Date.now() + ahead : read(to)) - read(from)) / 1000));
}

/** A length of time in the two largest units that it has. */
export function lasting(total) {
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "m"],
    [1, "s"],
  ];
  const parts = [];
  let rest = total;
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(t(`unit.${name}`, { count }));
  }
  return parts.slice(0, 2).join(" ") || t("unit.s", { count: 0 });
}
