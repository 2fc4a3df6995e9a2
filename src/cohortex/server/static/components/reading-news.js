// <reading-news results="id id">: newer results than those on the page. A page nobody has touched shows them by itself;
// where somebody reads, it only says so.
let touched = false;
for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, () => { touched = true; }, { capture: true, passive: true });

class ReadingNews extends HTMLElement {
  connectedCallback() {
    const reading = document.getElementById("reading");
    if (!reading || reading.dataset.results === this.getAttribute("results")) return;
    if (touched && reading.dataset.results) this.hidden = false;
    else location.reload();
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-reload]")) location.reload();
});

customElements.define("reading-news", ReadingNews);
