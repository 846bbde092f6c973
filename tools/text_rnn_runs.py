"""Record the long runs of chapter 12: `python -m tools.text_rnn_runs` (half an hour of one core).

Three groups. *Ablation*: on two corpora the same small network learns with several ways of pooling
and both sides of padding, from three seeds (each with its own split), beside five baselines.
*IMDB*: a tutorial's two-layer LSTM as it is configured, on two classes of a built-in corpus, and
with the padding on the other side. *Full*: TRNNConfig(), its first epoch of ten, on the docstrings.
Each item is written to book/coursekit/text_rnn_runs.json as soon as it is done; a second call goes
on where the first was cut off, the full run from its last checkpoint.

    python -m tools.text_rnn_runs               record what is missing
    python -m tools.text_rnn_runs --only full   of one group
    python -m tools.text_rnn_runs --fresh       forget what is recorded (of --only), record it anew
    python -m tools.text_rnn_runs --check       fail if the code no longer does what was recorded

The check trains every network for a few updates and compares the losses. It needs the very corpora
of the recording: where Python or SciPy have another version, it says so and compares settings only.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import functools
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy
import sklearn
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from coursekit import corpora
from seqmodels.data import build_vocabulary
from seqmodels.text_rnn import (
    MeanEmbedding,
    TextCNN,
    TextRNN,
    TRNNConfig,
    predict,
    train_text_rnn,
)

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "book" / "coursekit" / "text_rnn_runs.json"
CHECKPOINT = ROOT / "_build" / "text_rnn_full.pt"
COMMAND = "python -m tools.text_rnn_runs"
SEEDS, TRAIN, PROBE = (0, 1, 2), 3_200, 3
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SMALL: dict[str, Any] = {
    "seq_length": 100,
    "num_layers": 1,
    "hidden_dim": 32,
    "learning_rate": 1e-2,
    "batch_size": 64,
    "num_epochs": 4,
}
CONFIGS = {
    "code": TRNNConfig(
        **SMALL,
        embedding_dim=16,
        num_classes=3,
        vocab_size=100,
        dropout_keep_prob=1.0,
        truncate_side="before",
    ),
    "docs": TRNNConfig(**SMALL, embedding_dim=32),
    "imdb": TRNNConfig(
        embedding_dim=100,
        seq_length=80,
        num_classes=2,
        vocab_size=10_000,
        hidden_dim=64,
        rnn="lstm",
        num_epochs=4,
        bidirectional=False,
        pooling="last-position",
        pad_side="before",
        truncate_side="before",
        clip_norm=float("inf"),
    ),
    "full": TRNNConfig(num_epochs=1),  # of ten: on a CPU each takes minutes
}
POOLED: dict[str, dict[str, Any]] = {
    "last position": {"pooling": "last-position"},
    "last real token": {"pooling": "last-token"},
    "each direction's end": {"pooling": "ends"},
    "packed": {"pooling": "ends", "packed": True},
    "mean over padding": {"pooling": "mean-all"},
    "masked mean": {"pooling": "mean"},
    "maximum": {"pooling": "max"},
    "attention": {"pooling": "attention"},
    "one direction, last position": {"pooling": "last-position", "bidirectional": False},
}
SIDES = ("after", "before")
NETWORKS: dict[str, Any] = {"mean embedding": MeanEmbedding, "small CNN": TextCNN}
COUNTS = ("most frequent class", "naive Bayes", "TF-IDF + linear")
ONE_SIDE = ("packed", *NETWORKS)  # what never sees padding has one result for both sides
IMDB: dict[str, dict[str, Any]] = {
    "as configured": {},
    "padded after": {"pad_side": "after"},
}
SOME = ("last position", "packed", "masked mean", "attention", "maximum")
ITEMS = {
    "code": (*COUNTS, *NETWORKS, *POOLED),
    "docs": (*COUNTS, *NETWORKS, *SOME),
    "imdb": (*COUNTS, *IMDB),
    "full": ("TRNNConfig()", *COUNTS),
}
ABLATION = ("code", "docs")


class Data(NamedTuple):
    """Hold a corpus cut into tokens and numbered."""

    texts: list[list[str]]  # for each split the texts, joined by blanks if words
    x: list[list[np.ndarray]]  # for each split the symbols
    y: list[np.ndarray]
    V: int
    unit: str
    sha256: str


@functools.lru_cache(maxsize=len(SEEDS))
def data(name: str, seed: int) -> Data:
    """Return what a group of runs with this seed learns from."""
    rng = np.random.default_rng(seed)
    if name == "code":
        corpus = corpora.code_string_comment(seed=seed).subset(TRAIN, seed=seed)
        parts = [
            [list(t)[-n:] for t, n in zip(p.texts, rng.integers(20, 81, len(p.texts)), strict=True)]
            for p in corpus.splits.values()
        ]
        y, glue = [p.labels for p in corpus.splits.values()], ""
    elif name == "imdb":  # string or comment, by words
        corpus = corpora.code_string_comment(seed=seed)
        keep = [p.labels > 0 for p in corpus.splits.values()]
        parts = [
            [words(t, corpus) for t, k in zip(p.texts, ks, strict=True) if k]
            for p, ks in zip(corpus.splits.values(), keep, strict=True)
        ]
        y = [p.labels[k] - 1 for p, k in zip(corpus.splits.values(), keep, strict=True)]
        parts[0], y[0], glue = parts[0][:TRAIN], y[0][:TRAIN], " "
    else:
        corpus = corpora.docstrings(seed=seed)
        if name == "docs":
            corpus = corpus.subset(TRAIN, seed=seed)
        parts = [[words(t, corpus) for t in p.texts] for p in corpus.splits.values()]
        y, glue = [p.labels for p in corpus.splits.values()], " "
    vocabulary = build_vocabulary(parts[0], limit=CONFIGS[name].vocab_size)
    x = [[vocabulary.encode(t) for t in part] for part in parts]
    texts = [[glue.join(t) for t in part] for part in parts]
    unit = "char" if glue == "" else "word"
    return Data(texts, x, y, len(vocabulary.tokens), unit, corpus.sha256)


def words(text: str, corpus: corpora.Corpus) -> list[str]:
    """Return the words and marks of text in lower case; at least one."""
    return dataclasses.replace(corpus, unit="word").tokens(text.lower()) or ["<unknown>"]


def scores(said: np.ndarray, d: Data) -> dict[str, float]:
    """Return the share of test texts that are right: of all, and of the shorter half."""
    n = np.array([len(t) for t in d.x[2]])
    right = said == d.y[2]
    return {
        "right": round(float(right.mean()), 4),
        "short": round(float(right[n <= np.median(n)].mean()), 4),
    }


def counted(kind: str, d: Data) -> dict[str, float]:
    """Return the scores of a model that counts."""
    if kind == "most frequent class":
        return scores(np.full(len(d.y[2]), np.bincount(d.y[0]).argmax()), d)
    ngrams = (1, 3) if d.unit == "char" else (1, 1)
    pattern: dict[str, Any] = {"analyzer": d.unit, "ngram_range": ngrams, "lowercase": False}
    if d.unit == "word":
        pattern["token_pattern"] = r"\S+"
    bayes = kind == "naive Bayes"
    if bayes:
        pattern["ngram_range"] = (1, 1)
    cut = CountVectorizer(**pattern) if bayes else TfidfVectorizer(sublinear_tf=True, **pattern)
    model = MultinomialNB() if bayes else LogisticRegression(C=10, max_iter=2_000)
    model.fit(cut.fit_transform(d.texts[0]), d.y[0])
    return scores(model.predict(cut.transform(d.texts[2])), d)


def setting(group: str, item: str, side: str, seed: int) -> tuple[TRNNConfig, Any]:
    """Return the configuration of a run, and what makes its model."""
    change = dict(POOLED.get(item, {}) if group in ABLATION else IMDB.get(item, {}))
    if side:
        change["pad_side"] = side
    cfg = dataclasses.replace(CONFIGS[group], seed=seed, **change)
    return cfg, NETWORKS.get(item, TextRNN)


def probe(group: str, item: str) -> list[float]:
    """Return the losses of the first updates of one network, seed 0."""
    cfg, build = setting(group, item, "", 0)
    updates = 1 if group == "full" else PROBE
    d, seen = data(group, 0), list[float]()
    cfg = dataclasses.replace(cfg, num_epochs=1, print_per_batch=1)
    some = updates * cfg.batch_size
    rows = d.x[0][:some], d.y[0][:some]
    train_text_rnn(
        cfg,
        rows,
        (d.x[1][:2], d.y[1][:2]),
        show=lambda _, loss: seen.append(loss),
        num_symbols=d.V,
        build=build,
    )
    return [float(f"{loss:.6g}") for loss in seen]


def record(group: str, item: str) -> dict[str, Any]:
    """Return the results of one item with all its seeds."""
    began = time.process_time()
    result: dict[str, Any] = {}
    if item in COUNTS:
        found = [counted(item, data(group, s)) for s in (SEEDS if group != "full" else (0,))]
        result["any"] = {key: [f[key] for f in found] for key in found[0]}
    elif group == "full":
        result = full()
    else:
        sides = ("any",) if group == "imdb" or item in ONE_SIDE else SIDES
        for seed in SEEDS:
            d = data(group, seed)
            for side in sides:
                cfg, build = setting(group, item, "" if side == "any" else side, seed)
                net, _ = train_text_rnn(
                    cfg,
                    (d.x[0], d.y[0]),
                    (d.x[1], d.y[1]),
                    num_symbols=d.V,
                    build=build,
                    device=DEVICE,
                )
                for key, value in scores(predict(net, d.x[2]).argmax(axis=1), d).items():
                    result.setdefault(side, {}).setdefault(key, []).append(value)
        result["weights"] = sum(w.numel() for w in net.parameters())
    if item not in COUNTS:
        result["probe"] = probe(group, item)
    result["cpu_s"] = round(time.process_time() - began, 1)
    return result


def full() -> dict[str, Any]:
    """Return the run of the tutorial's configuration; go on from its checkpoint."""
    cfg, d = CONFIGS["full"], data("full", 0)
    CHECKPOINT.parent.mkdir(exist_ok=True)
    log = CHECKPOINT.with_suffix(".json")  # CPU seconds of all calls, for a resumed run
    spent = json.loads(log.read_text()) if log.exists() and CHECKPOINT.exists() else 0.0
    start = time.process_time()

    def note(k: int, loss: float) -> None:
        log.write_text(json.dumps(spent + time.process_time() - start))
        print(f"update {k}, loss {loss:.3f}", flush=True)

    net, history = train_text_rnn(
        dataclasses.replace(cfg, print_per_batch=10),
        (d.x[0], d.y[0]),
        (d.x[1], d.y[1]),
        num_symbols=d.V,
        path=CHECKPOINT,
        show=note,
        device=DEVICE,
    )
    seconds = spent + time.process_time() - start
    found = scores(predict(net, d.x[2]).argmax(axis=1), d)
    epochs = len(history)
    return {
        "any": {key: [value] for key, value in found.items()},
        "train": [round(e.train, 4) for e in history],
        "validation": [round(e.validation, 4) for e in history],
        "norm": [round(e.norm, 3) for e in history],
        "train_cpu_s": round(seconds, 1),
        "positions": epochs * len(d.x[0]) * cfg.seq_length,
        "tokens": epochs * sum(min(len(t), cfg.seq_length) for t in d.x[0]),
        "weights": sum(w.numel() for w in net.parameters()),
        "share": speed(torch.float32),
        "share_bf16": speed(torch.bfloat16) if DEVICE == "cuda" else None,
        "device": torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu",
    }


