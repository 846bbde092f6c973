# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 5: batches
#
# Between the files and the network stands code that nobody finds interesting: it cuts, pads, sorts, scales,
# averages and splits. Nothing in it crashes. It only makes numbers a little too good, or a little wrong, and they
# are then discussed as if they said something about networks. In this set you write the parts that are most often
# wrong, each one step beyond the chapters; and at the end you get pipelines that you cannot look into, and
# say what is wrong with them.
#
# | | task | you write | points | difficulty | what it teaches |
# |---|---|---|---:|---|---|
# | 1 | `ps5-cut` | `cut` | 10 | medium | the most probable tokens, not the longest |
# | 2 | `ps5-pool` | `pool` | 12 | medium | from mean to maximum, without the padding |
# | 3 | `ps5-budget` | `budget_batches` | 10 | medium | batches of equal cost |
# | 4 | `ps5-stream` | `stream` | 10 | medium | one mean from many batches |
# | 5 | `ps5-micro` | `in_pieces` | 12 | medium | a batch that does not fit |
# | 6 | `ps5-lazy` | `lazy_adam` | 12 | medium | an optimiser for rows that are rarely seen |
# | 7 | `ps5-together` | `together` | 8 | easy | what must not be torn apart |
# | 8 | `ps5-audit` | `audit` | 9 + 9 | hard | finding a leak without reading the code |
# | 9 | `ps5-reports` | a short text | 8 | medium | what a score can hide |
# | | | | **100** | | |
#
# **How to work.** Write your answer where the cell says `YOUR CODE HERE` and delete the line that
# raises `NotImplementedError`. Below each answer stands a test cell. Its visible tests look at
# shapes and at one worked example, mostly one so small that you can follow it with a pencil. More
# tests are added when your work is marked: other sizes, edge cases and the mistakes that people
# really make. You have the means to find them first: slow loops over single sequences, PyTorch's own
# functions, random cases with sizes that are all different. You may add cells. Do not edit the test cells or
# the toolbox; changes there are undone before marking.
#
# **Before you hand in:** Kernel > Restart and run all. Every visible test must pass. Count on some
# five hours in all.
#
# **What counts.** The answer, not the route: loops, NumPy or tensors, as long as the function keeps its
# promise. Results may be arrays, tensors that need no gradient, or numbers. You may import NumPy, PyTorch,
# matplotlib and the standard library. The tasks do not depend on each other, so you may skip one.

# %% [markdown]
# ## Conventions, once for all tasks
#
# - Those of the chapters: time first, `x` is `(T, B)` or `(T, B, D)`, padding stands **after** a sequence. `lengths`
#   `(B,)` says how many rows of each column are real; T may be larger than all of them. **Padding may hold
#   anything**, also NaN and infinity, unless a task says otherwise.
# - Numbers are `float64` where nothing else is said. Arrays are compared as wholes, by
#   $|a - b| / |b|$ with $b$ the truth, which must stay below `1e-6`; where the truth is 0, $|a|$ below
#   `1e-10`.
# - **Never change an argument**, nor an array inside one. Work on a copy.
# - You need not check arguments: the tests keep to what is stated here. No test needs an answer that
#   takes more than a few seconds.

# %% [markdown]
# ## Toolbox
#
# Locked cells.

# %% nbgrader={"grade": false, "grade_id": "ps5-toolbox", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import math
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: a second thread only waits

import matplotlib.pyplot as plt
import numpy as np
import torch

torch.set_num_threads(1)
MISSING = -100  # no target here; PyTorch's ignore_index


