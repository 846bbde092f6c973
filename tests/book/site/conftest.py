"""Open the built site in Chromium and note everything that must not happen there.

The site is built once, before the tests (`make test` does it; alone: `make site`). SITE_DIR names
another built site. Where there is no Chromium these tests skip, saying so; in CI they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from site_visit import Visit

from tools.shots import FLAGS, ROOT, find_chromium, pages, serve

SITE = Path(os.environ.get("SITE_DIR", ROOT / "_build" / "html")).resolve()
# names resolve to nothing: what slips past the interception fails too
CUT = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def built_site() -> Path:
    """Return the built site, or fail with what to do."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"no site in {SITE}; run `make site` first", pytrace=False)
    return SITE


@pytest.fixture(scope="session")
def site() -> Path:
    return built_site()


@pytest.fixture(scope="session")
def page_names(site: Path) -> list[str]:
    found = pages(site)
    assert "book/index.html" in found and "search.html" in found
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        reason = "no Chromium: put one on PATH or name it by CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *CUT])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    with serve(site) as address:
        yield address


@pytest.fixture(scope="session", params=["localhost", "file"])
def address(request: pytest.FixtureRequest, site: Path) -> str:
    """Where the site is opened: served by this machine, and straight from its folder."""
    if request.param == "file":
        return site.as_uri()
    served: str = request.getfixturevalue("served")
    return served


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    visit = Visit(context.new_page(), address)
    visit.watch()
    yield visit
    context.close()
