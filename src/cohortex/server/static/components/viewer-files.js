// From an address to a NiiVue volume, with progress; a file that fails says which one and why.
import { word } from "./words.js";

export class FileFailed extends Error {}

// what the pages draw labels with: distinct on grey, in the order lesions are numbered
const LABEL_COLOURS = [[255, 196, 64], [64, 200, 255], [255, 110, 110], [120, 230, 120], [200, 140, 255], [255, 150, 60], [80, 230, 210],
  [255, 130, 200], [170, 200, 90], [130, 160, 255]];
const LABELS_IN_TABLE = 256;

/** The bytes of a file; `onProgress` hears a fraction, or NaN where the size is not known. */
export async function fetchBytes(url, { signal, onProgress = () => {} } = {}) {
  let reply;
  try {
    reply = await fetch(url, { signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new FileFailed(word("viewer.unreachable"));
  }
  if (!reply.ok) throw new FileFailed(await reasonOf(reply));
  const total = Number(reply.headers.get("Content-Length"));
  const parts = [];
  let got = 0;
  const reader = reply.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    got += part.value.length;
    onProgress(total > 0 ? Math.min(got / total, 1) : NaN, got);
  }
  const bytes = new Uint8Array(got);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}

async function reasonOf(reply) {
  try {
    const { error } = await reply.json();
    return [error.message, error.remedy].filter(Boolean).join(" ");
  } catch {
    return word("viewer.status", { status: reply.status });
  }
}

/** `bytes` may be on their way already. */
export async function baseVolume(NVImage, url, { bytes, name, signal, onProgress }) {
  return parsed(NVImage, url, await (bytes ?? fetchBytes(url, { signal, onProgress })), { name, colormap: "gray", opacity: 1 });
}

/** An overlay {url, name, kind, colormap, opacity, min, max} as a volume; labels are never blended, signed maps have two arms. */
export async function overlayVolume(NVImage, overlay, { signal, onProgress }) {
  const buffer = await fetchBytes(overlay.url, { signal, onProgress });
  const options = { name: overlay.name, opacity: overlay.opacity ?? 0.6, cal_min: overlay.min, cal_max: overlay.max };
  if (overlay.kind === "signed") Object.assign(options, { colormap: overlay.colormap ?? "warm", colormapNegative: "winter" });
  else options.colormap = overlay.colormap ?? (overlay.kind === "labels" ? "gray" : "inferno");
  const volume = await parsed(NVImage, overlay.url, buffer, options);
  if (overlay.kind === "labels") volume.setColormapLabel(labelTable(overlay.labels));
  else volume.colormapType = 1;  // transparent below min
  return volume;
}

async function parsed(NVImage, url, buffer, { name, ...options }) {
  const known = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
  try {
    const bytes = new Uint8Array(buffer, 0, 2);
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const volume = await NVImage.loadFromUrl({ url, buffer, name: zipped ? "volume.nii.gz" : "volume.nii", ...known });
    volume.name = name;
    return volume;
  } catch (error) {
    throw new FileFailed(word("viewer.unreadable"), { cause: error });
  }
}

function labelTable(colours) {
  const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
  for (let label = 1; label < LABELS_IN_TABLE; label += 1) {
    const [r, g, b] = colours?.[label] ?? LABEL_COLOURS[(label - 1) % LABEL_COLOURS.length];
    table.R.push(r);
    table.G.push(g);
    table.B.push(b);
    table.A.push(255);
    table.I.push(label);
    table.labels.push(String(label));
  }
  return table;
}