def same(got, want, rtol=1e-6):
    """Tell whether got has the shape of want and a relative error below rtol."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or not np.all(np.isfinite(got)):
        return False
    size = np.sqrt(np.sum(want**2))
    return bool(np.sqrt(np.sum((got - want) ** 2)) < (rtol * size if size else 1e-10))


def unchanged(after, before):
    """Tell whether two lists of arrays or dicts of arrays are equal to the last bit."""

    def flat(values):
        for value in values:
            yield from value.values() if isinstance(value, dict) else [value]

    pairs = zip(flat(after), flat(before), strict=True)
    return all([np.array_equal(a, b, equal_nan=True) for a, b in pairs])


# %% [markdown]
# ## 1. The most probable cut (`ps5-cut`, 10 points, medium)
#
# Byte pairs cut a word by repeating the merges of training, in their order. Another family of tokenisers keeps a
# table of pieces with a probability for each, and takes the cut whose pieces are together **the most probable**. A word of n
# letters can be cut in $2^{n-1}$ ways. But you know how to find the best of exponentially many paths (chapter 2).
#
# Write `cut(text, log_p, unknown)`:
#
# - `text`: a string of 0 to 2,000 characters. `log_p`: a dict from pieces (strings of 1 to 20 characters) to the logarithm
#   of their probability, floats of at most 0.
# - Returns a list of strings that together give `text`, with the highest sum of logarithms. Each is a piece of
#   `log_p`, or **one single character that is not in `log_p`**: such a one counts `unknown` (a float, below 0). A character
#   that is in `log_p` counts what stands there, even where `unknown` is more.
# - In the tests the best cut is better than any other by at least `1e-6`. No text, no pieces: `[]`.
#
# Worked example: with `{"un": -2., "happy": -3., "u": -9., "n": -9., "hap": -8., "py": -8.}` and `unknown = -20.` the
# text `"unhappy"` becomes `["un", "happy"]`, at -5; `"un" + "hap" + "py"` would be at -18. And `"un-happy"` becomes `["un", "-",
# "happy"]`.
#
# <details><summary>Hint</summary>
#
# Let $d_i$ be the best sum for the first i characters. Which pieces can be the last one?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-cut", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cut(text, log_p, unknown):
    """Return the pieces of the most probable cut of text, a list of strings.

    log_p: dict from pieces to log probabilities. unknown: of one character that is not in log_p.
    """
    ### BEGIN SOLUTION
    best, back = [0.0], [0]
    for i in range(1, len(text) + 1):
        options = []
        for j in range(max(0, i - 20), i):
            piece = text[j:i]
            if piece in log_p:
                options.append((best[j] + log_p[piece], j))
            elif i - j == 1:
                options.append((best[j] + unknown, j))
        score, j = max(options)
        best.append(score)
        back.append(j)
    pieces, i = [], len(text)
    while i:
        pieces.append(text[back[i] : i])
        i = back[i]
    return pieces[::-1]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-cut-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_cut():
    log_p = {"un": -2.0, "happy": -3.0, "u": -9.0, "n": -9.0, "hap": -8.0, "py": -8.0}
    got = cut("unhappy", log_p, -20.0)
    assert list(got) == ["un", "happy"], f"worked example: ['un', 'happy']; got {got}"
    got = cut("un-happy", log_p, -20.0)
    assert list(got) == ["un", "-", "happy"], f"worked example, unknown sign: got {got}"


visible_cut()


### BEGIN HIDDEN TESTS
def cut_truth(text, log_p, unknown):
    """The best sum, by trying every cut."""
    best = -math.inf
    for where in range(2 ** (len(text) - 1)):
        ends = [i + 1 for i in range(len(text) - 1) if where >> i & 1] + [len(text)]
        total, start = 0.0, 0
        for end in ends:
            piece = text[start:end]
            total += log_p.get(piece, unknown if len(piece) == 1 else -math.inf)
            start = end
        best = max(best, total)
    return best


def cut_total(pieces, log_p, unknown):
    total = 0.0
    for piece in pieces:
        total += log_p.get(piece, unknown if len(piece) == 1 else -math.inf)
    return total


def cut_table(rng, letters, n, longest):
    """A random table: n pieces over letters, better the more letters they have."""
    table = {}
    for _ in range(n):
        size = int(rng.integers(1, longest + 1))
        piece = "".join(rng.choice(list(letters), size))
        table[piece] = -float(rng.uniform(1, 6)) - 0.7 * size
    return table


def hidden_cut():
    log_p = {"ab": -3.0, "a": -1.0, "bc": -2.0, "c": -3.0, "b": -4.0}
    got = list(cut("abc", log_p, -9.0))
    assert "".join(got) == "abc", "the pieces together must give the text"
    assert got != ["ab", "c"], (
        "the longest piece first is not the most probable cut: what is left over counts, too"
    )
    assert got == ["a", "bc"], "abc: the highest SUM of logarithms over all cuts"
    log_p = {"abcd": -9.0, "ab": -1.0, "cd": -2.0, "a": -1.5, "b": -3.0}
    got = list(cut("abcd", log_p, -9.0))
    assert got == ["ab", "cd"], (
        "the fewest pieces, or the longest, are not the most probable: two good pieces beat one bad one"
    )
    log_p = {"a": -1.0, "aa": -1.8, "ab": -1.2, "b": -9.0}
    got = list(cut("aab", log_p, -20.0))
    assert got == ["a", "ab"], (
        "the most probable piece first is not the most probable cut: look ahead, or keep the best for every"
        " place (chapter 2, Viterbi)"
    )
    got = list(cut("ab", {"a": -1.5, "b": -1.5, "ab": -2.5}, -20.0))
    assert got == ["ab"], "the highest SUM, not the highest mean over the pieces"
    got = list(cut("aba", {"ab": 0.0, "a": -1.0, "b": -1.0}, -20.0))
    assert got == ["ab", "a"], (
        "a logarithm of 0, a probability of 1, is a value, not a missing entry: ask with `in`, not by its truth"
    )
    got = list(cut("xay", {"a": -1.0, "ay": -30.0}, -10.0))
    assert "".join(got) == "xay", "unknown characters must not get lost, nor be replaced"
    assert got == ["x", "a", "y"], "unknown characters stand alone, each counts `unknown`"
    got = list(cut("zab", {"z": -40.0, "a": -1.0, "za": -15.0, "b": -1.0}, -2.0))
    assert got == ["za", "b"], (
        "a character that is in log_p counts what stands there, even where `unknown` is more"
    )
    assert list(cut("", {"a": -1.0}, -3.0)) == [], "no text, no pieces"
    assert list(cut("é", {"a": -1.0}, -3.0)) == ["é"], "one unknown character"
    assert list(cut("aé", {}, -3.0)) == ["a", "é"], (
        "an empty table: every character is unknown and stands alone; neighbours are not joined"
    )
    rng = np.random.default_rng(10)
    for n in (4, 8, 15, 25):
        for size in (1, 3, 7, 11):
            log_p = cut_table(rng, "abc", n, 4)
            text = "".join(rng.choice(list("abcd"), size))
            given = dict(log_p)
            got = list(cut(text, given, -5.0))
            assert "".join(got) == text, "random texts: the pieces together must give the text"
            found = cut_total(got, log_p, -5.0)
            assert found > cut_truth(text, log_p, -5.0) - 1e-9, (
                "random texts: a cut with a higher sum exists (chapter 2, Viterbi)"
            )
            assert given == log_p, "do not change the table"
    log_p = cut_table(rng, "ab", 40, 20) | {"a": -2.0, "b": -2.5, "a" * 20: -1.0}
    for size in (400, 2_000):
        text = "".join(rng.choice(list("ab"), size)) + "a" * 20
        text = text[20:]
        got = list(cut(text, log_p, -5.0))
        assert "".join(got) == text, "a long text: the pieces together must give it"
        best = [0.0]
        for i in range(1, size + 1):
            ends = [best[j] + log_p.get(text[j:i], -math.inf) for j in range(max(0, i - 20), i)]
            best.append(max(ends))
        assert cut_total(got, log_p, -5.0) > best[-1] - 1e-6, (
            "a long text: pieces have up to 20 characters; a better cut exists"
        )


hidden_cut()
### END HIDDEN TESTS

# %% [markdown]
# ## 2. From mean to maximum (`ps5-pool`, 12 points, medium)
#
# A network has a state for every step; a classifier wants one vector. Mean over the steps? Maximum? Both are ends of one
# family. For each unit, over the n real steps of a sequence,
#
# $$ p_r = \frac1r \log \Big( \frac1n \sum_{t=1}^{n} e^{r h_t} \Big) , \qquad p_0 = \text{mean}, \quad p_\infty = \text{maximum}, \quad
#    p_{-\infty} = \text{minimum}. $$
#
# What does training need? The derivative $w_t = \partial p_r / \partial h_t$, a **weight** for each step, which is also what one
# looks at: which step was it? Work it out with a pencil first; you have met it under another name.
#
# Write `pool(h, lengths, r)`:
#
# - `h` `(T, B, H)`, a tensor, real entries within $\pm 1000$; `lengths` `(B,)`, a tensor of integers from 1 to T; `r` a float: 0,
#   `inf`, `-inf`, or a number of size $10^{-3}$ to $10^{6}$ of either sign.
# - Returns the tuple `(p, w)`: $p_r$ `(B, H)` for each sequence and unit, and the weights `(T, B, H)`. In the padding a weight is
#   exactly 0. At r = `inf` or `-inf` steps that tie share their weight equally, as in the limit.
#
# Worked example: h = (0, log 3) and r = 1 give p = log 2 = .693147 and w = (.25, .75).
#
# <details><summary>Hint</summary>
#
# `torch.logsumexp` does not overflow. What must stand in the padding so that $e^{r h}$ is 0 there, for either sign of r? And NaN
# times 0 is NaN: replace, do not multiply.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-pool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool(h, lengths, r):
    """Return p_r over the real steps, (B, H), and its derivative by h, (T, B, H).

    h: tensor (T, B, H). lengths: tensor (B,), 1 to T. r: a float, 0 and infinities included.
    """
    ### BEGIN SOLUTION
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]  # (T, B, 1)
    n = lengths[:, None].to(h.dtype)  # (B, 1)
    if r == 0:
        return torch.where(real, h, 0).sum(dim=0) / n, (real / n).expand(h.shape)
    if math.isinf(r):
        sign = 1 if r > 0 else -1
        up = torch.where(real, sign * h, -math.inf)
        top = up.amax(dim=0)  # (B, H)
        hit = (up == top) & real
        return sign * top, hit / hit.sum(dim=0).to(h.dtype)
    a = torch.where(real, r * h, -math.inf)
    return (torch.logsumexp(a, dim=0) - n.log()) / r, torch.softmax(a, dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-pool-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_pool():
    h = torch.tensor([0.0, math.log(3)], dtype=torch.float64).reshape(2, 1, 1)
    p, w = pool(h, torch.tensor([2]), 1.0)
    assert np.shape(p) == (1, 1), f"p must be (B, H) = (1, 1); got {np.shape(p)}"
    assert same(p, [[0.693147]], rtol=1e-5), f"worked example: p = .693147; got {p}"
    assert np.shape(w) == (2, 1, 1), f"w must be (T, B, H) = (2, 1, 1); got {np.shape(w)}"
    assert same(np.ravel(w), [0.25, 0.75]), f"worked example: w = (.25, .75); got {np.ravel(w)}"
    h = torch.rand(5, 3, 4, dtype=torch.float64)
    p, w = pool(h, torch.tensor([5, 2, 4]), 2.0)
    assert np.shape(p) == (3, 4) and np.shape(w) == (5, 3, 4), "p is (B, H), w is (T, B, H)"


visible_pool()


### BEGIN HIDDEN TESTS
def pool_truth(h, lengths, r):
    """One sequence and one unit after the other, in NumPy."""
    T, B, H = h.shape
    p, w = np.zeros((B, H)), np.zeros((T, B, H))
    for b in range(B):
        for j in range(H):
            v = h[: lengths[b], b, j]
            if r == 0:
                p[b, j], w[: len(v), b, j] = v.mean(), 1 / len(v)
            elif np.isinf(r):
                p[b, j] = v.max() if r > 0 else v.min()
                w[: len(v), b, j] = (v == p[b, j]) / (v == p[b, j]).sum()
            else:
                top = (r * v).max()
                e = np.exp(r * v - top)
                p[b, j] = (top + np.log(e.mean())) / r
                w[: len(v), b, j] = e / e.sum()
    return p, w


def pool_case(T, B, H, seed, scale=1.0, fill=None):
    rng = np.random.default_rng(seed)
    h = scale * rng.normal(size=(T, B, H))
    lengths = rng.integers(1, T + 1, B)
    if fill is not None:
        h[np.arange(T)[:, None] >= lengths] = fill
    return h, lengths


def pool_try(h, lengths, r):
    got = pool(torch.tensor(h), torch.tensor(lengths), r)
    return (np.asarray(part) for part in got)


def hidden_pool():
    h, _ = pool_case(6, 3, 2, 20)
    lengths = np.array([6, 6, 6])
    for r in (1.0, -2.0):
        p, w = pool_try(h, lengths, r)
        want, weight = pool_truth(h, lengths, r)
        assert same(p, want), (
            "no padding at all: the mean of e^(r h) inside the logarithm, so divide by n there, and by r"
            " outside; r may be negative"
        )
        assert same(w, weight), (
            "no padding at all: the derivative of p_r by h_t is a softmax of r h over the steps (axis 0)"
        )
    p, w = pool_try(h, lengths, math.inf)
    want, weight = pool_truth(h, lengths, math.inf)
    assert same(p, want) and same(w, weight), (
        "no padding at all: r = inf is the maximum itself, and no large number in its place"
    )
    p, w = pool_try(h, lengths, 0.001)
    want, weight = pool_truth(h, lengths, 0.001)
    assert same(p, want) and same(w, weight), (
        "no padding at all: a small r is not 0: only r = 0 is the mean"
    )
    h, lengths = pool_case(7, 4, 3, 21, fill=0.0)
    h, lengths = h - 3, np.array([2, 7, 1, 4])
    h[np.arange(7)[:, None] >= lengths] = 0.0
    for r in (3.0, math.inf):
        p, w = pool_try(h, lengths, r)
        want, weight = pool_truth(h, lengths, r)
        assert same(p, want), (
            "all real entries are negative: the zeros of the padding must not win, nor count in n"
        )
        assert same(w, weight), (
            "padding of zeros: mask BEFORE the softmax; masked after it, the weights of a sequence no longer"
            " sum to 1"
        )
    p, w = pool_try(h + 6, lengths, -math.inf)
    want, weight = pool_truth(h + 6, lengths, -math.inf)
    assert same(p, want) and same(w, weight), "r = -inf is the minimum over the real steps"
    p, w = pool_try(h, lengths, 0.0)
    want, weight = pool_truth(h, lengths, 0.0)
    assert same(p, want) and same(w, weight), (
        "r = 0 is the mean over the REAL steps, each of weight 1 / n, n of its own sequence"
    )
    for fill in (np.nan, np.inf, -np.inf, 1e300):
        for r in (0.0, 1.5, -1.5, 0.001, math.inf, -math.inf):
            h, lengths = pool_case(6, 5, 2, 22, fill=fill)
            given = torch.tensor(h), torch.tensor(lengths)
            p, w = (np.asarray(part) for part in pool(*given, r))
            want, weight = pool_truth(h, lengths, r)
            assert same(p, want) and same(w, weight), (
                "padding may hold anything, NaN and infinity too: replace it before you compute, by what makes e^(r h) 0"
                " for r of either sign"
            )
            outside = np.broadcast_to(np.arange(6)[:, None, None] >= lengths[:, None], w.shape)
            assert not np.any(w[outside]), "in the padding a weight is exactly 0"
            assert unchanged(given, [h, lengths]), "do not change the arguments: work on a copy"
    for r in (1e6, -1e6, 30.0, 0.001, -0.001, 0.05):
        h, lengths = pool_case(5, 3, 4, 23, scale=200.0 if abs(r) > 1 else 1.0)
        p, w = pool_try(h, lengths, r)
        want, weight = pool_truth(h, lengths, r)
        assert same(p, want) and same(w, weight), (
            "large r or h: e^(r h) overflows; take the largest out first (logsumexp does); small r: divide by r"
            " what is small already"
        )
    h = np.array([2.0, 5.0, 5.0, 9.0, 2.0, 2.0]).reshape(6, 1, 1)
    p, w = pool_try(h, np.array([3]), math.inf)
    assert same(np.ravel(p), [5.0]) and same(np.ravel(w), [0, 0.5, 0.5, 0, 0, 0]), (
        "r = inf: steps that tie share the weight equally; the padding has none"
    )
    p, w = pool_try(h, np.array([6]), -math.inf)
    assert same(np.ravel(w), np.array([1, 0, 0, 0, 1, 1]) / 3), (
        "r = -inf: three tie for the minimum"
    )
    for T, B, H, seed in [(1, 1, 1, 24), (9, 2, 5, 25), (3, 6, 1, 26)]:
        h, lengths = pool_case(T, B, H, seed)
        for r in (0.0, 0.7, -4.0, math.inf):
            p, w = pool_try(h, lengths, r)
            want, weight = pool_truth(h, lengths, r)
            assert same(p, want) and same(w, weight), (
                "other sizes, T larger than every length: wrong"
            )


hidden_pool()
### END HIDDEN TESTS

# %% [markdown]
# See what you made: one unit, twelve steps, the last three padding. From r = 0 to large r the weight gathers on the top.


# %%
def from_mean_to_maximum():
    h = torch.tensor([0.1, 0.3, 0.2, 0.9, 1.0, 0.4, 0.2, 0.6, 0.1, 9.0, 9.0, 9.0])
    h = h.double().reshape(12, 1, 1)
    fig, ax = plt.subplots(figsize=(6.4, 2.4), layout="constrained")
    for r, colour in [(0.0, "#999999"), (3.0, "#56B4E9"), (10.0, "#0072B2"), (100.0, "#D55E00")]:
        p, w = pool(h, torch.tensor([9]), r)
        ax.plot(np.ravel(w), "o-", color=colour, label=f"r = {r:g}, p = {float(p):.2f}")
    ax.set(xlabel="step", ylabel="weight")
    ax.legend(frameon=False)
    plt.show()


from_mean_to_maximum()

# %% [markdown]
# ## 3. Batches of equal cost (`ps5-budget`, 10 points, medium)
#
# A batch of B sequences is one of $B \cdot \max n$ cells, and cells are what memory and time are spent on. Thirty-two
# short headlines use next to nothing; thirty-two long reviews do not fit. So large systems fix not B but a **budget** of cells for a batch: many
# short ones, or a few long ones. It should waste little; and yet be as good as shuffled: another seed, other company.
#
# Write `budget_batches(lengths, budget, seed)`:
#
# - `lengths` `(N,)` integers from 1, $N \ge 1$; `budget` an integer, at least the longest length; `seed` an integer from 0.
# - Returns a list of batches, each a list or array of the numbers of its sequences. **Each** number from 0 to N - 1 stands in exactly one
#   batch, and no batch is empty.
# - **Budget**: in every batch, number of sequences times longest length $\le$ `budget`, padding included.
# - **Thrift**, where `budget` is at least 10 times the longest length: all batches together have at most 1.35 times as many cells as
#   there are real steps, plus one budget; and there are at most 1.5 times as many batches as `real steps / budget`, plus 2.
# - **Shuffled**, with 20 batches or more: batches do not come in the order of length: over several seeds, the correlation between a batch's place and
#   its longest length is below .6 in size on average. And of all pairs of sequences that share a batch, at most 65 % share one with another seed, too. (In the tests:
#   900 lengths from 1 to 100, most of them below 40, and a budget of 1,000. To shuffle among *equal* lengths alone is not enough, nor is one pool of everything.)
# - The same seed gives the same batches, whatever was drawn before; NumPy's and PyTorch's global generators are neither used nor moved.
#
# Worked example: lengths (3, 9, 2, 10) with a budget of 20. All in one batch would be 4 * 10 = 40 cells: too many. (9, 10) are 20 cells and (3, 2) 6; fine.
#
# <details><summary>Hint</summary>
#
# Chapter 10 sorts within pools. Or sort by a length that is multiplied with a random factor near 1; then walk through and close a batch when the
# next sequence would break the budget; then shuffle the batches.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-budget", "locked": false, "schema_version": 3, "solution": true, "task": false}
def budget_batches(lengths, budget, seed):
    """Return batches, each the numbers of its sequences, of at most budget cells.

    lengths: (N,) ints. Each of 0 to N - 1 comes once. Another seed, other company.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    n = np.asarray(lengths)
    batches, longest = [], 0
    batch: list[int] = []
    for i in np.argsort(n * rng.uniform(1, 1.3, len(n))):
        longest = max(longest, int(n[i]))
        if longest * (len(batch) + 1) > budget:
            batches.append(batch)
            batch, longest = [], int(n[i])
        batch.append(int(i))
    batches.append(batch)
    return [batches[k] for k in rng.permutation(len(batches))]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-budget-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_budget():
    lengths = np.array([3, 9, 2, 10])
    found = [np.asarray(part).tolist() for part in budget_batches(lengths, 20, 0)]
    everyone = sorted([i for part in found for i in part])
    assert everyone == [0, 1, 2, 3], f"each of 0 to 3 in exactly one batch; got {found}"
    for part in found:
        cells = len(part) * lengths[part].max()
        assert cells <= 20, f"a batch of {cells} cells, more than 20: {part}"


