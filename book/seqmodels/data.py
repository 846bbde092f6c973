# GENERATED from book/10_data.md by `make export`: change that, not this file.
"""Sequence data: the code of book/10_data.md."""

# --- book/10_data.md: What you need (#what-you-need)
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqmodels.hmm import MISSING

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


# --- book/10_data.md: The same text in other bytes (#data-unicode)
def normalise(text: str, form: Form = "NFKC", fold: bool = True) -> str:
    """Return text in one Unicode form, spaces collapsed; in lower case if fold.

    form: "NFC" (compose), "NFD" (decompose), "NFKC", "NFKD" (also one width of
    letters and digits, no ligatures). Applied twice it changes nothing more.
    Raises ValueError for another form, TypeError for what is no str.
    """
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise ValueError(f"form must be NFC, NFD, NFKC or NFKD; got {form!r}")
    if not isinstance(text, str):
        raise TypeError(f"text must be a str: decode bytes first; got {type(text)}")
    before = None
    while fold and before != text:  # lower case can undo a form, and a form a case
        before, text = text, unicodedata.normalize(form, text).casefold()
    return " ".join(unicodedata.normalize(form, text).split())


# --- book/10_data.md: Cutting text into tokens (#data-tokens)
WORD = re.compile(r"\w+|[^\w\s]")  # a run of letters and digits, or one other mark


def words(text: str) -> list[str]:
    """Return the words of text, and each punctuation mark by itself."""
    return WORD.findall(text)


# --- book/10_data.md: A vocabulary has a limit (#a-vocabulary-has-a-limit)
PAD, UNKNOWN = 0, 1  # the first two symbols of every vocabulary


class Vocabulary(NamedTuple):
    """Number the tokens: symbol v is tokens[v], and number[token] is its symbol."""

    tokens: tuple[str, ...]  # (V,): "<pad>", "<unknown>", then the most frequent
    number: dict[str, int]

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the symbols of tokens, (T,) int64; UNKNOWN for others."""
        if isinstance(tokens, str):
            raise TypeError("tokens must be a list; got a str: list(text)?")
        found = [self.number.get(token, UNKNOWN) for token in tokens]
        return np.array(found, dtype=np.int64)

    def decode(self, x: ArrayLike) -> list[str]:
        """Return the tokens of symbols x, (T,) ints in [0, V); else ValueError."""
        x = np.asarray(x)
        V = len(self.tokens)
        if x.ndim != 1 or x.dtype.kind not in "iu" or ((x < 0) | (x >= V)).any():
            raise ValueError(f"x must be (T,) integers in [0, {V}); got {x!r:.60}")
        return [self.tokens[v] for v in x]


def build_vocabulary(
    texts: Iterable[Iterable[str]], limit: int | None = None, min_count: int = 1
) -> Vocabulary:
    """Return a vocabulary of the tokens in texts, the training texts alone.

    texts: each a list of tokens. limit: V at most, PAD and UNKNOWN included.
    min_count: rarer tokens are left out. Ties go to the alphabet, so that the order
    of texts does not matter. Raises ValueError for a limit below 2, a min_count
    below 1, TypeError for a text that is not cut yet.
    """
    if (limit is not None and limit < 2) or min_count < 1:
        wanted = "limit must be 2 or more, min_count 1 or more"
        raise ValueError(f"{wanted}; got {limit} and {min_count}")
    counts: Counter[str] = Counter()
    for text in texts:
        if isinstance(text, str):
            raise TypeError("a text must be a list of tokens; got a str: cut it")
        counts.update(text)
    special = ("<pad>", "<unknown>")
    often = sorted((-n, w) for w, n in counts.items() if n >= min_count)
    kept = [w for _, w in often if w not in special]
    tokens = (*special, *kept[: None if limit is None else limit - 2])
    return Vocabulary(tokens, {w: v for v, w in enumerate(tokens)})


# --- book/10_data.md: Padding and truncation: which state is the state? (#data-pad)
def pad(
    sequences: Sequence[ArrayLike],
    T: int | None = None,
    where: str = "after",
    cut: str = "end",
    fill: float = PAD,
) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences side by side, x (T, B) or (T, B, D), and lengths (B,).

    sequences: B arrays (T_b,) or (T_b, D), none empty. T: steps of x, the longest
    where None. where: the padding stands "before" or "after" a sequence. cut: what
    a sequence longer than T loses, its "start" or its "end". fill: what the padding
    holds. Raises ValueError on bad input.
    """
    rows = check_sequences(sequences, T, where, cut)
    T = max(map(len, rows)) if T is None else T
    dtype = np.result_type(*rows, np.min_scalar_type(fill))
    x = np.full((T, len(rows), *rows[0].shape[1:]), fill, dtype=dtype)
    lengths = np.array([min(len(row), T) for row in rows])
    for b, (row, n) in enumerate(zip(rows, lengths, strict=True)):
        part = row[:n] if cut == "end" else row[len(row) - n :]
        x[(slice(n) if where == "after" else slice(T - n, T)), b] = part
    return x, lengths


