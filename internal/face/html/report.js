"use strict";
(() => {
  const slice = 12; // milliseconds of work between two looks at what the person does
  const tools = document.getElementById("tools");
  if (!tools) return;
  const find = document.getElementById("find"), what = document.getElementById("what"), found = document.getElementById("found"), main = document.getElementById("main");
  const groups = [...document.querySelectorAll("[data-what]")].map(group => ({
    group, what: group.dataset.what, open: group.open,
    lists: [...group.querySelectorAll(".rows")].map(list => ({ list, rows: [...list.children], texts: [] })),
  }));
  const there = new Set(groups.map(g => g.what));
  for (const option of [...what.options]) if (option.value && !there.has(option.value)) option.remove();
  const total = groups.reduce((n, g) => n + g.lists.reduce((n, l) => n + l.rows.length, 0), 0);
  const pause = () => new Promise(resume => { const c = new MessageChannel(); c.port1.onmessage = resume; c.port2.postMessage(0); });

  // toLocaleString would first load what is known of all languages, for up to half a second.
  const digits = n => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

  let run = 0, filtered = false;
  async function search() {
    const mine = ++run, words = find.value.toLowerCase().split(/\s+/).filter(Boolean), only = what.value;
    let shown = 0, until = performance.now() + slice;
    const tell = () => { found.textContent = filtered ? `${digits(shown)} of ${digits(total)}` : ""; };
    main.setAttribute("aria-busy", "true");
    if (!filtered) for (const g of groups) g.open = g.group.open; // as the person left it
    filtered = words.length > 0 || only !== "";
    for (const g of groups) {
      const off = only !== "" && g.what !== only;
      g.group.hidden = off;
      if (off) continue;
      let inGroup = 0;
      for (const l of g.lists) {
        let inList = 0;
        l.rows.forEach((row, i) => {
          const text = l.texts[i] ??= (row.closest(".of")?.firstChild.textContent + " " + row.textContent).toLowerCase();
          const match = words.every(word => text.includes(word));
          if (row.hidden === match) row.hidden = !match;
          if (match) inList++;
        });
        l.list.hidden = inList === 0;
        // A list whose height is known no more is laid out at once.
        l.list.classList.toggle("found", inList < l.rows.length);
        inGroup += inList;
        shown += inList;
        if (performance.now() > until) {
          tell();
          await pause();
          if (mine !== run) return; // the person has typed on
          until = performance.now() + slice;
        }
      }
      for (const of of g.group.querySelectorAll(".of")) of.hidden = !of.querySelector(".rows:not([hidden])");
      g.group.hidden = inGroup === 0;
      g.group.open = filtered ? true : g.open;
    }
    tell();
    main.removeAttribute("aria-busy");
  }
  find.addEventListener("input", search);
  what.addEventListener("change", search);
  tools.hidden = false;
})();
