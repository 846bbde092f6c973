"""What a model must beat: the most frequent label, naive Bayes, and TF-IDF with a linear model.

All three count tokens and pairs (and, of characters, triples) of neighbours: of order they know no
more. What is to be chosen for them is chosen by the validation texts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

from coursekit.corpora import Corpus
from coursekit.text_rnn.reading import Reading

MAX_TOKENS = 3_000_000  # of training texts, above which triples are left out
MAX_FEATURES = 500_000
SMOOTHINGS = (0.03, 0.1, 0.3, 1.0)
PENALTIES = (0.1, 0.3, 1.0)


class Baseline(NamedTuple):
    """One model's choice, its accuracy on validation, and its labels for the test texts."""

    name: str
    setting: str
    validation_accuracy: float
    predicted: np.ndarray  # (N_test,)


def runs(tokens: list[str], longest: int) -> Iterator[str]:
    """Yield each run of 1 to `longest` tokens as one string."""
    for n in range(1, longest + 1):
        yield from map("\0".join, zip(*(islice(tokens, k, None) for k in range(n)), strict=False))


def train(corpus: Corpus, reading: Reading) -> list[Baseline]:
    """Return the baselines, trained on the training texts alone."""
    (texts, y), (_, y_check), (_, y_test) = corpus.train, corpus.validation, corpus.test
    often = int(np.bincount(y, minlength=corpus.C).argmax())
    found = [
        Baseline(
            "most frequent label",
            corpus.label_names[often],
            float((y_check == often).mean()),
            np.full(len(y_test), often),
        )
    ]
    few = sum(len(reading.cut(text)) for text in texts) <= MAX_TOKENS
    longest = 3 if reading.unit == "character" and few else 2
    counter = CountVectorizer(
        analyzer=lambda text: runs(reading.cut(text), longest),
        max_features=MAX_FEATURES,
        min_df=2 if len(texts) > 5_000 else 1,
    )
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # no run is there often enough
        return found
    count_check = counter.transform(corpus.validation.texts)
    count_test = counter.transform(corpus.test.texts)
    grams = f"runs of 1 to {longest} {reading.unit}s"
    bayes = [(MultinomialNB(alpha=a), f"{grams}, smoothing {a:g}") for a in SMOOTHINGS]
    found.append(_best("naive Bayes", bayes, counts, y, count_check, y_check, count_test))
    weigh = TfidfTransformer(sublinear_tf=True)
    x = weigh.fit_transform(counts)
    x_check, x_test = weigh.transform(count_check), weigh.transform(count_test)
    linear = [(LinearSVC(C=c, random_state=0), f"{grams}, C {c:g}") for c in PENALTIES]
    found.append(_best("TF-IDF + linear", linear, x, y, x_check, y_check, x_test))
    return found


def _best(
    name: str,
    models: list[tuple[Any, str]],
    x: Any,
    y: np.ndarray,
    x_check: Any,
    y_check: np.ndarray,
    x_test: Any,
) -> Baseline:
    """Return the labels of the model that does best on the validation texts."""
    scores = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # good enough to compare with
        for model, _ in models:
            model.fit(x, y)
            scores.append(float((model.predict(x_check) == y_check).mean()))
    k = int(np.argmax(scores))
    return Baseline(name, models[k][1], scores[k], models[k][0].predict(x_test).astype(np.int64))
