"""The three commands: train, evaluate, predict."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coursekit.corpora import Corpus
from coursekit.text_rnn import baselines, page, report, settings, show, source, splits
from coursekit.text_rnn.folder import Folder, Log, digest, refuse_other, versions, write
from coursekit.text_rnn.reading import Reading, choose, encode, from_json, to_json, unknown_share
from coursekit.text_rnn.reading import vocabulary as build
from coursekit.text_rnn.settings import TRNNConfig, UsageError
from coursekit.text_rnn.show import say
from coursekit.text_rnn.trainer import (
    Data,
    Round,
    Stopped,
    Trainer,
    TrainingError,
    load_model,
    log_probabilities,
)
from seqmodels.data import Vocabulary
from seqmodels.text_rnn import TextRNN
from seqmodels.training import load_checkpoint, save_checkpoint

RUNS = Path("runs")


@dataclass
class Job:
    """What `train` was asked for."""

    given: source.Given | None
    fields: dict[str, Any] = field(default_factory=dict)  # of TRNNConfig, from TOML and flags
    run: Path | None = None
    seeds: int = 1
    device: str = "auto"
    baseline: bool = True
    unit: str = "auto"
    raw: bool = False
    drop_leaks: bool = False
    train_texts: int | None = None


def device_of(name: str) -> str:
    """Return the device to use. Raises UsageError if it is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        short = str(error).splitlines()[0]
        raise UsageError(f"--device {name} cannot be used here: {short[:120]}") from error
    return name


def train(job: Job) -> Path:
    """Train, judge and report; go on where a run was left. Return the run's folder."""
    device = device_of(job.device)
    there = Folder(job.run).read() if job.run else None
    if job.given is None:
        _as_before(job, there)
    assert job.given is not None
    corpus, said = prepare(job)
    reading, why = choose(
        corpus.train.texts, job.unit, job.raw, corpus.unit if job.given.data in source.BUILT_IN else None
    )  # fmt: skip
    said.append(f"texts are cut {why}" + (", as they stand" if reading.raw else ""))
    C = job.fields.get("num_classes", corpus.C)
    if C != corpus.C:
        raise UsageError(f"num_classes is {C}, but the data have {corpus.C} labels; leave it out")
    config = settings.make(job.fields, {"num_classes": corpus.C})
    asked = {
        "version": 1,
        "data": dataclasses.asdict(job.given)
        | {"unit": job.unit, "raw": job.raw, "drop_leaks": job.drop_leaks}
        | {"train_texts": job.train_texts},
        "sha256": corpus.sha256,
        "labels": list(corpus.label_names),
        "reading": list(reading),
        "config": settings.as_dict(config),
        "versions": versions(),
    }
    stem = Path(job.given.data).name.split(".")[0] or "run"
    plain = {k: v for k, v in asked["config"].items() if k not in settings.FREE}
    name = f"{stem}-{digest([plain, asked['sha256'], asked['reading']])}"
    folder = Folder(job.run or RUNS / name)
    folder.lock()
    try:
        vocabulary = _begin(folder, asked, corpus, reading, config)
        _run(job, folder, asked, corpus, reading, vocabulary, config, device, said)
    finally:
        folder.release()
    return folder.path


def _as_before(job: Job, there: dict[str, Any] | None) -> None:
    """Take from a run's folder what the command line does not say."""
    if there is None:
        raise UsageError("--data is missing: a file, a folder, or code or docstrings (built in)")
    old = dict(there["data"])
    try:
        job.unit, job.raw, job.drop_leaks, job.train_texts = (
            old.pop(name) for name in ("unit", "raw", "drop_leaks", "train_texts")
        )
        job.given = source.Given(**old)
    except (KeyError, TypeError) as error:
        raise UsageError(f"{job.run}/run.json does not say what the data were; pass --data") from error
    kept = {k: settings.check(k, v, f"{job.run}/run.json") for k, v in there["config"].items()}
    job.fields = kept | job.fields


