// Nothing moves while somebody presses the pointer: a line that appeared or went then would move what is being pressed
// away from under it, and the click would be lost.

// A finger's click, and the focus that it moves, come some time after the release.
const TAP = 400;

const waiting = [];
let pressed = false;
let timer = null;

addEventListener("pointerdown", () => (clearTimeout(timer), (pressed = true)), true);
// What is clicked is settled by then, and what the click does comes after what has waited for it.
addEventListener("click", released, true);
// The click of a mouse, if there is one, comes in the same turn of the browser; a menu may take the release.
for (const name of ["pointerup", "pointercancel", "contextmenu", "keydown"])
  addEventListener(name, ({ type, pointerType }) => later(type === "pointerup" && pointerType !== "mouse" ? TAP : 0), true);
addEventListener("blur", ({ target }) => target === window && released(), true);

function later(time) {
  clearTimeout(timer);
  timer = setTimeout(released, time);
}

function released() {
  clearTimeout(timer);
  pressed = false;
  for (const act of waiting.splice(0)) act();
}

/** Do what may move the page: at once, or when the pointer is released. */
export function whenReleased(act) {
  if (pressed) waiting.push(act);
  else act();
}
