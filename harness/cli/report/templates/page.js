// Filters, expanding, anchors and printing. Without it the page shows everything.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = byId("filters");
  const rows = all("tr[data-case]");
  const fields = all("[name]", form);
  for (const element of all("[data-script]")) element.hidden = false;

  const matches = (row, wanted) => {
    const data = row.dataset;
    const one = (field, value) => !wanted[field] || value === wanted[field];
    const some = (field, values) => !wanted[field] || values.split(" ").includes(wanted[field]);
    if (!one("release", data.release) || !one("verdict", data.verdict) || !one("level", data.level)) return false;
    if (!some("rule", data.rules) || !some("layer", data.layers)) return false;
    if (!wanted.text) return true;
    row.words ??= `${data.id} ${row.textContent}`.toLowerCase();
    return wanted.text.split(/\s+/).every((word) => row.words.includes(word));
  };

  const apply = () => {
    const wanted = Object.fromEntries(fields.map((field) => [field.name, field.value.trim()]));
    wanted.text = wanted.text.toLowerCase();
    const shown = new Set();
    for (const row of rows) {
      row.hidden = !matches(row, wanted);
      if (!row.hidden) shown.add(row.dataset.case);
    }
    for (const item of all("[data-of]")) item.hidden = !shown.has(item.dataset.of);
    for (const group of all("[data-group]")) {
      group.hidden = !all("[data-of]", group).some((item) => !item.hidden);
    }
    for (const cell of all("[data-column]")) {
      cell.hidden = Boolean(wanted.release) && cell.dataset.column !== wanted.release;
    }
    for (const scenarios of all("tbody.scenarios")) {
      let any = false;
      for (const row of scenarios.rows) {
        const links = all("a", row);
        for (const link of links) link.hidden = !shown.has(link.hash.slice(1));
        row.hidden = !links.some((link) => !link.hidden);
        any ||= !row.hidden;
      }
      scenarios.previousElementSibling.hidden = !any;
    }
    byId("shown").textContent = `${shown.size} of ${rows.length} cases`;
  };
  let soon;
  form.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(apply, 60);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));

  const expand = (button, open) => {
    button.setAttribute("aria-expanded", String(open));
    byId(button.getAttribute("aria-controls")).hidden = !open;
  };
  const buttons = all("button[aria-controls]");
  for (const button of buttons) {
    button.addEventListener("click", () => expand(button, button.getAttribute("aria-expanded") !== "true"));
  }
  byId("expand")?.addEventListener("click", () => {
    const open = buttons.some((button) => button.getAttribute("aria-expanded") !== "true");
    for (const button of buttons) expand(button, open);
  });

  const [from, to] = [byId("from"), byId("to")];
  if (from) {
    const choose = () => {
      const chosen = `upgrade-${from.value}-${to.value}`;
      let any = false;
      for (const section of all("[data-upgrade]")) {
        section.hidden = section.id !== chosen;
        any ||= !section.hidden;
      }
      byId("no-upgrade").hidden = any;
    };
    from.addEventListener("change", choose);
    to.addEventListener("change", choose);
    choose();
  }

  const reveal = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let element = target; element; element = element.parentElement) {
      if (element.hidden && element.dataset.upgrade !== undefined) {
        [from.value, to.value] = element.dataset.upgrade.split(" ");
        from.dispatchEvent(new Event("change"));
      } else if (element.hidden && element.matches("tbody.scenarios")) {
        expand(buttons.find((button) => button.getAttribute("aria-controls") === element.id), true);
      } else if (element.hidden) {
        form.reset();
        apply();
      }
      if (element.matches("details")) element.open = true;
    }
    if (!target.matches("a, button, input, select, summary, [tabindex]")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("#failures details:not([open]), #new details:not([open])");
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
