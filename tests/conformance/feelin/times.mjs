// How many microseconds of CPU feelin takes for each expression of FEEL: `{ texts, context, times }` comes in as JSON.

import { readFileSync } from "node:fs";
import { evaluate } from "feelin";

const { texts, context, times } = JSON.parse(readFileSync(0, "utf8"));
const taken = texts.map((text) => {
  const run = (count) => {
    for (let number = 0; number < count; number += 1) evaluate(text, context);
  };
  run(times); // so that it is compiled before it is measured
  const begun = process.cpuUsage();
  run(times);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / times;
});
process.stdout.write(JSON.stringify(taken));
