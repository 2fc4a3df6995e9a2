// The page's words for scripts: the part of the catalogue that base.html hands over, and numbers as the language writes them.
const store = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
export const language = document.documentElement.lang || "en";

export function word(key, values = {}) {
  const text = store[key];
  if (text === undefined) {
    console.error(`The catalogue has no "${key}" for scripts.`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function formatNumber(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** Three significant figures for values of unknown size. */
export function formatValue(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return new Intl.NumberFormat(language, { useGrouping: false }).format(value);
  return new Intl.NumberFormat(language, { maximumSignificantDigits: 4, useGrouping: false }).format(value);
}

export function formatSize(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = 0;
  while (bytes >= 1000 && n < units.length - 1) { bytes /= 1000; n += 1; }
  return `${formatNumber(bytes, n === 0 || bytes >= 100 ? 0 : 1)} ${units[n]}`;
}

export function formatSeconds(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return word("time.seconds", { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return word("time.minutes", { n: Math.round(seconds / 60) });
  return word("time.hours", { n: formatNumber(seconds / 3600, 1) });
}
