"""The command line: lists, shows and fetches; an error is one line on stderr and status 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.corpora.__main__ import ABOUT, main
from coursekit.corpora.published import FILES

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("UNROLLED_MIRROR", raising=False)


def test_list_names_every_corpus_and_where_it_is(capsys) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(ABOUT)
    assert all("to fetch" in line for line in lines if line.split()[0] in FILES)


def test_show_prints_a_table(tmp_path: Path, capsys) -> None:
    path = tmp_path / "t.csv"
    path.write_text("review;stars\n" + "".join(f"film {i};{i % 2}\n" for i in range(40)))
    assert main(["show", "csv", str(path), "--text", "review", "--label", "stars", "-n", "1"]) == 0
    out = capsys.readouterr().out
    assert "sha256" in out and "train" in out and "[0] 'film 0'" in out or "[1] 'film" in out


def test_fetch_from_a_folder_then_show(tmp_path: Path, capsys) -> None:
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.txt").write_text(f"{name} 球队获胜\t1\n{name} 股市上涨\t0\n")
    (tmp_path / "class.txt").write_text("财经\n体育\n")
    assert main(["fetch", "thucnews", "--mirror", str(tmp_path), "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["show", "thucnews"]) == 0
    assert "[体育] 'train 球队获胜'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "imdb"], "fetch imdb"),
        (["show", "thucnews"], "fetch thucnews"),
        (["show", "csv"], "needs the path"),
        (["show", "code", "x.txt"], "built in"),
        (["show", "cnews", "nowhere.txt"], "is not there"),
        (["fetch", "imdb", "--mirror", "/nowhere/at/all", "--quiet"], "is not there"),
    ],
)
def test_an_error_is_one_line(arguments: list[str], said: str, capsys) -> None:
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_help_shows_examples() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "book")}
    command = [sys.executable, "-m", "coursekit.corpora", "--help"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "examples:" in run.stdout and "fetch imdb --mirror" in run.stdout and not run.stderr
