"""Every page in Chromium: no request leaves, nothing is complained of, everything is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from site_visit import Visit

from tools.shots import serve

SIZES = [(1280, 860), (390, 844)]
MODES = ["light", "dark"]

FORMULAS = """() => {
  const all = [...document.querySelectorAll(".katex")];
  return {
    count: all.length,
    spoken: all.filter(k => k.querySelector(".katex-mathml math")).length,
    drawn: all.filter(k => k.querySelector(".katex-html[aria-hidden=true]")).length,
    broken: document.querySelectorAll(".katex-error").length,
    font: all.length === 0 || [...document.fonts].some(
      f => f.family.includes("KaTeX") && f.status === "loaded"),
  };
}"""

IMAGES = """() => [...document.images].map(image => ({
  src: image.getAttribute("src"),
  alt: image.getAttribute("alt"),
  loaded: image.complete && image.naturalWidth > 0,
  inText: image.closest("article") !== null,
}))"""

# text as a reader sees it: what KaTeX and code put there is not an unrendered formula
PLAIN_TEXT = """() => {
  const copy = document.querySelector("article, main").cloneNode(true);
  copy.querySelectorAll("pre, code, .katex, script, style").forEach(node => node.remove());
  return copy.textContent;
}"""

# everything that sticks out of the window, unless it is inside a box that scrolls by itself
TOO_WIDE = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`page: ${root.scrollWidth}`);
  const scrolls = node => {
    for (; node && node !== document.body; node = node.parentElement) {
      if (node.matches(".bd-article-container, .bd-main, .bd-content")) return false;
      const x = getComputedStyle(node).overflowX;
      if (x === "auto" || x === "scroll" || x === "hidden" || x === "clip") return true;
    }
    return false;
  };
  for (const node of document.querySelectorAll("main *")) {
    const box = node.getBoundingClientRect();
    if (box.width && box.height && box.right > root.clientWidth + 1 && !scrolls(node.parentElement)
        && !scrolls(node) && getComputedStyle(node).position !== "fixed") {
      found.push(`${node.tagName}.${node.className}: ${Math.round(box.right)}`);
    }
  }
  return found.slice(0, 5);
}"""

BRIGHTNESS = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
  return (r + g + b) / 3;
}"""


def test_every_page_is_quiet_and_complete(visit, page_names: list[str]) -> None:
    """From localhost and from a folder: no foreign request, no complaint, no hole."""
    for name in page_names:
        page = visit.open(name)
        formulas = page.evaluate(FORMULAS)
        assert formulas["broken"] == 0, name
        assert formulas["spoken"] == formulas["drawn"] == formulas["count"], name
        assert formulas["font"], f"{name}: KaTeX's font did not load"
        text = page.evaluate(PLAIN_TEXT)
        assert not re.search(r"\$\$|\\\(|\\\[|\\begin\{", text), f"{name}: unrendered formula"
        for image in page.evaluate(IMAGES):
            assert image["loaded"], f"{name}: {image['src']} did not load"
            assert image["alt"] is not None, f"{name}: {image['src']} has no alt text"
            assert image["alt"].strip() or not image["inText"], f"{name}: {image['src']}: empty alt"
        assert page.evaluate("document.fonts.check('16px \"Source Serif 4\"')"), name
        assert not visit.faults, f"{name}: " + "; ".join(visit.faults)
    # the recording itself works: it saw each page and what it loads
    assert len(visit.requests) > 10 * len(page_names)


def test_formulas_and_figures_are_there(visit) -> None:
    """The chapter shows what it must, so that the checks above had something to look at."""
    page = visit.open("book/02_hmm.html")
    assert page.evaluate(FORMULAS)["count"] > 100
    assert page.locator("article .cell_output img, article figure img").count() >= 6
    numbers = page.locator("div.math .eqno").all_inner_texts()
    assert len(numbers) >= 5
    assert all(re.match(r"\(2\.\d+\)", number) for number in numbers), numbers
    # a reference leads to its equation
    link = page.locator('article p a[href^="#equation-"]').first
    link.click()
    target = page.evaluate("decodeURIComponent(location.hash.slice(1))")
    assert page.locator(f'[id="{target}"] .katex').count() >= 1
    assert not visit.faults, visit.faults


def test_index_leads_to_the_landing_page(visit) -> None:
    """The folder's own index.html goes on to the landing page."""
    visit.page.goto(f"{visit.address}/index.html")
    visit.page.wait_for_url("**/book/index.html")
    assert visit.page.locator("article h1").inner_text().startswith("Unrolled")
    assert not visit.faults, visit.faults


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
def test_fits_and_follows_the_system_colours(
    browser, served: str, page_names: list[str], size: tuple[int, int], mode: str
) -> None:
    """At both widths nothing scrolls sideways, and the page is as light or dark as the system."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=mode)
    page = context.new_page()
    for name in page_names:
        page.goto(f"{served}/{name}")
        page.evaluate("document.fonts.ready.then(() => null)")
        assert page.evaluate(TOO_WIDE) == [], f"{name} at {size[0]} px"
        brightness = page.evaluate(BRIGHTNESS)
        assert (brightness > 200) if mode == "light" else (brightness < 60), f"{name}: {brightness}"
    context.close()


def test_works_below_any_path(browser, site: Path, tmp_path: Path) -> None:
    """Moved to a folder of a larger site, a page still finds all it needs, and search its pages."""
    (tmp_path / "some" / "where").mkdir(parents=True)
    (tmp_path / "some" / "where" / "course").symlink_to(site)
    with serve(tmp_path) as address:
        context = browser.new_context()
        visit = Visit(context.new_page(), f"{address}/some/where/course")
        visit.watch()
        visit.open("book/index.html")
        visit.page.locator("ol.course-contents a").first.click()
        visit.page.wait_for_url("**/01_markov.html")
        visit.page.wait_for_load_state("networkidle")
        visit.open("search.html?q=Viterbi")
        visit.page.locator('#search-results a[href*="02_hmm.html"]').first.wait_for(timeout=10_000)
        context.close()
    assert not visit.faults, visit.faults


def test_mode_button_changes_and_remembers(visit) -> None:
    """The button goes through the modes, and the next page keeps the choice."""
    page = visit.open("book/index.html")
    before = page.evaluate("document.documentElement.dataset.theme")
    for _ in range(3):
        page.locator(".theme-switch-button").first.click()
        if page.evaluate("document.documentElement.dataset.theme") != before:
            break
    changed = page.evaluate("document.documentElement.dataset.theme")
    assert changed != before
    visit.open("book/students.html")
    assert page.evaluate("document.documentElement.dataset.theme") == changed
    assert not visit.faults, visit.faults


def test_readable_without_scripts(browser, served: str) -> None:
    """With scripts off, text, colours and formulas are there."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served}/book/02_hmm.html")
    assert page.locator("article .katex-html").first.is_visible()
    assert page.locator("html").get_attribute("data-theme") == "light"
    context.close()


def test_a_chapter_downloads_as_a_notebook(visit, site: Path) -> None:
    """The button offers the notebook and the text, and both files are in the site."""
    page = visit.open("book/02_hmm.html")
    links = page.locator(".dropdown-download-buttons a")
    hrefs = [links.nth(k).get_attribute("href") for k in range(links.count())]
    assert {Path(href).suffix for href in hrefs} == {".ipynb", ".md"}
    for href in hrefs:
        assert (site / "book" / href).resolve().is_file(), href
