"use strict";
// Before anything is painted: light or dark, as the person or the system has it.
(() => {
  const said = document.cookie.match(/(?:^|; )diat_theme=(light|dark)/)?.[1];
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    document.documentElement.dataset.theme = said ?? (system.matches ? "dark" : "light");
  };
  show();
  system.addEventListener("change", show);
})();
