// <upload-drop visit="12">: drag and drop, resumable (tus 1.0), several files in a queue, live state after the last byte.
// A transfer that was cut off (reload, lost network) goes on where it stopped when the same file is chosen again.
import { Upload } from "../vendor/tus.js";
import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { toastError } from "./toast-region.js";
import { formatSeconds, formatSize, word } from "./words.js";

const ENDPOINT = "/api/uploads";
const CHUNK_BYTES = 8 * 1024 * 1024;
const RETRIES_MS = [0, 1000, 3000, 5000, 10000, 20000];
const SPEED_WINDOW_MS = 4000;
const FINAL = ["committed", "held", "refused", "withdrawn"];

class UploadDrop extends HTMLElement {
  connectedCallback() {
    this.transfers = [];
    this.input = h("input", { type: "file", multiple: true, hidden: true, accept: ".zip,application/zip", onchange: () => this.take(this.input.files) });
    this.list = h("ul", { class: "queue" });
    const choose = h("button", { type: "button", class: "button", onclick: () => this.input.click() }, word("upload.choose"));
    this.zone = h("div", { class: "drop" }, h("span", { class: "glyph" }, icon("upload")), h("div", { class: "strong" }, word("upload.drop")),
      h("p", { class: "small muted" }, word("upload.drop_hint")), choose, this.input);
    this.replaceChildren(this.zone, this.list);
    for (const kind of ["dragenter", "dragover"]) this.zone.addEventListener(kind, (event) => { event.preventDefault(); this.zone.classList.add("over"); });
    for (const kind of ["dragleave", "drop"]) this.zone.addEventListener(kind, () => this.zone.classList.remove("over"));
    this.zone.addEventListener("drop", (event) => { event.preventDefault(); this.take(event.dataTransfer.files); });
    this.hear = ({ detail }) => this.transfers.find(({ id }) => id === String(detail.id))?.follow(detail);
    this.warn = (event) => { if (this.transfers.some(({ state }) => state === "sending")) event.preventDefault(); };
    document.body.addEventListener("cohortex:upload", this.hear);
    addEventListener("beforeunload", this.warn);
    this.showInterrupted();
  }

  disconnectedCallback() {
    document.body.removeEventListener("cohortex:upload", this.hear);
    removeEventListener("beforeunload", this.warn);
    for (const transfer of this.transfers) transfer.pause();
  }

  take(files) {
    for (const file of files) {
      const waiting = this.transfers.find((one) => one.state === "interrupted" && one.size === file.size);
      waiting?.remove();
      this.add(new Transfer(this, file));
    }
    this.input.value = "";
    this.next();
  }

  add(transfer) {
    this.transfers.push(transfer);
    this.list.append(transfer.row);
  }

  /** One file travels at a time. */
  next() {
    if (this.transfers.some(({ state }) => state === "sending")) return;
    this.transfers.find(({ state }) => state === "waiting")?.start();
  }

  /** What the server holds half of: the page cannot read the file again by itself, so it asks for it. */
  async showInterrupted() {
    try {
      const { uploads } = await api(ENDPOINT);
      for (const upload of uploads) {
        if (upload.state !== "receiving" || String(upload.visit) !== this.getAttribute("visit")) continue;
        if (this.transfers.some(({ id }) => id === String(upload.id))) continue;
        this.add(new Transfer(this, null, upload));
      }
    } catch (error) {
      console.error(error);
    }
  }
}

const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

class Transfer {
  constructor(owner, file, held = null) {
    this.owner = owner;
    this.file = file;
    this.size = file?.size ?? held.size;
    this.id = held ? String(held.id) : null;
    this.samples = [];
    this.name = h("span", { class: "name" }, file?.name ?? word("upload.interrupted"));
    this.status = h("span", { class: "state", role: "status" });
    this.bar = h("progress", { max: 1 });
    this.bar.value = held ? held.offset / held.size : 0;
    this.actions = h("span", { class: "actions" });
    this.row = h("li", { class: "transfer" }, icon("file"), this.name, this.status, this.bar, this.actions);
    if (held) this.set("interrupted", word("upload.interrupted_text", { got: formatSize(held.offset), size: formatSize(held.size) }));
    else this.set("waiting", `${formatSize(this.size)} · ${word("upload.waiting")}`);
  }

