// One stream of news per page (server-sent events), handed on as events of the document's body.
// A region of the page refreshes itself with hx-trigger="cohortex:patient-C1-0007 from:body".
// "cohortex:job" tells of every bit of progress, the others only of a new state: a region need not refresh for a percent.
const KINDS = ["job", "upload", "study"];
const waiting = new Map();
const states = new Map();
let source = null;

function announce(kind, detail) {
  const names = [`cohortex:${kind}`];
  const state = `${detail.state} ${detail.question ?? ""} ${detail.visit ?? ""}`;
  if (kind !== "study" && states.get(detail.id) !== state) {
    states.set(detail.id, state);
    if (kind === "job") names.push("cohortex:job-changed");
    if (detail.patient) names.push(`cohortex:patient-${detail.patient}`);
    if (detail.visit) names.push(`cohortex:visit-${detail.visit}`);
  }
  if (document.querySelector("dialog[open]")) {  // a region that refreshes now would take what is being typed with it
    for (const name of names) waiting.set(name, detail);
    return;
  }
  for (const name of names) document.body.dispatchEvent(new CustomEvent(name, { detail }));
}

document.addEventListener("close", () => {
  for (const [name, detail] of waiting) document.body.dispatchEvent(new CustomEvent(name, { detail }));
  waiting.clear();
}, true);

function listen() {
  if (source || !document.querySelector('meta[name="cohortex-live"]')) return;
  source = new EventSource("/api/events");
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => announce(kind, JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    document.documentElement.dataset.live = "off";
    if (source.readyState !== EventSource.CLOSED) return;  // the browser tries again by itself unless the server refused
    source = null;
    setTimeout(listen, 10_000);
  });
  source.addEventListener("open", () => { document.documentElement.dataset.live = "on"; });
}

addEventListener("pagehide", () => { source?.close(); source = null; });
addEventListener("pageshow", listen);
listen();
