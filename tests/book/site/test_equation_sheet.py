"""The equation sheet on paper: a page a part, and no formula runs over the margin."""

from __future__ import annotations

MM = 96 / 25.4
MARGINS_MM = 20
PAPER_MM = {"A4": (210, 297), "Letter": (215.9, 279.4)}
PARTS = """() => [...document.querySelectorAll("section")]
  .filter((s) => s.querySelector(":scope > section > .equation-sheet"))
  .map((s) => [s.querySelector("h2").innerText, s.getBoundingClientRect().height])"""
# the bases of KaTeX: strokes that stretch are drawn much longer and cut
WIDE = """() => [...document.querySelectorAll(".equation")].filter((e) => {
  const rights = [...e.querySelectorAll(".katex-html .base")].map((x) => x.getBoundingClientRect());
  return Math.max(...rights.map((r) => r.right)) > document.documentElement.clientWidth + 1;
}).map((e) => e.querySelector("p").innerText)"""


def test_each_part_fits_a_page(browser, served: str) -> None:
    for paper, (width, height) in PAPER_MM.items():
        size = {"width": int((width - MARGINS_MM) * MM), "height": int((height - MARGINS_MM) * MM)}
        context = browser.new_context(viewport=size)
        page = context.new_page()
        page.goto(f"{served}/book/equations.html")
        page.emulate_media(media="print")
        parts = page.evaluate(PARTS)
        assert len(parts) >= 6
        for title, used in parts:
            assert used <= size["height"], f"{paper}: {title} takes {used} of {size['height']} px"
        assert not page.evaluate(WIDE), paper
        context.close()
