// What every page loads: htmx's settings are in the page's head, the rest registers itself.
import "./components/menus.js";
import "./components/theme-switch.js";
import "./components/toast-region.js";
import "./components/api-form.js";
import "./components/live-events.js";
import "./components/job-progress.js";
import "./components/segments.js";
import "./components/reading-news.js";
import { loadWhenUsed } from "./components/lazy.js";

loadWhenUsed({
  "scan-viewer": "./scan-viewer.js",
  "lesion-list": "./lesion-list.js",
  "upload-drop": "./upload-drop.js",
  "vega-chart": "./vega-chart.js",
  "record-form": "./record-form.js",
});
