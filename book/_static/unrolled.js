// Small things that pages need a script for. Everything else works without one.
(() => {
  // Search results quote the page they found, which needs to read it; from a folder (file://) the
  // browser forbids that, so results there are titles alone.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }
  // A box that scrolls sideways must be reachable by keyboard, and only then.
  const boxes = () => {
    for (const box of document.querySelectorAll(".formula, .table-box, div.highlight pre")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  // Tables get a box of their own to scroll in.
  for (const table of document.querySelectorAll(".bd-article table")) {
    if (table.closest(".table-box, table table")) continue;
    const box = document.createElement("div");
    box.className = "table-box";
    table.replaceWith(box);
    box.append(table);
  }
  boxes();
  addEventListener("resize", boxes);
  document.fonts?.ready.then(boxes);
})();
