// Runs before anything is drawn, so that a chosen theme does not flash in the other one first.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("riverstone.theme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
