// <lesion-list for="link group">: buttons with data-points='{"native 12": [x, y, z], "template": […]}' move the viewers there.
class LesionList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const row = event.target.closest("[data-points]");
      if (row) this.jump(row);
    });
    this.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const rows = [...this.querySelectorAll("button[data-points]")];
      const next = rows[rows.indexOf(document.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
      this.jump(next);
    });
  }

  jump(row) {
    const points = JSON.parse(row.dataset.points);
    for (const other of this.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    for (const viewer of document.querySelectorAll(`scan-viewer[data-scene="${this.getAttribute("for")}"]`)) {
      const frame = `${viewer.getAttribute("space")} ${viewer.getAttribute("frame") ?? ""}`.trim();
      if (points[frame]) viewer.show(points[frame]);
    }
  }
}

customElements.define("lesion-list", LesionList);
