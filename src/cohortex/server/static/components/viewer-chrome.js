// What stands around the picture: tools, presets, convention, overlays with their opacity, the readout.
import { h, icon } from "./dom.js";
import { LAYOUTS } from "./viewer-keys.js";
import { presetNames } from "./viewer-windows.js";
import { formatValue, word } from "./words.js";

const TOOLS = { crosshair: "crosshair", window: "contrast", pan: "pan" };

/** The elements of a viewer by name; `viewer` gets the clicks. */
export function buildChrome(viewer) {
  const parts = {};
  parts.title = h("span", { class: "viewer-title" }, viewer.getAttribute("name") ?? "");
  parts.bases = h("select", { class: "viewer-select", "aria-label": word("viewer.series"), hidden: true,
    onchange: (event) => viewer.chooseBase(event.target.selectedIndex) });
  parts.tools = Object.entries(TOOLS).map(([tool, sign]) => h("button", { type: "button", class: "viewer-button", title: word(`viewer.tool_${tool}`),
    "aria-label": word(`viewer.tool_${tool}`), "aria-pressed": "false", "data-tool": tool, onclick: () => viewer.setTool(tool) }, icon(sign)));
  parts.layouts = LAYOUTS.map((layout, n) => h("button", { type: "button", class: "viewer-button text", title: `${word(`viewer.layout_${layout}`)} (${n + 1})`,
    "aria-label": word(`viewer.layout_${layout}`), "aria-pressed": "false", "data-layout": layout, onclick: () => viewer.setLayout(layout) },
    layout === "all" ? icon("grid") : word(`viewer.layout_${layout}_short`)));
  parts.preset = h("select", { class: "viewer-select", "aria-label": word("viewer.window"), onchange: (event) => viewer.setWindow(event.target.value) },
    h("option", { value: "", hidden: true }, word("viewer.window_own")),
    presetNames(viewer.getAttribute("unit")).map((name) => h("option", { value: name }, word(`viewer.window_${name}`))));
  parts.preset.value = "auto";
  parts.convention = h("button", { type: "button", class: "viewer-button text convention", "data-testid": "convention", onclick: () => viewer.toggleConvention() });
  parts.bar = h("div", { class: "viewer-bar", role: "toolbar", "aria-label": word("viewer.tools") }, parts.title, parts.bases,
    h("span", { class: "viewer-gap" }), h("span", { class: "viewer-group" }, parts.layouts), h("span", { class: "viewer-group" }, parts.tools));
  const button = (name, sign, act) => h("button", { type: "button", class: "viewer-button", title: word(`viewer.${name}`), "aria-label": word(`viewer.${name}`), onclick: act }, icon(sign));
  parts.corner = h("div", { class: "viewer-corner" }, button("reset", "home", () => viewer.reset()), keysHelp(), button("fullscreen", "expand", () => viewer.toggleFullscreen()));

  parts.canvas = h("canvas", { class: "viewer-canvas", tabindex: "0", role: "application", "aria-label": word("viewer.canvas", { name: viewer.getAttribute("name") ?? "" }) });
  parts.loading = h("progress", { class: "viewer-progress", max: 1, hidden: true, "aria-label": word("viewer.loading") });
  parts.message = h("div", { class: "viewer-message", hidden: true });
  parts.stage = h("div", { class: "viewer-stage" }, parts.canvas, h("div", { class: "viewer-corner left" }, parts.convention, parts.preset), parts.corner, parts.loading, parts.message);

  parts.mm = h("span", { "data-testid": "readout-mm" }, "–");
  parts.value = h("span", { "data-testid": "readout-value" }, "–");
  parts.over = h("span", { class: "viewer-over", "data-testid": "readout-overlay" });
  parts.place = h("span", { class: "viewer-place", "data-testid": "readout-place" });
  parts.detail = h("span", { class: "viewer-detail", "data-testid": "readout-detail" });
  parts.readout = h("div", { class: "viewer-readout" }, parts.mm, parts.value, parts.over, parts.place, h("span", { class: "viewer-gap" }), parts.detail);
  parts.overlays = h("div", { class: "viewer-overlays", hidden: true });
  return parts;
}

function keysHelp() {
  const rows = ["step", "jump", "zoom", "layout", "overlay", "reset", "convention", "tools"].map((name) =>
    h("div", {}, h("kbd", {}, word(`viewer.key_${name}`)), h("span", {}, word(`viewer.key_${name}_does`))));
  return h("details", { class: "menu viewer-keys" }, h("summary", { class: "viewer-button", title: word("viewer.keys"), "aria-label": word("viewer.keys") }, icon("keyboard")),
    h("div", { class: "menu-list" }, rows));
}

/** One row of the overlay list: switch, colour scale, name, range, opacity. */
export function overlayRow(viewer, overlay, index) {
  const toggle = h("input", { type: "checkbox", checked: Boolean(overlay.on), onchange: (event) => viewer.setOverlay(index, { on: event.target.checked }) });
  const slider = h("input", { type: "range", min: "0", max: "1", step: "0.05", value: String(overlay.opacity ?? 0.6), "aria-label": word("viewer.opacity", { name: overlay.name }),
    oninput: (event) => viewer.setOverlay(index, { opacity: Number(event.target.value) }) });
  const range = overlay.kind === "labels" ? Object.entries(overlay.names ?? {}).map(([n, name]) => h("span", { class: `label-name label-${n}` }, name)) : scaleText(overlay);
  const status = h("span", { class: "overlay-status" });
  const row = h("div", { class: "overlay-row", "data-overlay": overlay.name }, h("label", {}, toggle, h("span", { class: `overlay-scale ${overlay.kind} ${overlay.colormap ?? ""}` }),
    h("span", { class: "overlay-name" }, overlay.name)), h("span", { class: "overlay-range" }, range), status, slider);
  return { row, toggle, slider, status };
}

function scaleText({ kind, min, max, unit }) {
  if (max === undefined || max === null) return unit ?? "";
  const [low, high] = [min ?? 0, max].map((value) => formatValue(Number(value.toPrecision(2))));
  return `${kind === "signed" ? `±${low}…${high}` : `${low}…${high}`} ${unit ?? ""}`.trim();
}
