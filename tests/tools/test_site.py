"""tools.site: the front end by its lock, the builder's words made short, its verdict kept."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from tools import site


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a lock and an environment whose programs are stand-ins."""
    root = tmp_path / "course"
    (root / "_build").mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "package.json").write_text("{}")
    (root / "package-lock.json").write_text("{}")
    monkeypatch.setattr(site, "ROOT", root)
    monkeypatch.setattr(site, "BUILD", root / "_build")
    monkeypatch.setattr(sys, "executable", str(root / "bin" / "python"))
    return root


def stand_in(root: Path, name: str, script: str) -> None:
    """Put a program into the environment."""
    path = root / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


def test_assets_are_installed_once_for_a_lock(checkout: Path) -> None:
    stand_in(checkout, "npm", 'mkdir -p node_modules; echo "$@" >> ran')
    site.install_assets(checkout)
    site.install_assets(checkout)
    ran = (checkout / "ran").read_text().splitlines()
    assert len(ran) == 1 and ran[0].startswith("ci ") and "--ignore-scripts" in ran[0]
    (checkout / "package-lock.json").write_text('{"changed": true}')
    site.install_assets(checkout)
    assert len((checkout / "ran").read_text().splitlines()) == 2


def test_no_network_is_one_clear_line(checkout: Path) -> None:
    stand_in(checkout, "npm", 'echo "npm error code ENOTFOUND" >&2; echo "npm error x" >&2; exit 1')
    with pytest.raises(SystemExit) as stopped:
        site.install_assets(checkout)
    said = str(stopped.value)
    assert "ENOTFOUND" in said and "check the network" in said and "\n" not in said
    # and nothing claims that they are there
    assert not (checkout / "node_modules" / ".lock-hash").exists()


def test_missing_npm_is_one_clear_line(checkout: Path) -> None:
    with pytest.raises(SystemExit, match="run make"):
        site.install_assets(checkout)


def run(root: Path, script: str, *arguments: str) -> int:
    stand_in(root, "npm", "mkdir -p node_modules")
    stand_in(root, "python", script)
    return site.main(list(arguments))


def test_a_clean_build_is_summed_up(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        f'echo "{checkout}/book/02_hmm.md: Executed notebook in 4.00 seconds [mystnb]"\n'
        'echo "[IPKernelApp] WARNING | Kernel is running over TCP without encryption."\n'
        "mkdir -p _build/html; echo page > _build/html/index.html"
    )
    assert run(checkout, script) == 0
    out, err = capsys.readouterr()
    assert "book/02_hmm.md: executed in 4.0 s" in out
    assert "1 pages" in out and err == ""


def test_a_warning_fails_and_is_shown_with_its_place(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = f'printf "\\033[91m{checkout}/book/x.md:7: WARNING: nowhere\\033[0m\\n"; exit 0'
    assert run(checkout, script) == 1
    err = capsys.readouterr().err
    assert "    book/x.md:7: WARNING: nowhere\n" in err
    assert "WARNING: nowhere" in (checkout / "_build" / "site.log").read_text()


def test_a_failed_build_fails_even_if_it_says_nothing(checkout: Path) -> None:
    assert run(checkout, "exit 3") == 1


def test_clean_forgets_builds_but_not_what_others_made(checkout: Path) -> None:
    for name in ("html", ".jupyter_cache", "demo"):
        (checkout / "_build" / name).mkdir()
        (checkout / "_build" / name / "old").write_text("")
    assert run(checkout, "mkdir -p _build/html", "--clean") == 0
    assert not (checkout / "_build" / "html" / "old").exists()
    assert not (checkout / "_build" / ".jupyter_cache").exists()
    assert (checkout / "_build" / "demo" / "old").exists()
