// <vega-chart spec-url="…">: a Vega-Lite chart; data and words come from the JSON inside, colours from the tokens.
import { tokenColour } from "./theme-switch.js";
import { h } from "./dom.js";
import { language, word } from "./words.js";

const FORMATS = { it: { decimal: ",", thousands: ".", grouping: [3], currency: ["", " €"] } };
const TOKEN_PREFIX = "--";
const WORD_PREFIX = "@";

class VegaChart extends HTMLElement {
  connectedCallback() {
    this.given = this.given ?? JSON.parse(this.querySelector('script[type="application/json"]')?.textContent ?? "{}");
    this.repaint = () => { if (this.shown) this.draw(); };
    document.addEventListener("cohortex:theme", this.repaint);
    this.waitForSight = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.waitForSight.disconnect();
      this.draw();
    });
    this.waitForSight.observe(this);
  }

  disconnectedCallback() {
    document.removeEventListener("cohortex:theme", this.repaint);
    this.waitForSight?.disconnect();
    this.shown?.finalize();
  }

  async draw() {
    try {
      const { embed, expressionInterpreter } = await import("../vendor/vega.js");
      this.template ??= await this.specification();
      const spec = this.filled(structuredClone(this.template));
      spec.datasets = { ...spec.datasets, ...this.given.data };
      const stage = h("div", { class: "chart-stage" });
      this.shown?.finalize();
      this.replaceChildren(stage);
      this.shown = await embed(stage, { width: "container", autosize: { type: "fit", contains: "padding" }, ...spec }, {
        actions: false, ast: true, expr: expressionInterpreter, renderer: "canvas", defaultStyle: false, mode: "vega-lite",
        tooltip: showTooltip, config: theme(), formatLocale: FORMATS[language], logLevel: 0,
      });
      const label = this.getAttribute("label");
      if (label) stage.setAttribute("aria-label", label);
      this.dataset.state = "drawn";
    } catch (error) {
      console.error(error);
      this.dataset.state = "failed";
      this.replaceChildren(h("div", { class: "notice bad" }, word("chart.failed")));
    }
  }

  async specification() {
    if (this.given.spec) return this.given.spec;
    const reply = await fetch(this.getAttribute("spec-url"));
    if (!reply.ok) throw new Error(`${this.getAttribute("spec-url")}: ${reply.status}`);
    return reply.json();
  }

  /** "--token" becomes its colour, "@name" the word of that name given with the data. */
  filled(value) {
    if (typeof value === "string") {
      if (value.startsWith(TOKEN_PREFIX)) return tokenColour(value);
      if (value.startsWith(WORD_PREFIX)) {
        const given = this.given.words?.[value.slice(1)] ?? value;
        return typeof given === "string" ? given : this.filled(given);
      }
      return value;
    }
    if (Array.isArray(value)) return value.map((item) => this.filled(item));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.filled(item)]));
    }
    return value;
  }
}

function theme() {
  const [ink, faint, line, grid, surface] = ["--ink-2", "--ink-3", "--line", "--chart-grid", "--surface"].map(tokenColour);
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: "transparent", font, padding: 4, view: { stroke: null },
    axis: { labelColor: faint, titleColor: faint, labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, gridColor: grid,
      domainColor: line, tickColor: line, labelPadding: 6, titlePadding: 8, labelFont: font, titleFont: font },
    legend: { labelColor: ink, titleColor: faint, labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, symbolStrokeWidth: 0 },
    title: { color: ink, fontSize: 12, fontWeight: 600, anchor: "start" },
    line: { color: tokenColour("--chart-1"), strokeWidth: 2 }, area: { color: tokenColour("--chart-1"), fillOpacity: 0.14 },
    bar: { color: tokenColour("--chart-1"), cornerRadiusEnd: 3 }, rule: { color: faint }, text: { color: ink, font },
    point: { color: tokenColour("--chart-1"), filled: true, size: 64, stroke: surface, strokeWidth: 1.5 },
    range: { category: ["--chart-1", "--chart-2", "--chart-3", "--chart-4"].map(tokenColour) },
  };
}

/** Vega's own tooltip writes a style attribute, which the content policy forbids; this one does not. */
function showTooltip(_handler, event, _item, value) {
  let box = document.getElementById("vg-tooltip-element");
  if (!box) document.body.append(box = h("div", { id: "vg-tooltip-element", role: "tooltip" }));
  box.classList.toggle("visible", Boolean(value));
  if (!value) return;
  const rows = Object.entries(typeof value === "object" ? value : { "": value });
  box.replaceChildren(h("table", {}, ...rows.map(([key, text]) =>
    h("tr", {}, h("td", { class: "key" }, key), h("td", { class: "value" }, String(text))))));
  const { innerWidth, innerHeight } = window;
  box.style.left = `${Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 8)}px`;
}

customElements.define("vega-chart", VegaChart);
