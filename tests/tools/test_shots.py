"""tools.shots: which browser, which pages, and a site that is really served."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from tools import guide_shots, shots


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


def test_pictures_of_the_guides_show_what_is_now_the_case() -> None:
    assert guide_shots.old_pictures() == []  # else: make guide-shots
    for name in guide_shots.SHOWS:
        assert (guide_shots.PICTURES / f"{name}.png").stat().st_size < 100_000


def test_a_picture_is_old_when_what_it_shows_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = tmp_path / "shown.html"
    shown.write_text("one")
    monkeypatch.setattr(guide_shots, "SHOWS", {"page": [str(shown)]})
    monkeypatch.setattr(guide_shots, "PICTURES", tmp_path)
    monkeypatch.setattr(guide_shots, "STAMP", tmp_path / "made-from.json")
    assert guide_shots.old_pictures() == ["page"]
    (tmp_path / "page.png").write_bytes(b"")
    guide_shots.STAMP.write_text(json.dumps(guide_shots.made_from()))
    assert guide_shots.old_pictures() == []
    shown.write_text("two")
    assert guide_shots.old_pictures() == ["page"]