visible_budget()


### BEGIN HIDDEN TESTS
def budget_lengths(N, seed, longest=100):
    rng = np.random.default_rng(seed)
    return np.minimum(longest, 1 + rng.gamma(2.0, longest / 8, N).astype(int))


def pairs_of(found):
    return {(i, j) for part in found for i in part for j in part if i < j}


def hidden_budget():
    for N, budget, seed, longest in [
        (1, 7, 0, 7),
        (5, 40, 1, 10),
        (37, 100, 2, 100),
        (400, 1_500, 3, 100),
        (1_000, 2_000, 4, 60),
        (50, 100_000, 5, 80),
    ]:
        lengths = budget_lengths(N, seed, longest)
        budget = max(budget, int(lengths.max()))
        given = lengths.copy()
        found = [np.asarray(part).tolist() for part in budget_batches(given, budget, seed)]
        assert all([len(part) > 0 for part in found]), "no batch may be empty"
        everyone = sorted([i for part in found for i in part])
        assert everyone == list(range(N)), (
            "each sequence in exactly one batch: none twice, and the last, incomplete batch is not dropped"
        )
        cells = [len(part) * int(lengths[part].max()) for part in found]
        assert max(cells) <= budget, (
            "the budget is of cells, padding included: number of sequences times the LONGEST of the batch,"
            " which may be the one that comes last"
        )
        assert np.array_equal(given, lengths), "do not change the arguments"
        if budget >= 10 * lengths.max():
            real = int(lengths.sum())
            assert sum(cells) <= 1.35 * real + budget, (
                "too many cells are padding: sequences of a batch must be of similar length (chapter 10, Bucketing)"
            )
            assert len(found) <= 1.5 * real / budget + 2, (
                "too many small batches: fill each up to the budget; short sequences go many together"
            )
    lengths = budget_lengths(900, 6)
    runs = []
    for seed in range(5):
        runs.append([np.asarray(p).tolist() for p in budget_batches(lengths, 1_000, seed)])
    cells = sum([len(part) * int(lengths[part].max()) for part in runs[0]])
    assert cells <= 1.35 * lengths.sum() + 1_000, (
        "too many cells are padding: sequences of a batch must be of similar length (chapter 10, Bucketing)"
    )
    turned = []
    for found in runs:
        tops = [int(lengths[part].max()) for part in found]
        turned.append(np.corrcoef(np.arange(len(found)), tops)[0, 1])
    assert np.mean(np.abs(turned)) < 0.6, (
        "batches come in the order of length: shuffle them; training on short ones first is another training"
    )
    assert runs[0] != runs[1], "another seed must give other batches"
    first, second = pairs_of(runs[0]), pairs_of(runs[1])
    assert len(first & second) <= 0.65 * len(first), (
        "another seed brings the same company: the same sequences always meet. Sort a little, not fully (chapter 10,"
        " Bucketing); another order among equal lengths, or of the batches, is not enough"
    )
    np.random.seed(1)  # noqa: NPY002 (what is tested is that it is not used)
    torch.manual_seed(1)
    again = [np.asarray(p).tolist() for p in budget_batches(lengths, 1_000, 3)]
    assert again == runs[3], "the same seed must give the same batches: use a generator of your own"
    a = float(np.random.random())  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert a == float(np.random.random()), "the global generator has been moved"  # noqa: NPY002
    torch.manual_seed(1)
    budget_batches(lengths, 1_000, 3)
    b = float(torch.rand(1))
    torch.manual_seed(1)
    assert b == float(torch.rand(1)), (
        "PyTorch's global generator has been moved: use one of your own, torch.Generator()"
    )


hidden_budget()
### END HIDDEN TESTS

# %% [markdown]
# ## 4. One mean from many batches (`ps5-stream`, 10 points, medium)
#
# Inputs are scaled by the mean and standard deviation of the training data. These do not fit into memory; they come as padded
# batches, once. The mean of the batches' means is wrong, as batches hold different numbers of real steps; with the mean of their standard
# deviations it is worse: what differs *between* batches is in none of them. And the textbook's way out, $\mathrm{Var} = E[x^2] - E[x]^2$,
# subtracts two numbers that may agree in their first twelve digits.
#
# Write `stream(batches)`:
#
# - `batches`: a list or an iterator, **which can be gone through once**, of pairs `(x, lengths)`: x an array `(T, B, D)`, `float32`
#   or `float64`, lengths an array `(B,)` of integers from **0** to T. T and B may differ from batch to batch; D does not. A batch may hold no real step at all.
# - Returns the tuple `(mean, std)`, both `(D,)`: over all real steps of all sequences of all batches, each step with the same weight; the mean must be right to `1e-8`. $\mathrm{std}^2$ is the
#   mean of the squared distances from the mean (divided by the number of steps, not by one less).
# - There is at least one real step in all; every feature varies. A mean may be up to $10^6$ times as large as the standard deviation. Do not keep the
#   batches, nor make one large array of them: there may be millions.
#
# Worked example: two batches with D = 1, real steps (1, 3) in the first and (8) in the second: mean 4, std $\sqrt{26 / 3} = 2.943920$.
#
# <details><summary>Hint 1</summary>
#
# Keep three things: how many, their mean, their sum of squared distances from that mean. Two such triples can be merged: what does each sum of squares
# gain when it is taken about the common mean? By the rule $\sum (x - c)^2 = \sum (x - \bar x)^2 + n (\bar x - c)^2$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `x[mask]` with a mask `(T, B)` is an array (real steps, D). `float32` has seven digits: convert before you add up.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-stream", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stream(batches):
    """Return mean and standard deviation of all real steps, both (D,).

    batches: gives pairs of x (T, B, D) and lengths (B,), 0 to T; can be gone through once.
    """
    ### BEGIN SOLUTION
    count, mean, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        real = np.arange(len(x))[:, None] < np.asarray(lengths)
        rows = np.asarray(x)[real].astype(np.float64)  # (n, D)
        n = len(rows)
        if n == 0:
            continue
        here = rows.mean(axis=0)
        apart = here - mean
        squares = squares + ((rows - here) ** 2).sum(axis=0) + apart**2 * count * n / (count + n)
        mean = mean + apart * n / (count + n)
        count += n
    return mean, np.sqrt(squares / count)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-stream-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_stream():
    one = np.array([1.0, 3.0]).reshape(2, 1, 1), np.array([2])
    two = np.array([8.0]).reshape(1, 1, 1), np.array([1])
    mean, std = stream([one, two])
    assert np.shape(mean) == np.shape(std) == (1,), f"both (D,) = (1,); got {np.shape(mean)}"
    assert same(mean, [4.0]), f"worked example: mean 4; got {mean}"
    assert same(std, [2.943920]), f"worked example: std 2.943920; got {std}"


visible_stream()


### BEGIN HIDDEN TESTS
def stream_case(sizes, D, seed, offset=0.0, fill=0.0, shift=0.0, kind=np.float64, empty=False):
    """Batches of the given (T, B); each batch has its own level, shift apart."""
    rng = np.random.default_rng(seed)
    batches = []
    for k, (T, B) in enumerate(sizes):
        x = offset + k * shift + rng.normal(size=(T, B, D)) * (1 + np.arange(D))
        lengths = rng.integers(0 if empty else 1, T + 1, B)
        x[np.arange(T)[:, None] >= lengths] = fill
        batches.append((x.astype(kind), lengths))
    return batches


def stream_truth(batches):
    """All real steps in one array; in long double."""
    rows = [x[: n[b], b] for x, n in batches for b in range(len(n))]
    rows = np.concatenate(rows).astype(np.longdouble)
    mean = rows.sum(axis=0) / len(rows)
    std = np.sqrt(((rows - mean) ** 2).sum(axis=0) / len(rows))
    return mean.astype(np.float64), std.astype(np.float64)


def stream_try(batches):
    mean, std = stream([(x.copy(), n.copy()) for x, n in batches])
    return np.asarray(mean), np.asarray(std)


