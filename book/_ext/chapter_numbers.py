"""Number a chapter by its file: 02_hmm is chapter 2, whether or not chapter 1 is written yet.

Sphinx numbers the pages of a numbered part in the order of the table of contents. Equations,
figures and links follow that number, so it must not change when a chapter joins the book.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

CHAPTER = re.compile(r"(?:^|/)(\d\d)_[^/]*$")

Numbers = dict[str, dict[str, tuple[int, ...]]]


def renumber(env: BuildEnvironment) -> None:
    """Replace the first number of every section of a chapter by the number in its file's name."""
    for docname, sections in env.toc_secnumbers.items():
        match = CHAPTER.search(docname)
        if not match:
            continue
        number = int(match[1])
        env.toc_secnumbers[docname] = {
            anchor: (number, *old[1:]) if old else old for anchor, old in sections.items()
        }
        marked = [env.titles[docname], *env.tocs[docname].findall()]
        for node in marked:
            if old := getattr(node, "attributes", {}).get("secnumber"):
                node["secnumber"] = [number, *old[1:]]


def use_file_numbers() -> None:
    """Make the numbering end with ours.

    sphinx_external_toc replaces Sphinx's collector by its own, which numbers once more, in letters
    or Roman numerals where asked. The book asks for neither, so its step is replaced, not wrapped.
    """
    if getattr(TocTreeCollectorWithStyles.assign_section_numbers, "by_file", False):
        return

    def assign_section_numbers(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
        before: Numbers = env.toc_secnumbers
        TocTreeCollector.assign_section_numbers(self, env)
        renumber(env)
        return [doc for doc, now in env.toc_secnumbers.items() if before.get(doc) != now]

    assign_section_numbers.by_file = True  # type: ignore[attr-defined]
    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers


def setup(app: Sphinx) -> dict[str, Any]:
    """Register; the part of _toc.yml needs `numbered: true`."""
    use_file_numbers()
    return {
        "version": "1",
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
