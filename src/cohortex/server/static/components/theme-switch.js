// Light, dark or as the system says; other parts of the page hear "cohortex:theme".
const KEY = "cohortex-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function show() {
  const chosen = localStorage.getItem(KEY) ?? "system";
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
  }
  document.dispatchEvent(new CustomEvent("cohortex:theme"));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-choice]");
  if (!button) return;
  if (button.dataset.themeChoice === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, button.dataset.themeChoice);
  show();
});
system.addEventListener("change", show);
show();

/** A token's colour as the browser computes it now, e.g. "rgb(11, 92, 173)". */
export function tokenColour(name) {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