def hidden_stream():
    full = [(x, np.full(x.shape[1], len(x))) for x, _ in stream_case([(5, 3)], 2, 30)]
    mean, std = stream_try(full)
    want_mean, want_std = stream_truth(full)
    assert same(mean, want_mean), (
        "one batch, no padding: the mean over steps AND sequences, for each feature"
    )
    assert same(std, want_std), (
        "one batch, no padding: std divides by the number of steps, not by one less (unbiased=False in PyTorch)"
    )
    batches = stream_case([(7, 4)], 2, 31)
    mean, std = stream_try(batches)
    want_mean, want_std = stream_truth(batches)
    assert same(mean, want_mean), (
        "one padded batch: the padding must count neither in the sum nor in the number"
    )
    assert same(std, want_std), "one padded batch: the padding must not count in the std"
    batches = stream_case([(3, 2), (9, 5), (1, 1), (4, 8)], 3, 32, shift=2.0)
    mean, std = stream_try(batches)
    want_mean, want_std = stream_truth(batches)
    assert same(mean, want_mean), (
        "batches of different size: the mean of means weighs a small batch like a large one; weigh by REAL STEPS,"
        " not by sequences or cells (chapter 10, Masks)"
    )
    assert same(std, want_std), (
        "batches of different level: the spread BETWEEN the batches belongs to the std, too: n (mean - common)**2"
    )
    for fill in (np.nan, np.inf, -1e30):
        batches = stream_case([(6, 3), (2, 4)], 2, 33, fill=fill)
        mean, std = stream_try(batches)
        want_mean, want_std = stream_truth(batches)
        assert same(mean, want_mean) and same(std, want_std), (
            "padding may hold anything: NaN times 0 is NaN; select the real steps, do not multiply"
        )
    for seed in (34, 35):
        batches = stream_case([(3, 2), (1, 1), (2, 3), (1, 2), (5, 2)], 2, seed, empty=True)
        x, n = batches[1]
        batches[1] = x, 0 * n
        batches.insert(0, (np.full((2, 2, 2), np.nan), np.array([0, 0])))
        mean, std = stream_try(batches)
        want_mean, want_std = stream_truth(batches)
        assert same(mean, want_mean) and same(std, want_std), (
            "sequences of length 0, and batches without any real step: they change nothing, and 0 / 0 must not spread"
        )
    batches = stream_case([(6, 3), (2, 4), (5, 5)], 2, 36, shift=1.0)
    want_mean, want_std = stream_truth(batches)
    mean, std = stream(iter([(x.copy(), n.copy()) for x, n in batches]))
    assert same(mean, want_mean) and same(std, want_std), (
        "an iterator can be gone through ONCE: a second pass over it sees nothing"
    )
    for seed, kind in ((37, np.float64), (38, np.float64)):
        batches = stream_case([(20, 3), (5, 4), (30, 5)], 2, seed, offset=1e6, kind=kind)
        mean, std = stream_try(batches)
        want_mean, want_std = stream_truth(batches)
        assert same(mean, want_mean), "a mean a million times the std: wrong"
        assert same(std, want_std), (
            "a mean a million times the std: E[x^2] - E[x]^2 subtracts two large numbers and keeps four digits; take"
            " squares about the mean"
        )
    batches = stream_case([(200, 20), (300, 10)], 2, 39, offset=3e3, kind=np.float32)
    mean, std = stream_try(batches)
    want_mean, want_std = stream_truth(batches)
    assert same(mean, want_mean, 1e-8) and same(std, want_std), (
        "batches in float32: convert to float64 before adding up, or seven digits are all you have"
    )
    given = stream_case([(4, 2), (3, 3)], 2, 40, fill=np.nan)
    kept = copy.deepcopy(given)
    stream(given)
    assert all([unchanged(a, b) for a, b in zip(given, kept, strict=True)]), (
        "do not change the arguments: work on a copy"
    )


hidden_stream()
### END HIDDEN TESTS

# %% [markdown]
# ## 5. A batch that does not fit (`ps5-micro`, 12 points, medium)
#
# You want to train with 64 sequences in a batch; 16 fit into memory. So do four times 16, add up the gradients, then take one step. It has been done
# so for years, in many programs, and in some that everybody uses it was wrong for years: each piece came with the *mean*
# over its own targets, and the means were averaged. With padding, that is another loss.
#
# Write `in_pieces(machine, x, y, size, limit)`:
#
# - `x`, `y` `(T, B)` integer arrays: symbols and targets. Where there is no target, y is `MISSING`, -100. There is at least one target in all.
# - `machine(x, y)`, a function, takes the same for **at most `size` sequences** (with all their T rows, or fewer rows if those left out are without target) and
#   returns a tuple: the mean loss over the targets that there are, a float, and its gradient, a dict of arrays. As in PyTorch, **the mean over no
#   target is NaN**, and so are its gradients. It computes each sequence by itself: how sequences are grouped does not change the loss of any.
# - Returns the tuple `(loss, gradient)`: the mean loss over **all targets** of the batch, and the gradient of that mean, a dict of arrays as the machine's,
#   **clipped** as chapter 11 does: if the joint norm of all its arrays is more than `limit`, all are multiplied with one factor that makes it `limit`.
#   `limit` is positive, and may be infinite. Where it acts, a relative error of `1e-4` is allowed (PyTorch's own clipping divides by the norm plus `1e-6`).
#
# Worked example: two sequences, size 1; the first has 3 targets and loss 1, the second 1 target and loss 5. The loss is (3 * 1 + 1 * 5) / 4 = 2, not 3.
#
# <details><summary>Hint</summary>
#
# Turn each mean into a sum first. What is the gradient of the sum? When is the joint norm known?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-micro", "locked": false, "schema_version": 3, "solution": true, "task": false}
def in_pieces(machine, x, y, size, limit):
    """Return mean loss and clipped gradient of a batch by pieces of at most size sequences.

    machine: (x, y) -> (mean loss over its targets, dict of gradients). x, y: (T, B) ints.
    """
    ### BEGIN SOLUTION
    targets = (y != MISSING).sum()
    loss, gradient = 0.0, dict[str, np.ndarray]()
    for start in range(0, x.shape[1], size):
        part = slice(start, start + size)
        n = (y[:, part] != MISSING).sum()
        if n == 0:
            continue
        mean, slopes = machine(x[:, part], y[:, part])
        loss += n / targets * mean
        for name, slope in slopes.items():
            gradient[name] = gradient.get(name, 0.0) + n / targets * slope
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradient.values()))
    factor = limit / norm if norm > limit else 1.0
    return loss, {name: factor * g for name, g in gradient.items()}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-micro-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_micro():
    def machine(x, y):
        x, y = np.asarray(x), np.asarray(y)
        assert x.ndim == y.ndim == 2 and x.shape == y.shape, "the machine takes x and y (T, b)"
        assert x.shape[1] == 1, "out of memory: more sequences than `size`"
        first = x[0, 0] == 0
        return (1.0, {"w": np.array([1.0, 0.0])}) if first else (5.0, {"w": np.array([0.0, 4.0])})

    x, y = np.array([[0, 1], [0, 1], [0, 1]]), np.array([[2, 2], [2, MISSING], [2, MISSING]])
    loss, gradient = in_pieces(machine, x, y, 1, math.inf)
    assert same(loss, 2.0), f"worked example: loss 2; got {loss}"
    assert set(gradient) == {"w"} and np.shape(gradient["w"]) == (2,), "a dict like the machine's"
    assert same(gradient["w"], [0.75, 1.0]), f"worked example: (.75, 1); got {gradient['w']}"


visible_micro()


### BEGIN HIDDEN TESTS
class Reader(torch.nn.Module):
    """A small language model: symbols (T, B) to scores (T, B, V)."""

    def __init__(self, V, H, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.read = torch.nn.Embedding(V, 3)
        self.layer = torch.nn.GRU(3, H)
        self.top = torch.nn.Linear(H, V)
        self.double()

    def forward(self, x):
        return self.top(self.layer(self.read(x))[0])


def reader_machine(net, size):
    def machine(x, y):
        x, y = torch.as_tensor(np.array(x)), torch.as_tensor(np.array(y))
        assert x.ndim == 2 and x.shape == y.shape, "the machine takes x and y, both (t, b)"
        assert 1 <= x.shape[1] <= size, (
            "out of memory: the machine takes at most `size` sequences, and one at least"
        )
        net.zero_grad(set_to_none=True)
        scores = net(x).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(scores, y.flatten(), ignore_index=MISSING)
        loss.backward()
        return float(loss.detach()), {
            name: p.grad.numpy().copy() for name, p in net.named_parameters()
        }

    return machine


def micro_case(T, B, V, seed, empty=()):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B))
    lengths = rng.integers(1, T + 1, B)
    lengths[list(empty)] = 0
    y[np.arange(T)[:, None] >= lengths] = MISSING
    return x, y


def micro_truth(net, x, y, limit):
    """The whole batch at once, every target's loss summed by hand."""
    net.zero_grad(set_to_none=True)
    logs = torch.log_softmax(net(torch.as_tensor(x)), dim=2)
    losses = [logs[t, b, y[t, b]] for t, b in np.argwhere(y != MISSING)]
    loss = -torch.stack(losses).mean()
    loss.backward()
    before = {name: p.grad.numpy().copy() for name, p in net.named_parameters()}
    torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
    factor = 1.0
    norm = np.sqrt(sum([float((g**2).sum()) for g in before.values()]))
    if norm > limit:
        factor = limit / norm
    return float(loss.detach()), {name: factor * g for name, g in before.items()}, norm


def hidden_micro():
    net = Reader(5, 4, 50)
    x, y = micro_case(6, 6, 5, 51)
    y[:] = np.where(y == MISSING, 0, y)
    loss, gradient = in_pieces(reader_machine(net, 3), x.copy(), y.copy(), 3, math.inf)
    want, slopes, _ = micro_truth(net, x, y, math.inf)
    assert same(loss, want), (
        "two equal pieces, no padding: the loss is the mean over all targets; 0 is a target like any other"
    )
    assert set(gradient) == set(slopes), (
        "the gradient needs all entries of the machine's, by the same names"
    )
    assert all([same(gradient[name], slopes[name]) for name in slopes]), (
        "two equal pieces, no padding: the gradient of the MEAN over the batch; the sum over pieces is twice that"
    )
    x, y = micro_case(6, 6, 5, 52)
    loss, gradient = in_pieces(reader_machine(net, 2), x.copy(), y.copy(), 2, math.inf)
    want, slopes, _ = micro_truth(net, x, y, math.inf)
    assert same(loss, want), (
        "pieces with different numbers of targets: the mean of means is another loss; weigh each piece by its number"
        " of TARGETS, not of sequences (chapter 10, the mean of batch means)"
    )
    assert all([same(gradient[name], slopes[name]) for name in slopes]), (
        "pieces with different numbers of targets: weigh the gradients like the losses"
    )
    x, y = micro_case(5, 7, 5, 53)
    loss, gradient = in_pieces(reader_machine(net, 3), x.copy(), y.copy(), 3, math.inf)
    want, slopes, _ = micro_truth(net, x, y, math.inf)
    assert same(loss, want) and all([same(gradient[name], slopes[name]) for name in slopes]), (
        "B no multiple of size: the last piece is smaller, and counts"
    )
    x, y = micro_case(5, 6, 5, 54, empty=(2, 3))
    loss, gradient = in_pieces(reader_machine(net, 2), x.copy(), y.copy(), 2, math.inf)
    want, slopes, _ = micro_truth(net, x, y, math.inf)
    assert same(loss, want) and all([same(gradient[name], slopes[name]) for name in slopes]), (
        "a piece without any target: its mean is NaN and must not spread: leave it out (0 times NaN is NaN)"
    )
    x, y = micro_case(6, 6, 5, 55)
    want, slopes, norm = micro_truth(net, x, y, math.inf)
    for share in (0.9, 0.1):
        limit = share * norm
        loss, gradient = in_pieces(reader_machine(net, 2), x.copy(), y.copy(), 2, limit)
        assert same(loss, want), "clipping does not change the loss"
        got = np.sqrt(sum([float((np.asarray(g) ** 2).sum()) for g in gradient.values()]))
        assert same(got, limit, 1e-4), (
            "clipping: the joint norm of ALL arrays together becomes the limit, once all pieces are added up"
        )
        assert all([same(gradient[name], share * slopes[name], 1e-4) for name in slopes]), (
            "clip the SUM of all pieces, once, by one factor: pieces that are clipped each by itself point elsewhere"
        )
    loss, gradient = in_pieces(reader_machine(net, 2), x.copy(), y.copy(), 2, 1.1 * norm)
    assert all([same(gradient[name], slopes[name]) for name in slopes]), (
        "a norm below the limit: nothing is changed; neither made longer, nor shortened because a piece or its sum"
        " was longer"
    )
    net = Reader(3, 2, 56)
    for T, B, size, seed, empty in [(4, 1, 5, 57, ()), (1, 9, 4, 58, (0, 8)), (7, 8, 1, 59, (3,))]:
        x, y = micro_case(T, B, 3, seed, empty)
        given = [x.copy(), y.copy()]
        loss, gradient = in_pieces(reader_machine(net, size), given[0], given[1], size, 0.5)
        want, slopes, _ = micro_truth(net, x, y, 0.5)
        assert same(loss, want) and all(
            [same(gradient[name], slopes[name], 1e-4) for name in slopes]
        ), "other sizes: size larger than B, one step, one sequence a piece"
        assert unchanged(given, [x, y]), "do not change the arguments: work on a copy"

    def flat(x, y):
        return 1.0, {"a": np.zeros(2), "b": np.zeros((2, 2))}

    loss, gradient = in_pieces(flat, np.zeros((2, 2), int), np.zeros((2, 2), int), 1, 0.1)
    assert same(gradient["a"], np.zeros(2)) and same(gradient["b"], np.zeros((2, 2))), (
        "a gradient of 0: it stays 0; 0 / 0 is NaN"
    )


