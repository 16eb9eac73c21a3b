// Times: as the server writes them in its own zone, compared with its own present, and those with an offset in the reader's.

import { el } from "./element.js";
import { spoken, t } from "./language.js";

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

const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86_400, "hour", 3600],
  [2_592_000, "day", 86_400],
  [31_536_000, "month", 2_592_000],
  [Infinity, "year", 31_536_000],
];

/** How long ago a time with an offset is, in words. */
export function ago(iso) {
  const past = Math.round((Date.parse(iso) - Date.now()) / 1000);
  const [, unit, size] = STEPS.find(([most]) => Math.abs(past) < most);
  const language = spoken() === "zh" ? "zh-CN" : "en";
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.min(0, Math.round(past / size)), unit);
}

/** A time with an offset in the reader's own zone, which its title names beside the server's. */
export function time(iso, atServer) {
  const at = new Date(iso);
  const two = (number) => String(number).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const text = `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
  const zone = new Intl.DateTimeFormat("en", { timeZoneName: "longOffset" }).formatToParts(at).find(({ type }) => type === "timeZoneName");
  return el("time", { datetime: iso, title: t("time.title", { here: `${text} ${zone?.value ?? ""}`, server: atServer }) }, text);
}
