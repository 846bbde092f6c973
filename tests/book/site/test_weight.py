"""How much a reader's browser has to fetch for a page."""

from __future__ import annotations

import gzip
from pathlib import Path
from urllib.parse import unquote, urlsplit

LIMIT_KB = 450
LIMIT_REQUESTS = 45
PACKED = {".html", ".css", ".js", ".svg", ".json"}


def transferred(file: Path) -> int:
    """Bytes on the way with gzip; fonts and pictures are packed already."""
    data = file.read_bytes()
    return len(gzip.compress(data, 6)) if file.suffix in PACKED else len(data)


def test_pages_are_light(browser, served: str, site: Path, page_names: list[str]) -> None:
    """Without its own figures a page transfers at most 450 KB, in few requests."""
    for name in page_names:
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        page = context.new_page()
        seen: set[str] = set()
        page.on("request", lambda request, seen=seen: seen.add(request.url))
        page.goto(f"{served}/{name}")
        page.wait_for_load_state("networkidle")
        paths = {unquote(urlsplit(url).path).lstrip("/") for url in seen if url.startswith("http")}
        own = {path for path in paths if path.startswith("_images/")}
        size = sum(transferred(site / path) for path in paths - own)
        context.close()
        assert name in paths
        assert size <= LIMIT_KB * 1000, f"{name}: {size / 1000:.0f} KB"
        assert len(paths - own) <= LIMIT_REQUESTS, f"{name}: {len(paths - own)} requests"
        print(f"{name}: {size / 1000:.0f} KB, {len(paths - own)} requests, {len(own)} figures")
