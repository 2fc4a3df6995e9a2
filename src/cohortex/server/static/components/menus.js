// Menus close when one clicks beside them or presses Escape; dialogs open from buttons that name them.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    for (const [name, value] of Object.entries(opener.dataset)) {  // data-fill-visit="7" sets the form's "visit"
      if (!name.startsWith("fill")) continue;
      const field = dialog.querySelector(`[name="${name.slice(4).toLowerCase()}"], [data-shows="${name.slice(4).toLowerCase()}"]`);
      if (field && "value" in field) field.value = value;
      else if (field) field.textContent = value;
    }
    const form = dialog.querySelector("form");
    if (opener.dataset.url && form) form.dataset.api = opener.dataset.url;
    dialog.showModal();
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest("input, select, textarea, [contenteditable], scan-viewer, dialog");
  if (event.key === "/" && !typing) {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});
