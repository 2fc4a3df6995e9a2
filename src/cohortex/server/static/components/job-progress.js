// <job-progress job="7" state="running" progress="0.4">: a bar that follows one job; <job-count> in the navigation.
import { formatNumber, word } from "./words.js";
import { h } from "./dom.js";

class JobProgress extends HTMLElement {
  connectedCallback() {
    this.bar = h("progress", { max: 1 });
    this.label = h("span", {});
    this.classList.add("meter");
    this.replaceChildren(this.bar, this.label);
    this.show({ state: this.getAttribute("state"), progress: Number(this.getAttribute("progress") ?? 0) });
    this.hear = (event) => { if (String(event.detail.id) === this.getAttribute("job")) this.show(event.detail); };
    document.body.addEventListener("cohortex:job", this.hear);
  }

  disconnectedCallback() {
    document.body.removeEventListener("cohortex:job", this.hear);
  }

  show({ state, progress, task }) {
    this.dataset.state = state;
    this.bar.hidden = state === "done" || state === "failed" || state === "cancelled";
    if (state === "running") this.bar.value = progress ?? 0;
    else this.bar.value = 0;
    const percent = `${formatNumber(100 * (progress ?? 0))} %`;
    this.label.textContent = state === "running" ? percent : word(`job_state.${state}`);
    this.title = task ?? "";
  }
}

class JobCount extends HTMLElement {
  connectedCallback() {
    this.running = new Set();
    this.failed = new Set();
    this.hear = ({ detail }) => {
      for (const [set, states] of [[this.running, ["queued", "running"]], [this.failed, ["failed"]]]) {
        if (states.includes(detail.state)) set.add(detail.id);
        else set.delete(detail.id);
      }
      this.show();
    };
    document.body.addEventListener("cohortex:job", this.hear);
    this.show();
  }

  disconnectedCallback() {
    document.body.removeEventListener("cohortex:job", this.hear);
  }

  show() {
    const [running, failed] = [this.running.size, this.failed.size];
    this.hidden = running + failed === 0;
    this.className = failed ? "chip bad" : "chip busy";
    this.textContent = String(failed || running);
    this.title = failed ? word("jobs.failed_count", { n: failed }) : word("jobs.running_count", { n: running });
  }
}

customElements.define("job-progress", JobProgress);
customElements.define("job-count", JobCount);