def prepare(job: Job) -> tuple[Corpus, list[str]]:
    """Read and split the data; say so."""
    assert job.given is not None
    corpus, said = source.load(job.given)
    for line in [*said, *corpus.notes]:
        say(line)
    said += corpus.notes
    corpus, more = splits.divided(corpus, job.drop_leaks)
    if job.train_texts is not None and job.train_texts < len(corpus.train.texts):
        corpus = corpus.subset(job.train_texts)
        more += corpus.notes[-1:]
    sizes = ", ".join(f"{len(split.texts):,} {part}" for part, split in corpus.splits.items())
    more.append(f"{sizes} texts; {corpus.C} labels; sha256 {corpus.sha256[:12]}")
    for line in more:
        say(line)
    return corpus, said + more


def _begin(
    folder: Folder, asked: dict[str, Any], corpus: Corpus, reading: Reading, config: TRNNConfig
) -> Vocabulary:
    """Return the run's vocabulary: its own if it was begun before, else a new one, written."""
    there = folder.read()
    about = f"text-rnn, data {asked['data']['data']!r}".replace("\n", " ")
    if there is not None:
        refuse_other(folder.path, there, asked)
        vocabulary = from_json(folder.path / "vocabulary.json")
        if len(vocabulary.tokens) > config.vocab_size:
            raise UsageError(f"{folder.path}/vocabulary.json is not of this run; pass another --run")
    else:
        vocabulary = build(corpus.train.texts, reading, config)
        write(folder.path / "vocabulary.json", to_json(vocabulary))
        # last: with it, the folder holds a run
        text = json.dumps(asked, ensure_ascii=True, indent=1)
        write(folder.path / "run.json", text + "\n")
    write(folder.path / "config.toml", settings.to_toml(config, about))
    return vocabulary


def _run(
    job: Job,
    folder: Folder,
    asked: dict[str, Any],
    corpus: Corpus,
    reading: Reading,
    vocabulary: Vocabulary,
    config: TRNNConfig,
    device: str,
    said: list[str],
) -> None:
    """Train each seed that is not finished, then judge all of them."""
    parts = {
        part: Data(encode(split.texts, reading, vocabulary, config), split.labels)
        for part, split in corpus.splits.items()
    }
    lengths = [len(x) for x in parts["train"].sequences]
    cut = sum(n == config.seq_length for n in lengths) / len(lengths)
    said.append(
        f"vocabulary of {len(vocabulary.tokens):,}; {100 * unknown_share(parts['validation'].sequences):.1f} % "
        f"of the validation tokens unknown; median length {int(np.median(lengths)):,}, {cut:.0%} cut to "
        f"or at seq_length {config.seq_length}"
    )  # fmt: skip
    model = TextRNN(config, len(vocabulary.tokens))
    size = sum(p.numel() for p in model.parameters())
    kind = f"{'bidirectional ' if config.bidirectional else ''}{config.rnn}"
    said.append(
        f"Text-RNN: {config.num_layers} x {kind} of {config.hidden_dim}, pooling {config.pooling}, "
        f"{size:,} weights, at most {config.num_epochs} epochs of {-(-len(lengths) // config.batch_size):,} batches, "
        f"patience {config.patience or 'without end'}"
    )
    for line in said[-3:]:
        say(line)
    say(f"on {device}; run folder {folder.path}")
    log = Log(folder.path / "log.jsonl")
    seeds = [config.seed + k for k in range(job.seeds)]
    for seed in seeds:
        here = folder.seed(seed)
        if (here / "model.pt").exists():
            say(f"seed {seed}: finished before")
            continue
        mine = dataclasses.replace(config, seed=seed)
        board = folder.path / "tensorboard" / f"seed-{seed}"
        watch = show.Watch(mine, len(lengths), log, board)
        with show.Asked() as asked_to_stop:
            try:
                trainer = Trainer(
                    mine,
                    parts["train"],
                    parts["validation"],
                    len(vocabulary.tokens),
                    here / "checkpoint.pt",
                    watch,
                    device,
                    asked_to_stop,
                )
                trained = trainer.run()
            except Stopped:
                raise Stopped(asked_to_stop.signal, folder.path, trainer.updates) from None
            finally:
                watch.end()
            state = {name: w.cpu() for name, w in trained.state_dict().items()}
            rounds = [tuple(row) for row in trainer.rounds]
            save_checkpoint(here / "model.pt", {"model": state, "rounds": rounds, "best": trainer.stop.best_look})  # fmt: skip
    _judge(job, folder, asked, corpus, reading, parts["test"], vocabulary, config, seeds, device, said)  # fmt: skip