  set(state, text) {
    this.state = state;
    this.row.dataset.state = state;
    if (text !== undefined) this.status.textContent = text;
    const button = (name, sign, act) => h("button", { type: "button", class: "button plain small only-icon", title: word(name), "aria-label": word(name), onclick: act }, icon(sign));
    const buttons = {
      waiting: [button("upload.cancel", "cross", () => this.cancel())],
      sending: [button("upload.pause", "pause", () => this.hold()), button("upload.cancel", "cross", () => this.cancel())],
      paused: [button("upload.resume", "play", () => this.start()), button("upload.cancel", "cross", () => this.cancel())],
      failed: this.upload ? [button("upload.retry", "refresh", () => this.start()), button("upload.cancel", "cross", () => this.cancel())] : [],
      interrupted: [button("upload.cancel", "cross", () => this.cancel())],
    }[state] ?? [];
    this.actions.replaceChildren(...buttons);
  }

  async start() {
    this.set("sending", word("upload.starting"));
    this.upload ??= new Upload(this.file, {
      endpoint: ENDPOINT, chunkSize: CHUNK_BYTES, retryDelays: RETRIES_MS, removeFingerprintOnSuccess: true,
      headers: { "X-Cohortex": "1" }, metadata: { visit_id: this.owner.getAttribute("visit"), filename: this.file.name },
      fingerprint: async (file) => ["cohortex", this.owner.getAttribute("visit"), file.name, file.size, file.lastModified].join("/"),
      onProgress: (sent, total) => this.showProgress(sent, total),
      onUploadUrlAvailable: () => { this.id = this.upload.url.split("/").pop(); },
      onSuccess: () => this.received(),
      onError: (error) => this.fail(error),
    });
    const earlier = await this.upload.findPreviousUploads();
    if (earlier.length) this.upload.resumeFromPreviousUpload(earlier[0]);
    this.upload.start();
  }

  showProgress(sent, total) {
    const now = performance.now();
    this.samples.push([now, sent]);
    while (this.samples.length > 2 && now - this.samples[0][0] > SPEED_WINDOW_MS) this.samples.shift();
    const [[since, before]] = this.samples;
    const speed = now > since ? ((sent - before) / (now - since)) * 1000 : 0;
    this.bar.value = total ? sent / total : 0;
    const parts = [`${formatSize(sent)} / ${formatSize(total)}`];
    if (speed > 0) parts.push(`${formatSize(speed)}/s`, word("upload.remaining", { time: formatSeconds((total - sent) / speed) }));
    this.status.textContent = parts.join(" · ");
  }

  async received() {
    this.bar.value = 1;
    this.bar.removeAttribute("value");
    this.set("received", word("upload.received"));
    this.owner.next();
    try {
      this.follow(await api(`${ENDPOINT}/${this.id}`));
    } catch (error) {
      console.error(error);
    }
  }

  /** What the server says has become of it, live. */
  follow(upload) {
    if (this.state === "sending" || this.state === "paused") return;
    if (FINAL.includes(upload.state)) {
      this.bar.hidden = true;
      const state = upload.state === "refused" && upload.verdicts.length && upload.verdicts.every(({ verdict }) => verdict === "duplicate") ? "duplicate" : upload.state;
      this.set(state, [word(`upload_state.${state}`), sentence(upload.reason), upload.remedy].filter(Boolean).join(" · "));
    } else {
      this.set(upload.state, word(`upload_state.${upload.state}`));
    }
    this.owner.dispatchEvent(new CustomEvent("upload-changed", { bubbles: true, detail: upload }));
  }

  fail(error) {
    const reply = error.originalResponse;
    let text = word("upload.broken");
    try {
      const { message, remedy } = JSON.parse(reply.getBody()).error;
      text = [message, remedy].filter(Boolean).join(" ");
    } catch {
      if (!reply) text = word("error.offline");
    }
    this.set("failed", text);
    this.owner.next();
  }

  pause() {
    this.upload?.abort();
  }

  hold() {
    this.pause();
    this.set("paused", `${this.status.textContent.split(" · ")[0]} · ${word("upload.paused")}`);
    this.owner.next();
  }

  async cancel() {
    try {
      if (this.upload?.url) await this.upload.abort(true);
      else if (this.id) await api(`${ENDPOINT}/${this.id}`, { method: "DELETE" });
      this.remove();
      this.owner.next();
    } catch (error) {
      toastError(error);
    }
  }

  remove() {
    this.row.remove();
    this.owner.transfers = this.owner.transfers.filter((one) => one !== this);
  }
}

customElements.define("upload-drop", UploadDrop);
