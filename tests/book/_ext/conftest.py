"""Make small books, and leave no node process behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from small_book import Book


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Book]:
    """Make a book from extensions, pages and settings."""

    def make(
        extensions: list[str], pages: Mapping[str, str], config: Mapping[str, Any] | None = None
    ) -> Book:
        folder = tmp_path / "book"
        folder.mkdir()
        (folder / "conf.py").write_text("")
        settings = {
            "extensions": extensions,
            "html_theme": "basic",
            "exclude_patterns": ["_build"],
            # said here, since Sphinx keeps what an earlier book of this process added
            "source_suffix": {".md": "myst-nb" if "myst_nb" in extensions else "markdown"},
            "myst_enable_extensions": ["dollarmath", "amsmath", "colon_fence"],
            **(config or {}),
        }
        made = Book(folder, settings)
        for name, text in pages.items():
            made.write(name, text)
        return made

    return make


@pytest.fixture(autouse=True)
def _end_node() -> Iterator[None]:
    """Stop the node processes of a build that failed half-way."""
    yield
    import katex_html

    for held in katex_html.SERVERS.values():
        held.stop()
