"""What a run is worth, in numbers: scores of each class, confusion matrix, worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.cells import cell_len

from coursekit.text_rnn.baselines import Baseline
from seqmodels.training import mcnemar, paired_bootstrap, reliability

MISTAKES = 30
SHOWN = 12  # labels beyond which the text report leaves the matrix to the page
LONGEST = 300  # characters of a text that are shown


def scores(y: np.ndarray, predicted: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, precision, recall and F1 of each class, and the confusion matrix.

    y, predicted: (N,) in [0, C). Row c of the matrix counts the texts of label c. A precision or
    recall over nothing is 0, as scikit-learn has it; a class that is neither in y nor in predicted
    does not count in the macro average.
    """
    C = len(labels)
    matrix = np.bincount(y * C + predicted, minlength=C * C).reshape(C, C)  # (C, C)
    right, there, said = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    precision = right / np.maximum(said, 1)
    recall = right / np.maximum(there, 1)
    f1 = 2 * right / np.maximum(said + there, 1)
    seen = (there + said) > 0
    classes = [
        {
            "label": labels[c],
            "precision": float(precision[c]),
            "recall": float(recall[c]),
            "f1": float(f1[c]),
            "support": int(there[c]),
        }
        for c in range(C)
    ]
    return {
        "texts": len(y),
        "accuracy": float(right.sum() / len(y)),
        "macro_f1": float(f1[seen].mean()),
        "weighted_f1": float((f1 * there).sum() / len(y)),
        "classes": classes,
        "confusion": matrix.tolist(),
    }


def mistakes(
    texts: Sequence[str],
    y: np.ndarray,
    log_p: np.ndarray,
    labels: Sequence[str],
    most: int = MISTAKES,
) -> list[dict[str, Any]]:
    """Return the texts that were wrong, those first whose true label seemed least likely."""
    p = np.exp(log_p)
    predicted = p.argmax(axis=1)
    wrong = np.flatnonzero(predicted != y)
    of_true = log_p[wrong, y[wrong]]
    order = wrong[np.argsort(of_true, kind="stable")][:most]
    return [
        {
            "text": shorten(texts[i]),
            "label": labels[y[i]],
            "predicted": labels[predicted[i]],
            "p_predicted": float(p[i, predicted[i]]),
            "p_label": float(p[i, y[i]]),
        }
        for i in order
    ]


def shorten(text: str) -> str:
    """Return a text on one line, its middle left out if it is long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:200]} [...] {text[-80:]}"


def judge(
    texts: Sequence[str], y: np.ndarray, log_p: np.ndarray, labels: Sequence[str]
) -> dict[str, Any]:
    """Return all numbers of one model on texts with labels y (N,), log_p (N, C)."""
    found = scores(y, log_p.argmax(axis=1), labels)
    found["loss"] = float(-log_p[np.arange(len(y)), y].mean())
    p = np.exp(log_p)
    found["calibration_error"] = reliability(p / p.sum(axis=1, keepdims=True), y).error
    found["mistakes"] = mistakes(texts, y, log_p, labels)
    return found


def against(y: np.ndarray, model: np.ndarray, linear: np.ndarray) -> dict[str, float]:
    """Return how a model's labels (N,) compare with a baseline's on the same texts."""
    a, b = (model == y).astype(int), (linear == y).astype(int)
    test = mcnemar(a, b)
    counts = {"only_model": test.only_a, "only_baseline": test.only_b}
    found: dict[str, float] = {**counts, "p": test.p}
    if len(y) > 1:
        drawn = paired_bootstrap(a, b, np.random.default_rng(0), draws=2000)
        found |= {"difference": drawn.difference, "low": drawn.low, "high": drawn.high}
    return found


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return mean, standard deviation over the seeds (n - 1), smallest and largest."""
    a = np.asarray(values, dtype=np.float64)
    deviation = float(a.std(ddof=1)) if len(a) > 1 else 0.0
    return {"mean": float(a.mean()), "std": deviation, "min": float(a.min()), "max": float(a.max())}


def of_baselines(found: Sequence[Baseline], y: np.ndarray, labels: Sequence[str]) -> list[dict]:
    """Return the numbers of the baselines on test labels y (N,)."""
    rows = []
    for one in found:
        numbers = scores(y, one.predicted, labels)
        row: dict[str, Any] = {"name": one.name, "setting": one.setting}
        row["validation_accuracy"] = one.validation_accuracy
        rows.append(row | {k: numbers[k] for k in ("accuracy", "macro_f1")})
    return rows


