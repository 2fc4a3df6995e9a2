// Elements without markup in strings: everything a server sent is text here, never HTML.
const SVG = "http://www.w3.org/2000/svg";
const SPRITE = new URL("../icons.svg", import.meta.url).href;

/** h("button", { class: "button", onclick: f }, "text", child) */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** What to do about an error, with the link it may have; null where it says nothing. */
export function remedyOf({ remedy, link }) {
  if (!remedy && !link) return null;
  const anchor = link && h("a", { href: link.href, target: "_blank", rel: "noopener" }, link.text);
  return h("div", { class: "remedy" }, remedy ?? "", link ? " " : null, anchor);
}