def check_lengths(lengths: ArrayLike, T: int | None = None) -> np.ndarray:
    """Return lengths (B,) as int64, or say what is wrong.

    Raises ValueError unless they are integers from 1, and up to T if that is given.
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or not lengths.size or lengths.dtype.kind not in "iu":
        came = f"got {lengths.shape} {lengths.dtype}"
        raise ValueError(f"lengths must be (B,) integers, B at least 1; {came}")
    if lengths.min() < 1 or (T is not None and lengths.max() > T):
        came = f"got {lengths.min()} to {lengths.max()}"
        upto = "" if T is None else f" up to {T}, the steps there are"
        raise ValueError(f"lengths must be 1 or more{upto}; {came}")
    return lengths.astype(np.int64)


def check_sequences(
    sequences: Sequence[ArrayLike], T: int | None, where: str, cut: str
) -> list[np.ndarray]:
    """Return the sequences as arrays fit for `pad`, or raise ValueError."""
    if where not in ("before", "after") or cut not in ("start", "end"):
        wanted = 'where must be "before" or "after", cut "start" or "end"'
        raise ValueError(f"{wanted}; got {where!r} and {cut!r}")
    if T is not None and (not isinstance(T, int | np.integer) or T < 1):
        raise ValueError(f"T must be an integer, 1 or more, or None; got {T!r}")
    rows = [np.asarray(row) for row in sequences]
    if not rows:
        raise ValueError("sequences must hold at least one sequence; got none")
    for b, row in enumerate(rows):
        if row.ndim not in (1, 2) or row.dtype.kind not in "biuf":
            came = f"sequence {b} is {row.shape} {row.dtype}"
            raise ValueError(f"a sequence must be (T,) or (T, D) numbers; {came}")
        if len(row) == 0:
            why = "no state has read anything: drop it, or put UNKNOWN in it"
            raise ValueError(f"sequence {b} is empty; {why}")
        if row.shape[1:] != rows[0].shape[1:]:
            came = f"{rows[0].shape} and, sequence {b}, {row.shape}"
            raise ValueError(f"sequences must have the same D; got {came}")
    return [row.astype(np.int64) if row.dtype.kind in "iu" else row for row in rows]


def mask(
    lengths: ArrayLike, T: int | None = None, where: str = "after"
) -> np.ndarray:
    """Return (T, B) bools: True at the steps that are real, False at padding.

    lengths: (B,) ints from 1. T: the longest where None. where: where the padding
    stands. Raises ValueError on bad input.
    """
    lengths = check_lengths(lengths, T)
    if where not in ("before", "after"):
        raise ValueError(f'where must be "before" or "after"; got {where!r}')
    step = np.arange(lengths.max() if T is None else T)[:, None]
    return step < lengths if where == "after" else step >= len(step) - lengths


def last_step(z: np.ndarray, lengths: ArrayLike) -> np.ndarray:
    """Return z[lengths[b] - 1, b] for each b: (B, ...) of z (T, B, ...).

    The outputs of the last real steps, padding after. Raises ValueError unless
    there is one length for each sequence.
    """
    z, lengths = np.asarray(z), check_lengths(lengths, len(z))
    if z.ndim < 2 or z.shape[1] != len(lengths):
        came = f"got {z.shape} and {lengths.shape}"
        raise ValueError(f"z must be (T, B, ...) to match lengths (B,); {came}")
    return z[lengths - 1, np.arange(len(lengths))]


# --- book/10_data.md: Masks: averages over what is real (#data-mask)
def masked_mean(x: ArrayLike, real: ArrayLike, axis: int | None = 0) -> np.ndarray:
    """Return the mean of x over axis, of the entries where real is True.

    x: (T, B) or (T, B, D). real: (T, B). What stands in the other entries, NaN
    too, does not matter. axis: 0 over time, None over steps and sequences, to (D,).
    Raises ValueError for other shapes, or a mean over nothing.
    """
    x, real = np.asarray(x), np.asarray(real)
    if real.dtype != bool or real.ndim != 2 or x.shape[:2] != real.shape:
        came = f"got {real.shape} {real.dtype} and x {x.shape}"
        raise ValueError(f"real must be (T, B) bools to match x; {came}")
    if axis not in (0, 1, None):
        raise ValueError(f"axis must be 0, 1 or None; got {axis!r}")
    real = real.reshape(*real.shape, *[1] * (x.ndim - 2))  # (T, B, 1)
    over = (0, 1) if axis is None else axis
    count = real.sum(axis=over)
    if not count.all():
        raise ValueError("a mean over no real step: each needs one at least")
    return np.where(real, x, 0).sum(axis=over) / count


class Scale(NamedTuple):
    """Hold mean and standard deviation of each feature, of real entries alone."""

    mean: np.ndarray  # (D,)
    std: np.ndarray  # (D,), 1 where a feature never changes

    def apply(self, x: ArrayLike) -> np.ndarray:
        """Return x (..., D), with mean 0 and std 1 on what was fitted."""
        return (np.asarray(x) - self.mean) / self.std

    def undo(self, x: ArrayLike) -> np.ndarray:
        """Return x (..., D) in the units that it came in."""
        return np.asarray(x) * self.std + self.mean


def fit_scale(x: ArrayLike, real: ArrayLike) -> Scale:
    """Return mean and standard deviation of x (T, B, D) where real (T, B) is True.

    Of the training data alone. Raises ValueError on bad shapes, or no real step.
    """
    x = np.asarray(x, dtype=np.float64)
    mean = masked_mean(x, real, axis=None)
    std = np.sqrt(masked_mean((x - mean) ** 2, real, axis=None))
    return Scale(mean, np.where(std > 0, std, 1.0))


# --- book/10_data.md: Packing: a batch without holes (#data-pack)
class Packed(NamedTuple):
    """Hold a batch without its padding, step after step, longest sequence first."""

    data: np.ndarray  # (N, ...): real entries of step 0, then of step 1, ...
    sizes: np.ndarray  # (T,): how many sequences are still running at each step
    order: np.ndarray  # (B,): sequence order[b] of the batch comes b-th


def pack(x: ArrayLike, lengths: ArrayLike) -> Packed:
    """Return a batch x (T, B, ...), padded after, without its padding.

    lengths: (B,). As torch.nn.utils.rnn.pack_padded_sequence. Raises ValueError
    unless there is one length for each sequence.
    """
    x = np.asarray(x)
    if x.ndim < 2:
        raise ValueError(f"x must be (T, B, ...), time first; got {x.shape}")
    lengths = check_lengths(lengths, len(x))
    if len(lengths) != x.shape[1]:
        came = f"got {len(lengths)} for {x.shape[1]} sequences"
        raise ValueError(f"lengths must be one for each sequence; {came}")
    order = np.argsort(-lengths, kind="stable")
    real = mask(lengths[order])  # (T, B), each row a run of True, then False
    return Packed(x[: len(real), order][real], real.sum(axis=1), order)


def unpack(packed: Packed, fill: float = PAD) -> tuple[np.ndarray, np.ndarray]:
    """Return x (T, B, ...), padded after with fill, and lengths: undo `pack`."""
    data, sizes, order = packed
    real = np.arange(len(order)) < sizes[:, None]  # (T, B), longest first
    x = np.full((*real.shape, *data.shape[1:]), fill, dtype=data.dtype)
    x[real] = data
    back = np.argsort(order)
    return x[:, back], real.sum(axis=0)[back]


# --- book/10_data.md: Bucketing: sort a little (#data-buckets)
def batches(
    lengths: ArrayLike, B: int, rng: np.random.Generator, pool: int = 1
) -> list[np.ndarray]:
    """Return the numbers of the sequences, each once, cut into batches of B.

    lengths: (N,). pool: sequences are shuffled, sorted by length within each run of
    pool * B, and the batches shuffled; 1 is plain shuffling, N a full sort. The
    last batch may be short: nothing is dropped. Raises ValueError on bad input.
    """
    lengths = check_lengths(lengths)
    if min(B, pool) < 1:
        raise ValueError(f"B and pool must be 1 or more; got {B} and {pool}")
    order = rng.permutation(len(lengths))
    found = []
    for start in range(0, len(order), pool * B):
        part = order[start : start + pool * B]
        if pool > 1:
            part = part[np.argsort(lengths[part], kind="stable")]
        found += [part[i : i + B] for i in range(0, len(part), B)]
    return [found[i] for i in rng.permutation(len(found))]


def wasted(lengths: ArrayLike, found: Sequence[np.ndarray]) -> float:
    """Return the share of all computed steps that are padding, in [0, 1).

    lengths: (N,). found: the numbers of each batch; each batch is as long as its
    longest sequence. Raises ValueError for bad lengths, or no batch.
    """
    lengths = check_lengths(lengths)
    if not found:
        raise ValueError("found must hold at least one batch; got none")
    computed = sum(len(part) * int(lengths[part].max()) for part in found)
    return 1 - sum(int(lengths[part].sum()) for part in found) / computed


# --- book/10_data.md: Sliding windows, and what no window shows (#data-windows)
def sliding_windows(
    x: ArrayLike, size: int, stride: int = 1, ahead: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return stretches of a long series side by side, (size, N, ...), and starts.

    x: (T, ...). Window n is x[starts[n] : starts[n] + size]; the one after starts
    stride later. ahead: keep only windows whose target, x[starts + size - 1 +
    ahead], exists. Raises ValueError for numbers out of range, or no window at all.
    """
    x = np.asarray(x)
    if min(size, stride) < 1 or ahead < 0 or x.ndim < 1:
        came = f"got {size}, {stride}, {ahead} and x {x.shape}"
        wanted = "size and stride must be 1 or more, ahead 0 or more"
        raise ValueError(f"{wanted}, x (T, ...); {came}")
    if len(x) < size + ahead:
        need = f"a window of {size} and {ahead} ahead need {size + ahead} steps"
        raise ValueError(f"{need}; x has {len(x)}")
    starts = np.arange(0, len(x) - size - ahead + 1, stride)
    return x[starts + np.arange(size)[:, None]], starts


