// What the person at this browser has chosen; kept in the browser, if that keeps anything.

const PREFIX = "riverstone.";

export function preference(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function prefer(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // It holds for this page at least.
  }
}
