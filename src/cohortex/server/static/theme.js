// Sets the theme before anything is painted; the switch in the menu writes what is read here.
(() => {
  const chosen = localStorage.getItem("cohortex-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