hidden_micro()
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Rows that are rarely seen (`ps5-lazy`, 12 points, medium)
#
# An embedding of 50,000 words has 50,000 rows, of which a batch touches a few hundred. Adam moves them all, at each
# step: those that did not occur have gradient 0, but a mean that is not 0 yet, and so they go on sliding, in a direction that was right some batches ago. It costs time, and does harm. A **lazy Adam** looks at the rows that occurred, and at no others.
#
# Write `lazy_adam(W, m, s, t, x, d, lr)`, one update number t, with $\beta_1 = .9$, $\beta_2 = .999$, $\epsilon = 10^{-8}$:
#
# - `W`, `m`, `s` `(V, D)`: the rows, and Adam's two memories before the update; `t` an integer from 1.
# - `x` `(n,)` integers from 0 to V - 1, the symbols that were looked up in this batch, **in any order, each as often as it
#   occurred**; `d` `(n, D)`: the derivative of the loss by what was looked up there, `W[x]`. $n \ge 1$.
# - The gradient of a row is the **sum** of `d` over all places where it was looked up. A row that occurs takes a step of Adam (chapter 11): both memories, both corrections with this t, as if t were its own
#   count of steps; it does so also if its gradient happens to be 0. **Rows that do not occur stay as they are**, in W, m and s.
# - Symbol 0 is padding: **row 0 never changes**, whatever d says there; it may be NaN.
# - Returns the tuple `(W, m, s)` after the update: new arrays.
#
# Worked example: W = m = s = 0, V = 3, D = 1, t = 1, x = (2), d = (4), lr = .1: then m = (0, 0, .4), s = (0, 0, .016) and W = (0, 0, -.1).
#
# <details><summary>Hint</summary>
#
# `g[x] += d` adds *one* of the rows where x repeats a symbol. `np.add.at` and `index_add_` add all. `torch.optim.SparseAdam` is a
# witness, for batches without padding.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-lazy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lazy_adam(W, m, s, t, x, d, lr):
    """Take one step of Adam in the rows that occur in x; return new W, m, s, all (V, D).

    t: number of the update, from 1. x: (n,) symbols, 0 is padding. d: (n, D), derivatives by W[x].
    """
    ### BEGIN SOLUTION
    W, m, s = (np.array(part, dtype=np.float64) for part in (W, m, s))
    rows, place = np.unique(x, return_inverse=True)
    g = np.zeros((len(rows), W.shape[1]))
    np.add.at(g, place.ravel(), d)
    rows, g = rows[rows > 0], g[rows > 0]
    m[rows] = 0.9 * m[rows] + 0.1 * g
    s[rows] = 0.999 * s[rows] + 0.001 * g**2
    step = m[rows] / (1 - 0.9**t) / (np.sqrt(s[rows] / (1 - 0.999**t)) + 1e-8)
    W[rows] -= lr * step
    return W, m, s
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-lazy-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_lazy():
    zero = np.zeros((3, 1))
    got = lazy_adam(zero, zero, zero, 1, np.array([2]), np.array([[4.0]]), 0.1)
    W, m, s = (np.asarray(part) for part in got)
    assert W.shape == m.shape == s.shape == (3, 1), "W, m and s keep their shapes (V, D) = (3, 1)"
    assert same(m.ravel(), [0, 0, 0.4]), f"worked example: m = (0, 0, .4); got {m.ravel()}"
    assert same(s.ravel(), [0, 0, 0.016]), f"worked example: s = (0, 0, .016); got {s.ravel()}"
    assert same(W.ravel(), [0, 0, -0.1]), f"worked example: W = (0, 0, -.1); got {W.ravel()}"


visible_lazy()


### BEGIN HIDDEN TESTS
def lazy_case(V, D, n, seed):
    rng = np.random.default_rng(seed)
    W, m, d = rng.normal(size=(V, D)), rng.normal(size=(V, D)), rng.normal(size=(n, D))
    return W, m, rng.random((V, D)) + 0.1, rng.integers(1, V, n), d


def lazy_truth(W, m, s, t, x, d, lr):
    """One row after the other."""
    W, m, s = W.copy(), m.copy(), s.copy()
    for v in range(1, len(W)):
        places = [k for k in range(len(x)) if x[k] == v]
        if places:
            g = sum([d[k] for k in places])
            m[v] = 0.9 * m[v] + 0.1 * g
            s[v] = 0.999 * s[v] + 0.001 * g * g
            W[v] -= lr * (m[v] / (1 - 0.9**t)) / (np.sqrt(s[v] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


def lazy_try(W, m, s, t, x, d, lr):
    got = lazy_adam(W.copy(), m.copy(), s.copy(), t, x.copy(), d.copy(), lr)
    return [np.asarray(part) for part in got]


def hidden_lazy():
    W, m, s, _, d = lazy_case(6, 3, 3, 60)
    x = np.array([4, 1, 3])
    got, want = lazy_try(W, m, s, 1, x, d, 0.1), lazy_truth(W, m, s, 1, x, d, 0.1)
    assert same(got[1][[1, 3, 4]], want[1][[1, 3, 4]]) and same(
        got[2][[1, 3, 4]], want[2][[1, 3, 4]]
    ), (
        "rows that occur once: m = .9 m + .1 g and s = .999 s + .001 g**2, each row with the d of ITS place in x"
    )
    assert same(got[0][[1, 3, 4]], want[0][[1, 3, 4]]), (
        "rows that occur once: the step has both corrections, 1 - .9**t and 1 - .999**t (chapter 11, Adam)"
    )
    for new, old in zip(got, (W, m, s), strict=True):
        assert np.array_equal(new[[2, 5]], old[[2, 5]]), (
            "rows that do not occur must stay as they are, in W, m AND s: neither slide on, nor forget"
        )
    got, want = lazy_try(W, m, s, 7, x, d, 0.03), lazy_truth(W, m, s, 7, x, d, 0.03)
    assert all([same(a, b) for a, b in zip(got, want, strict=True)]), (
        "a later update: t stands in both corrections; lr in front"
    )
    x = np.array([2, 5, 2])
    got, want = lazy_try(W, m, s, 3, x, d, 0.1), lazy_truth(W, m, s, 3, x, d, 0.1)
    assert same(got[1], want[1]) and same(got[2], want[2]), (
        "a symbol that occurs twice: its gradient is the SUM of both, and its square the square of the sum; g[x] += d"
        " keeps only one of them, and two updates in a row are not one (chapter 10, From symbols to vectors)"
    )
    assert same(got[0], want[0]), (
        "a symbol that occurs twice takes ONE step with the summed gradient"
    )
    x = np.array([0, 3, 0])
    got, want = lazy_try(W, m, s, 3, x, d, 0.1), lazy_truth(W, m, s, 3, x, d, 0.1)
    assert all([np.array_equal(a[0], b[0]) for a, b in zip(got, (W, m, s), strict=True)]), (
        "row 0 is padding and never changes, in W, m and s, whatever d says"
    )
    assert all([same(a, b) for a, b in zip(got, want, strict=True)]), (
        "with padding: the other rows are wrong"
    )
    d = np.array([d[0] * np.nan, d[1], d[2] * np.inf])
    got, want = lazy_try(W, m, s, 3, x, d, 0.1), lazy_truth(W, m, s, 3, x, d, 0.1)
    assert all([same(a, b) for a, b in zip(got, want, strict=True)]), (
        "padding may hold anything: 0 times NaN is NaN; leave these places out before you add up"
    )
    x, d = np.array([3, 1, 3]), np.array([[1.0, -2, 4], [1, 1, 1], [-1, 2, -4]])
    got, want = lazy_try(W, m, s, 3, x, d, 0.1), lazy_truth(W, m, s, 3, x, d, 0.1)
    assert all([same(a, b) for a, b in zip(got, want, strict=True)]), (
        "a row whose gradient sums to 0 has OCCURRED: its memories fade and it moves; look at x, not at the gradient"
    )
    got = lazy_try(W, m, s, 3, np.zeros(3, int), d, 0.1)
    assert all([np.array_equal(a, b) for a, b in zip(got, (W, m, s), strict=True)]), (
        "nothing but padding: nothing changes"
    )
    for V, D, n, t, seed in [(2, 1, 1, 1, 61), (50, 4, 200, 12, 62), (30, 2, 5, 100, 63)]:
        W, m, s, x, d = lazy_case(V, D, n, seed)
        given = [W.copy(), m.copy(), s.copy(), x.copy(), d.copy()]
        got = lazy_adam(given[0], given[1], given[2], t, given[3], given[4], 0.01)
        want = lazy_truth(W, m, s, t, x, d, 0.01)
        assert all([same(a, b) for a, b in zip(got, want, strict=True)]), "other sizes: wrong"
        assert unchanged(given, [W, m, s, x, d]), "do not change the arguments: return new arrays"
    # ten updates beside torch.optim.SparseAdam
    rng = np.random.default_rng(64)
    W = rng.normal(size=(8, 3))
    layer = torch.nn.Embedding(8, 3, sparse=True).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(W))
    theirs = torch.optim.SparseAdam(layer.parameters(), lr=0.05)
    m, s = np.zeros_like(W), np.zeros_like(W)
    for t in range(1, 11):
        x, d = rng.integers(1, 8, 4), rng.normal(size=(4, 3))
        theirs.zero_grad()
        layer(torch.tensor(x)).backward(torch.tensor(d))
        theirs.step()
        W, m, s = (np.asarray(part) for part in lazy_adam(W, m, s, t, x, d, 0.05))
    assert same(W, layer.weight.detach().numpy()), (
        "ten updates: not those of torch.optim.SparseAdam"
    )


hidden_lazy()
### END HIDDEN TESTS

# %% [markdown]
# See what you made: a rare word occurs in the first five batches, and then never again. Where does its row go?


# %%
def a_rare_word():
    W = m = s = np.zeros((2, 1))
    full = torch.zeros(1, requires_grad=True)
    adam, rows = torch.optim.Adam([full], lr=0.1), []
    for t in range(1, 41):
        slope = 1.0 if t <= 5 else 0.0
        x = np.array([1 if t <= 5 else 0])
        W, m, s = (np.asarray(part) for part in lazy_adam(W, m, s, t, x, np.array([[1.0]]), 0.1))
        full.grad = torch.tensor([slope])
        adam.step()
        rows.append((float(W[1, 0]), float(full.detach())))
    fig, ax = plt.subplots(figsize=(6.4, 2.4), layout="constrained")
    for column, name, colour in zip(
        zip(*rows, strict=True), ("lazy", "Adam"), ("#0072B2", "#D55E00"), strict=True
    ):
        ax.plot(range(1, 41), column, color=colour, label=name)
    ax.set(xlabel="update", ylabel="the rare word's row")
    ax.legend(frameon=False)
    plt.show()


a_rare_word()

# %% [markdown]
# ## 7. What must not be torn apart (`ps5-together`, 8 points, easy)
#
# Rows of one patient belong on one side of a split. So do rows of one film, of one day, and copies of one text. In real tables
# there are several such columns at once, and they reach across each other: row 1 and row 2 are of one patient, row 2 and row 3 were scanned on one
# day; then 1, 2 and 3 belong together, though 1 and 3 share nothing.
#
# Write `together(columns)`:
#
# - `columns`: a list of one or more lists of equal length $N \ge 1$, one for each column; entries are strings or integers (one kind in a column), or `None`: not known.
# - Two rows are linked if in **at least one column** both have the same entry. `None` links nothing. An entry of one column says nothing about another column.
#   Rows belong together if they are linked, **directly or through others**.
# - Returns an integer array `(N,)`: for each row the number of the first row that it belongs together with (a row that stands alone has its own). N may be 20,000.
#
# Worked example: patients ("a", "a", "b", "c"), days (1, 2, 2, 3) give (0, 0, 0, 3).
#
# <details><summary>Hint</summary>
#
# `near_duplicates` in chapter 10 keeps for each row a row that it belongs to, and follows these to a root. A chain of 20,000 rows must neither take minutes nor
# exceed Python's depth of recursion.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-together", "locked": false, "schema_version": 3, "solution": true, "task": false}
def together(columns):
    """Return for each row the first row that it belongs together with, (N,) ints.

    columns: lists of N entries; equal entries of a column link two rows, None links nothing.
    """
    ### BEGIN SOLUTION
    parent = list(range(len(columns[0])))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for column in columns:
        first: dict = {}
        for i, entry in enumerate(column):
            if entry is not None:
                a, b = root(i), root(first.setdefault(entry, i))
                parent[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(len(parent))])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-together-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_together():
    got = np.asarray(together([["a", "a", "b", "c"], [1, 2, 2, 3]]))
    assert got.shape == (4,), f"one number for each row: (4,); got {got.shape}"
    assert got.tolist() == [0, 0, 0, 3], f"worked example: (0, 0, 0, 3); got {got.tolist()}"


