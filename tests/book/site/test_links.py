"""The built files: links and anchors lead somewhere, and nothing loads from elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tools.shots import ROOT

LOADS = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("object", "data"),
    ("embed", "src"),
    ("form", "action"),
}


class Reader(HTMLParser):
    """Collect ids, links and what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.ids.append(value)
            elif name == "href" and tag in {"a", "area"}:
                self.links.append(value)
            elif (tag, name) in LOADS or (name == "href" and tag == "link"):
                self.loads.append(value)


@cache
def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text("utf-8"))
    return reader


def broken(page: Path, link: str) -> str | None:
    """Say what is wrong with a link of a page, or nothing."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
    if not target.is_file():
        return f"{link}: no such file"
    fragment = unquote(parts.fragment)
    if fragment and target.suffix == ".html" and fragment not in read(target).ids:
        return f"{link}: no such anchor"
    return None


def html_files(site: Path) -> list[Path]:
    found = sorted(p for p in site.rglob("*.html") if "_static" not in p.parts)
    assert len(found) >= 4
    return found


def test_links_and_anchors_resolve(site: Path) -> None:
    faults = []
    checked = 0
    for page in html_files(site):
        for link in [*read(page).links, *read(page).loads]:
            checked += 1
            if fault := broken(page, link):
                faults.append(f"{page.relative_to(site)}: {fault}")
    assert checked > 100
    assert not faults, "\n".join(faults)


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    faults = [
        f"{page.relative_to(site)}: {url}"
        for page in html_files(site)
        for url in read(page).loads
        if urlsplit(url).netloc
    ]
    assert not faults, "\n".join(faults)


def test_style_sheets_load_only_what_is_there(site: Path) -> None:
    """Each url() of our and KaTeX's style sheets is a file of the site; fonts are woff2."""
    import re

    for sheet in (site / "_static/katex/katex.css", site / "_static/unrolled.css"):
        urls = re.findall(r"url\([\"']?([^)\"']+)", sheet.read_text("utf-8"))
        local = [url for url in urls if not url.startswith("data:")]
        assert local
        for url in local:
            assert (sheet.parent / url).is_file(), f"{sheet.name}: {url}"
            assert url.endswith(".woff2"), url


def test_ids_are_unique(site: Path) -> None:
    for page in html_files(site):
        twice = [name for name, count in Counter(read(page).ids).items() if count > 1]
        assert not twice, f"{page.relative_to(site)}: {twice}"


def test_no_formula_script(site: Path) -> None:
    """Formulas were made while building; no page asks for MathJax, thebe or a font of icons."""
    for page in html_files(site):
        loads = " ".join(read(page).loads).lower()
        for word in ("mathjax", "thebe", "fontawesome", "katex.min.js", "require.js"):
            assert word not in loads, f"{page.relative_to(site)}: {word}"


def test_chapter_notebooks_are_whole(site: Path) -> None:
    """A downloaded chapter is a notebook with the chapter's code and no tool's traces."""
    notebooks = sorted((site / "_sources" / "book").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        notebook = json.loads(path.read_text("utf-8"))
        kinds = Counter(cell["cell_type"] for cell in notebook["cells"])
        assert kinds["code"] > 5 and kinds["markdown"] > 5, path.name
        assert "jupytext" not in notebook["metadata"]
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        text = path.with_suffix(".md").read_text("utf-8")
        assert kinds["code"] == text.count("```{code-cell}"), path.name


def test_problem_sets_download_as_students_get_them(site: Path) -> None:
    """The notebook behind the button is the released one, byte for byte."""
    offered = sorted((site / "_sources" / "exercises").glob("*/*.ipynb"))
    assert offered
    for path in offered:
        released = ROOT / path.relative_to(site / "_sources")
        assert path.read_bytes() == released.read_bytes(), path.name
        page = site / path.relative_to(site / "_sources").with_suffix(".html")
        links = [(page.parent / link).resolve() for link in read(page).links if ".ipynb" in link]
        assert path.resolve() in links


@pytest.mark.parametrize("unused", ["**/*.map", "**/*.ttf", "**/fontawesome*", "**/*thebe*"])
def test_nothing_unused_is_shipped(site: Path, unused: str) -> None:
    assert list((site / "_static").glob(unused)) == []
