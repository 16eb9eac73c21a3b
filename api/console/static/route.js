// Where the reader is: `#/name/id?query`, so that every place has an address and Back goes back.

/** The place that the address names. */
export function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", id = null] = path.split("/").map(decode);
  return { name: name || "processes", id, query: new URLSearchParams(query) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a place. */
export function to(name, id = null, query = {}) {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== null && value !== undefined && value !== "") words.append(key, value);
  const rest = words.size ? `?${words}` : "";
  return `#/${name}${id === null ? "" : `/${encodeURIComponent(id)}`}${rest}`;
}

export function go(address) {
  location.hash = address.slice(1);
}

/** Change the address without leaving the place. */
export function rename(address) {
  history.replaceState(null, "", address);
}