def speed(dtype: torch.dtype, updates: int = 2) -> dict[str, float]:
    """Return positions a second of an update, and the share of the recurrent layers in it."""
    cfg, d = CONFIGS["full"], data("full", 0)
    torch.manual_seed(0)
    net = TextRNN(cfg, d.V).to(DEVICE)
    tokens = torch.randint(1, d.V, (cfg.batch_size, cfg.seq_length), device=DEVICE)
    lengths = torch.full((cfg.batch_size,), cfg.seq_length)
    F = 2 * cfg.hidden_dim
    whole, without = net.states, lambda x, n: x.mean(dim=2, keepdim=True).expand(-1, -1, F)
    seconds = []
    for states in (whole, without):
        net.states = states  # type: ignore[method-assign]
        for k in range(updates + 1):
            if k == 1:  # the first one warms up
                began = clock()
            with torch.autocast(DEVICE, dtype, enabled=dtype != torch.float32):
                loss = net(tokens, lengths).square().mean()
            loss.backward()
        seconds.append((clock() - began) / updates)
    return {
        "positions_per_s": round(tokens.numel() / seconds[0], 1),
        "recurrent": round(1 - seconds[1] / seconds[0], 4),
    }


def clock() -> float:
    """Return seconds: of work on a CPU, of waiting for a GPU."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def settings(group: str) -> dict[str, Any]:
    """Return what has to be the same for all results of a group."""
    config = vars(CONFIGS[group])
    return {
        "seeds": list(SEEDS),
        "train": TRAIN,
        "config": {k: str(v) if v == float("inf") else v for k, v in config.items()},
    }


def what_is_stale(recorded: dict[str, Any], say: Callable[[str], None] = print) -> list[str]:
    """Return what is missing from a recording or no longer what the code does."""
    stale = []
    for group, items in ITEMS.items():
        if recorded.get("settings", {}).get(group) != settings(group):
            stale.append(f"the settings of {group}")
            continue
        known = recorded["results"][group]
        stale += [f"{item} of {group} is missing" for item in items if item not in known]
        if data(group, 0).sha256 != recorded["corpora"].get(group):
            say(f"{group}: another corpus than the recorded one (other versions?): not compared")
            continue
        for item in items:
            if item in COUNTS or item not in known:
                continue
            if not np.allclose(probe(group, item), known[item]["probe"], rtol=1e-3, atol=0):
                stale.append(f"{item} of {group}")
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Record, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--fresh", action="store_true", help="begin again")
    parser.add_argument("--only", nargs="*", help="groups to record now", default=list(ITEMS))
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    kept = json.loads(OUT.read_text()) if OUT.exists() else {}
    if given.check:
        stale = what_is_stale(kept)
        if stale:
            print(f"{OUT.name} is out of date: {'; '.join(stale)}\nrenew it: {COMMAND} --fresh")
        return int(bool(stale))
    kept = kept or {"settings": {}, "corpora": {}, "results": {}}
    if given.fresh:
        for group in given.only:
            kept["settings"].pop(group, None)
        if "full" in given.only:
            CHECKPOINT.unlink(missing_ok=True)
    for group in given.only:
        if kept["settings"].get(group) != settings(group):
            kept["settings"][group], kept["results"][group] = settings(group), {}
        for item in ITEMS[group]:
            if item in kept["results"][group]:
                continue
            result = record(group, item)
            kept["results"][group][item] = result
            kept["corpora"][group] = data(group, 0).sha256
            kept["made"] = {
                "command": COMMAND,
                "date": datetime.date.today().isoformat(),
                "machine": f"{platform.machine()}, one thread of a CPU",
                "versions": {
                    "python": platform.python_version(),
                    "numpy": np.__version__,
                    "scipy": scipy.__version__,
                    "sklearn": sklearn.__version__,
                    "torch": torch.__version__,
                },
                "cpu_s": round(
                    sum(r["cpu_s"] for g in kept["results"].values() for r in g.values())
                ),
            }
            OUT.write_text(json.dumps(kept, indent=None, separators=(",", ":")) + "\n")
            print(f"{group} {item:30s}", result, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
