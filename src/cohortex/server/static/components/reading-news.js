// <reading-news results="id id">: newer results than those the viewers show; a page without images fills itself.
class ReadingNews extends HTMLElement {
  connectedCallback() {
    const reading = document.getElementById("reading");
    if (!reading || reading.dataset.results === this.getAttribute("results")) return;
    if (reading.dataset.results) this.hidden = false;
    else location.reload();
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-reload]")) location.reload();
});

customElements.define("reading-news", ReadingNews);
