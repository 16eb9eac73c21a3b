// A handler of five steps that do nothing, each recorded when it has ended, on a port of the loopback that it prints.

import { createServer } from "node:http2";

import * as restate from "@restatedev/restate-sdk";

// Its makers need Node.js 22 for this alone.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const flow = restate.service({
  name: "flow",
  handlers: {
    run: async (context, count) => {
      for (let step = 0; step < count; step++) await context.run(`step ${step}`, () => step);
      return count;
    },
  },
});
const server = createServer(restate.createEndpointHandler({ services: [flow], logger: () => {} }));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
