// <record-form url="/api/visits/7/record">: sends only the fields that changed; errors and warnings stand under their field.
import { api } from "./api.js";
import { clearErrors, showErrors } from "./api-form.js";
import { h } from "./dom.js";
import { toast } from "./toast-region.js";
import { word } from "./words.js";

class RecordForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.boxes = [...this.querySelectorAll("[data-field]")];
    this.remember();
    this.form.addEventListener("input", () => this.mark());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    this.warn = (event) => { if (this.changed().length) event.preventDefault(); };
    addEventListener("beforeunload", this.warn);
    this.mark();
  }

  disconnectedCallback() {
    removeEventListener("beforeunload", this.warn);
  }

  remember() {
    this.before = new Map(this.boxes.map((box) => [box, JSON.stringify(entryOf(box))]));
  }

  changed() {
    return this.boxes.filter((box) => JSON.stringify(entryOf(box)) !== this.before.get(box));
  }

  mark() {
    const changed = this.changed();
    for (const box of this.boxes) {
      box.classList.toggle("changed", changed.includes(box));
      const missing = box.querySelector('[data-part="missing"]');
      missing?.classList.toggle("chosen", Boolean(missing.value));
      for (const part of box.querySelectorAll('[data-part="value"], [data-part="comparator"], select[data-part="unit"]')) part.disabled = Boolean(missing?.value);
    }
    this.querySelector("[data-changes]").textContent = changed.length === 0 ? word("record.no_changes") : changed.length === 1 ? word("record.one_change") : word("record.changes", { n: changed.length });
    this.querySelector('[type="submit"]').disabled = changed.length === 0;
  }

  async save() {
    const button = this.querySelector('[type="submit"]');
    clearErrors(this.form);
    for (const old of this.querySelectorAll(".field-warning")) old.remove();
    button.setAttribute("aria-busy", "true");
    try {
      const values = Object.fromEntries(this.changed().map((box) => [box.dataset.field, entryOf(box)]));
      const answer = await api(this.getAttribute("url"), { method: "PUT", body: { values } });
      this.remember();
      this.mark();
      this.showFindings(answer.findings ?? []);
      const toCheck = new Set((answer.findings ?? []).map(({ field }) => field)).size;
      toast(toCheck === 0 ? word("record.saved") : toCheck === 1 ? word("record.saved_one_to_check") : word("record.saved_to_check", { n: toCheck }));
      document.body.dispatchEvent(new CustomEvent("cohortex:record"));
    } catch (error) {
      showErrors(this.form, error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  showFindings(findings) {
    for (const { level, field, message } of findings) {
      this.querySelector(`[data-field="${CSS.escape(field ?? "")}"]`)?.append(h("span", { class: `field-${level}` }, message));
    }
  }
}

/** What a field says now, as the API wants it; null for nothing. */
function entryOf(box) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  const missing = part("missing")?.value || null;
  if (missing) return { value: null, unit: null, comparator: null, missing };
  const field = part("value");
  const text = field.value.trim();
  if (text === "") return null;
  return { value: valueOf(box.dataset.kind, text), unit: part("unit")?.value || null, comparator: part("comparator")?.value || null, missing: null };
}

function valueOf(kind, text) {
  if (kind === "yes-no") return text === "true";
  if (kind !== "number" && kind !== "day") return text;
  const number = Number(text.replace(",", ".").replace("−", "-"));
  return Number.isNaN(number) ? text : number;
}

customElements.define("record-form", RecordForm);
