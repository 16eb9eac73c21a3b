// What the server says of a wrong value, in the language of the page; what is not known here stays as it is.

import { t } from "./language.js";

const PATTERNS = [
  [/^Is required\.$/, "form.wrong.required"],
  [/^Must be true or false\.$/, "form.wrong.truth"],
  [/^Must be a number\.$/, "form.wrong.number"],
  [/^Must be a whole number\.$/, "form.wrong.whole"],
  [/^Must be a text\.$/, "form.wrong.text"],
  [/^Must have at least (.+) characters\.$/, "form.wrong.short"],
  [/^Must have at most (.+) characters\.$/, "form.wrong.long"],
  [/^Must be at least (.+)\.$/, "form.wrong.least"],
  [/^Must be at most (.+)\.$/, "form.wrong.most"],
  [/^Must have at most (.+) decimals\.$/, "form.wrong.decimals"],
  [/^Must be one of (.+)\.$/, "form.wrong.choice"],
  [/^May hold (.+)\.$/, "form.wrong.choices"],
  [/^Must be a date such as (.+)\.$/, "form.wrong.date"],
  [/^Must be a time such as (.+)\.$/, "form.wrong.time"],
  [/^Must be a date and time such as (.+)\.$/, "form.wrong.moment"],
  [/^Must not be in the past\.$/, "form.wrong.past"],
  [/^Must be an address such as (.+)\.$/, "form.wrong.mail"],
  [/^Must be a phone number such as (.+)\.$/, "form.wrong.phone"],
  [/^Does not have the form that is asked for\.$/, "form.wrong.pattern"],
  [/^Is missing: a condition behind the task reads it\.$/, "form.wrong.required"],
  [/^No outgoing flow of (.+) can be taken/, "form.wrong.way"],
];

export function wording(text) {
  for (const [pattern, key] of PATTERNS) {
    const found = pattern.exec(text);
    if (found !== null) return t(key, { value: found[1] ?? "" });
  }
  return text;
}
