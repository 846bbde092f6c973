"""What a finished run is for: scores on labelled texts, labels for others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.corpora import Corpus
from coursekit.text_rnn import page, report, settings, source
from coursekit.text_rnn.folder import Folder, write
from coursekit.text_rnn.reading import Reading, encode, from_json
from coursekit.text_rnn.settings import TRNNConfig, UsageError
from coursekit.text_rnn.show import say
from coursekit.text_rnn.trainer import load_model, load_rounds, log_probabilities
from coursekit.text_rnn.work import RUNS, Job, as_before, device_of, prepare
from seqmodels.data import Vocabulary
from seqmodels.text_rnn import TextRNN


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


def finished(run: Path | None, seed: int | None, device: str | None) -> Finished:
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
    weights = [(p.parent.name.removeprefix("seed-"), p) for p in run.glob("seed-*/model.pt")]
    there = {int(number): path for number, path in weights if number.isdecimal()}
    if not there or (seed is not None and seed not in there):
        which = f"seed {seed} of {run}" if there else str(run)
        raise UsageError(f"{which} is not finished; text-rnn train --run {run} goes on")
    if seed is None:
        scored = {}
        for number, path in there.items():
            rounds, best = load_rounds(path)
            scored[number] = rounds[best].validation_accuracy
        seed = max(scored, key=lambda number: (scored[number], -number))
    vocabulary = from_json(run / "vocabulary.json")
    place = device_of(device or "auto")
    model = load_model(there[seed], config, len(vocabulary.tokens), place)
    return Finished(run, facts, config, Reading(*facts["reading"]), vocabulary, model, seed)


def evaluate(
    run: Path | None,
    given: source.Given | None,
    seed: int | None,
    device: str | None,
    json_path: Path | None,
    html_path: Path | None,
) -> None:
    """Score a finished run: on its own test texts, or on other labelled data, all of them."""
    one = finished(run, seed, device)
    names = one.facts["labels"]
    if given is None:
        job = Job(None, run=one.path)
        as_before(job, one.facts)
        corpus, said = prepare(job)
        if corpus.sha256 != one.facts["sha256"]:
            raise UsageError(f"the data of {one.path} are not what they were when it was trained")
        texts, y = corpus.test
        said.append("its own test texts, which the report of the training has used already")
    else:
        corpus, said = source.load(given, names)
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
                p_of = {names[c]: round(float(row[c]), 6) for c in best}
                found = {"text": text, "label": names[best[0]], "p": p_of}
                yield json.dumps(found, ensure_ascii=False)
            else:
                shown = [f"{names[c]}\t{row[c]:.4f}" for c in best]
                yield "\t".join([*shown, " ".join(text.split())])
