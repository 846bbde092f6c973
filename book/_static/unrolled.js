// Small things that pages need a script for. Everything else works without one.
(() => {
  // Search results quote the page they found, which needs to read it; from a folder (file://) the
  // browser forbids that, so results there are titles alone.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }
  // Quotes are cut from a page's text: take the prose alone, and each formula once.
  if (typeof Search !== "undefined") {
    const original = Search.htmlToText;
    const not = ".katex-html, annotation, #jb-print-docs-body, .bd-sidebar-secondary, nav, script";
    Search.htmlToText = (html, anchor) => {
      const page = new DOMParser().parseFromString(html, "text/html");
      page.querySelectorAll(not).forEach((node) => node.remove());
      return original(page.documentElement.outerHTML, anchor);
    };
  }
  // A box that scrolls sideways must be reachable by keyboard, and only then.
  const boxes = () => {
    for (const box of document.querySelectorAll(".formula, .pst-scrollable-table-container")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  boxes();
  addEventListener("resize", boxes);
  document.fonts?.ready.then(boxes);
})();