def pad(text: str, width: int, right: bool = False) -> str:
    """Return text in `width` columns of a terminal; a Chinese character takes two."""
    space = " " * max(0, width - cell_len(text))
    return space + text if right else text + space


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of a table: the first column to the left, the others to the right."""
    every = [head, *rows]
    widths = [max(cell_len(row[k]) for row in every) for k in range(len(head))]
    return [
        "  ".join(pad(cell, w, k > 0) for k, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in every
    ]


def percent(value: float) -> str:
    """Return a share in percent, two digits."""
    return f"{100 * value:.2f}"


KINDS = ("validation_accuracy", "accuracy", "macro_f1")
HEAD = ("model", "best epoch", "validation %", "test %", "macro F1 %")


def models(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of the table under HEAD: each seed, all of them, each baseline."""
    rows: list[tuple[str, ...]] = []
    for seed in report["seeds"]:
        epochs = f"{seed['best_epoch']} of {seed['epochs']}"
        cells = [percent(seed[k]) for k in KINDS]
        rows.append((f"Text-RNN, seed {seed['seed']}", epochs, *cells))
    if len(rows) > 1:
        over = report["over_seeds"]
        cells = [f"{percent(over[k]['mean'])} ± {percent(over[k]['std'])}" for k in KINDS]
        rows.append((f"Text-RNN, mean of {len(rows)} seeds ± standard deviation", "", *cells))
    return rows + [
        (one["name"], "", *(percent(one[k]) for k in KINDS)) for one in report["baselines"]
    ]


def difference(one: dict[str, Any]) -> str:
    """Return in a sentence what the difference of two models is worth."""
    text = (
        f"{one['only_model']:,} texts only Text-RNN has right, {one['only_baseline']:,} only the "
        f"baseline (McNemar p {one['p']:.2g})"
    )
    if "low" not in one:
        return text
    points = (100 * one[k] for k in ("difference", "low", "high"))
    return text + "; difference {:+.2f} points, 95 % interval {:+.2f} to {:+.2f}".format(*points)


def as_text(report: dict[str, Any]) -> str:
    """Return the report for a terminal."""
    lines = list(report["said"])
    which = ""
    if "seeds" in report:
        which = f", seed {report['chosen_seed']}"
        lines += ["", "Test texts were used once, after everything was chosen.", ""]
        lines += table(HEAD, models(report))
        lines += ["", *(f"{one['name']}: {one['setting']}" for one in report["baselines"])]
    if "against" in report:
        rival = report["against"]
        lines += ["", f"Beside {rival['baseline']}: {difference(rival)}"]
    judged = report["test"]
    lines += ["", f"Each class ({judged['texts']:,} texts{which})", ""]
    rows = [
        (c["label"], *(percent(c[k]) for k in ("precision", "recall", "f1")), f"{c['support']:,}")
        for c in judged["classes"]
    ]
    rows.append(("accuracy", "", "", percent(judged["accuracy"]), f"{judged['texts']:,}"))
    rows.append(("macro F1", "", "", percent(judged["macro_f1"]), ""))
    lines += table(("label", "precision %", "recall %", "F1 %", "texts"), rows)
    error = percent(judged["calibration_error"])
    lines += ["", f"Loss {judged['loss']:.3f} nats, calibration error {error} %"]
    labels = [c["label"] for c in judged["classes"]]
    if len(labels) <= SHOWN:
        lines += ["", "Confusion matrix (rows: the label; columns: what was predicted)", ""]
        counts = zip(labels, judged["confusion"], strict=True)
        lines += table(("", *labels), [(name, *(f"{n:,}" for n in row)) for name, row in counts])
    lines += ["", "Worst mistakes (p of what was predicted, p of the label)", ""]
    for one in judged["mistakes"][:10]:
        p = f"{one['p_predicted']:.3f} {one['p_label']:.1e}"
        lines.append(f"  {p}  {one['label']} read as {one['predicted']}: {one['text'][:120]}")
    if not judged["mistakes"]:
        lines.append("  none")
    return "\n".join(line.rstrip() for line in lines) + "\n"
