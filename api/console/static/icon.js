// The console's own signs, drawn on 16 by 16. Each says with its shape what its colour says.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  running: ["M8 2a6 6 0 1 1-5.2 3"],
  success: ["M3 8.5l3.2 3.2L13 5"],
  failed: ["M4 4l8 8M12 4l-8 8"],
  paused: ["M5.5 3.5v9M10.5 3.5v9"],
  undoing: ["M3 3v4h4", "M3.4 7A5.2 5.2 0 1 1 4 11.5"],
  undone: ["M6.5 3L3 6.5 6.5 10", "M3 6.5h6.5a3.3 3.3 0 0 1 0 6.6H7"],
  canceled: ["M3.5 8h9"],
  waiting: ["M8 4.5V8l2.5 1.5", "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z"],
  person: ["M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8z", "M3 13.5c.6-2.6 2.6-4 5-4s4.400 1.400 5 4"],
  menu: ["M3 4.5h10M3 8h10M3 11.5h10"],
  missing: ["M5.500 6a2.500 2.500 0 1 1 3.600 2.200C8.300 8.700 8 9 8 10", "M8 12.800v.01"],
  retained: ["M5 7V5.500a3 3 0 0 1 6 0V7", "M3.500 7h9v6.500h-9z"],
  redo: ["M9.5 3L13 6.5 9.5 10", "M13 6.5H6.5a3.3 3.3 0 0 0 0 6.6H9"],
  diff: ["M4 3v10M4 3L2 5.5M4 3l2 2.5", "M12 13V3M12 13l-2-2.5M12 13l2-2.5"],
  download: ["M8 3v8M4.5 7.5L8 11l3.5-3.5", "M3 13.5h10"],
  pen: ["M3 13l.7-3L11 2.7l2.3 2.3L6 12.3z"],
  down: ["M4 6l4 4 4-4"],
  up: ["M4 10l4-4 4 4"],
  map: ["M2.5 4l3.500-1.500 4 1.500 3.500-1.500v9.500l-3.500 1.500-4-1.500-3.500 1.500z", "M6 2.500v9.500M10 4v9.500"],
  full: ["M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3", "M6 6h4v4H6z"],
  chart: ["M3 13V8M7 13V3M11 13V6", "M2 13.500h12"],
  bell: ["M4 11V7.500a4 4 0 0 1 8 0V11l1 1.500H3z", "M7 14h2"],
  right: ["M6 4l4 4-4 4"],
  left: ["M10 4L6 8l4 4"],
  plus: ["M8 3v10M3 8h10"],
  minus: ["M3 8h10"],
  fit: ["M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3"],
  search: ["M7 2.500a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9z", "M10.500 10.500L14 14"],
  upload: ["M8 11V3M4.500 6.500L8 3l3.500 3.500", "M3 13h10"],
  play: ["M5 3.500v9l7-4.500z"],
  trash: ["M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500"],
  again: ["M13 3v4H9", "M12.600 7A5.200 5.200 0 1 0 12 11.500"],
  stop: ["M4 4h8v8H4z"],
  key: ["M6 7.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z", "M8 8.500L13.500 3M11 5.500l2 2"],
  send: ["M2.500 8L13.500 3 10 13.500 7.500 9z"],
  warning: ["M8 2.500L14 13.500H2z", "M8 6.500v3", "M8 11.500v.01"],
  info: ["M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z", "M8 7.500v3.500", "M8 5v.01"],
  model: ["M2.500 5.500h4v5h-4zM9.500 5.500h4v5h-4zM6.500 8h3"],
};

/** A decorative sign; what it means is said beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const path of PATHS[name] ?? []) {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    svg.append(line);
  }
  return svg;
}
