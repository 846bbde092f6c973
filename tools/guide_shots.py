"""Photograph the two guides' screens: `python -m tools.guide_shots`.

A student's notebook in JupyterLab, the page that comes back, the class report, and formgrader, each
as it stands after the demonstration class (`make demo`) was graded. Everything is opened for real;
a copy of the class is used, so nothing of it changes. `--check` says which pictures are older than
what they show.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tools.shots import FLAGS, find_chromium

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "_build" / "demo"
PICTURES = ROOT / "book" / "_static" / "guides"
STAMP = PICTURES / "made-from.json"
TOKEN, PS, STUDENT = "guide", "ps1_hmm", "andrew"
SIZE: ViewportSize = {"width": 1100, "height": 640}
# days are counted from tomorrow instead of today: the visible test says so
SLIP = """def forecast(filtered, k, A, E):
    return np.stack([f @ E for f in filtered])
"""
# by picture, the files whose change makes it old
SHOWS = {
    "notebook": ["solutions/ps1_hmm/ps1_hmm.py"],
    "feedback": ["autograder/feedback.html", "autograder/feedback_pages.py"],
    "report": ["autograder/report.html", "autograder/report.py"],
    "formgrader": ["solutions/ps1_hmm/ps1_hmm.py"],
}


def made_from() -> dict[str, str]:
    """Return a hash of what each picture shows."""
    return {
        name: hashlib.sha256(b"".join((ROOT / path).read_bytes() for path in paths)).hexdigest()[
            :16
        ]
        for name, paths in SHOWS.items()
    }


def old_pictures() -> list[str]:
    """Return the names of pictures that are missing or show something older."""
    known = json.loads(STAMP.read_text()) if STAMP.is_file() else {}
    return [
        name
        for name, key in made_from().items()
        if known.get(name) != key or not (PICTURES / f"{name}.png").is_file()
    ]


@contextmanager
def lab(root: Path, home: Path) -> Iterator[str]:
    """Serve JupyterLab with nbgrader's extensions in a folder; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        name: str(home / name)
        for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    command = [
        str(Path(sys.executable).with_name("jupyter")),
        "lab",
        "--no-browser",
        "--allow-root",
    ]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"]
    command += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    process = subprocess.Popen(
        command,
        cwd=root,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{url}/api/status?token={TOKEN}", timeout=5)
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    raise SystemExit("guide_shots: JupyterLab did not start") from None
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def save(page: Page, name: str) -> None:
    """Keep what the page shows as a small picture."""
    raw = PICTURES / f"{name}.raw.png"
    page.screenshot(path=raw, animations="disabled")
    picture = Image.open(raw).convert("RGB")
    picture.quantize(96, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(
        PICTURES / f"{name}.png", optimize=True
    )
    raw.unlink()
    print(f"  {name}.png: {(PICTURES / f'{name}.png').stat().st_size / 1000:.0f} kB", flush=True)


def in_the_notebook(browser: Browser, url: str, where: str) -> None:
    """A student's notebook, run, at the first test that does not hold."""
    page = browser.new_page(viewport=SIZE)
    page.goto(f"{url}/doc/tree/{where}?token={TOKEN}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=90_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    page.get_by_role("button", name="No", exact=True).click()  # no news, thank you
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_timeout(2000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    notebook = page.locator(".jp-WindowedPanel-outer").first
    notebook.evaluate("node => node.scrollTo(0, 0)")
    failed = page.get_by_text("AssertionError").first  # cells out of sight are not in the page
    for _ in range(60):
        if failed.count():
            break
        notebook.evaluate("node => node.scrollBy(0, 300)")
        page.wait_for_timeout(200)
    failed.evaluate("node => node.scrollIntoView({block: 'start', behavior: 'instant'})")
    notebook.evaluate("node => node.scrollBy(0, 150)")  # the end of the test, and what it said
    page.wait_for_timeout(1000)
    save(page, "notebook")


def wrong_answer(root: Path) -> str:
    """Write a notebook with a slip in its first answer; return its path below the course."""
    nb = nbformat.read(ROOT / "exercises" / PS / f"{PS}.ipynb", 4)
    cell = next(c for c in nb.cells if "raise NotImplementedError" in c.source)
    cell.source = cell.source.split("def ")[0] + SLIP
    (root / "work").mkdir()
    nbformat.write(nb, root / "work" / f"{PS}.ipynb")
    return f"work/{PS}.ipynb"


def in_formgrader(browser: Browser, url: str) -> None:
    """A written answer, with the fields for points and a comment."""
    headers = {"Authorization": f"token {TOKEN}"}
    page = browser.new_page(viewport=SIZE, extra_http_headers=headers)
    page.route(lambda address: not address.startswith(url), lambda route: route.abort())
    page.goto(f"{url}/formgrader/gradebook/{PS}/{PS}")
    reply = page.request.get(f"{url}/formgrader/api/submitted_notebooks/{PS}/{PS}").json()
    (found,) = (row["id"] for row in reply if row["student"] == "leonard")
    page.goto(f"{url}/formgrader/submissions/{found}/")
    score = page.locator("input.score[id]").last
    score.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    score.fill("7")
    score.press("Tab")
    comment = page.locator("textarea.comment").last
    comment.fill(
        "Good: you say why the smoother cannot ring an alarm. What would you measure it with?"
    )
    comment.press("Tab")
    page.wait_for_timeout(1500)
    score.evaluate("node => node.scrollIntoView({block: 'start', behavior: 'instant'})")
    page.evaluate("scrollBy({top: -130, behavior: 'instant'})")
    save(page, "formgrader")


def of_a_file(browser: Browser, path: Path, name: str, down: int = 0) -> None:
    """A page that needs no server, from so many pixels below its top."""
    page = browser.new_page(viewport=SIZE)
    page.goto(path.as_uri())
    page.evaluate(f"scrollTo({{top: {down}, behavior: 'instant'}})")
    save(page, name)


def main() -> int:
    """Take the pictures, or say which are old."""
    parser = argparse.ArgumentParser(prog="python -m tools.guide_shots", description=__doc__)
    parser.add_argument("--check", action="store_true", help="take none; exit 1 if one is old")
    options = parser.parse_args()
    if options.check:
        old = old_pictures()
        print(f"old: {', '.join(old)}; run make guide-shots" if old else "guide pictures: fresh")
        return int(bool(old))
    chromium = find_chromium()
    if chromium is None:
        print("guide_shots: no Chromium on PATH and none named by CHROMIUM", file=sys.stderr)
        return 2
    if not (DEMO / "gradebook.db").is_file():
        print("guide_shots: no demonstration class; run `make demo` first", file=sys.stderr)
        return 2
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="guide-shots-") as name,
        sync_playwright() as playwright,
    ):
        root = Path(shutil.copytree(DEMO, Path(name, "course")))
        home = Path(name, "home")
        home.mkdir()
        command = [sys.executable, "-m", "autograder"]
        for verb in ("report", "feedback"):
            subprocess.run([*command, verb, PS, "--course-dir", root], check=True, cwd=ROOT)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        of_a_file(browser, root / "reports" / f"{PS}.html", "report")
        of_a_file(browser, root / "feedback" / STUDENT / PS / f"{PS}.html", "feedback", 400)
        with lab(root, home) as url:
            in_formgrader(browser, url)
            in_the_notebook(browser, url, wrong_answer(root))
        browser.close()
    STAMP.write_text(json.dumps(made_from(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
