// <scan-viewer>: NiiVue behind one element. A small preview opens first, the full image is swapped in; places are LPS mm.
//
// Attributes: name, src (preview or only file), full, bases (JSON [{name, src, full, unit}] instead of the two), overlays (JSON
// [{url, name, kind: labels|signed|positive, colormap, opacity, min, max, unit, on}]), space (native|template|midway), frame
// (which visit's native space), link (group name), place-url (where a place of this space is put into the template), unit.
// Methods: goTo([x, y, z]), show([x, y, z]), setLayout, setTool, setWindow, toggleConvention, reset. Event: "crosshair".
import { h, icon } from "./dom.js";
import { buildChrome, overlayRow } from "./viewer-chrome.js";
import { unlit } from "./viewer-drawing.js";
import { FileFailed, baseVolume, fetchBytes, overlayVolume } from "./viewer-files.js";
import { lpsFromRas, placeInWords, rasFromLps, samePlace, valueAt } from "./viewer-geometry.js";
import { handleKey } from "./viewer-keys.js";
import { takeTurn } from "./viewer-queue.js";
import { join, leave, othersOf, sameFrame, tellOthers } from "./viewer-links.js";
import { windowOf } from "./viewer-windows.js";
import { formatValue, word } from "./words.js";

const PLANES = ["axial", "coronal", "sagittal"];  // as NiiVue counts them
const CROSSHAIR = [0.49, 0.72, 0.96, 0.85];
const CROSSHAIR_MM = 0.7;  // on the screen, at every zoom
const CROSSHAIR_GAP_MM = 8;
const REACH = 64;  // largest zoom

class ScanViewer extends HTMLElement {
  plane = "axial";
  layout = "all";
  tool = "crosshair";
  radiological = true;
  overlays = [];

