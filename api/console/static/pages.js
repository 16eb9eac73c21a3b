// The pages by the names with which their addresses begin.

const PAGES = new Map(Object.entries({
  processes: async () => (await import("./processespage.js")).processesPage,
  process: async () => (await import("./processpage.js")).processPage,
  inbox: async () => (await import("./inboxpage.js")).inboxPage,
  task: async () => (await import("./inboxtask.js")).taskPage,
  batches: async () => (await import("./batchespage.js")).batchesPage,
  batch: async () => (await import("./batchespage.js")).batchPage,
  models: async () => (await import("./modelspage.js")).modelsPage,
  model: async () => (await import("./modelpage.js")).modelPage,
  edit: async () => (await import("./editpage.js")).editPage,
  statistics: async () => (await import("./statisticspage.js")).statisticsPage,
  resources: async () => (await import("./resourcespage.js")).resourcesPage,
  stones: async () => (await import("./stonespage.js")).stonesPage,
  signals: async () => (await import("./signalspage.js")).signalsPage,
  start: async () => (await import("./startpage.js")).startPage,
  webhooks: async () => (await import("./webhookspage.js")).webhooksPage,
  "sign-in": async () => (await import("./signin.js")).signInPage,
}));

export function isPage(name) {
  return PAGES.has(name);
}

/** The function that shows a page; what is large and its own begins to come with that. */
export function pageOf(name) {
  return PAGES.get(name)();
}
