// The access key: asked for where one is needed, kept for this tab only, sent with every call.

const PLACE = "riverstone.key";
let key = null;

try {
  key = sessionStorage.getItem(PLACE);
} catch {
  // It holds until the page is left.
}

export function hasKey() {
  return key !== null;
}

export function keyHeader() {
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

export function keep(text) {
  key = text;
  try {
    if (text === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, text);
  } catch {
    // As above.
  }
}