def _rounds(path: Path) -> tuple[list[Round], int]:
    """Return a finished seed's epochs and the number of the best. Raises TrainingError."""
    try:
        saved = load_checkpoint(path)
        rounds, best = [Round(*row) for row in saved["rounds"]], int(saved["best"])
        if not 0 <= best < len(rounds):
            raise ValueError("no best epoch")
        return rounds, best
    except (OSError, ValueError, KeyError, TypeError) as error:
        short = str(error).splitlines()[0][:200]
        raise TrainingError(f"{path} cannot be used ({short}); delete it to train again") from error


def _judge(
    job: Job,
    folder: Folder,
    asked: dict[str, Any],
    corpus: Corpus,
    reading: Reading,
    test: Data,
    vocabulary: Vocabulary,
    config: TRNNConfig,
    seeds: Sequence[int],
    device: str,
    said: list[str],
) -> None:
    """Look at the test texts for the first time, and write the report."""
    labels, y = list(corpus.label_names), test.labels
    rows, found = [], {}
    for seed in seeds:
        path = folder.seed(seed) / "model.pt"
        rounds, best = _rounds(path)
        model = load_model(path, config, len(vocabulary.tokens), device)
        found[seed] = log_probabilities(model, test.sequences)
        numbers = report.scores(y, found[seed].argmax(axis=1), labels)
        rows.append(
            {
                "seed": seed,
                "epochs": len(rounds),
                "best_epoch": best + 1,
                "validation_accuracy": rounds[best].validation_accuracy,
                "accuracy": numbers["accuracy"],
                "macro_f1": numbers["macro_f1"],
                "validation_curve": [row.validation_accuracy for row in rounds],
            }
        )
    chosen = max(rows, key=lambda row: (row["validation_accuracy"], -row["seed"]))["seed"]
    whole: dict[str, Any] = {
        "title": f"Text-RNN on {corpus.name}",
        "said": said,
        "data": asked["data"] | {"name": corpus.name, "version": corpus.version},
        "sha256": asked["sha256"],
        "config": settings.as_dict(config),
        "versions": asked["versions"] | {"device": device},
        "seeds": rows,
        "over_seeds": {
            kind: report.spread([row[kind] for row in rows])
            for kind in ("validation_accuracy", "accuracy", "macro_f1")
        },
        "chosen_seed": chosen,
        "test": report.judge(corpus.test.texts, y, found[chosen], labels),
        "baselines": [],
    }
    if job.baseline:
        say("baselines: naive Bayes and TF-IDF + linear on the same texts")
        rivals = baselines.train(corpus, reading)
        whole["baselines"] = report.of_baselines(rivals, y, labels)
        best_rival = max(rivals, key=lambda one: one.validation_accuracy)
        compared = report.against(y, found[chosen].argmax(axis=1), best_rival.predicted)
        whole["against"] = {"baseline": best_rival.name, **compared}
    text = report.as_text(whole)
    write(folder.path / "report.html", page.page(whole))
    write(folder.path / "report.txt", text)
    write(folder.path / "report.json", json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    print(text, end="")
    say(f"report: {folder.path / 'report.html'}, report.txt, report.json")


@dataclass
class Finished:
    """A run that can judge texts."""

    path: Path
    facts: dict[str, Any]
    config: TRNNConfig
    reading: Reading
    vocabulary: Vocabulary
    model: TextRNN
    seed: int

    def log_p(self, texts: Iterable[str]) -> np.ndarray:
        """Return log p(label | text), (N, C)."""
        symbols = encode(texts, self.reading, self.vocabulary, self.config)
        return log_probabilities(self.model, symbols)


def finished(run: Path | None, seed: int | None, device: str) -> Finished:
    """Return a run's model: of the seed with the best validation score unless one is asked for."""
    if run is None:
        begun = sorted(RUNS.glob("*/seed-*/model.pt"), key=os.path.getmtime)
        if not begun:
            raise UsageError("--run is missing: the folder of a run that is finished")
        run = begun[-1].parent.parent
        say(f"--run {run}, the last that was finished")
    facts = Folder(run).read()
    if facts is None:
        raise UsageError(f"{run} holds no run: it has no run.json")
    kept = {k: settings.check(k, v, f"{run}/run.json") for k, v in facts["config"].items()}
    config = settings.make(kept)
    if config.num_classes != len(facts["labels"]):
        raise UsageError(f"{run}/run.json is broken: num_classes is not the number of labels")
    there = {int(p.parent.name[5:]): p for p in run.glob("seed-*/model.pt") if p.parent.name[5:].isdecimal()}  # fmt: skip
    if not there or (seed is not None and seed not in there):
        which = f"seed {seed} of {run}" if there else str(run)
        raise UsageError(f"{which} is not finished; text-rnn train --run {run} goes on")
    if seed is None:
        scored = {}
        for number, path in there.items():
            rounds, best = _rounds(path)
            scored[number] = rounds[best].validation_accuracy
        seed = max(scored, key=lambda number: (scored[number], -number))
    vocabulary = from_json(run / "vocabulary.json")
    place = device_of(device)
    model = load_model(there[seed], config, len(vocabulary.tokens), place)
    return Finished(run, facts, config, Reading(*facts["reading"]), vocabulary, model, seed)


def evaluate(
    run: Path | None,
    given: source.Given | None,
    seed: int | None,
    device: str,
    json_path: Path | None,
    html_path: Path | None,
) -> None:
    """Score a finished run: on its own test texts, or on other labelled data, all of them."""
    one = finished(run, seed, device)
    names = one.facts["labels"]
    if given is None:
        job = Job(None, run=one.path)
        _as_before(job, one.facts)
        corpus, said = prepare(job)
        if corpus.sha256 != one.facts["sha256"]:
            raise UsageError(f"the data of {one.path} are not what they were when it was trained")
        texts, y = corpus.test
        said.append("its own test texts, which the report of the training has used already")
    else:
        corpus, said = source.load(given)
        part = "test" if corpus.test.texts else "train"
        texts = corpus.splits[part].texts
        y = same_labels(corpus, names)[corpus.splits[part].labels]
        said.append(f"{len(texts):,} texts" + (" of the test split" if part == "test" else ""))
        for line in said:
            say(line)
    said.append(f"run {one.path}, seed {one.seed}")
    judged = report.judge(texts, np.asarray(y), one.log_p(texts), names)
    whole = {"title": f"Text-RNN on {corpus.name}", "said": said, "test": judged}
    if json_path:
        write(json_path, json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    if html_path:
        write(html_path, page.page(whole))
    print(report.as_text(whole), end="")


def same_labels(corpus: Corpus, names: Sequence[str]) -> np.ndarray:
    """Return the run's number of each label of a corpus, (C,). Raises UsageError for a new one."""
    number = {name: c for c, name in enumerate(names)}
    strange = [name for name in corpus.label_names if name not in number]
    if strange and all(n.isdecimal() and int(n) < len(names) for n in corpus.label_names):
        say(f"labels are numbers: 0 is {names[0]}, and so on")
        return np.array([int(n) for n in corpus.label_names])
    if strange:
        raise UsageError(
            f"label {strange[0]!r} is none of the run's ({', '.join(map(str, names[:12]))})"
        )
    return np.array([number[name] for name in corpus.label_names])


def predict(one: Finished, lines: Iterable[list[str]], as_json: bool, top: int) -> Iterator[str]:
    """Yield a line for each text, batch after batch: labels and probabilities, best first."""
    names = one.facts["labels"]
    for texts in lines:
        some = [text for text in texts if text.strip()]
        p = iter(np.exp(one.log_p(some)) if some else ())
        for text in texts:
            if not text.strip():  # a line for each line
                yield json.dumps({"text": text, "label": None}) if as_json else ""
                continue
            row = next(p)
            best = np.argsort(-row, kind="stable")[:top]
            if as_json:
                found = {"text": text, "label": names[best[0]], "p": {names[c]: round(float(row[c]), 6) for c in best}}  # fmt: skip
                yield json.dumps(found, ensure_ascii=False)
            else:
                shown = [f"{names[c]}\t{row[c]:.4f}" for c in best]
                yield "\t".join([*shown, " ".join(text.split())])
