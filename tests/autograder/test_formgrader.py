"""nbgrader's formgrader opens our gradebook, shows graded notebooks and takes a mark by hand."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import sync_playwright
from tiny_course import Done, clean_env, hand_in, solved

from tools.shots import FLAGS, find_chromium

TOKEN = "a-token-of-this-test"


@pytest.fixture
def server(
    make_course: Callable[..., Path], autograder: Callable[..., Done], tmp_path: Path
) -> Iterator[tuple[Path, str]]:
    """A graded course, and a notebook server with nbgrader's extension in its folder."""
    root = make_course()
    autograder("release", "--course-dir", root)
    hand_in(root, "ada", solved(root))
    hand_in(root, "bob", solved(root, {"tiny-double": "def double(x):\n    return 4"}))
    assert autograder("grade", "tiny", "--course-dir", root).returncode == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    env = clean_env(tmp_path) | {name: str(tmp_path / name) for name in own}
    process = subprocess.Popen(
        [
            Path(sys.executable).parent / "jupyter-server",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}",
        ],
        cwd=root,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield root, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def ask(url: str, data: dict[str, Any] | None = None) -> str:
    body = json.dumps(data).encode() if data is not None else None
    request = urllib.request.Request(url, body, method="PUT" if body else "GET")
    request.add_header("Authorization", f"token {TOKEN}")
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.read().decode()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ask(f"{url}/api/status")
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_formgrader_shows_and_takes_marks(server: tuple[Path, str]) -> None:
    root, url = server
    wait_for(url)

    def api(path: str, data: dict[str, Any] | None = None) -> Any:
        return json.loads(ask(f"{url}/formgrader/api/{path}", data))

    (assignment,) = api("assignments")
    assert (assignment["name"], assignment["num_submissions"]) == ("tiny", 2)
    assert assignment["max_score"] == 10
    assert Path(assignment["source_path"]) == Path("solutions/tiny")
    assert Path(assignment["release_path"]) == Path("exercises/tiny")
    submissions = {s["student"]: s for s in api("submissions/tiny")}
    assert {s: (v["score"], v["autograded"]) for s, v in submissions.items()} == {
        "ada": (5, True),
        "bob": (2, True),
    }
    notebooks = {n["student"]: n for n in api("submitted_notebooks/tiny/tiny")}
    assert notebooks["ada"]["needs_manual_grade"]
    page = ask(f"{url}/formgrader/submissions/{notebooks['bob']['id']}/")
    assert "double must work for 3 too" in page  # the graded notebook, with what failed
    assert "Because." in page  # the written answer, to be marked here
    (grade,) = (g for g in api(f"grades?submission_id={notebooks['ada']['id']}")
                if g["name"] == "tiny-why")  # fmt: skip
    api(f"grade/{grade['id']}", {"manual_score": 4})
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.find_submission("tiny", "ada").score == 9


def mark_in_chromium(chromium: str, url: str, submission: str) -> None:
    """Give the last cell of a submission three points and a comment, as a person does."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(extra_http_headers={"Authorization": f"token {TOKEN}"})
        page.route(lambda address: not address.startswith(url), lambda route: route.abort())
        page.goto(f"{url}/formgrader/submissions/{submission}/")
        score = page.locator("input.score[id]").last  # of the last cell, the written answer
        score.wait_for(timeout=20_000)
        assert page.get_by_text("Because.").count()
        score.fill("3")
        with page.expect_response(lambda r: "/api/grade/" in r.url and r.request.method == "PUT"):
            score.press("Tab")
        comment = page.locator("textarea.comment").last
        comment.fill("A reason, but whose?")
        with page.expect_response(lambda r: "/api/comment/" in r.url and r.request.method == "PUT"):
            comment.press("Tab")
        browser.close()


def test_a_person_marks_in_a_browser(server: tuple[Path, str]) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium here")
    root, url = server
    wait_for(url)
    notebooks = json.loads(ask(f"{url}/formgrader/api/submitted_notebooks/tiny/tiny"))
    (ada,) = (n["id"] for n in notebooks if n["student"] == "ada")
    # in a thread: other tests of this process may hold a browser, which allows one to a thread
    with ThreadPoolExecutor(1) as pool:
        pool.submit(mark_in_chromium, chromium, url, ada).result()
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        notebook = book.find_submission_notebook("tiny", "tiny", "ada")
        marks = {g.name: (g.manual_score, g.score) for g in notebook.grades}
        assert marks["tiny-why"] == (3, 3) and marks["tiny-half-tests"] == (None, 2)
        said = {c.name: c.manual_comment for c in notebook.comments}
        assert said["tiny-why"] == "A reason, but whose?"
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", "tiny", "--force", "--course-dir", root],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:  # a mark by hand outlives regrading
        assert book.find_submission("tiny", "ada").score == 8
