"""What a finished run is used for; what it writes while it trains; that it learns order."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from coursekit.text_rnn import show
from coursekit.text_rnn.cli import main
from coursekit.text_rnn.reading import Reading, encode, vocabulary
from coursekit.text_rnn.trainer import Buckets, alike, log_probabilities
from coursekit.text_rnn.use import finished
from seqmodels.text_rnn import TextRNN, TRNNConfig, predict, to_batch


@pytest.fixture
def run(headlines: Path, tiny, capsys) -> Path:
    assert tiny("--data", headlines, "--run", "r", "--num-epochs", 4)[0] == 0
    return Path("r")


def test_the_network_learns_order_and_a_linear_model_of_single_characters_cannot(
    tmp_path: Path,
) -> None:
    """Label: which of two characters comes first, with others between; counts are the same."""
    rng = random.Random(0)
    rows = []
    for i in range(1500):
        text = rng.choices("的了在是和有不人这中", k=9)
        first, second = sorted(rng.sample(range(10), 2))
        pair = "甲乙" if i % 2 else "乙甲"
        text.insert(first, pair[0])
        text.insert(second + 1, pair[1])
        rows.append(f"{pair[0]}先\t{''.join(text)}\n")
    path = tmp_path / "order.txt"
    path.write_text("".join(rows), "utf-8")
    arguments = (
        "--hidden-dim 16 --embedding-dim 8 --num-layers 1 --learning-rate 0.02 --num-epochs 6"
    )
    status = main(
        ["train", "--data", str(path), "--run", "r", *arguments.split(), "--threads", "1"]
    )
    whole = json.loads(Path("r/report.json").read_text("utf-8"))
    linear = max(one["accuracy"] for one in whole["baselines"])
    assert status == 0 and whole["test"]["accuracy"] > 0.95 > 0.85 > linear
    assert whole["against"]["low"] > 0


def test_evaluate_repeats_the_test_score_and_scores_other_data(run: Path, rows, capsys) -> None:
    capsys.readouterr()
    assert main(["evaluate", "--run", "r", "--json", "e.json", "--html", "e.html"]) == 0
    whole = json.loads((run / "report.json").read_text("utf-8"))
    again = json.loads(Path("e.json").read_text("utf-8"))
    assert again["test"] == whole["test"] and "Confusion" in Path("e.html").read_text("utf-8")
    new = rows(60, 9)
    # labels in another order, one never there: names decide
    Path("new.txt").write_text(
        "".join(f"{t}\t{a}\n" for a, t in reversed(new) if a != "体育"), "utf-8"
    )
    assert main(["evaluate", "--run", "r", "--data", "new.txt", "--json", "n.json"]) == 0
    found = json.loads(Path("n.json").read_text("utf-8"))["test"]
    assert found["texts"] == 40 and [c["support"] for c in found["classes"]] == [0, 20, 20]
    out = capsys.readouterr().out
    assert "Each class (40 texts)" in out
    one = finished(run, None, "cpu")
    some = [(a, t) for a, t in new if a != "体育"]
    y = [one.facts["labels"].index(a) for a, _ in some]
    assert found["accuracy"] == (one.log_p([t for _, t in some]).argmax(axis=1) == y).mean()
    Path("new.txt").write_text("军事\t坦克\n体育\t球队\n" * 5, "utf-8")
    assert main(["evaluate", "--run", "r", "--data", "new.txt"]) == 2
    assert "label '军事' is none of the run's (体育, 科技, 财经)" in capsys.readouterr().err


def test_predict_answers_a_line_for_a_line(run: Path, capsys, monkeypatch) -> None:
    texts = ["球队赢比赛", "", "  ", "股市银行", "\ud83c", "手机\t电脑", "𠮷 never seen"]
    typed = "\n".join(texts).encode("utf-8", "replace") + b"\r\n"
    Path("in.txt").write_bytes(typed)
    capsys.readouterr()
    assert main(["predict", "--run", "r", "in.txt"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == len(texts) + 1 and lines[1] == lines[2] == lines[-1] == ""
    label, p, text = lines[0].split("\t")
    assert label == "体育" and 1 / 3 < float(p) <= 1 and text == texts[0]
    assert lines[5].count("\t") == 2

    class Standard(io.StringIO):
        buffer = io.BytesIO(typed)

    monkeypatch.setattr(sys, "stdin", Standard())
    assert main(["predict", "--run", "r"]) == 0
    assert capsys.readouterr().out.split("\n") == lines
    assert (
        main(["predict", "--run", "r", "--json", "--top", "9", "--text", "股市", "--text", ""]) == 0
    )
    one, two = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert one["label"] == "财经" and sum(one["p"].values()) == pytest.approx(1, abs=1e-5)
    assert list(one["p"].values()) == sorted(one["p"].values(), reverse=True)
    assert two == {"text": "", "label": None}
    assert main(["predict", "--run", "r", "none.txt"]) == 2
    Path("bin").write_bytes(b"\x7fELF" + bytes(range(256)) * 4)
    assert main(["predict", "--run", "r", "bin"]) == 2
    assert main(["predict", "--run", "r", "--seed", "7", "--text", "x"]) == 2
    assert "seed 7 of r is not finished" in capsys.readouterr().err


def test_a_file_with_labels_is_pointed_out(run: Path, headlines: Path, capsys) -> None:
    assert main(["predict", "--run", "r", str(headlines)]) == 0
    assert "evaluate --data" in capsys.readouterr().err


def test_without_run_the_last_one_is_taken(headlines: Path, tiny, capsys) -> None:
    assert main(["predict", "--text", "球"]) == 2
    assert "--run is missing" in capsys.readouterr().err
    assert tiny("--data", headlines)[0] == 0
    assert main(["predict", "--text", "球"]) == 0
    assert "the last that was finished" in capsys.readouterr().err
    assert main(["predict", "--run", "nowhere", "--text", "球"]) == 2
    assert main(["train"]) == 2
    assert "--data is missing" in capsys.readouterr().err.splitlines()[-1]


def test_a_neighbour_does_not_change_what_is_predicted() -> None:
    """Equally long texts share a batch, so nothing is padded: the published function agrees."""
    rng = np.random.default_rng(0)
    for pooling in ("mean", "last-position"):
        config = TRNNConfig(
            hidden_dim=5, embedding_dim=4, num_layers=1, batch_size=8, seq_length=20,
            num_classes=3, vocab_size=30, pooling=pooling,
        )  # fmt: skip
        model = TextRNN(config)
        texts = [rng.integers(2, 30, rng.integers(1, 26)).astype(np.int32) for _ in range(50)]
        found = log_probabilities(model, texts)
        fixed = pooling == "last-position"
        for i in range(0, 50, 7):
            alone = predict(model.eval(), [texts[i]], fixed)[0]
            assert np.allclose(alone, found[i], rtol=0, atol=1e-5)
    lengths = rng.integers(1, 9, 100)
    parts = list(alike(lengths, 8, False))
    assert sorted(np.concatenate(parts)) == list(range(100))
    assert all(len(set(lengths[part])) == 1 and len(part) <= 8 for part in parts)


def test_buckets_deal_each_text_once_and_go_on_from_any_place() -> None:
    lengths = np.random.default_rng(0).integers(1, 400, 403)
    order = Buckets(lengths, 16, 3, pool=5)
    dealt = [order.deal() for _ in range(2 * len(order))]
    assert order.epoch == 2 and order.place == 0
    for half in (dealt[: len(order)], dealt[len(order) :]):
        assert sorted(np.concatenate(half)) == list(range(403))
    assert not np.array_equal(dealt[0], dealt[len(order)])
    padded = sum(len(b) * lengths[b].max() for b in dealt)
    assert padded < 1.4 * 2 * lengths.sum() < 2 * 403 * lengths.max()
    for at in (0, 1, 13, len(order) - 1, len(order), len(order) + 7):
        first, second = Buckets(lengths, 16, 3, pool=5), Buckets(lengths, 16, 3, pool=5)
        for _ in range(at):
            first.deal()
        second.load(first.state())
        rest = [second.deal() for _ in range(len(dealt) - at)]
        assert all(np.array_equal(a, b) for a, b in zip(rest, dealt[at:], strict=True))


def test_texts_are_cut_on_the_side_that_is_asked_for() -> None:
    reading = Reading("character", False)
    texts = ["abcdef", "", "ab"]
    for side, kept in (("after", "abcd"), ("before", "cdef")):
        config = TRNNConfig(seq_length=4, vocab_size=20, truncate_side=side)
        known = vocabulary(texts, reading, config)
        found = encode(texts, reading, known, config)
        assert known.decode(found[0]) == list(kept) and known.decode(found[1]) == ["<unknown>"]
        tokens, lengths = to_batch(found, config, False)
        assert tokens.shape == (3, 4) and lengths.tolist() == [4, 1, 2]


def test_tensorboard_gets_points_at_the_stated_intervals(headlines: Path, tiny) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert tiny("--data", headlines, "--run", "r", "--save-per-batch", 4)[0] == 0
    events = EventAccumulator("r/tensorboard/seed-0")
    events.Reload()
    assert [e.step for e in events.Scalars("loss/train")] == [4, 8, 12]
    assert [e.step for e in events.Scalars("accuracy/validation")] == [6, 12]
    whole = json.loads(Path("r/report.json").read_text("utf-8"))
    drawn = [e.value for e in events.Scalars("accuracy/validation")]
    assert np.allclose(drawn, whole["seeds"][0]["validation_curve"], rtol=1e-6, atol=0)


def test_without_tensorboard_training_goes_on(headlines: Path, tiny, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setattr(show.Board, "missing_said", False)
    status, _, err = tiny("--data", headlines, "--seeds", 2)
    assert status == 0 and err.count("TensorBoard is not installed") == 1


def test_lines_come_every_print_per_batch_and_a_terminal_gets_a_bar(
    headlines: Path, tiny, monkeypatch
) -> None:
    status, _, err = tiny("--data", headlines, "--print-per-batch", 5, "--run", "r")
    assert status == 0 and "batch 5/12" in err and "batch 10/12" in err and "batch 6/12" not in err
    rows = [json.loads(line) for line in Path("r/log.jsonl").read_text().splitlines()]
    assert [row["update"] for row in rows if "update" in row] == [5, 10]
    assert [row["epoch"] for row in rows if "validation_loss" in row] == [1, 2]
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=120, highlight=False)
    monkeypatch.setattr(show, "CONSOLE", terminal)
    assert tiny("--data", headlines, "--run", "r2")[0] == 0
    assert "seed 0, epoch" in shown.getvalue() and "left at most" in shown.getvalue()


def test_a_loss_that_is_not_finite_ends_in_one_line(headlines: Path, tiny) -> None:
    status, _, err = tiny("--data", headlines, "--learning-rate", "1e38", "--clip-norm", "inf")
    assert status == 1 and "lower --learning-rate" in err.splitlines()[-1]


def test_the_module_is_a_program_and_a_closed_pipe_is_no_error(run: Path) -> None:
    root = Path(__file__).resolve().parents[4] / "book"
    command = (
        f"yes 球队 | head -5000 | {sys.executable} -m coursekit.text_rnn predict --run r | head -1"
    )
    clean = {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(
        ["bash", "-c", command], env=clean,
        capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.count(b"\n") == 1 and not done.stderr, done.stderr
