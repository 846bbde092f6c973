"""tools.shots: which browser, which pages, and a site that is really served."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tools import shots


def test_the_named_browser_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "my-browser"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(named))
    assert shots.find_chromium() == str(named)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "missing"))
    assert shots.find_chromium() is None


def test_else_the_first_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shots.find_chromium() is None
    for name in ("google-chrome", "chromium"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert shots.find_chromium() == str(tmp_path / "chromium")


def test_pages_are_what_a_reader_opens(tmp_path: Path) -> None:
    for name in ("index.html", "search.html", "book/02_hmm.html", "_static/x.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert shots.pages(tmp_path) == ["book/02_hmm.html", "search.html"]


def test_a_folder_is_served_on_this_machine_only(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("here")
    with shots.serve(tmp_path) as address:
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}/a.txt", timeout=5) as answer:
            assert answer.read() == b"here"


def test_without_a_site_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["shots", "--site", str(tmp_path)])
    assert shots.main() == 2
    assert "run `make site` first" in capsys.readouterr().err
