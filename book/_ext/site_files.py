"""Choose the files of the site: bring in what pages need from npm, leave out what none uses.

Adds KaTeX's style sheet and fonts and the text font (woff2 alone), writes each chapter as a
notebook beside its source, and removes from the built folder what no page loads.
"""

from __future__ import annotations

import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

KATEX = Path("node_modules/katex/dist")
FONT = Path("node_modules/@fontsource-variable/source-serif-4/files")
FONT_FILES = ["source-serif-4-latin-wght-normal.woff2", "source-serif-4-latin-wght-italic.woff2"]

# Below _static. Each is there because the theme or an extension copies its whole folder.
UNUSED = [
    "scripts/fontawesome.js*",  # 1.5 MB to draw icons that our style sheet draws
    "**/*.map",
    "**/*.LICENSE.txt",
    "vendor",  # Font Awesome's fonts: the icons in use are drawn by our style sheet
    "locales",
    "images",  # logos of launch services that the book does not offer
    "sbt-webpack-macros.html",
    "webpack-macros.html",
    "file.png",
    "minus.png",
    "plus.png",
    "readme-site.png",  # for the repository's front page
]


def copy_new(source: Path, target: Path) -> None:
    """Copy a file unless the same one is there, so that an unchanged build writes nothing."""
    if not source.is_file():
        raise ExtensionError(f"{source} is missing; run `make site` (or `npm ci`)")
    if not target.is_file() or target.read_bytes() != source.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def stage(app: Sphinx) -> None:
    """Put the assets from npm into a folder that Sphinx copies to _static."""
    root = Path(app.confdir)
    place = Path(app.outdir).parent / ".assets"
    css = (root / KATEX / "katex.min.css").read_text("utf-8") if (root / KATEX).is_dir() else ""
    if not css:
        raise ExtensionError(f"KaTeX is not at {root / KATEX}; run `make site` (or `npm ci`)")
    # every browser that can show the site reads woff2
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)', "", css)
    style = place / "katex" / "katex.css"
    style.parent.mkdir(parents=True, exist_ok=True)
    if not style.is_file() or style.read_text("utf-8") != css:
        style.write_text(css, "utf-8")
    for name in re.findall(r"url\(fonts/([^)]+)\)", css):
        copy_new(root / KATEX / "fonts" / name, place / "katex" / "fonts" / name)
    for name in FONT_FILES:
        copy_new(root / FONT / name, place / "fonts" / name)
    app.config.html_static_path.append(str(place))
    app.add_css_file("katex/katex.css", priority=300)


def is_text_notebook(app: Sphinx, pagename: str) -> bool:
    """Tell whether a page is a notebook written as text."""
    if pagename not in app.env.found_docs:
        return False
    return "kernelspec" in app.env.metadata.get(pagename, {}) and str(
        app.env.doc2path(pagename)
    ).endswith(".md")


def offer_notebook(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Tell the theme's download button of the chapter's notebook, and write it."""
    if not is_text_notebook(app, pagename):
        return
    context["ipynb_source"] = f"{pagename}.ipynb"
    notebook = jupytext.read(app.env.doc2path(pagename))
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # jupytext draws one at random on each conversion
    target = Path(app.outdir, "_sources", f"{pagename}.ipynb")
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Make the folder's index lead to the landing page.

    sphinx_external_toc would write one too, without an icon (so browsers ask for favicon.ico, which
    is not there) and without a link for those whose browser does not follow a refresh.
    """
    if exception is not None or app.builder.name != "html" or app.config.root_doc == "index":
        return
    start = app.builder.get_target_uri(app.config.root_doc)
    icon = f"_static/{Path(app.config.html_favicon).name}"
    Path(app.outdir, "index.html").write_text(
        f"""<!DOCTYPE html>
<html lang="{app.config.language}">
<head>
<meta charset="utf-8">
<title>{escape(app.config.html_title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={start}">
<link rel="icon" href="{icon}">
</head>
<body><p><a href="{start}">{escape(app.config.html_title)}</a></p></body>
</html>
""",
        "utf-8",
    )


def remove_stale(app: Sphinx) -> None:
    """Remove pages that left the book, and pictures that no page shows any more."""
    out = Path(app.outdir)
    extra = {"index", "search"}
    for page in out.rglob("*.html"):
        name = page.relative_to(out).with_suffix("").as_posix()
        if not name.startswith("_") and name not in app.env.found_docs and name not in extra:
            page.unlink()
    shown = {name for _, name in app.env.images.values()}
    for picture in (out / "_images").glob("*"):
        if picture.name not in shown:
            picture.unlink()


def prune(app: Sphinx, exception: Exception | None) -> None:
    """Remove what no page loads."""
    if exception is not None or app.builder.name != "html":
        return
    remove_stale(app)
    static = Path(app.outdir, "_static")
    for pattern in UNUSED:
        for path in sorted(static.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register."""
    # Jupyter Book always sets it for sphinx_comments, which the book does without
    app.add_config_value("comments_config", {}, "")
    app.connect("builder-inited", stage)
    # before the theme's own buttons (501) and after its context (500)
    app.connect("html-page-context", offer_notebook, priority=499)
    app.connect("build-finished", prune)
    app.connect("build-finished", write_index, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
