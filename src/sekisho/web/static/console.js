// Live pages fetch themselves with htmx. This file only says so when they no longer do: figures that stopped
// being renewed must not look like figures that are.
"use strict";
(() => {
  const STALE_MS = 8000;
  const live = () => document.getElementById("live");
  const note = document.getElementById("stale");
  let renewed = Date.now();

  const show = (stale) => {
    document.documentElement.dataset.stale = stale ? "yes" : "no";
    if (note) note.hidden = !stale;
  };

  document.addEventListener("htmx:after:swap", () => {
    renewed = Date.now();
    show(false);
  });
  for (const name of ["htmx:error", "htmx:response:error"]) {
    document.addEventListener(name, () => show(true));
  }
  if (live()?.hasAttribute("hx-get")) {
    if (!window.htmx) show(true);
    setInterval(() => {
      if (Date.now() - renewed > STALE_MS) show(true);
    }, 1000);
  }
})();
