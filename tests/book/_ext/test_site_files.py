"""Which files make the site: what pages need is brought in, what none loads is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_book import HEADER, ROOT

NOTEBOOK = HEADER + "# A chapter\n\n```{code-cell} ipython3\n1 + 1\n```\n"


@pytest.fixture
def site(book):
    made = book(
        ["myst_nb", "site_files"],
        {"index.md": NOTEBOOK},
        {"nb_execution_mode": "off", "html_favicon": "icon.svg", "html_copy_source": True},
    )
    made.write("icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    (made.folder / "node_modules").symlink_to(ROOT / "node_modules")
    made.config["exclude_patterns"] = ["_build", "node_modules"]
    return made


def test_katex_and_fonts_come_along_as_woff2(site) -> None:
    result = site.build()
    assert result.clean, result.warnings
    static = site.folder / "_build" / "html" / "_static"
    css = (static / "katex" / "katex.css").read_text()
    assert "woff2" in css and ".ttf" not in css and '.woff"' not in css and ".woff)" not in css
    fonts = {p.suffix for p in static.rglob("*") if p.parent.name == "fonts"}
    assert fonts == {".woff2"}
    assert "katex/katex.css" in result.html("index")


def test_chapter_is_written_as_a_notebook_the_same_each_time(site) -> None:
    assert site.build().clean
    path = site.folder / "_build" / "html" / "_sources" / "index.ipynb"
    first = path.read_bytes()
    notebook = json.loads(first)
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown", "code"]
    assert "jupytext" not in notebook["metadata"]
    site.write("index.md", NOTEBOOK)
    assert site.build().clean
    assert path.read_bytes() == first


def test_pages_and_pictures_that_left_the_book_are_removed(site) -> None:
    site.write("index.md", "# A\n\n![dot](dot.svg)\n\n```{toctree}\nother\n```\n")
    site.write("dot.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    other = site.write("other.md", "# B\n")
    assert site.build().clean
    out = site.folder / "_build" / "html"
    assert (out / "other.html").is_file() and (out / "_images" / "dot.svg").is_file()
    other.unlink()
    site.write("index.md", "# A\n")
    assert site.build().clean
    assert not (out / "other.html").exists()
    assert not (out / "_images" / "dot.svg").exists()
    assert (out / "search.html").is_file()


def test_missing_katex_says_what_to_do(site) -> None:
    (site.folder / "node_modules").unlink()
    result = site.build()
    assert not result.clean
    assert "run `make site`" in result.warnings


def test_unchanged_assets_are_not_written_again(tmp_path: Path) -> None:
    import site_files

    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("x")
    site_files.copy_new(source, target)
    target.touch()
    stamp = target.stat().st_mtime_ns
    site_files.copy_new(source, target)
    assert target.stat().st_mtime_ns == stamp
    source.write_text("y")
    site_files.copy_new(source, target)
    assert target.read_text() == "y"
