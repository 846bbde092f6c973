"""nbgrader's formgrader opens our gradebook, shows graded notebooks and takes a mark by hand."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from tiny_course import Done, clean_env, hand_in, solved

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
