"""Photograph the built site: `python -m tools.shots` makes the README's picture again.

`python -m tools.shots --pages DIR` photographs every page, light and dark, desktop and phone, for
looking through. The site must be built (`make site`); Chromium comes from CHROMIUM or the PATH.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
PICTURE = ROOT / "book" / "_static" / "readme-site.png"
# without a sandbox of its own, so that it also runs as root; it opens nothing but our pages
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the browser named by CHROMIUM, else the first one on PATH, else None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files and say nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Drop the line a request."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; yield its address."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def photograph(
    browser: Browser,
    url: str,
    width: int,
    height: int,
    mode: str,
    full: bool = False,
    end_at: str = "",
) -> Image.Image:
    """Open a page at a size in light or dark mode and return its picture.

    full takes the whole page, not one screen; end_at scrolls until that element ends the screen.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if mode == "dark" else "light",
    )
    page = context.new_page()
    page.goto(url)
    page.evaluate("document.fonts.ready.then(() => null)")
    if end_at:
        place = page.locator(end_at)
        place.wait_for(timeout=5000)
        place.evaluate("node => node.scrollIntoView({block: 'end', behavior: 'instant'})")
        page.evaluate("scrollBy({top: 24, behavior: 'instant'})")
    png = page.screenshot(full_page=full, animations="disabled")
    context.close()
    return Image.open(io.BytesIO(png)).convert("RGB")


def readme_picture(browser: Browser, page: str, end_at: str) -> Image.Image:
    """Show one screen of a chapter, light on the left and dark on the right of a slanted cut."""
    light, dark = (
        photograph(browser, page, 1280, 1180, mode, end_at=end_at) for mode in ("light", "dark")
    )
    width, height = light.size
    cut = Image.new("L", light.size, 0)
    right = [(width * 0.70, 0), (width, 0), (width, height), (width * 0.38, height)]
    ImageDraw.Draw(cut).polygon(right, fill=255)
    light.paste(dark, (0, 0), cut)
    small = light.resize((1000, round(1000 * height / width)), Image.Resampling.LANCZOS)
    return small.quantize(256, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)


def pages(site: Path) -> list[str]:
    """Return every page a reader can open, as paths below the site."""
    found = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    return [p for p in found if not p.startswith("_") and p not in {"index.html", "genindex.html"}]


def main() -> int:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.shots", description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE, help="the built site")
    parser.add_argument("--chapter", default="book/02_hmm.html", help="the chapter on the picture")
    parser.add_argument(
        "--end-at", default="#fig-hmm-trellis", help="what ends the picture, in CSS"
    )
    parser.add_argument("--pages", type=Path, metavar="DIR", help="photograph every page into DIR")
    parser.add_argument("--only", metavar="TEXT", default="", help="pages whose path has TEXT")
    parser.add_argument("--top", action="store_true", help="the first screen instead of the page")
    options = parser.parse_args()

    if not (options.site / "index.html").is_file():
        print(f"shots: no site in {options.site}; run `make site` first", file=sys.stderr)
        return 2
    chromium = find_chromium()
    if chromium is None:
        print("shots: no Chromium on PATH and none named by CHROMIUM", file=sys.stderr)
        return 2
    with sync_playwright() as playwright, serve(options.site) as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if options.pages is None:
            page = f"{address}/{options.chapter}"
            picture = readme_picture(browser, page, options.end_at)
            picture.save(PICTURE, optimize=True)
            print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB")
        else:
            options.pages.mkdir(parents=True, exist_ok=True)
            for page in pages(options.site):
                if options.only not in page:
                    continue
                for mode in ("light", "dark"):
                    for width, height in ((1280, 860), (390, 844)):
                        name = f"{page.removesuffix('.html').replace('/', '-')}-{mode}-{width}.png"
                        shot = photograph(
                            browser, f"{address}/{page}", width, height, mode, not options.top
                        )
                        shot.save(options.pages / name)
                        print(name)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
