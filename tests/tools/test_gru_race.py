"""The recorded race of chapter 08 is complete, fresh, and goes on where it was cut off."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from coursekit import recorded
from tools import gru_race


def test_what_is_recorded_is_what_the_code_does() -> None:
    assert gru_race.what_is_stale(recorded.load("gru_race")) == []


def test_a_recording_says_how_it_was_made_and_holds_what_the_page_reads() -> None:
    race = recorded.load("gru_race")
    assert {"command", "date", "machine", "versions", "cpu_s"} <= set(race["made"])
    for name, kinds in gru_race.KINDS.items():
        assert set(race["results"][name]) == set(kinds)
        for result in race["results"][name].values():
            shape = len(gru_race.RATES), len(gru_race.SEEDS)
            assert np.shape(result["late"]) == np.shape(result["score"]) == shape
            assert np.shape(result["curve"]) == (len(gru_race.SEEDS), gru_race.POINTS)
            late = np.mean(result["late"], axis=1)  # rounded: rates may look alike
            assert late[result["best"]] <= late.min() + 1e-5
            assert result["weights"] <= gru_race.BUDGET


def test_what_is_stale_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    race = copy.deepcopy(recorded.load("gru_race"))
    monkeypatch.setattr(gru_race, "STEPS", {**gru_race.STEPS})
    monkeypatch.setattr(
        gru_race, "probe", lambda name, kind, H: race["results"][name][kind]["probe"]
    )
    stale = copy.deepcopy(race)
    stale["results"]["copy"]["GRU"]["probe"] = [9.0] * gru_race.PROBE
    del stale["results"]["parity"]["RNN"]
    assert gru_race.what_is_stale(stale) == ["GRU on copy", "RNN on parity is missing"]
    race["settings"]["batch"] = 17
    assert gru_race.what_is_stale(race) == ["the settings"]


def test_a_second_call_goes_on_where_the_first_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, str]] = []
    stub = recorded.load("gru_race")["results"]["copy"]["GRU"]

    def record(name: str, kind: str) -> dict:
        calls.append((name, kind))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return stub

    monkeypatch.setattr(gru_race, "OUT", tmp_path / "race.json")
    monkeypatch.setattr(gru_race, "record", record)
    with pytest.raises(KeyboardInterrupt):
        gru_race.main([])
    assert len(json.loads((tmp_path / "race.json").read_text())["results"]["copy"]) == 1
    gru_race.main([])
    pairs = [(name, kind) for name, kinds in gru_race.KINDS.items() for kind in kinds]
    assert sorted(set(calls)) == sorted(pairs) and len(calls) == len(pairs) + 1
    assert gru_race.main(["--check"]) == 1
    assert "renew it: python -m tools.gru_race --fresh" in capsys.readouterr().out


def test_an_unknown_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="there are .*gru_race"):
        recorded.load("nothing")
