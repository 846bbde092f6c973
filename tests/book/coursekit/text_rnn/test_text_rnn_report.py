"""The report's numbers against scikit-learn's; the page holds no markup of anybody else."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from coursekit.corpora import Corpus, docstrings
from coursekit.corpora.form import Split
from coursekit.text_rnn import baselines, page, report
from coursekit.text_rnn.reading import Reading


@pytest.mark.parametrize("seed", range(6))
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    C, N = int(rng.integers(2, 9)), int(rng.integers(1, 200))
    # some classes never occur, some are never predicted
    y, said = rng.integers(0, C, N), rng.integers(0, max(1, C - seed % 3), N)
    found = report.scores(y, said, [f"c{c}" for c in range(C)])
    everything = {"labels": range(C), "zero_division": 0}
    p, r, f, n = metrics.precision_recall_fscore_support(y, said, **everything)
    for c, row in enumerate(found["classes"]):
        assert np.allclose(
            [row["precision"], row["recall"], row["f1"]], [p[c], r[c], f[c]], rtol=1e-12, atol=0
        )
        assert row["support"] == n[c] and row["label"] == f"c{c}"
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, said), rel=1e-12)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(y, said, average="macro"), rel=1e-12)
    weighted = metrics.f1_score(y, said, average="weighted", zero_division=0)
    assert found["weighted_f1"] == pytest.approx(weighted, rel=1e-12)
    assert found["confusion"] == metrics.confusion_matrix(y, said, labels=range(C)).tolist()


def test_judged_loss_and_mistakes() -> None:
    rng = np.random.default_rng(0)
    scores = 3 * rng.normal(size=(50, 4))
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    y = rng.integers(0, 4, 50)
    found = report.judge([f"text {i}" for i in range(50)], y, log_p, list("abcd"))
    loss = metrics.log_loss(y, np.exp(log_p), labels=range(4))
    assert found["loss"] == pytest.approx(loss, rel=1e-9)
    wrong = np.flatnonzero(log_p.argmax(axis=1) != y)
    assert len(found["mistakes"]) == min(len(wrong), report.MISTAKES)
    worst = wrong[np.argmin(log_p[wrong, y[wrong]])]
    first = found["mistakes"][0]
    assert first["text"] == f"text {worst}" and first["label"] == "abcd"[y[worst]]
    assert first["p_label"] == pytest.approx(np.exp(log_p[worst, y[worst]]))
    p = [row["p_label"] for row in found["mistakes"]]
    assert p == sorted(p)


def test_spread_and_comparison() -> None:
    found = report.spread([0.5, 0.7, 0.6])
    assert found["mean"] == pytest.approx(0.6) and found["std"] == pytest.approx(0.1)
    assert (found["min"], found["max"]) == (0.5, 0.7) and report.spread([0.5])["std"] == 0
    y = np.zeros(40, dtype=int)
    a, b = np.repeat([0, 1], [35, 5]), np.repeat([0, 1], [20, 20])
    found = report.against(y, a, b)
    assert (found["only_model"], found["only_baseline"]) == (15, 0)
    assert found["p"] == pytest.approx(2 * 0.5**15) and found["difference"] == pytest.approx(
        15 / 40
    )
    assert 0 < found["low"] < 15 / 40 < found["high"]


def test_a_table_counts_the_columns_of_chinese() -> None:
    lines = report.table(("", "体育"), [("财经新闻", "1"), ("a", "1,234")])
    assert lines == ["           体育", "财经新闻      1", "a         1,234"]


def test_a_long_text_is_shown_in_one_short_line() -> None:
    assert report.shorten("a\nb\t c") == "a b c"
    assert len(report.shorten("x" * 10**6)) < 300


EVIL = "<script>alert(1)</script>\"'&"


def test_the_page_is_one_file_and_escapes_what_is_not_ours() -> None:
    y = np.array([0, 1, 1, 0])
    log_p = np.log(np.array([[0.2, 0.8], [0.1, 0.9], [0.7, 0.3], [0.6, 0.4]]))
    judged = report.judge([EVIL] * 4, y, log_p, [EVIL, "b"])
    whole = {"title": EVIL, "said": [EVIL], "test": judged, "config": {"rnn": EVIL}}
    whole |= {"versions": {"torch": EVIL}, "chosen_seed": 0, "over_seeds": {}, "baselines": []}
    whole["seeds"] = [
        {"seed": 0, "epochs": 3, "best_epoch": 2, "validation_accuracy": 0.5, "accuracy": 0.5,
         "macro_f1": 0.5, "validation_curve": [0.3, 0.5, 0.4]}
    ]  # fmt: skip
    text = page.page(whole)
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "http" not in text and "src=" not in text and "polyline" in text

    class Reader(html.parser.HTMLParser):
        open: list[str] = []
        titles: list[str] = []

        def handle_starttag(self, tag, attrs):
            self.titles += [v for k, v in attrs if k == "title"]
            if tag not in ("meta", "br", "line", "polyline"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert tag in ("line", "polyline") or self.open.pop() == tag

    reader = Reader()
    reader.feed(text)
    assert not [tag for tag in reader.open if tag not in ("html",)]
    assert f"1 of 2 texts of {EVIL} read as b (50.0%)" in reader.titles


def small() -> Corpus:
    data = docstrings().subset(700)
    few = (Split(s.texts[:200], s.labels[:200]) for s in (data.validation, data.test))
    return Corpus("d", "1", "word", data.label_names, data.train, *few)


def test_baselines_are_what_scikit_learn_gives() -> None:
    data, reading = small(), Reading("word", False)
    found = {one.name: one for one in baselines.train(data, reading)}
    often = np.bincount(data.train.labels).argmax()
    assert (found["most frequent label"].predicted == often).all()
    vectors = TfidfVectorizer(
        tokenizer=reading.cut, token_pattern=None, lowercase=False, ngram_range=(1, 2),
        sublinear_tf=True,
    )  # fmt: skip
    x, x_test = vectors.fit_transform(data.train.texts), vectors.transform(data.test.texts)
    linear = found["TF-IDF + linear"]
    C = float(linear.setting.split()[-1])
    mine = LinearSVC(C=C, random_state=0).fit(x, data.train.labels).predict(x_test)
    assert (mine == linear.predicted).mean() > 0.99
    right = {name: (one.predicted == data.test.labels).mean() for name, one in found.items()}
    assert right["TF-IDF + linear"] > 2 * right["most frequent label"]
    assert right["naive Bayes"] > 2 * right["most frequent label"]


def test_a_trained_report_holds_together(headlines: Path, tiny) -> None:
    status, out, _ = tiny("--data", headlines, "--run", "r", "--seeds", 3, "--baseline")
    assert status == 0
    whole = json.loads(Path("r/report.json").read_text("utf-8"))
    of_seed = [row["accuracy"] for row in whole["seeds"]]
    assert whole["over_seeds"]["accuracy"]["mean"] == pytest.approx(np.mean(of_seed))
    assert whole["over_seeds"]["accuracy"]["std"] == pytest.approx(np.std(of_seed, ddof=1))
    best = max(row["validation_accuracy"] for row in whole["seeds"])
    chosen = whole["seeds"][whole["chosen_seed"]]
    assert chosen["validation_accuracy"] == best
    assert chosen["accuracy"] == whole["test"]["accuracy"]
    names = [one["name"] for one in whole["baselines"]]
    assert names == ["most frequent label", "naive Bayes", "TF-IDF + linear"]
    assert out == Path("r/report.txt").read_text("utf-8") and "mean of 3 seeds" in out
    assert "TF-IDF + linear" in Path("r/report.html").read_text("utf-8")
