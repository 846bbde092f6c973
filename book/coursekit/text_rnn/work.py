"""Training: from what was asked for to a report, in one folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
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
    Stopped,
    Trainer,
    load_model,
    load_rounds,
    log_probabilities,
)
from seqmodels.data import Vocabulary
from seqmodels.text_rnn import TextRNN
from seqmodels.training import save_checkpoint

RUNS = Path("runs")
UPDATES, MOST_EPOCHS = 2_000, 40  # of a plain run on few texts: patience ends it sooner


@dataclass
class Job:
    """What `train` was asked for."""

    given: source.Given | None
    fields: dict[str, Any] = field(default_factory=dict)  # of TRNNConfig, from TOML and flags
    run: Path | None = None
    # None: as the run had it before
    seeds: int | None = None
    device: str | None = None
    baseline: bool | None = None
    threads: int | None = None
    unit: str = "auto"
    raw: bool = False
    drop_leaks: bool = False
    train_texts: int | None = None


# of a job: kept in run.json, so that --run alone goes on in the same way
OF_DATA = ("unit", "raw", "drop_leaks", "train_texts")
OF_WORK = ("seeds", "device", "baseline", "threads")
_YES_NO = ("raw", "drop_leaks", "baseline", "skip_bad")


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


@dataclass
class Run:
    """What a run is made of, once its data are read and its folder is locked."""

    job: Job
    folder: Folder
    facts: dict[str, Any]  # run.json
    corpus: Corpus
    reading: Reading
    config: TRNNConfig
    device: str
    said: list[str]  # what the report begins with

    def tell(self, line: str) -> None:
        """Say a line, and let the report say it too."""
        self.said.append(line)
        say(line)


def train(job: Job) -> Path:
    """Train, judge and report; go on where a run was left. Return the run's folder."""
    there = Folder(job.run).read() if job.run else None
    if job.given is None:
        as_before(job, there)
    assert job.given is not None
    job.seeds, job.baseline = job.seeds or 1, job.baseline is not False
    device = device_of(job.device or "auto")
    if job.threads:
        torch.set_num_threads(job.threads)
    corpus, said = prepare(job)
    known = corpus.unit if job.given.data in source.BUILT_IN else None
    reading, why = choose(corpus.train.texts, job.unit, job.raw, known)
    C = job.fields.get("num_classes", corpus.C)
    if C != corpus.C:
        raise UsageError(f"num_classes is {C}, but the data have {corpus.C} labels; leave it out")
    config = settings.make(job.fields, {"num_classes": corpus.C})
    if "num_epochs" not in job.fields:  # few texts are few updates an epoch
        batches = -(-len(corpus.train.texts) // config.batch_size)
        more = min(MOST_EPOCHS, max(config.num_epochs, -(-UPDATES // batches)))
        config = dataclasses.replace(config, num_epochs=more)
    shape = settings.as_dict(config)
    of_data = {name: getattr(job, name) for name in OF_DATA + OF_WORK}
    facts: dict[str, Any] = {
        "version": 1,
        "data": dataclasses.asdict(job.given) | of_data,
        "sha256": corpus.sha256,
        "labels": list(corpus.label_names),
        "reading": list(reading),
        "config": shape,
        "versions": versions(),
    }
    stem = Path(job.given.data).name.split(".")[0] or "run"
    plain = {k: v for k, v in shape.items() if k not in settings.FREE}
    name = f"{stem}-{digest([plain, corpus.sha256, list(reading)])}"
    folder = Folder(job.run or RUNS / name)
    run = Run(job, folder, facts, corpus, reading, config, device, said)
    run.tell(f"texts are cut {why}" + (", as they stand" if reading.raw else ""))
    folder.lock()
    try:
        vocabulary = _begin(run)
        test = _learn(run, vocabulary)
        _judge(run, vocabulary, test)
    finally:
        folder.release()
    return folder.path


def as_before(job: Job, there: dict[str, Any] | None) -> None:
    """Take from a run's folder what the command line does not say."""
    if there is None:
        raise UsageError("--data is missing: a file, a folder, or code or docstrings (built in)")
    old: dict[str, Any] = dict(there["data"])
    try:
        for name, value in old.items():
            number = name in ("seeds", "threads", "train_texts")
            kind: type = int if number else bool if name in _YES_NO else str
            if not (value is None and name != "data" or type(value) is kind):
                raise TypeError(name)
            if number and isinstance(value, int) and value < 1:
                raise TypeError(name)
        for name in OF_DATA:
            setattr(job, name, old.pop(name))
        for name in OF_WORK:
            before = old.pop(name)
            setattr(job, name, before if getattr(job, name) is None else getattr(job, name))
        job.given = source.Given(**old)
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{job.run}/run.json does not say what the data were; pass --data"
        ) from error
    kept = {k: settings.check(k, v, f"{job.run}/run.json") for k, v in there["config"].items()}
    job.fields = kept | job.fields


def prepare(job: Job) -> tuple[Corpus, list[str]]:
    """Read and split the data; say so."""
    assert job.given is not None
    corpus, said = source.load(job.given)
    for line in [*said, *corpus.notes]:
        say(line)
    said += corpus.notes
    if not (corpus.validation.texts and corpus.test.texts):
        say("cutting off what is held out; looking for copies")
    corpus, more = splits.divided(corpus, job.drop_leaks)
    if job.train_texts is not None and job.train_texts < len(corpus.train.texts):
        corpus = corpus.subset(job.train_texts)
        more += corpus.notes[-1:]
    sizes = ", ".join(f"{len(split.texts):,} {part}" for part, split in corpus.splits.items())
    more.append(f"{sizes} texts; {corpus.C} labels; sha256 {corpus.sha256[:12]}")
    for line in more:
        say(line)
    return corpus, said + more


def _begin(run: Run) -> Vocabulary:
    """Return the run's vocabulary: its own if it was begun before, else a new one, written."""
    path, config = run.folder.path, run.config
    there = run.folder.read()
    if there is not None:
        refuse_other(path, there, run.facts)
        if there["data"] != run.facts["data"]:  # more seeds, say
            write(
                path / "run.json", json.dumps(there | {"data": run.facts["data"]}, indent=1) + "\n"
            )
        vocabulary = from_json(path / "vocabulary.json")
        if len(vocabulary.tokens) > config.vocab_size:
            raise UsageError(f"{path}/vocabulary.json is not of this run; pass another --run")
    else:
        vocabulary = build(run.corpus.train.texts, run.reading, config)
        write(path / "vocabulary.json", to_json(vocabulary))
        # last: with it, the folder holds a run
        write(path / "run.json", json.dumps(run.facts, ensure_ascii=True, indent=1) + "\n")
    about = f"text-rnn, data {run.facts['data']['data']!r}"
    write(path / "config.toml", settings.to_toml(config, about))
    return vocabulary


def _learn(run: Run, vocabulary: Vocabulary) -> Data:
    """Train each seed that is not finished; return the test texts, not looked at yet."""
    config, V = run.config, len(vocabulary.tokens)
    parts = {
        part: Data(encode(split.texts, run.reading, vocabulary, config), split.labels)
        for part, split in run.corpus.splits.items()
    }
    lengths = np.array([len(x) for x in parts["train"].sequences])
    unknown = unknown_share(parts["validation"].sequences)
    run.tell(
        f"vocabulary of {V:,}, {unknown:.1%} of the validation tokens unknown; median length "
        f"{int(np.median(lengths)):,}, {(lengths == config.seq_length).mean():.0%} of the texts "
        f"as long as seq_length {config.seq_length} or cut to it"
    )
    size = sum(p.numel() for p in TextRNN(config, V).parameters())
    kind = f"{'bidirectional ' if config.bidirectional else ''}{config.rnn}"
    batches = -(-len(lengths) // config.batch_size)
    run.tell(
        f"Text-RNN: {config.num_layers} x {kind} of {config.hidden_dim}, pooling "
        f"{config.pooling}, {size:,} weights; at most {config.num_epochs} epochs of {batches:,} "
        f"batches, patience {config.patience or 'without end'}"
    )
    say(f"on {run.device}; run folder {run.folder.path}")
    for seed in _seeds(run):
        if (run.folder.seed(seed) / "model.pt").exists():
            say(f"seed {seed}: finished before")
        else:
            mine = dataclasses.replace(config, seed=seed)
            _learn_one(run, mine, parts["train"], parts["validation"], V)
    return parts["test"]


def _seeds(run: Run) -> Sequence[int]:
    return range(run.config.seed, run.config.seed + (run.job.seeds or 1))


def _learn_one(run: Run, config: TRNNConfig, train: Data, validation: Data, V: int) -> None:
    """Train one seed and write its best weights."""
    here, path = run.folder.seed(config.seed), run.folder.path
    board = path / "tensorboard" / here.name
    watch = show.Watch(config, len(train.labels), Log(path / "log.jsonl"), board)
    with show.Asked() as asked:
        checkpoint = here / "checkpoint.pt"
        trainer = Trainer(config, train, validation, V, checkpoint, watch, run.device, asked)
        try:
            model = trainer.run()
        except Stopped:
            raise Stopped(asked.signal, path, trainer.updates) from None
        finally:
            watch.end()
        state: dict[str, Any] = {"model": {k: w.cpu() for k, w in model.state_dict().items()}}
        state["rounds"] = [tuple(row) for row in trainer.rounds]
        save_checkpoint(here / "model.pt", state | {"best": trainer.stop.best_look})


def _judge(run: Run, vocabulary: Vocabulary, test: Data) -> None:
    """Look at the test texts for the first time, and write the report."""
    labels, y = run.facts["labels"], test.labels
    rows, found = [], {}
    for seed in _seeds(run):
        weights = run.folder.seed(seed) / "model.pt"
        rounds, best = load_rounds(weights)
        model = load_model(weights, run.config, len(vocabulary.tokens), run.device)
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
    corpus = run.corpus
    whole: dict[str, Any] = {
        "title": f"Text-RNN on {corpus.name}",
        "said": run.said,
        "data": run.facts["data"] | {"name": corpus.name, "version": corpus.version},
        "sha256": corpus.sha256,
        "config": settings.as_dict(run.config),
        "versions": versions() | {"device": run.device},
        "seeds": rows,
        "over_seeds": {k: report.spread([row[k] for row in rows]) for k in report.KINDS},
        "chosen_seed": chosen,
        "test": report.judge(corpus.test.texts, y, found[chosen], labels),
        "baselines": [],
    }
    if run.job.baseline:
        say("baselines: naive Bayes and TF-IDF + linear on the same texts")
        rivals = baselines.train(corpus, run.reading)
        whole["baselines"] = report.of_baselines(rivals, y, labels)
        rival = max(rivals, key=lambda one: one.validation_accuracy)
        compared = report.against(y, found[chosen].argmax(axis=1), rival.predicted)
        whole["against"] = {"baseline": rival.name, **compared}
    text, path = report.as_text(whole), run.folder.path
    write(path / "report.html", page.page(whole))
    write(path / "report.txt", text)
    write(path / "report.json", json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    print(text, end="")
    say(f"report: {path / 'report.html'}, report.txt, report.json")
