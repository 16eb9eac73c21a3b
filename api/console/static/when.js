// Moments as people read them: in the language of the page, near ones by how far they are.

import { regional, spoken, t } from "./language.js";
import { lasting } from "./moment.js";

const DAY = 86_400_000;

/** A moment, with its day unless that is today. */
export function when(text) {
  const moment = new Date(text);
  const today = new Date();
  const near = moment.toDateString() === today.toDateString();
  const options = near ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return moment.toLocaleString(regional(), options);
}

/** How long it is until something is due, whether that is over, and whether it is near. */
export function whenDue(text) {
  const left = new Date(text).getTime() - Date.now();
  const length = lasting(Math.round(Math.abs(left) / 1000)).split(" ").slice(0, spoken() === "zh" ? 2 : 4).join(" ");
  const late = left < 0;
  return { word: t(late ? "inbox.late" : "inbox.due", { time: length }), late, soon: left < DAY };
}
