"""The recorded runs of chapter 12 are complete, fresh, and go on where they were cut off."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coursekit import recorded
from tools import text_rnn_runs as runs

PROBED = [(group, item) for group in runs.ITEMS for item in runs.ITEMS[group]]


def test_what_is_recorded_is_what_the_code_does() -> None:
    assert runs.what_is_stale(recorded.load("text_rnn_runs")) == []


def test_a_recording_says_how_it_was_made_and_holds_what_the_page_reads() -> None:
    kept = recorded.load("text_rnn_runs")
    assert {"command", "date", "machine", "versions", "cpu_s"} <= set(kept["made"])
    assert set(kept["corpora"]) == set(runs.ITEMS)
    for group, item in PROBED:
        result = kept["results"][group][item]
        sides = [side for side in ("any", *runs.SIDES) if side in result]
        assert sides in (["any"], list(runs.SIDES))
        seeds = 1 if group == "full" else len(runs.SEEDS)
        for side in sides:
            for key in ("right", "short"):
                assert np.shape(result[side][key]) == (seeds,)
                assert all(0 <= value <= 1 for value in result[side][key])
    whole = kept["results"]["full"]["TRNNConfig()"]
    epochs = runs.CONFIGS["full"].num_epochs
    assert len(whole["train"]) == len(whole["validation"]) == epochs
    assert 0 < whole["tokens"] < whole["positions"] and 0 < whole["share"]["recurrent"] < 1


def test_the_last_real_token_is_the_last_position_where_padding_stands_before() -> None:
    code = recorded.load("text_rnn_runs")["results"]["code"]
    assert code["last position"]["before"] == code["last real token"]["before"]


def test_versions_compare_equal_networks_on_equal_batches() -> None:
    code = recorded.load("text_rnn_runs")["results"]["code"]
    sizes = {item: code[item]["weights"] for item in runs.POOLED}
    same = {n for item, n in sizes.items() if item not in ("attention", *list(runs.POOLED)[-1:])}
    assert len(same) == 1 and sizes["attention"] == same.pop() + 64


def test_what_is_stale_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = copy.deepcopy(recorded.load("text_rnn_runs"))
    said: list[str] = []
    monkeypatch.setattr(
        runs, "probe", lambda group, item: list(kept["results"][group][item]["probe"])
    )
    stale = copy.deepcopy(kept)
    stale["results"]["code"]["masked mean"]["probe"] = [9.0] * runs.PROBE
    del stale["results"]["docs"]["packed"]
    stale["settings"]["imdb"]["train"] = 1
    stale["corpora"]["full"] = "another"
    assert runs.what_is_stale(stale, said.append) == [
        "masked mean of code",
        "packed of docs is missing",
        "the settings of imdb",
    ]
    assert len(said) == 1 and said[0].startswith("full: another corpus")


def test_a_second_call_goes_on_where_the_first_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, str]] = []

    def record(group: str, item: str) -> dict[str, Any]:
        calls.append((group, item))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {"any": {"right": [0.5]}, "probe": [1.0], "cpu_s": 1.0}

    monkeypatch.setattr(runs, "OUT", tmp_path / "runs.json")
    monkeypatch.setattr(runs, "CHECKPOINT", tmp_path / "full.pt")
    monkeypatch.setattr(runs, "record", record)
    with pytest.raises(KeyboardInterrupt):
        runs.main([])
    assert len(json.loads((tmp_path / "runs.json").read_text())["results"]["code"]) == 2
    runs.main(["--only", "docs"])
    assert {group for group, _ in calls[3:]} == {"docs"}
    runs.main([])
    assert sorted(set(calls)) == sorted(PROBED) and len(calls) == len(PROBED) + 1
    done = len(calls)
    runs.main(["--fresh", "--only", "full"])  # one group again, the others stay
    assert calls[done:] == [("full", item) for item in runs.ITEMS["full"]]
    kept = json.loads((tmp_path / "runs.json").read_text())["results"]
    assert {group: tuple(items) for group, items in kept.items()} == runs.ITEMS
    monkeypatch.setattr(runs, "probe", lambda group, item: [2.0])
    assert runs.main(["--check"]) == 1
    assert "renew it: python -m tools.text_rnn_runs --fresh" in capsys.readouterr().out


def test_data_are_the_same_for_the_same_seed_and_cut_as_said() -> None:
    one, two = runs.data("code", 0), runs.data.__wrapped__("code", 0)
    assert one.sha256 == two.sha256
    assert all(np.array_equal(a, b) for a, b in zip(one.x[0][:50], two.x[0][:50], strict=True))
    n = [len(t) for t in one.x[0]]
    assert (min(n), max(n), len(n)) == (20, 80, runs.TRAIN) and one.V <= 100
