// Short messages in the corner: read aloud by screen readers, kept while pointed at or focused, errors kept until closed.
import { h, icon, remedyOf } from "./dom.js";
import { word } from "./words.js";

const LIFE_MS = 6000;
const LATER = "cohortex-toast";

export function toast(message, { kind = "good", remedy = "", link = null } = {}) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const close = h("button", { type: "button", "aria-label": word("close"), onclick: () => box.remove() }, icon("cross"));
  const box = h("div", { class: `toast ${kind}`, role: kind === "bad" ? "alert" : "status" },
    icon(kind === "bad" ? "alert" : "check"),
    h("div", { class: "body" }, h("div", {}, message), remedyOf({ remedy, link })), close);
  region.append(box);
  if (kind === "bad") return;
  let timer = null;
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(() => { if (!box.matches(":hover, :focus-within")) box.remove(); }, LIFE_MS);
  };
  for (const name of ["pointerenter", "focusin"]) box.addEventListener(name, hold);
  for (const name of ["pointerleave", "focusout"]) box.addEventListener(name, release);
  release();
}

export function toastError(error) {
  toast(error.message, { kind: "bad", remedy: error.remedy, link: error.link });
}

/** Shown by the page that comes next. */
export function toastAfterReload(message) {
  sessionStorage.setItem(LATER, message);
}

const waiting = sessionStorage.getItem(LATER);
if (waiting) {
  sessionStorage.removeItem(LATER);
  toast(waiting);
}
