// Signing in with the provider of the server, if it has one: the button, what went wrong, who is known, signing out.

import { el, fill } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { place, rename, to } from "./route.js";
import { BASE, get, remove } from "./server.js";
import { forgetAll } from "./typed.js";

const LEFT = "riverstone.left";
const REASONS = ["refused", "expired", "invalid", "unnamed"].map((each) => `sign-in-${each}`);

/** Whether people may sign in at this server. */
export async function mayBeOffered() {
  try {
    return (await get("session")).offered;
  } catch {
    return false;
  }
}

/** Where the browser goes to sign in. Whoever comes back is at the console's first page, so the present one is kept. */
export function signInLink() {
  return el("a", { href: new URL("session/begin", BASE).href, class: "button primary", onclick: keepPlace }, icon("key"), t("signin.in"));
}

function keepPlace() {
  try {
    if (place().name !== "sign-in") sessionStorage.setItem(LEFT, location.hash);
  } catch {
    // A browser that keeps nothing leads to the first page.
  }
}

/** Go on where somebody was before they signed in. */
export function comeBack() {
  try {
    const left = sessionStorage.getItem(LEFT);
    if (!left || location.hash !== "") return;
    sessionStorage.removeItem(LEFT);
    rename(left);
  } catch {
    // Nothing was kept.
  }
}

/** End the session here, then at the provider; without an answer of the server nobody is told that it has ended. */
async function signOut(failed) {
  try {
    await remove("session");
  } catch (problem) {
    if (problem.status !== 401) {
      failed(problemBox(new Error(`${t("signin.still")} ${problem.message}`)));
      return;
    }
  }
  forgetAll();
  location.assign(new URL("session/end", BASE));
}

/** Who has signed in, and the way out; `failed` shows why somebody is not out yet. */
export function whoIs(client, failed) {
  return el(
    "button",
    {
      type: "button",
      class: "quiet",
      title: t("signin.as", { user: client.user, groups: client.groups.join(", ") || t("none") }),
      onclick: () => signOut(failed),
    },
    icon("key"),
    el("span", { class: "clip" }, client.user),
    el("span", {}, t("signin.out")),
  );
}

/** The page to which the server leads somebody whose sign-in went wrong; `id` says how. */
export function signInPage({ main, id, titled }) {
  const known = REASONS.includes(id) || ["provider-unavailable", "public-url-missing", "sign-out-unfinished"].includes(id);
  fill(
    main,
    el("h1", { tabindex: "-1" }, t("signin.failed")),
    problemBox(new Error(t(`signin.${known ? id : "other"}`))),
    el("p", {}, signInLink()),
  );
  titled(t("signin.failed"));
}
