"""Keep the book strict: alt text on every picture, and no failed build that looks clean afterwards.

Sphinx remembers a page as read even if it warned, so a second `-W` build over the first one finds
nothing to do and succeeds. Here a build with a warning or an error forgets that memory (code
outputs stay in their own cache), and the next build reads everything again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def check_alt_text(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn at every picture that says nothing to someone who cannot see it."""
    for image in doctree.findall(nodes.image):
        if not image.get("alt", "").strip():
            logger.warning(
                "picture without alt text: give the figure `:alt:`, or the code cell"
                " `mystnb: {image: {alt: ...}}` (%s)",
                image.get("uri", ""),
                location=image if image.line else docname,
                type="alt",
            )


def forget_failures(app: Sphinx, exception: Exception | None) -> None:
    """Remove Sphinx's memory of a build that was not clean."""
    if exception is not None or app._warncount:
        Path(app.doctreedir, ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the checks."""
    app.connect("doctree-resolved", check_alt_text)
    app.connect("build-finished", forget_failures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