  connectedCallback() {
    if (this.parts) {
      join(this);
      return;
    }
    this.bases = JSON.parse(this.getAttribute("bases") ?? "null") ?? [{ name: "", src: this.getAttribute("src"), full: this.getAttribute("full"), unit: this.getAttribute("unit") }];
    this.base = this.bases[0];
    this.overlays = JSON.parse(this.getAttribute("overlays") ?? "[]").map((overlay) => ({ ...overlay }));
    this.pending = JSON.parse(this.getAttribute("start") ?? "null");
    this.parts = buildChrome(this);
    const { bar, stage, readout, overlays } = this.parts;
    this.replaceChildren(bar, stage, readout, overlays);
    this.fillChoices();
    stage.addEventListener("keydown", (event) => this.onKey(event), true);
    stage.addEventListener("keyup", (event) => event.stopPropagation(), true);
    stage.addEventListener("wheel", (event) => this.onWheel(event), { capture: true, passive: false });
    stage.addEventListener("pointerdown", () => { this.byHand = true; }, true);
    stage.addEventListener("pointerup", () => this.afterDrag());
    join(this);
    this.waitForSight = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.waitForSight.disconnect();
      this.open();
    }, { rootMargin: "200px" });
    this.waitForSight.observe(this);
  }

  disconnectedCallback() {
    leave(this);
    this.waitForSight?.disconnect();
    queueMicrotask(() => { if (!this.isConnected) this.close(); });
  }

  /** Give the graphics memory back. */
  close() {
    this.loading?.abort();
    this.turn?.end();
    this.turn = null;
    this.nv?.cleanup?.();
    this.nv?.gl?.getExtension("WEBGL_lose_context")?.loseContext();
    this.nv = null;
    this.parts = null;
  }

  fillChoices() {
    const { bases, overlays } = this.parts;
    bases.hidden = this.bases.length < 2;
    bases.replaceChildren(...this.bases.map(({ name }) => h("option", {}, name)));
    this.rows = this.overlays.map((overlay, index) => overlayRow(this, overlay, index));
    overlays.hidden = this.overlays.length === 0;
    overlays.replaceChildren(...this.rows.map(({ row }) => row));
    this.showConvention();
    this.showChosen();
  }

  async open() {
    const turn = this.turn = takeTurn();
    try {
      await this.begin(turn);
    } finally {
      turn.end();
    }
  }

  async begin(turn) {
    this.head = fetchBytes(this.base.src ?? this.base.full, { onProgress: (fraction) => this.progress(fraction) });  // while the library loads
    this.head.catch(() => {});
    try {
      this.library = await import("../vendor/niivue.js");
    } catch (error) {
      console.error(error);
      this.say(word("viewer.no_library"), { remedy: word("viewer.no_library_remedy") });
      return;
    }
    await turn.ready;
    if (this.turn !== turn) return;  // removed meanwhile, or put elsewhere
    try {
      await this.attach();
    } catch (error) {
      console.error(error);
      this.say(word("viewer.no_webgl"), { remedy: word("viewer.no_webgl_remedy") });
      return;
    }
    await this.load();
  }

  async attach() {
    const { Niivue, DRAG_MODE, SHOW_RENDER } = this.library;
    this.nv = new (unlit(Niivue))({
      isRadiologicalConvention: this.radiological, isOrientCube: true, isOrientationTextVisible: true, showAllOrientationMarkers: true, isColorbar: false,
      backColor: [0, 0, 0, 1], crosshairColor: CROSSHAIR, crosshairWidth: CROSSHAIR_MM, crosshairWidthUnit: "mm", crosshairGap: CROSSHAIR_GAP_MM, fontColor: [0.91, 0.92, 0.94, 0.9], fontMinPx: 12,
      multiplanarShowRender: SHOW_RENDER.NEVER, multiplanarPadPixels: 3, tileMargin: 0, dragAndDropEnabled: false, scrollRequiresFocus: true,
      dragMode: DRAG_MODE.windowing, dragModePrimary: DRAG_MODE.crosshair, isForceMouseClickToVoxelCenters: true, sagittalNoseLeft: true,
      atlasOutline: 1, loadingText: "", logLevel: "silent", show3Dcrosshair: false, isResizeCanvas: true,
    });
    this.nv.onLocationChange = (location) => this.onLocation(location);
    await this.nv.attachToCanvas(this.parts.canvas);
    this.applyLayout();
    this.applyTool();
  }

  /** Show the preview, then swap in the full image; a failure keeps what is shown and offers to try again. */
  async load() {
    this.loading?.abort();
    const loading = this.loading = new AbortController();
    const { signal } = loading;
    this.say(null);
    const { NVImage } = this.library;
    const { src, full } = this.base;
    try {
      this.progress(NaN);
      const first = src ?? full;
      const bytes = this.head;
      this.head = null;
      const preview = await baseVolume(NVImage, first, { bytes, name: this.base.name, signal, onProgress: (fraction) => this.progress(fraction) });
      if (signal.aborted) return;
      this.swap(preview);
      this.dataset.resolution = full && full !== first ? "preview" : "full";
      requestAnimationFrame(() => this.turn?.end());
      await this.loadOverlays(signal);
      if (full && full !== first) {
        const whole = await baseVolume(NVImage, full, { name: this.base.name, signal, onProgress: (fraction) => this.progress(fraction) });
        if (signal.aborted) return;
        this.swap(whole);
        this.dataset.resolution = "full";
      }
      this.progress(null);
      this.readOut(this.lps);
      this.showHead();
      this.dispatchEvent(new CustomEvent("loaded", { bubbles: true }));
    } catch (error) {
      if (error.name === "AbortError") return;
      console.error(error);
      this.progress(null);
      const reason = error instanceof FileFailed ? error.message : word("viewer.failed");
      this.say(word("viewer.not_shown", { name: this.base.name || this.getAttribute("name") || "" }), { remedy: reason, retry: () => this.load() });
    }
  }

  /** The head in three dimensions comes last: it costs more than the slices one waits for. */
  showHead() {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (!this.nv) return;
      this.nv.opts.multiplanarShowRender = this.library.SHOW_RENDER.ALWAYS;
      this.nv.drawScene();
    }));
  }

  /** Put a volume at the bottom of the stack, keeping the crosshair, zoom and window. */
  swap(volume) {
    const { nv } = this;
    const old = nv.volumes[0];
    const place = this.lps;
    const window = old && this.ownWindow ? [old.cal_min, old.cal_max] : windowOf(this.parts.preset.value || "auto", volume);
    [volume.cal_min, volume.cal_max] = window;
    if (old) {
      nv.volumes[0] = volume;
      nv.setVolume(volume, 0);
    } else {
      nv.addVolume(volume);
    }
    if (place) this.show(place);
    else if (this.pending) this.show(this.pending);
    else {
      nv.drawScene();
      this.lps = this.place();
      this.readOut(this.lps);
    }
    this.dataset.state = "shown";
  }

  async loadOverlays(signal) {
    for (const [index, overlay] of this.overlays.entries()) {
      if (overlay.on && !overlay.volume) await this.loadOverlay(index, signal);
    }
  }

  async loadOverlay(index, signal = this.loading?.signal) {
    const overlay = this.overlays[index];
    const { status } = this.rows[index];
    if (overlay.loading || !this.nv?.volumes.length) return;
    overlay.loading = true;
    try {
      overlay.volume = await overlayVolume(this.library.NVImage, overlay, { signal, onProgress: (fraction) => this.progress(fraction) });
      if (signal?.aborted) return;
      overlay.volume.opacity = overlay.on ? overlay.opacity ?? 0.6 : 0;
      this.nv.addVolume(overlay.volume);
      status.textContent = "";
      this.readOut(this.lps);
    } catch (error) {
      if (error.name === "AbortError") return;
      overlay.on = false;
      this.rows[index].toggle.checked = false;
      status.textContent = error instanceof FileFailed ? error.message : word("viewer.failed");
    } finally {
      overlay.loading = false;
      this.progress(null);
    }
  }

  setOverlay(index, { on, opacity }) {
    const overlay = this.overlays[index];
    if (on !== undefined) overlay.on = on;
    if (opacity !== undefined) overlay.opacity = opacity;
    const { toggle, slider } = this.rows[index];
    [toggle.checked, slider.value] = [Boolean(overlay.on), String(overlay.opacity ?? 0.6)];
    if (!overlay.volume) {
      if (overlay.on) this.loadOverlay(index);
      return;
    }
    this.nv.setOpacity(this.nv.volumes.indexOf(overlay.volume), overlay.on ? overlay.opacity ?? 0.6 : 0);
    this.readOut(this.lps);
  }

  toggleOverlays() {
    const shown = this.overlays.filter(({ on }) => on);
    if (shown.length) {
      this.hiddenOverlays = shown;
      for (const overlay of shown) this.setOverlay(this.overlays.indexOf(overlay), { on: false });
    } else {
      for (const overlay of this.hiddenOverlays ?? this.overlays.slice(0, 1)) this.setOverlay(this.overlays.indexOf(overlay), { on: true });
    }
  }

  chooseBase(index) {
    if (!this.bases[index] || this.base === this.bases[index]) return;
    this.base = this.bases[index];
    this.parts.bases.selectedIndex = index;
    this.ownWindow = false;
    this.head = null;  // the bytes on their way are another's
    if (this.nv) this.load();  // else it is loaded when its turn has come
    for (const other of othersOf(this)) {
      const same = other.bases.findIndex(({ name }) => name === this.base.name);
      if (same >= 0) other.chooseBase(same);
    }
  }

  /** Where the crosshair is, LPS mm. */
  place() {
    const [x, y, z] = this.nv.frac2mm(this.nv.scene.crosshairPos, 0, true);
    return lpsFromRas([x, y, z]);
  }

  /** Move the crosshair, and that of the linked viewers. */
  goTo(lps) {
    this.pending = lps;
    if (!this.nv?.volumes.length) return;
    this.show(lps);
    tellOthers(this, this.lps);
    this.announce();
  }

  /** Move the crosshair of this viewer only. */
  show(lps) {
    if (!lps) return;
    this.pending = lps;
    if (!this.nv?.volumes.length) return;
    const fraction = this.nv.mm2frac(rasFromLps(lps), 0, true);
    this.nv.scene.crosshairPos = fraction.map((value) => Math.min(Math.max(value, 0), 1));
    this.lps = this.place();
    this.nv.drawScene();
    this.readOut(this.lps);
  }

  step(voxels) {
    this.byHand = true;
    this.nv?.moveCrosshairInVox(...voxels);
  }

  onLocation({ axCorSag }) {
    if (PLANES[axCorSag]) this.plane = PLANES[axCorSag];
    const lps = this.place();
    this.readOut(lps);
    if (!this.byHand || samePlace(lps, this.lps)) return;
    this.lps = lps;
    this.pending = lps;
    tellOthers(this, lps);
    this.announce();
  }

  announce() {
    this.dispatchEvent(new CustomEvent("crosshair", { bubbles: true, detail: { lps: this.lps } }));
  }

  readOut(lps) {
    if (!lps || !this.nv?.volumes.length) return;
    const { mm, value, over, detail } = this.parts;
    mm.textContent = placeInWords(lps);
    mm.dataset.lps = lps.map((x) => x.toFixed(3)).join(" ");
    const found = valueAt(this.nv.volumes[0], lps);
    value.textContent = `${this.base.name} ${formatValue(found)} ${this.base.unit ?? ""}`.trim();
    value.dataset.value = found ?? "";
    const shown = this.overlays.filter(({ on, volume }) => on && volume).map((overlay) => ({ overlay, found: valueAt(overlay.volume, lps) }));
    over.textContent = shown.filter(({ overlay, found: at }) => overlay.kind !== "labels" || at).map(({ overlay, found: at }) => `${overlay.name} ${overlay.names?.[at] ?? formatValue(at)} ${overlay.unit ?? ""}`.trim()).join(" · ");
    over.dataset.values = JSON.stringify(Object.fromEntries(shown.map(({ overlay, found: at }) => [overlay.name, at])));
    detail.textContent = this.dataset.resolution === "preview" ? word("viewer.preview") : "";
  }

  showPlace(words) {
    if (this.parts) this.parts.place.textContent = words;
  }

  setLayout(layout, { alone = false } = {}) {
    this.layout = layout;
    if (PLANES.includes(layout)) this.plane = layout;
    this.applyLayout();
    this.showChosen();
    if (!alone) for (const other of othersOf(this)) other.setLayout(layout, { alone: true });
  }

  applyLayout() {
    const { SLICE_TYPE, MULTIPLANAR_TYPE } = this.library ?? {};
    if (!this.nv) return;
    this.nv.setMultiplanarLayout(MULTIPLANAR_TYPE.GRID);
    this.nv.setSliceType({ all: SLICE_TYPE.MULTIPLANAR, axial: SLICE_TYPE.AXIAL, coronal: SLICE_TYPE.CORONAL, sagittal: SLICE_TYPE.SAGITTAL }[this.layout]);
  }

  setTool(tool, { alone = false } = {}) {
    this.tool = tool;
    this.applyTool();
    this.showChosen();
    if (!alone) for (const other of othersOf(this)) other.setTool(tool, { alone: true });
  }

  applyTool() {
    if (!this.nv) return;
    const { DRAG_MODE } = this.library;
    this.nv.opts.dragModePrimary = { crosshair: DRAG_MODE.crosshair, window: DRAG_MODE.windowing, pan: DRAG_MODE.pan }[this.tool];
  }

  setWindow(preset) {
    const volume = this.nv?.volumes[0];
    this.parts.preset.value = preset;
    this.ownWindow = false;
    if (!volume) return;
    [volume.cal_min, volume.cal_max] = windowOf(preset, volume);
    this.nv.updateGLVolume();
  }

  /** After a drag: hand pan and zoom on, and say that the window is one's own if it moved. */
  afterDrag() {
    const volume = this.nv?.volumes[0];
    if (volume && this.tool === "pan") this.setView([...this.nv.scene.pan2Dxyzmm]);
    if (!volume || !this.parts.preset.value) return;
    const [low, high] = windowOf(this.parts.preset.value, volume);
    if (Math.abs(volume.cal_min - low) + Math.abs(volume.cal_max - high) < 1e-6 * (Math.abs(high - low) + 1e-9)) return;
    this.ownWindow = true;
    this.parts.preset.value = "";
  }

  toggleConvention({ alone = false, to = !this.radiological } = {}) {
    this.radiological = to;
    this.nv?.setRadiologicalConvention(to);
    this.showConvention();
    if (!alone) for (const other of othersOf(this)) other.toggleConvention({ alone: true, to });
  }

  showConvention() {
    const { convention } = this.parts;
    const name = this.radiological ? "radiological" : "neurological";
    convention.textContent = word(`viewer.${name}`);
    convention.title = word(`viewer.${name}_means`);
    this.dataset.imageLeft = this.radiological ? "R" : "L";
    this.classList.toggle("neurological", !this.radiological);
  }

  showChosen() {
    const { tools, layouts } = this.parts;
    for (const button of tools) button.setAttribute("aria-pressed", String(button.dataset.tool === this.tool));
    for (const button of layouts) button.setAttribute("aria-pressed", String(button.dataset.layout === this.layout));
  }

  /** Zoom about the crosshair. */
  zoomBy(factor) {
    if (!this.nv) return;
    const [x, y, z, zoom] = this.nv.scene.pan2Dxyzmm;
    const wanted = Math.min(Math.max(zoom * factor, 1), REACH);
    const [cx, cy, cz] = this.nv.frac2mm(this.nv.scene.crosshairPos);
    const change = zoom - wanted;
    this.setView(wanted === 1 ? [0, 0, 0, 1] : [x + change * cx, y + change * cy, z + change * cz, wanted]);
  }

  /** Pan and zoom as NiiVue writes them; viewers in the same frame follow. */
  setView(view, { alone = false } = {}) {
    if (!this.nv) return;
    this.nv.opts.crosshairWidth = CROSSHAIR_MM / view[3];
    this.nv.opts.crosshairGap = CROSSHAIR_GAP_MM / view[3];
    this.nv.setPan2Dxyzmm(view);
    this.nv.drawScene();
    if (!alone) for (const other of othersOf(this)) if (sameFrame(other, this)) other.setView(view, { alone: true });
  }

  reset() {
    if (!this.nv?.volumes.length) return;
    this.setView([0, 0, 0, 1]);
    this.setWindow("auto");
    this.nv.scene.crosshairPos = [0.5, 0.5, 0.5];
    this.byHand = true;
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }

  onKey(event) {
    event.stopPropagation();
    if (handleKey(this, event)) event.preventDefault();
  }

  onWheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      this.zoomBy(event.deltaY < 0 ? 1.12 : 1 / 1.12);
    } else {
      this.byHand = true;
    }
  }

  toggleFullscreen() {
    if (document.fullscreenElement === this) document.exitFullscreen();
    else this.requestFullscreen();
  }

  progress(fraction) {
    if (!this.parts) return;
    const { loading } = this.parts;
    loading.hidden = fraction === null;
    if (fraction === null) return;
    if (Number.isNaN(fraction)) loading.removeAttribute("value");
    else loading.value = fraction;
  }

  say(message, { remedy = "", retry = null } = {}) {
    const box = this.parts.message;
    box.hidden = !message;
    if (!message) return;
    this.dataset.state = "failed";
    box.replaceChildren(icon("alert"), h("div", { class: "strong" }, message), h("div", {}, remedy),
      retry ? h("button", { type: "button", class: "button small", onclick: retry }, icon("refresh"), word("viewer.retry")) : "");
    box.setAttribute("role", "alert");
  }
}

customElements.define("scan-viewer", ScanViewer);
