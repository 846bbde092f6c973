"""A run that was killed, stopped or left half-written ends as one that nobody disturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from coursekit.text_rnn import trainer as loop
from coursekit.text_rnn.cli import main
from coursekit.text_rnn.folder import Log, write
from seqmodels.training import load_checkpoint

ROOT = Path(__file__).resolve().parents[4]
MODEL = [
    *("--hidden-dim", "6", "--embedding-dim", "5", "--num-layers", "2", "--batch-size", "16"),
    *("--num-epochs", "3", "--save-per-batch", "5", "--print-per-batch", "4", "--seeds", "2"),
    *("--dropout-keep-prob", "0.7", "--learning-rate", "0.01", "--device", "cpu", "--threads", "1"),
]

# imports once, then a fresh process for each try: what is killed has computed everything itself
KILLER = """
import json, os, random, signal, sys, time
import torch.utils.tensorboard
from coursekit.text_rnn.cli import main
calm, torn, rng = sys.argv[1].split("|"), sys.argv[2].split("|"), random.Random(int(sys.argv[3]))
def start(args):
    pid = os.fork()
    if pid == 0:
        os._exit(main(args))
    return pid
began = time.monotonic()
_, status = os.waitpid(start(calm), 0)
assert status == 0, status
most, kills = time.monotonic() - began, 0
while True:
    pid = start(torn)
    time.sleep(rng.uniform(0, most))
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        assert status == 0, status
        break
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    kills += 1
    if kills > 8:
        most *= 1.5
