// Tabs: buttons with role="tab" show the panel they control; arrow keys walk them; the choice is kept in the address.
function choose(tab, { focus = false } = {}) {
  const list = tab.closest('[role="tablist"]');
  for (const other of list.querySelectorAll('[role="tab"]')) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(other.getAttribute("aria-controls"));
    if (panel) panel.hidden = !chosen;
  }
  if (focus) tab.focus();
}

function keep(tab) {
  if (tab.id) history.replaceState(history.state, "", `#${tab.id}`);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest('[role="tab"]');
  if (!tab) return;
  choose(tab);
  keep(tab);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.('[role="tab"]');
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  choose(next, { focus: true });
  keep(next);
});

function chooseAsked() {
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted?.getAttribute("role") === "tab") choose(wanted);
}

chooseAsked();
document.addEventListener("htmx:afterSettle", chooseAsked); // a part that came anew begins with its first tab
