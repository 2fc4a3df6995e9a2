// Viewers of one group follow each other: at once in the same frame, through the server's /place between frames.
import { api } from "./api.js";

const groups = new Map();
const PLACE_DELAY_MS = 140;

export function join(viewer) {
  const name = viewer.getAttribute("link");
  if (!name) return;
  if (!groups.has(name)) groups.set(name, new Set());
  groups.get(name).add(viewer);
}

export function leave(viewer) {
  groups.get(viewer.getAttribute("link"))?.delete(viewer);
  viewer.linkRequest?.abort();
}

/** The linked viewers that are on the page and shown. */
export function othersOf(viewer) {
  return [...(groups.get(viewer.getAttribute("link")) ?? [])].filter((other) => other !== viewer && other.isConnected);
}

export function tellOthers(viewer, lps) {
  const distant = [];
  for (const other of othersOf(viewer)) {
    if (sameFrame(other, viewer)) other.show(lps);
    else distant.push(other);
  }
  clearTimeout(viewer.linkTimer);
  viewer.linkRequest?.abort();
  if (distant.length === 0 && !viewer.getAttribute("place-url")) return;
  viewer.linkTimer = setTimeout(() => tellDistant(viewer, lps, distant), PLACE_DELAY_MS);
}

export const sameFrame = (one, other) => frameOf(one) === frameOf(other);
const frameOf = (viewer) => `${viewer.getAttribute("space")} ${viewer.getAttribute("frame") ?? ""}`;
const isTemplate = (viewer) => viewer.getAttribute("space") === "template";

async function tellDistant(viewer, lps, others) {
  const request = viewer.linkRequest = new AbortController();
  try {
    const place = await placeOf(viewer, lps, isTemplate(viewer) ? "template" : "native", request.signal);
    viewer.showPlace(place?.words ?? "");
    const template = isTemplate(viewer) ? lps : place?.template_mm;
    if (!template) return;
    for (const other of others) {
      if (isTemplate(other)) other.show(template);
      else other.show((await placeOf(other, template, "template", request.signal))?.native_mm);
    }
  } catch (error) {
    if (error.name !== "AbortError") viewer.showPlace("");  // outside the brain, or signed out: the crosshair stays alone
  }
}

async function placeOf(viewer, [x, y, z], from, signal) {
  const address = viewer.getAttribute("place-url");
  if (!address) return null;
  const url = new URL(address, location.href);
  for (const [name, value] of Object.entries({ from, x, y, z })) {
    url.searchParams.set(name, typeof value === "number" ? value.toFixed(3) : value);
  }
  return api(url.href, { signal });
}
