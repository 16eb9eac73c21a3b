// Evaluates expressions of FEEL with feelin: a JSON array of texts comes in, an array of `{ value }` or `{ error }` goes out.

import { readFileSync } from "node:fs";
import { evaluate } from "feelin";

const { texts, context } = JSON.parse(readFileSync(0, "utf8"));
const found = texts.map((text) => {
  try {
    return { value: evaluate(text, context).value ?? null };
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(found));