visible_together()


### BEGIN HIDDEN TESTS
def together_truth(columns):
    """Spread the smaller number along every link until nothing changes."""
    N = len(columns[0])
    group, moved = list(range(N)), True
    while moved:
        moved = False
        for column in columns:
            for i in range(N):
                for j in range(i):
                    if column[i] is not None and column[i] == column[j] and group[i] != group[j]:
                        group[i] = group[j] = min(group[i], group[j])
                        moved = True
    return group


def hidden_together():
    got = np.asarray(together([["a", "b", "a", "b"]])).tolist()
    assert got == [0, 1, 0, 1], (
        "one column: the number of the FIRST ROW of the group, not a count of groups from 0"
    )
    got = np.asarray(together([["c", "b", "b"]])).tolist()
    assert got == [0, 1, 1], "a row that stands alone has its own number"
    got = np.asarray(together([["a", "a", "b"], [1, 2, 2]])).tolist()
    assert got == [0, 0, 0], "one column is enough to link: rows need not agree in all columns"
    got = np.asarray(together([[None, None, "b"], [1, 2, 3]])).tolist()
    assert got == [0, 1, 2], "None is not an entry: two unknown patients are not one"
    got = np.asarray(together([[0, 1, 0, 2], ["x", "", "y", ""]])).tolist()
    assert got == [0, 1, 0, 1], (
        "0 and the empty string are entries like any other: `None` alone is not known"
    )
    got = np.asarray(together([["a", "b"], ["b", "c"]])).tolist()
    assert got == [0, 1], (
        'an entry of one column says nothing about another: "b" here is not "b" there'
    )
    got = np.asarray(together([["a", "b", "c", "a", "b"], [5, 6, 7, 8, 8]])).tolist()
    assert got == [0, 0, 2, 0, 0], (
        "a late row joins two groups that stood apart before: all rows of both get the smaller number"
    )
    rng = np.random.default_rng(70)
    for N, kinds, n_columns in [(1, 1, 1), (12, 9, 2), (30, 25, 2), (40, 60, 3), (25, 3, 1)]:
        for _ in range(4):
            columns = []
            for _ in range(n_columns):
                column = [int(v) for v in rng.integers(0, kinds, N)]
                columns.append([None if rng.random() < 0.2 else v for v in column])
            given = copy.deepcopy(columns)
            got = np.asarray(together(given)).tolist()
            assert got == together_truth(columns), (
                "random tables: rows belong together directly OR through others, over any number of links"
            )
            assert given == columns, "do not change the arguments"
    order = rng.permutation(4_000)
    one, two = (order // 2).tolist(), ((order + 1) // 2).tolist()
    assert not np.any(np.asarray(together([one, two]))), (
        "a chain of 4,000 rows, shuffled: each linked to the next by one column or the other; all belong together"
    )
    one = np.repeat(np.arange(10_000), 2).tolist()
    two = [*np.repeat(np.arange(10_000), 2).tolist()[1:], 10_000]
    assert not np.any(np.asarray(together([one, two]))), (
        "a chain of 20,000 rows in order: all belong together"
    )


hidden_together()
### END HIDDEN TESTS

# %% [markdown]
# ## 8. What is wrong with this pipeline? (`ps5-audit`, 9 + 9 points, hard)
#
# Somebody hands you a pipeline: from a table of texts to a reported accuracy. You may run it, as often as you like, on any data. You
# cannot read its code; and if you could, it would be two thousand lines. How do you find out whether its number can be trusted?
#
# By **experiment**. Everything that is learned may depend on training rows alone. So change the test rows, and look whether anything that was learned has changed.
# The score of a text may depend on this text and on what was learned. So change what stands beside it. It takes a little care: in
# a pipeline with several flaws, a clumsy change shows all of them at once.
#
# A **pipeline** is a function. It takes a dict with three lists of N entries, `"text"` (strings), `"label"` (0 or 1), `"group"` (integers: which document a row comes
# from), and returns a dict:
#
# | entry | |
# |---|---|
# | `"train"`, `"validation"`, `"test"` | the rows in each part, lists of integers; a row may be in none of them, and may be repeated |
# | `"vocabulary"` | the words that count, a list, made before training |
# | `"mean"`, `"std"` | by which the length of a text is scaled, made before training |
# | `"threshold"` | says 1 where the score is above it |
# | `"scores"` | an array: one number for each entry of `"test"`, in its order |
# | `"accuracy"` | what is reported |
#
# A pipeline may have **flaws**, none or several:
#
# | name | what it means |
# |---|---|
# | `"copies"` | a text of the test part also stands in training or validation; `key` below says when two texts are one |
# | `"groups"` | a group has rows in the test part and rows in training or validation |
# | `"vocabulary"` | the vocabulary depends on the *texts* of test rows |
# | `"scale"` | mean or std depends on the *texts* of test rows |
# | `"threshold"` | the threshold depends on the *labels* of test rows |
# | `"company"` | a text's score depends on which other texts stand where in the test part: if test texts **change places**, their scores do not go along |
# | `"accuracy"` | what is reported is not the share of **all** entries of `"test"` for which "score above threshold" is the label |
#
# "Test rows" in the last five means: rows that stand in the test part alone, and whose text has no copy anywhere in the data. (What is known of the others the flaw `"copies"` tells.)
#
# What you may rely on: a pipeline has no randomness. It accepts what `make_rows` gives with $N$ from 100 to 300, and the same with other texts of 1 to 200 words (of letters and digits), and other labels. To
# decide which rows go where it looks at their numbers, at their groups and at **which texts are copies of which**, at nothing else: not at labels, words or lengths. So if you change only
# texts without a copy, and give them texts without a copy, every row stays where it was. In all other respects (how it splits, what it calls a word or a length, how it scores) it does as it likes.
#
# Write `audit(pipeline)`: it returns the **set of the names of all flaws** of the pipeline, an empty set if it has none. A flaw need not show with every
# data set: a last batch may happen to be full. In the tests each flaw shows in at least every second `make_rows(N, seed)` with $150 \le N \le 200$ if you do the right thing; compare numbers up to `1e-9`. One call takes some
# milliseconds; an audit may make 100 calls.
#
# Two pipelines stand below. The tests have some forty others, with flaws that these two do not have, in forms that you have to think of.


# %% nbgrader={"grade": false, "grade_id": "ps5-pipelines", "locked": true, "schema_version": 3, "solution": false, "task": false}
def key(text):
    """Return what two copies have in common: lower case, one space between words."""
    return " ".join(text.lower().split())


def make_rows(N, seed):
    """Return texts in groups of 1 to 5, some of them copies of others; N rows."""
    rng = np.random.default_rng(seed)
    words = [a + b + c for a in "bdgkm" for b in "aeiou" for c in "nr"]
    group: list = []
    text: list = []
    label = [int(v) for v in rng.integers(0, 2, N)]
    numbers = iter(rng.permutation(1_000).tolist())
    while len(group) < N:
        group += [next(numbers)] * int(rng.integers(1, 6))
    group = group[:N]
    for i in range(N):
        p = 1 / (2 + (np.arange(50) + 17 * label[i]) % 50)  # both classes use all words
        n = int(rng.integers(3, 20))
        text.append(" ".join(rng.choice(words, n, p=p / p.sum())))
        if i > 5 and rng.random() < 0.15:
            copied = text[int(rng.integers(0, i))]
            text[i] = copied if rng.random() < 0.5 else copied.upper().replace(" ", "  ")
    order = rng.permutation(N).tolist()
    table = [("text", text), ("label", label), ("group", group)]
    return {name: [column[i] for i in order] for name, column in table}


def pipeline(data, scaled_by_all=False, full_batches_only=False):
    """Deduplicate, split by group, learn words and their weights, choose a threshold, test."""
    text, group = [key(t).split() for t in data["text"]], data["group"]
    label = np.array(data["label"])
    seen = set()
    parts: dict[str, list] = {"train": [], "validation": [], "test": []}
    for i, words in enumerate(text):
        if tuple(words) not in seen:  # of copies only the first is kept
            seen.add(tuple(words))
            digit = group[i] % 10
            name = "test" if digit < 3 else "validation" if digit < 5 else "train"
            parts[name].append(i)
    count: list[dict] = [{}, {}]  # for each class: word -> how often it occurs in training
    for i in parts["train"]:
        for word in text[i]:
            count[label[i]][word] = count[label[i]].get(word, 0) + 1
    total = {w: count[0].get(w, 0) + count[1].get(w, 0) for w in {**count[0], **count[1]}}
    vocabulary = sorted(total, key=lambda w: (-total[w], w))[:35]
    weight = {w: math.log((count[1].get(w, 0) + 1) / (count[0].get(w, 0) + 1)) for w in vocabulary}
    length = np.array([len(words) for words in text])
    scaled_by = range(len(text)) if scaled_by_all else parts["train"]
    mean, std = length[list(scaled_by)].mean(), length[list(scaled_by)].std()

    def score(i):
        known = sum(weight.get(word, 0.0) for word in text[i]) / len(text[i])
        return known + 0.05 * (length[i] - mean) / std

    chosen_by = np.array([score(i) for i in parts["validation"]])
    hits = [np.mean((chosen_by > c) == label[parts["validation"]]) for c in chosen_by]
    threshold = chosen_by[int(np.argmax(hits))]
    scores = np.array([score(i) for i in parts["test"]])
    right = (scores > threshold) == label[parts["test"]]
    if full_batches_only:
        right = right[: len(right) // 8 * 8]
    found = {**parts, "vocabulary": vocabulary, "mean": float(mean), "std": float(std)}
    found |= {"threshold": float(threshold), "scores": scores, "accuracy": float(right.mean())}
    return found


def honest(data):
    """A pipeline without a flaw."""
    return pipeline(data)


def careless(data):
    """A pipeline with two: "scale" and "accuracy"."""
    return pipeline(data, scaled_by_all=True, full_batches_only=True)


for made in (honest, careless):
    looked_at = made(make_rows(150, 0))
    sizes = [len(looked_at[part]) for part in ("train", "validation", "test")]
    print(f"{made.__name__:9s} rows {sizes}, accuracy reported {looked_at['accuracy']:.3f}")

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Four runs on one data set are enough: as it is; with other labels in the test rows; with other texts in them; with the texts of the test rows moved
# round by one. Which flaw can show in which? (And then other data sets.)
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# "Other texts": what could a vocabulary take from test texts? New words. But also the *ranks* of words that occur in training, too.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps5-audit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def audit(pipeline):
    """Return the set of names of the flaws of a pipeline.

    pipeline: a function from a dict of lists, text, label and group, to a dict; see above.
    """
    ### BEGIN SOLUTION
    flaws = set()
    for seed in range(4):
        data = make_rows(160 + 5 * seed, seed)
        keys = [key(t) for t in data["text"]]
        base = pipeline(data)
        test = [int(i) for i in base["test"]]
        learned = {int(i) for part in ("train", "validation") for i in base[part]}
        if {keys[i] for i in test} & {keys[i] for i in learned}:
            flaws.add("copies")
        if {data["group"][i] for i in test} & {data["group"][i] for i in learned}:
            flaws.add("groups")
        said = np.array(base["scores"]) > base["threshold"]
        if abs(np.mean(said == np.array(data["label"])[test]) - base["accuracy"]) > 1e-9:
            flaws.add("accuracy")
        pure = [i for i in test if i not in learned and keys.count(keys[i]) == 1]
        words = [w for i in base["train"] for w in keys[i].split()]
        rare = sorted(set(words), key=lambda w: (words.count(w), w))

        other = copy.deepcopy(data)
        for i in pure:
            other["label"][i] = 1 - data["label"][i]
        if abs(pipeline(other)["threshold"] - base["threshold"]) > 1e-9:
            flaws.add("threshold")

        other = copy.deepcopy(data)
        for k, i in enumerate(pure):
            other["text"][i] = " ".join([rare[k % 5]] * 50 + ["new"] * (k + 1))
        after = pipeline(other)
        if list(after["vocabulary"]) != list(base["vocabulary"]):
            flaws.add("vocabulary")
        if max(abs(after[name] - base[name]) for name in ("mean", "std")) > 1e-9:
            flaws.add("scale")

        other = copy.deepcopy(data)
        for i, j in zip(pure, pure[1:] + pure[:1], strict=True):
            other["text"][i] = data["text"][j]
        after = pipeline(other)["scores"]
        place = {i: k for k, i in enumerate(test)}
        for i, j in zip(pure, pure[1:] + pure[:1], strict=True):
            if abs(after[place[i]] - base["scores"][place[j]]) > 1e-9:
                flaws.add("company")
    return flaws
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps5-audit-tests", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 180}
def visible_audit():
    got = set(audit(honest))
    assert got == set(), f"the honest pipeline has no flaw; got {got}"
    got = set(audit(careless))
    assert got == {"scale", "accuracy"}, f"the careless one: scale and accuracy; got {got}"


visible_audit()


### BEGIN HIDDEN TESTS
def made_with(*flaws):
    """Return a pipeline with these flaws, each in its plainest form."""

    def run(data):
        text, label = data["text"], np.array(data["label"])
        group, tokens = data["group"], [t.lower().split() for t in data["text"]]
        seen = set()
        parts: dict[str, list] = {"train": [], "validation": [], "test": []}
        for i in range(len(text)):
            if " ".join(tokens[i]) not in seen or "copies" in flaws:
                seen.add(" ".join(tokens[i]))
                digit = (7 * i if "groups" in flaws else 3 * group[i]) % 11
                parts[["test", "validation", "train"][min(digit // 3, 2)]].append(i)
        train, validation, test = parts["train"], parts["validation"], parts["test"]
        counted = [w for i in train for w in tokens[i]]
        if "vocabulary" in flaws:
            counted = [w for words in tokens for w in words]
        total: dict = {}
        for w in counted:
            total[w] = total.get(w, 0) + 1
        vocabulary = sorted(total, key=lambda w: (-total[w], w))[:40]
        n = np.array([len(words) for words in tokens])
        mean, std = n[train].mean(), n[train].std()
        if "scale" in flaws:
            mean, std = n.mean(), n.std()
        weight = {w: [0.5, 0.5] for w in vocabulary}
        for i in train:
            for w in tokens[i]:
                if w in weight:
                    weight[w][label[i]] += 1

        def scores_of(rows, wrong):
            known = np.array(
                [
                    sum([math.log(weight[w][1] / weight[w][0]) for w in tokens[i] if w in weight])
                    for i in rows
                ]
            )
            over = n[rows].astype(float)
            if wrong:
                for start in range(0, len(rows), 6):
                    over[start : start + 6] = over[start : start + 6].max()
            return known / over + 0.04 * (n[rows] - mean) / std

        def best(rows):
            found = scores_of(rows, False)
            middle = (np.sort(found)[1:] + np.sort(found)[:-1]) / 2
            return float(middle[np.argmax([np.mean((found > c) == label[rows]) for c in middle])])

        threshold = best(test if "threshold" in flaws else validation)
        scores = scores_of(test, "company" in flaws)
        right = (scores > threshold) == label[test]
        if "accuracy" in flaws:
            right = right[: len(right) // 16 * 16]
        out: dict = {name: list(rows) for name, rows in parts.items()}
        out |= {
            "vocabulary": vocabulary,
            "mean": float(mean),
            "std": float(std),
            "threshold": threshold,
        }
        return out | {"scores": scores, "accuracy": float(right.mean())}

    return run


def hidden_audit():
    before = make_rows(170, 3)

    def guarded(data):
        keeps = set(data) == {"text", "label", "group"} and len(data["text"]) == len(data["label"])
        assert keeps and 100 <= len(data["text"]) <= 300, (
            "a pipeline takes text, label and group, 100 to 300 rows"
        )
        return made_with()(data)

    got = set(audit(guarded))
    assert got == set(), (
        "another honest pipeline is accused: how it splits, counts and scores is its own affair; nothing that was"
        " learned changes when test rows do"
    )
    assert before == make_rows(170, 3), "the maker of data has been changed"
    for cast in (
        ["copies"],
        ["groups"],
        ["vocabulary"],
        ["scale"],
        ["threshold"],
        ["company"],
        ["accuracy"],
        ["vocabulary", "threshold"],
        ["scale", "vocabulary"],
        ["copies", "company"],
        ["groups", "accuracy", "threshold"],
    ):
        got, want = set(audit(made_with(*cast))), set(cast)
        assert got <= {
            "copies",
            "groups",
            "vocabulary",
            "scale",
            "threshold",
            "company",
            "accuracy",
        }, "names of flaws: those of the table"
        assert "copies" in got or "copies" not in want, (
            "missed: copies. No row was dropped, and texts of the test part stand in training"
        )
        assert "groups" in got or "groups" not in want, (
            "missed: groups. Rows are split one by one, so a group stands on both sides"
        )
        assert "vocabulary" in got or "vocabulary" not in want, (
            "missed: vocabulary. It was counted over all rows; put new words into test texts, many times"
        )
        assert "scale" in got or "scale" not in want, (
            "missed: scale. Mean and std are of all rows; make the test texts longer"
        )
        assert "threshold" in got or "threshold" not in want, (
            "missed: threshold. It was chosen on the test part; turn the labels of test rows around"
        )
        assert "company" in got or "company" not in want, (
            "missed: company. What stands beside a text moves its score: let test texts change places, and look whether"
            " their scores go along"
        )
        assert "accuracy" in got or "accuracy" not in want, (
            "missed: accuracy. The last, incomplete batch is not counted; try several sizes of data"
        )
        assert "company" not in got or "company" in want, (
            "false alarm: company. With a vocabulary or a scale of all rows, a new text anywhere changes every score;"
            " texts that only change places leave both as they are"
        )
        assert "threshold" not in got or "threshold" in want, (
            "false alarm: threshold. Change labels alone, of rows that are in the test part alone; other texts change"
            " other things on the way"
        )
        assert not {"vocabulary", "scale"} & got - want, (
            "false alarm: vocabulary or scale. A change of a text that has copies changes which rows are dropped; and a"
            " row that is in training, too, may be learned from"
        )
        assert got == want, "false alarm: copies, groups or accuracy"


hidden_audit()
### END HIDDEN TESTS

# %% [markdown]
# And the second half: pipelines whose flaws hide better, other honest ones, and some with everything at once.


# %% nbgrader={"grade": true, "grade_id": "ps5-audit-hard", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 180}
def visible_audit_hard():
    def always(data):
        found = pipeline(data)
        return found | {"accuracy": 0.99}

    got = set(audit(always))
    assert got == {"accuracy"}, f"whoever reports .99 whatever came out: accuracy; got {got}"


visible_audit_hard()


### BEGIN HIDDEN TESTS
def disguised(**how):
    """Return a pipeline; each keyword is one of its stages, done in one way or another."""

    def run(data):
        label, group = np.array(data["label"]), data["group"]
        tokens = [t.lower().split() for t in data["text"]]
        joined = [" ".join(words) for words in tokens]
        drop, split = how.get("drop", "key"), how.get("split", "group")
        home = list(group)
        if split == "linked":  # copies pull their groups to one side
            for _ in range(40):
                for same_thing in (joined, group):
                    lowest: dict = {}
                    for i, thing in enumerate(same_thing):
                        lowest[thing] = min(lowest.get(thing, home[i]), home[i])
                    home = [lowest[thing] for thing in same_thing]
        if split == "blocks":
            home = [10 * i // len(home) for i in range(len(home))]
        if split == "rows":
            home = [3 * i for i in range(len(home))]
        side = ["test" if h % 10 < 3 else "validation" if h % 10 < 5 else "train" for h in home]
        seen = set()
        parts: dict[str, list] = {"train": [], "validation": [], "test": []}
        for i in range(len(tokens)):
            mark = {"exact": data["text"][i], "within": (side[i], joined[i])}.get(drop, joined[i])
            if drop == "not validation":
                mark = (side[i] == "validation", joined[i])
            if drop == "all copies" and joined.count(joined[i]) > 1:
                continue
            if drop != "never" and mark in seen:
                continue
            seen.add(mark)
            parts[side[i]].append(i)
        if how.get("repeat") == "after":
            parts["train"] = parts["train"] + parts["train"][:9]
        if how.get("repeat") == "before":
            parts["test"] = parts["test"] + parts["train"][:9]
        train, validation, test = parts["train"], parts["validation"], parts["test"]

        words = how.get("words", "train")
        counted: dict = {}
        everything: dict = {}
        learn_from = train + validation if words == "train and validation" else train
        for i in learn_from:
            for w in tokens[i]:
                counted[w] = counted.get(w, 0) + 1
        for ws in tokens:
            for w in ws:
                everything[w] = everything.get(w, 0) + 1
        rank = everything if words == "ranked by all" else counted
        vocabulary = sorted(counted, key=lambda w: (-rank[w], w))[:32]
        if words == "with test":
            vocabulary += sorted({w for i in test for w in tokens[i]} - set(vocabulary))
        n = np.array([len(t) if how.get("unit") == "signs" else len(t.split()) for t in joined])
        scale = how.get("scale", "train")
        mean, std = n[train].mean(), n[train].std()
        if scale == "std of all":
            std = n.std()
        if scale == "test":
            mean, std = n[test].mean(), n[test].std()
        if scale == "none":
            mean, std = 0.0, 10.0
        if scale == "most of all":
            mean = np.median(n)
        weight = {w: [0.5, 0.5] for w in vocabulary}
        for i in train:
            for w in tokens[i]:
                if w in weight:
                    weight[w][label[i]] += 1

        def scores_of(rows):
            known = [
                [math.log(weight[w][1] / weight[w][0]) for w in tokens[i] if w in weight]
                for i in rows
            ]
            known = np.array([sum(k) / (len(k) + 1) for k in known])
            return known + 0.03 * (n[rows] - mean) / std

        choose = {"test": test, "both": validation + test}.get(how.get("choose", ""), validation)
        found = scores_of(choose)
        hits = [np.mean((found > c - 1e-6) == label[choose]) for c in found]
        threshold = float(found[int(np.argmax(hits))]) - 1e-6
        if how.get("choose") == "never":
            threshold = 0.0
        scores, beside = scores_of(test), how.get("beside", "alone")
        if beside == "sorted":
            scores = scores[np.argsort(n[test], kind="stable")]
        if beside == "centred":
            for start in range(0, len(scores), 8):
                scores[start : start + 8] -= scores[start : start + 8].mean()
        if beside == "shifted":
            scores = np.roll(scores, 1)
        if beside == "before":
            scores[1:] = 0.9 * scores[1:] + 0.1 * scores[:-1]
        right = ((scores > threshold) == label[test]).astype(float)
        accuracy, report = right.mean(), how.get("report", "all")
        if report == "mean of means":
            accuracy = np.mean([right[k : k + 32].mean() for k in range(0, len(right), 32)])
        if report == "sure ones":
            accuracy = right[np.abs(scores - threshold) > 0.1].mean()
        if report == "best batch":
            accuracy = max([right[k : k + 32].mean() for k in range(0, len(right), 32)])
        if report == "validation":
            accuracy = np.mean((scores_of(validation) > threshold) == label[validation])
        out: dict = {name: list(rows) for name, rows in parts.items()}
        out |= {
            "vocabulary": vocabulary,
            "mean": float(mean),
            "std": float(std),
            "threshold": threshold,
        }
        return out | {"scores": scores, "accuracy": float(accuracy)}

    return run


def hidden_audit_hard():
    for run in (
        disguised(unit="signs", words="train and validation"),
        disguised(drop="all copies", choose="never", scale="none"),
        disguised(split="linked", drop="never", repeat="after"),
    ):
        assert set(audit(run)) == set(), (
            "an honest pipeline is accused: others measure lengths in signs, drop all copies or none (where copies keep"
            " their groups together), repeat training rows; look whether things change, do not compute them again"
        )
    assert "copies" in audit(disguised(drop="exact")), (
        "missed: copies. Texts that differ in case and spaces are copies: key says so"
    )
    assert "copies" in audit(disguised(drop="not validation", choose="never")), (
        "missed: copies. Validation is learned from, too: a test text must not stand there"
    )
    got = set(audit(disguised(repeat="before")))
    assert {"copies", "groups"} <= got, "missed: copies and groups. Rows that stand in both parts"
    assert got == {"copies", "groups"}, (
        "false alarm: rows that stand in the test part AND in training may be learned from; leave them alone"
    )
    for split in ("blocks", "rows"):
        got = set(audit(disguised(split=split)))
        assert got == {"groups"}, (
            "rows are split by their place in the table: groups, and nothing else"
        )
    assert set(audit(disguised(words="ranked by all"))) == {"vocabulary"}, (
        "missed: vocabulary. All its words occur in training, but which of them are kept is decided by counts over all"
        " rows: repeat rare words of training in test texts"
    )
    assert set(audit(disguised(words="with test"))) == {"vocabulary"}, (
        "missed: vocabulary. Test words are added"
    )
    for scale in ("std of all", "test", "most of all"):
        assert set(audit(disguised(scale=scale))) == {"scale"}, (
            "missed: scale. Mean AND std, in whatever way they take something from test texts"
        )
    for choose in ("test", "both"):
        assert set(audit(disguised(choose=choose))) == {"threshold"}, (
            "missed: threshold. Chosen on the test part, or on validation and test together: turn ALL labels of test"
            " rows around, and look at several data sets"
        )
    for beside in ("sorted", "centred", "shifted", "before"):
        assert set(audit(disguised(beside=beside))) == {"company"}, (
            "missed: company. Scores in another order than the rows, or moved by their neighbours: when texts change"
            " places, each score must go along with ITS text"
        )
    for report in ("mean of means", "sure ones", "best batch", "validation"):
        assert set(audit(disguised(report=report))) == {"accuracy"}, (
            "missed: accuracy. Compute the share of all test rows yourself; with several sizes of data"
        )
    cast = disguised(
        drop="never",
        split="rows",
        words="ranked by all",
        scale="test",
        choose="both",
        beside="sorted",
    )
    assert set(audit(cast)) == {
        "copies",
        "groups",
        "vocabulary",
        "scale",
        "threshold",
        "company",
    }, "six flaws at once, and an accuracy that is what it says"
    cast = disguised(words="with test", scale="std of all", report="mean of means", unit="signs")
    assert set(audit(cast)) == {"vocabulary", "scale", "accuracy"}, (
        "three flaws at once: company is not among them, as texts that change places take their scores along"
    )
    cast = disguised(repeat="before", choose="test", beside="before", words="train and validation")
    assert set(audit(cast)) == {"copies", "groups", "threshold", "company"}, "four flaws at once"


hidden_audit_hard()
### END HIDDEN TESTS

# %% [markdown]
# What does a flaw cost? The careless pipeline and the honest one, on ten data sets: what they report. Some flaws
# flatter; these two add noise and hardly show in the number. That is why one has to look for them.


# %%
def what_it_costs():
    fig, ax = plt.subplots(figsize=(6.4, 2.4), layout="constrained")
    tables = [make_rows(200, seed) for seed in range(10)]
    for run, colour in ((honest, "#0072B2"), (careless, "#D55E00")):
        reported = [run(table)["accuracy"] for table in tables]
        ax.plot(range(10), reported, "o", color=colour, label=run.__name__)
    ax.set(xlabel="data set", ylabel="accuracy reported")
    ax.legend(frameon=False)
    plt.show()


what_it_costs()

# %% [markdown]
# ## 9. Five reports (`ps5-reports`, 8 points, read by a person)
#
# From five people who work with batches. For each: **what is wrong, or what has not been shown, and
# which one cheap test or change would settle it?** One or two sentences each.
#
# 1. "With batches of 128 in place of 16 the validation loss of our language model falls from 4.1 to 2.9, weights and validation texts being the same. Large batches are simply
#    evaluated more precisely." (2 points)
# 2. "One scan in fifty shows the disease. We balanced the table by repeating these rows, then did a five-fold cross-validation: a recall of 99 %." (2 points)
# 3. "Of 40 settings the best reaches 84.1 % on our 500 test texts, 2 points above the published baseline. The texts were deduplicated and split by author." (2
#    points)
# 4. "Eight pieces of 8 sequences, their gradients averaged, train a little differently from one batch of 64. That must be float32." (1 point)
# 5. "Our new tokeniser makes 30 % fewer tokens of the same text. But the perplexity per token has risen from 20 to 28, so we went back to the old one." (1 point)
#
# Some 150 to 250 words in all are enough.

# %% [markdown] nbgrader={"grade": true, "grade_id": "ps5-reports", "locked": false, "points": 8, "schema_version": 3, "solution": true, "task": false}
# 1. The same weights on the same texts have one loss; if it depends on the size of the batch, padding is in the mean: larger batches have a longer longest text, so more
#    padding, which is easy to predict. Batches sorted by length, or batches of one, would show it. Add up the losses of real targets, divide by their number.
# 2. Repeated rows stand in training and test folds: it is the recall of a memory. Split first (by patient), then repeat within the training part of each fold; or look how many test rows have a copy
#    in training. And in a balanced table nobody sees how many false alarms there will be.
# 3. The setting was chosen on the test set. One accuracy on 500 texts has a standard error of 1.6 points, and the best of 40 equally good ones looks some
#    2 standard errors better than each. Choose on validation data, then test the chosen one once, in pairs with the baseline.
# 4. The mean of the means of pieces weighs a piece with few targets like one with many. With texts that all have the same length both must agree to 1e-6; or weigh each piece by its number of
#    targets.
# 5. Perplexities per token of different tokens cannot be compared: a token is more text now. Per text: .7 log 28 = 2.33 against log 20 = 3.00 nats for what was one old token: the new one is
#    better. Compare nats per character or per text.
#
# ### BEGIN MARK SCHEME
# 8 points. Give half points where the fault is named and the test is missing, or the reverse.
#
# - Report 1, 2 points: padding is in the mean (1); a test or a repair: other order or batches of one, or sums over real targets (1). "Noise" earns
#   nothing: the texts are the same.
# - Report 2, 2 points: copies on both sides (1); split first, then repeat, or count the copies (1). That precision is not reported may replace half a
#   point.
# - Report 3, 2 points: chosen on the test set, best of 40 (1, half if only the noise of 500 texts is named); validation data, or a new test set (1).
# - Report 4, 1 point: mean of means (0.5); the test with equal lengths or the weights (0.5).
# - Report 5, 1 point: tokens are not the same unit (0.5); per character or text, or the numbers above (0.5).
# ### END MARK SCHEME
