// Forms and buttons that speak JSON: <form data-api="/api/patients" data-method="POST" data-then="/patients/{code}">.
import { api } from "./api.js";
import { h, remedyOf } from "./dom.js";
import { toast, toastAfterReload, toastError } from "./toast-region.js";

const ELSEWHERE = 'input[type="radio"][data-api]:checked';  // a choice that sends the form to another address; not itself sent

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-api]");
  if (!form || form.closest("record-form")) return;
  event.preventDefault();
  clearErrors(form);
  const { api: url, then, toast: message } = { ...form.dataset, ...form.querySelector(ELSEWHERE)?.dataset };
  await send(form, { url, then, message }, form.querySelector('[type="submit"]'), bodyOf(form), (error) => showErrors(form, error));
});

/** A part of a form that goes with one choice (data-chosen="move") is open, and sent, only while that is chosen. */
document.addEventListener("change", (event) => {
  if (event.target.type !== "radio") return;
  for (const part of event.target.form?.querySelectorAll("[data-chosen]") ?? []) {
    part.hidden = part.disabled = !part.form.querySelector(`[value="${CSS.escape(part.dataset.chosen)}"]:checked`);
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-api]");
  if (!button) return;
  const { api: url, then, toast: message } = button.dataset;
  await send(button, { url, then, message }, button, button.dataset.body ? JSON.parse(button.dataset.body) : undefined, toastError);
});

async function send(element, { url, then, message }, button, body, onError) {
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await api(url, { method: element.dataset.method ?? "POST", body });
    element.closest("dialog")?.close();
    goOn(element, { then, message }, answer ?? {});
  } catch (error) {
    onError(error);
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

function goOn(element, { then, message }, answer) {
  if (!then) {
    if (message) toast(message);
    element.dispatchEvent(new CustomEvent("cohortex:done", { bubbles: true, detail: answer }));
    return;
  }
  if (message) toastAfterReload(message);
  if (then === "reload") location.reload();
  else location.assign(then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name])));
}

/** The form as JSON; "a.b" nests, an empty field is null, data-skip-empty leaves it out. */
export function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.matches(":disabled") || field.matches(ELSEWHERE) || field.type === "submit" || (field.type === "radio" && !field.checked)) continue;
    if (field.value === "" && "skipEmpty" in field.dataset) continue;
    const path = field.name.split(".");
    const last = path.pop();
    const at = path.reduce((inner, key) => (inner[key] ??= {}), body);
    at[last] = valueOf(field);
  }
  return body;
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.value === "") return null;
  return field.type === "number" ? Number(field.value) : field.value;
}

export function clearErrors(form) {
  for (const old of form.querySelectorAll(".field-error, .form-error")) old.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

/** Each field's message under the field, the rest above the buttons; the first wrong field gets the focus. */
export function showErrors(form, error) {
  let first = null;
  const unplaced = [];
  for (const [name, message] of Object.entries(error.fields ?? {})) {
    const field = form.querySelector(`[name="${CSS.escape(name)}"]`);
    if (!field) {
      unplaced.push(message);
      continue;
    }
    const id = `error-${name.replace(/\W/g, "-")}`;
    const box = field.closest(".field") ?? field.parentElement;
    box.append(h("div", { class: "field-error", id }, message));
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    first ??= field;
  }
  if (!first || unplaced.length) {
    const text = unplaced.length ? unplaced.join(" ") : error.message;
    const place = form.querySelector("[data-errors]") ?? form;
    place.prepend(h("div", { class: "notice bad form-error", role: "alert" },
      h("div", {}, h("div", {}, text), remedyOf(error))));
  }
  first?.focus({ preventScroll: true });
  first?.scrollIntoView({ block: "center" });
}