# --- book/10_data.md: From symbols to vectors (#data-embedding)
def one_hot(x: ArrayLike, V: int) -> np.ndarray:
    """Return symbols x (...) as rows (..., V) of zeros with a 1; MISSING as zeros.

    Raises ValueError for what is no integer in [0, V) or MISSING.
    """
    x = np.asarray(x)
    wrong = x.dtype.kind not in "iu" or ((x < MISSING) | (x >= V)).any()
    if wrong:
        raise ValueError(f"x must hold integers in [0, {V}) or {MISSING}")
    return (x[..., None] == np.arange(V)).astype(np.float64)


# --- book/10_data.md: Alignment (#data-alignment)
def align(a: Sequence[Hashable], b: Sequence[Hashable]) -> tuple[int, np.ndarray]:
    """Return the edit distance of a and b, and which item stands beside which.

    The pairs (n, 2) go through both: (i, j) puts a[i] beside b[j], (i, MISSING)
    drops a[i], (MISSING, j) adds b[j]. Dropping, adding and replacing cost 1 each.
    Source: {eq}`data-edit`.
    """
    I, J = len(a), len(b)
    d = np.zeros((I + 1, J + 1), dtype=np.int64)  # (I + 1, J + 1)
    d[:, 0], d[0, :] = np.arange(I + 1), np.arange(J + 1)
    for i in range(I):
        for j in range(J):
            step = d[i, j] + (a[i] != b[j])
            d[i + 1, j + 1] = min(step, d[i, j + 1] + 1, d[i + 1, j] + 1)
    pairs, i, j = [], I, J
    while i or j:  # back from the corner, as in Viterbi
        if i and j and d[i, j] == d[i - 1, j - 1] + (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and d[i, j] == d[i - 1, j] + 1:
            i -= 1
            pairs.append((i, MISSING))
        else:
            j -= 1
            pairs.append((MISSING, j))
    return int(d[I, J]), np.array(pairs[::-1], dtype=np.int64).reshape(-1, 2)


# --- book/10_data.md: Rare classes: weights, or a threshold (#data-imbalance)
def class_weights(labels: ArrayLike, C: int) -> np.ndarray:
    """Return (C,) weights N / (C n_c): all classes weigh the same, the mean is 1.

    labels: (N,) ints in [0, C). Raises ValueError if a class never occurs.
    """
    count = np.bincount(check_labels(labels, C), minlength=C)
    return count.sum() / (C * count)


def resample(
    labels: ArrayLike, C: int, rng: np.random.Generator, kind: str = "over"
) -> np.ndarray:
    """Return places in labels (N,), shuffled, with each class equally often.

    kind: "over" repeats rows of small classes (each row at least once), "under"
    leaves out rows of large ones. For training data alone, after the split. Raises
    ValueError for another kind, or if a class never occurs.
    """
    labels = check_labels(labels, C)
    if kind not in ("over", "under"):
        raise ValueError(f'kind must be "over" or "under"; got {kind!r}')
    count = np.bincount(labels, minlength=C)
    n = count.max() if kind == "over" else count.min()
    found = []
    for c in range(C):
        rows = rng.permutation(np.flatnonzero(labels == c))
        more = rng.choice(rows, max(0, n - len(rows)))  # with replacement
        found.append(np.concatenate([rows[:n], more]))
    return rng.permutation(np.concatenate(found))


def check_labels(labels: ArrayLike, C: int) -> np.ndarray:
    """Return labels (N,) as int64 in [0, C), each class there; else ValueError."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size or labels.dtype.kind not in "iu":
        came = f"got {labels.shape} {labels.dtype}"
        raise ValueError(f"labels must be (N,) integers, N at least 1; {came}")
    if labels.min() < 0 or labels.max() >= C:
        came = f"got {labels.min()} to {labels.max()}"
        raise ValueError(f"labels must lie in [0, {C}); {came}")
    never = np.flatnonzero(np.bincount(labels, minlength=C) == 0)
    if never.size:
        raise ValueError(f"class {never[0]} never occurs: it cannot be balanced")
    return labels.astype(np.int64)


# --- book/10_data.md: Missing values (#missing-values)
def fill_forward(
    x: ArrayLike, first: ArrayLike = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return x (T, ...) with each NaN replaced by the last value seen, and its age.

    first: what stands before anything was seen, a number or of the shape of x[0].
    age: (T, ...) ints, steps since the value was seen, 0 where it is new; before
    the first one t + 1. Reads only the past. Raises ValueError for x without time.
    """
    x = np.array(x, dtype=np.float64)
    if x.ndim < 1:
        raise ValueError("x must be (T, ...), time first; got a single number")
    age = np.zeros(x.shape, dtype=np.int64)
    last = np.broadcast_to(np.asarray(first, dtype=np.float64), x.shape[1:])
    for t in range(len(x)):
        gone = np.isnan(x[t])
        age[t] = np.where(gone, (age[t - 1] if t else 0) + 1, 0)
        x[t] = last = np.where(gone, last, x[t])
    return x, age


# --- book/10_data.md: Validation goes forward (#validation-goes-forward)
def forward_chain(
    N: int, folds: int, test: int | None = None, gap: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, test) places of each fold; each fold trains on the past alone.

    N: rows in the order of time. test: rows in each test part, N // (folds + 1)
    where None; the last part ends at N. gap: rows left out between train and test.
    Raises ValueError where a fold would have no row to train on.
    """
    test = N // (folds + 1) if test is None and folds > 0 else test
    if folds < 1 or gap < 0 or not test or test < 1:
        came = f"got {folds}, {test} and {gap}"
        wanted = "folds and test must be 1 or more, gap 0 or more"
        raise ValueError(f"{wanted}; {came}")
    first = N - folds * test - gap
    if first < 1:
        why = f"{folds} folds of {test} and a gap of {gap} leave no row to train on"
        raise ValueError(f"{why}; N is {N}")
    starts = range(N - folds * test, N, test)
    return [(np.arange(s - gap), np.arange(s, s + test)) for s in starts]


# --- book/10_data.md: Splits that leak (#data-leaks)
def shingles(tokens: Sequence[str], n: int) -> set[tuple[str, ...]]:
    """Return all runs of n tokens; the whole text where it is shorter."""
    last = max(1, len(tokens) - n + 1)
    return {tuple(tokens[i : i + n]) for i in range(last)}


def near_duplicates(
    texts: Sequence[Sequence[str]], n: int = 3, share: float = 0.7
) -> np.ndarray:
    """Return a group for each text, (N,): the number of its group's first text.

    texts: lists of tokens. Two texts are linked if of the runs of n tokens that
    either has, at least `share` stand in both (their Jaccard index); groups are
    linked directly or through others. Raises ValueError for n below 1 or a share
    outside (0, 1].
    """
    if n < 1 or not 0 < share <= 1:
        came = f"got {n} and {share}"
        raise ValueError(f"n must be 1 or more, share in (0, 1]; {came}")
    group = list(range(len(texts)))

    def root(i: int) -> int:
        while group[i] != i:
            i = group[i]
        return i

    where: dict[tuple[str, ...], list[int]] = {}  # run -> texts that have it
    sizes: list[int] = []
    for i, text in enumerate(texts):
        runs = shingles(text, n)
        sizes.append(len(runs))
        # only texts that share a run can be alike: never look at all pairs
        both = Counter(j for run in runs for j in where.get(run, ()))
        for j, common in both.items():
            if common >= share * (sizes[i] + sizes[j] - common):
                one, two = root(i), root(j)
                group[max(one, two)] = min(one, two)
        for run in runs:
            where.setdefault(run, []).append(i)
    return np.array([root(i) for i in range(len(texts))], dtype=np.int64)


def group_split(
    groups: Sequence[Hashable], share: float, rng: np.random.Generator
) -> np.ndarray:
    """Return (N,) bools, True for test: about `share` of the rows, groups whole.

    groups: (N,), equal for rows that must stay together. Raises ValueError for a
    share outside (0, 1), or where a side would be empty.
    """
    number: dict[Hashable, int] = {}
    of = np.array([number.setdefault(g, len(number)) for g in groups], np.int64)
    if not 0 < share < 1 or len(number) < 2:
        came = f"got {share} and {len(number)}"
        raise ValueError(f"share must be in (0, 1), groups 2 or more; {came}")
    size = np.bincount(of)
    order = rng.permutation(len(size))
    middle = (np.cumsum(size[order]) - size[order] / 2) / len(of)
    taken = order[middle < share]
    if len(taken) in (0, len(size)):
        raise ValueError(f"{len(size)} groups are too few or too large for {share}")
    return np.isin(of, taken)
