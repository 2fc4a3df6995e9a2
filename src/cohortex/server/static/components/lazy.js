// Heavy components are fetched only by pages that hold them, also when htmx brings them later.
export function loadWhenUsed(modules) {
  const look = (root) => {
    for (const [name, path] of Object.entries(modules)) {
      if (root.matches?.(name) || root.querySelector?.(name)) {
        delete modules[name];
        import(new URL(path, import.meta.url).href);
      }
    }
  };
  look(document);
  document.addEventListener("htmx:load", (event) => look(event.detail.elt));
}
