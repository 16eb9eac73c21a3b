// In which language the console speaks: the chosen one, else the browser's if it is known, else English.

import { prefer, preference } from "./preference.js";
import english from "./texts/en.js";
import chinese from "./texts/zh.js";

export const LANGUAGES = { en: english, zh: chinese };

const ofBrowser = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES);
let language = preference("language") in LANGUAGES ? preference("language") : (ofBrowser ?? "en");

export function spoken() {
  return language;
}

/** The same as the reader's own region writes it, such as days and hours. */
export function regional() {
  return navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? (language === "zh" ? "zh-CN" : language);
}

export function speak(tag) {
  language = tag;
  prefer("language", tag);
  told();
}

/** Let the document say in which language it is. */
export function told() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
}

/** A text of the console, with `{name}` replaced by the values. */
export function t(key, values = {}) {
  const text = LANGUAGES[language][key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether there is such a text. */
export function has(key) {
  return key in english;
}

/** A count with the word for it: `key` for one, `key.many` for others. */
export function counted(key, count) {
  return t(count === 1 ? key : `${key}.many`, { count });
}