print(kills)
"""


def env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "book"), "OMP_NUM_THREADS": "1"}


def without_time(path: Path) -> list[dict]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(row.pop("time") > 0 for row in rows)
    return rows


def same_run(one: Path, two: Path) -> None:
    """Assert that two folders hold the same weights, log and report, bit for bit."""
    for seed in (0, 1):
        a, b = (load_checkpoint(run / f"seed-{seed}" / "model.pt") for run in (one, two))
        assert a["rounds"] == b["rounds"] and a["best"] == b["best"]
        assert a["model"].keys() == b["model"].keys()
        assert all(torch.equal(a["model"][k], b["model"][k]) for k in a["model"])
    assert without_time(one / "log.jsonl") == without_time(two / "log.jsonl")
    for name in ("report.json", "report.txt", "report.html", "vocabulary.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_killed_at_random_moments_it_ends_the_same(headlines: Path, tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("calm", "torn")]
    calls = ["|".join(["train", "--data", str(headlines), "--run", str(r), *MODEL]) for r in runs]
    seed = str(time.time_ns() % 1000)
    done = subprocess.run(
        [sys.executable, "-c", KILLER, *calls, seed],
        env=env(), capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, (seed, done.stderr[-2000:])
    assert int(done.stdout.split()[-1]) > 0, "it was never killed: look at the delays"
    same_run(*runs)
    assert not list(runs[1].glob("**/*.part*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_saves_and_says_how_to_go_on(
    headlines: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    calm, torn = tmp_path / "calm", tmp_path / "torn"
    common = ["--data", str(headlines), *MODEL]
    assert main(["train", *common, "--run", str(calm)]) == 0
    update, counted = loop.Trainer._update, []

    def stop_at_20(self: loop.Trainer) -> None:
        counted.append(1)
        if len(counted) == 20:
            os.kill(os.getpid(), number)
        update(self)

    monkeypatch.setattr(loop.Trainer, "_update", stop_at_20)
    capsys.readouterr()
    assert main(["train", *common, "--run", str(torn)]) == 128 + number
    assert f"stopped after 20 batches; go on with: text-rnn train --run {torn}" in (
        capsys.readouterr().err
    )
    assert load_checkpoint(torn / "seed-0" / "checkpoint.pt")["updates"] == 20
    # neither data nor configuration nor the number of seeds is named again
    assert main(["train", "--run", str(torn)]) == 0
    assert "goes on after 20 of 36" in capsys.readouterr().err
    same_run(calm, torn)


def test_a_stop_while_validation_is_judged(
    headlines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, torn = tmp_path / "calm", tmp_path / "torn"
    common = ["--data", str(headlines), *MODEL]
    assert main(["train", *common, "--run", str(calm)]) == 0
    judge, calls = loop.log_probabilities, []

    def stopped(model, sequences, pause=lambda: None):
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return judge(model, sequences, pause)

    monkeypatch.setattr(loop, "log_probabilities", stopped)
    assert main(["train", *common, "--run", str(torn)]) == 130
    assert len(load_checkpoint(torn / "seed-0" / "checkpoint.pt")["rounds"]) == 1
    assert main(["train", *common, "--run", str(torn)]) == 0
    same_run(calm, torn)


def test_other_configurations_and_other_data_are_refused(headlines: Path, tiny, rows) -> None:
    assert tiny("--data", headlines, "--run", "r")[0] == 0
    before = {
        p: p.read_bytes() for p in Path("r").rglob("*") if p.is_file() and p.suffix != ".lock"
    }
    status, _, err = tiny("--data", headlines, "--run", "r", "--hidden-dim", 7)
    assert status == 2 and "another configuration (hidden_dim is 6 there, 7 asked for)" in err
    assert len(err.splitlines()[-1]) < 300
    status, _, err = tiny("--run", "r", "--pooling", "max")
    assert status == 2 and "pooling is 'mean' there, 'max' asked for" in err
    other = Path("other.txt")
    other.write_text("".join(f"{a}\t{b}\n" for a, b in rows(240, 1)), encoding="utf-8")
    status, _, err = tiny("--data", other, "--run", "r")
    assert status == 2 and "other data" in err and "headlines.txt" in err
    status, _, err = tiny("--data", headlines, "--run", "r", "--unit", "word")
    assert status == 2 and "cut texts otherwise" in err
    assert before == {p: p.read_bytes() for p in before}
    # what changes no weight may change
    assert tiny("--data", headlines, "--run", "r", "--print-per-batch", 1)[0] == 0
    with headlines.open("a") as file:
        file.write("科技\t手机手机\n")
    status, _, err = tiny("--run", "r")
    assert status == 2 and "other data" in err


def test_a_folder_of_something_else_is_left_alone(headlines: Path, tiny) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("mine")
    status, _, err = tiny("--data", headlines, "--run", "mine")
    assert status == 2 and "no run's folder (it holds thesis.txt)" in err
    assert [p.name for p in Path("mine").iterdir()] == ["thesis.txt"]
    status, _, err = tiny("--data", headlines, "--run", headlines)
    assert status == 2 and "is a file" in err


def test_two_do_not_train_in_one_folder(headlines: Path, tiny) -> None:
    from filelock import FileLock

    Path("r").mkdir()
    with FileLock("r/.lock"):
        status, _, err = tiny("--data", headlines, "--run", "r")
    assert status == 2 and "another process" in err


def test_broken_files_of_a_run_are_named(headlines: Path, tiny, capsys) -> None:
    def again(expected: int, words: str, *more: str) -> None:
        status, _, err = tiny("--run", "r", "--data", headlines, *more)
        last = err.splitlines()[-1]
        assert status == expected and words in last and len(last) < 400, err

    assert tiny("--data", headlines, "--run", "r")[0] == 0
    weights, state = Path("r/seed-0/model.pt"), Path("r/seed-0/checkpoint.pt")
    whole = {
        p: p.read_bytes() for p in (weights, state, Path("r/run.json"), Path("r/vocabulary.json"))
    }
    weights.write_bytes(whole[weights][:1000])
    again(1, "model.pt cannot be used")
    assert main(["predict", "--run", "r", "--text", "球队"]) == 1
    torch.save({"model": {}, "rounds": [(0.0,) * 6], "best": 0}, weights)
    again(1, "holds no weights for this run")
    weights.unlink()
    state.write_bytes(whole[state][:-100])
    again(1, "checkpoint.pt cannot be gone on from")
    torch.save({"model": {}}, state)
    again(1, "delete it to train this seed from the start")
    state.write_bytes(whole[state])
    again(0, "report")  # the checkpoint of the end gives the same weights again
    assert torch.load(weights, weights_only=True)["best"] >= 0
    for name in ("run.json", "vocabulary.json"):
        path = Path("r") / name
        for content in (b"", b"{", b"[]", b'{"data": 3}', b'["a"]', b"[" * 100_000):
            path.write_bytes(content)
            again(2, name)
        path.write_bytes(whole[path])


def test_what_a_run_says_of_its_data_is_checked(headlines: Path, tiny, capsys) -> None:
    assert tiny("--data", headlines, "--run", "r")[0] == 0
    path = Path("r/run.json")
    whole = json.loads(path.read_text())
    for wrong in (
        {"data": 3},
        {"seeds": "x"},
        {"threads": 0},
        {"raw": None, "unit": 7},
        {"new": 1},
    ):
        path.write_text(json.dumps(whole | {"data": whole["data"] | wrong}))
        assert main(["train", "--run", "r"]) == 2, wrong
        assert main(["evaluate", "--run", "r"]) == 2
        assert "does not say what the data were" in capsys.readouterr().err


class Bomb:
    def __reduce__(self):
        return (Path("exploded").touch, ())


def test_a_pickle_in_place_of_weights_is_not_run(headlines: Path, tiny, capsys) -> None:
    assert tiny("--data", headlines, "--run", "r")[0] == 0
    for name in ("model.pt", "checkpoint.pt"):
        torch.save({"model": Bomb()}, Path("r/seed-0") / name)
    assert tiny("--data", headlines, "--run", "r")[0] == 1
    assert main(["predict", "--run", "r", "--text", "球队"]) == 1
    Path("r/seed-0/model.pt").unlink()
    assert tiny("--data", headlines, "--run", "r")[0] == 1
    assert not Path("exploded").exists()


def test_a_finished_run_trains_no_more(headlines: Path, tiny, monkeypatch) -> None:
    assert tiny("--data", headlines)[0] == 0
    monkeypatch.setattr(loop.Trainer, "run", None)
    status, out, err = tiny("--data", headlines)
    assert status == 0 and "finished before" in err and "macro F1" in out


def test_the_log_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.rewind(0, 0, 0)
    for update in (5, 10, 15):
        log.add({"seed": 0, "update": update, "epoch": 1})
    log.add({"seed": 0, "epoch": 2, "validation_loss": 1.0})
    log.add({"seed": 1, "update": 99, "epoch": 1})
    with log.path.open("a") as file:
        file.write('{"seed": 0, "upd')
    log.rewind(0, 10, 1)
    rows = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(row["seed"], row["update"]) for row in rows] == [(0, 5), (0, 10), (1, 99)]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "\ud800")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]
