"""A small book, built like the course with the extensions of the real one."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.console import strip_colors
from sphinx.util.docutils import docutils_namespace, patch_docutils

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

KATEX = ROOT / "node_modules" / "katex" / "dist" / "katex.mjs"

# what makes a text file a notebook
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""


@dataclass
class Result:
    """What came of a build."""

    clean: bool
    warnings: str
    html: Callable[[str], str]


@dataclass
class Book:
    """A folder with pages, built like the course: warnings are errors."""

    folder: Path
    config: dict[str, Any]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def build(self) -> Result:
        out = self.folder / "_build" / "html"
        warnings = io.StringIO()
        status: int | None = None
        with patch_docutils(str(self.folder)), docutils_namespace():
            try:
                app = Sphinx(
                    srcdir=self.folder,
                    confdir=self.folder,
                    outdir=out,
                    doctreedir=self.folder / "_build" / "doctrees",
                    buildername="html",
                    confoverrides=self.config,
                    status=None,
                    warning=warnings,
                    warningiserror=True,
                    keep_going=True,
                )
                app.build()
                status = app.statuscode
            except Exception as error:  # as on the command line: say it, exit with 1
                warnings.write(f"{type(error).__name__}: {error}\n")
                # Sphinx emits build-finished itself when build() raises
                status = 1
        return Result(
            clean=status == 0,
            warnings=strip_colors(warnings.getvalue()),
            html=lambda name: (out / f"{name}.html").read_text("utf-8"),
        )
