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
# # Problem set 6: Text-RNN
#
# A classifier of text is a page of code. What takes the weeks is around it: does it read what you think
# it reads? Can it be stopped and go on? Which of forty runs do you report, by which number, and is it
# better than the other one? In this set you build a classifier from parts and then everything that it
# takes to believe it. At the end it learns something that no bag of words can: whether a letter of a
# program stands in code, in a string or in a comment.
#
# | | task | you write | points | difficulty | what it teaches |
# |---|---|---|---:|---|---|
# | 1 | `ps6-segments` | `segments` | 10 | easy | one vector for each text, without padding |
# | 2 | `ps6-reader` | `Reader` | 12 | medium | a network over networks |
# | 3 | `ps6-triplet` | `triplet` | 8 | medium | a proof that order is needed |
# | 4 | `ps6-resume` | `Resumable` | 14 | hard | what the state of a training run is |
# | 5 | `ps6-choose` | `choose` | 8 | easy | what may be looked at, and when |
# | 6 | `ps6-f1` | `macro_f1` | 8 | easy | a score for unequal classes |
# | 7 | `ps6-interval` | `interval` | 12 | medium | how far a difference can be trusted |
# | 8 | `ps6-score` | `learn` | 6 + 6 + 6 | hard | all of it, on something real |
# | 9 | `ps6-errors` | a short text | 10 | medium | what it still gets wrong, and why |
# | | | | **100** | | |
#
# **How to work.** Write your answer where the cell says `YOUR CODE HERE` and delete the line that
# raises `NotImplementedError`. Below each answer stands a test cell. Its visible tests look at shapes
# and one small worked example. More tests are added when your work is marked: other sizes, edge cases
# and the mistakes that people really make. You may add cells. Do not edit the test cells or the toolbox;
# changes there are undone before marking.
#
# **Before you hand in:** Kernel > Restart and run all. Every visible test must pass. Count on some seven
# hours in all.
#
# **What counts.** The answer, not the route, as long as the function keeps its promise. You may import
# NumPy, PyTorch, matplotlib and the standard library. The tasks do not depend on each other, except the last
# two.

# %% [markdown]
# ## Conventions, once for all tasks
#
# - Those of the chapters: time first, layers multiply from the right. `(T, B)` is T steps of B texts.
# - Where it says array, NumPy arrays come in and arrays or tensors may go out; where it says tensor,
#   tensors come in and tensors must go out.
# - Floats are compared with a tolerance of `1e-5` of their size, if nothing else is said.
# - **Never change an argument.** Work on a copy.
# - You need not check arguments: the tests keep to what is stated here. No test needs an answer that
#   takes more than a few seconds (task 8: see there).

# %% [markdown]
# ## Toolbox
#
# Locked cells.

# %% nbgrader={"grade": false, "grade_id": "ps6-toolbox", "locked": true, "schema_version": 3, "solution": false, "task": false}
import base64
import copy
import io
import itertools
import os
import re
import sysconfig
import warnings
import zlib
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: a second thread only waits

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)


def close(got, want, rtol=1e-5):
    """Tell whether got has the shape of want and differs from it by at most rtol of its size."""
    if isinstance(got, torch.Tensor):
        got = got.detach().numpy()
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or not np.all(np.isfinite(got)):
        return False
    size = np.sqrt(np.sum(np.square(want, dtype=np.float64)))
    return bool(np.sqrt(np.sum((got - want) ** 2.0)) <= rtol * max(size, 1e-5))


# %% [markdown]
# What the last task is about. The scanner below says exactly, for each character of a Python program,
# whether it belongs to the code, to a string (quotation marks included) or to a comment (from the `#` to
# the end of the line). Within a string a `#` is a `#`; within a comment a quotation mark is nothing; a
# backslash in a string protects what comes next. What stands in an f-string's braces it
# takes for string, and it knows nothing of the same quotation marks nested there.

# %% nbgrader={"grade": false, "grade_id": "ps6-scanner", "locked": true, "schema_version": 3, "solution": false, "task": false}
KINDS = ("code", "string", "comment")
CODE, STRING, COMMENT = range(3)
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
V = len(ALPHABET)  # 96
NUMBER = np.zeros(128, dtype=np.int64)
NUMBER[[ord(c) for c in ALPHABET]] = np.arange(V)
LONG = 240
SPANS = re.compile(r"#[^\n]*|(\"\"\"|'''|\"|')(?:\\.|(?!\1).)*(?:\1|\\?\Z)", re.DOTALL)


def kinds_of(text):
    """Return the kind of each character of Python source, (len(text),)."""
    kinds = np.full(len(text), CODE)
    for span in SPANS.finditer(text):
        kinds[span.start() : span.end()] = STRING if span[1] else COMMENT
    return kinds


def symbols_of(text):
    """Return text as numbers in [0, V), (len(text),)."""
    return NUMBER[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]


example = 'x = "a # b"  # it\'s "c"'
print(example)
print("".join(["code"[:1], "s", "#"][k] for k in kinds_of(example)))

# %% [markdown]
# ## 1. Texts without padding (`ps6-segments`, 10 points, easy)
#
# Padding is one way to put texts of different lengths into one table. Another needs no padding and no
# mask: lay them **end to end** in one long row and remember the lengths. Libraries for large models do
# so, and so does PyTorch's `EmbeddingBag`. Suppose a bidirectional layer has read each text by itself,
# and its outputs lie end to end. Make one vector for each text.
#
# Write `segments(out, lengths)`:
#
# - `out`: tensor `(S, 2H)`, floats: the outputs of M texts, one after the other. Columns 0 to H - 1 come
#   from the forward direction, H to 2H - 1 from the backward one. `lengths`: tensor `(M,)`, integers that sum
#   to S, **0 included** (a text without any symbol); $M, H, S \ge 1$.
# - Returns a tensor `(M, 6H)` of the type of `out`: for each text, side by side, the state of the forward
#   direction **when it had read all of the text** (H), that of the backward direction when *it* had (H),
#   the mean over the text's steps (2H), the maximum over them (2H). For a text of length 0: zeros.
# - Gradients must flow through it to `out`, and be finite.
#
# Worked example, H = 1, two texts of lengths 2 and 1: for `out` $= (1, -4), (3, -2), (-5, -6)$ the result is
# $(3, -4,\; 2, -3,\; 3, -2)$ and $(-5, -6,\; -5, -6,\; -5, -6)$.
#
# <details><summary>Hint</summary>
#
# Text m begins at the sum of the lengths before it. The backward direction has read all of a text when it
# stands at the text's *first* step. `torch.split` takes a list of lengths.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps6-segments", "locked": false, "schema_version": 3, "solution": true, "task": false}
def segments(out, lengths):
    """Return one vector for each of M texts that lie end to end: ends, mean, maximum.

    out: tensor (S, 2H), outputs of a bidirectional layer. lengths: tensor (M,) of integers,
    0 or more, that sum to S. Returns a tensor (M, 6H); zeros for an empty text.
    """
    ### BEGIN SOLUTION
    H, rows = out.shape[1] // 2, []
    for part in out.split(lengths.tolist()):
        if len(part):
            ends = torch.cat([part[-1, :H], part[0, H:]])
            rows.append(torch.cat([ends, part.mean(dim=0), part.amax(dim=0)]))
        else:
            rows.append(out.new_zeros(6 * H))
    return torch.stack(rows)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-segments-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_segments():
    out = torch.tensor([[1.0, -4.0], [3.0, -2.0], [-5.0, -6.0]])
    got = segments(out, torch.tensor([2, 1]))
    assert tuple(got.shape) == (2, 6), f"(M, 6H) = (2, 6) expected; got {tuple(got.shape)}"
    want = [[3, -4, 2, -3, 3, -2], [-5, -6, -5, -6, -5, -6]]
    assert close(got, want), f"worked example: {want} expected; got {got}"


visible_segments()


### BEGIN HIDDEN TESTS
def segments_truth(out, lengths):
    H, at, rows = out.shape[1] // 2, 0, []
    for n in lengths.tolist():
        row = torch.zeros(6 * H, dtype=out.dtype)
        if n:
            part = out[at : at + n]
            parts = [out[at + n - 1, :H], out[at, H:], part.sum(0) / n, part.max(0).values]
            row = torch.cat(parts)
        rows.append(row)
        at += n
    return torch.stack(rows)


def hidden_segments():
    generator = torch.Generator().manual_seed(1)

    def case(lengths, H):
        shape = (sum(lengths), 2 * H)
        return torch.randn(shape, generator=generator), torch.tensor(lengths)

    for lengths, H in [([4, 1, 3], 2), ([1], 3), ([7], 1), ([2, 5, 1, 1, 6], 4)]:
        out, n = case(lengths, H)
        kept = out.clone(), n.clone()
        got, want = segments(out, n), segments_truth(out, n)
        assert torch.equal(out, kept[0]) and torch.equal(n, kept[1]), (
            "do not change the arguments: work on a copy"
        )
        assert tuple(got.shape) == (len(lengths), 6 * H), "the result must be (M, 6H)"
        assert close(got[:, :H], want[:, :H]), (
            "the forward direction has read all of a text at the text's own last step, not at the"
            " last row of the table (chapter 10, the last row)"
        )
        assert close(got[:, H : 2 * H], want[:, H : 2 * H]), (
            "the backward direction reads from the end: it has read all of a text at the text's FIRST"
            " step; at the last one it has read one symbol (chapter 9, one vector for a sequence)"
        )
        assert close(got[:, 2 * H : 4 * H], want[:, 2 * H : 4 * H]), (
            "the mean is over the steps of one text, divided by its own length"
        )
        assert close(got[:, 4 * H :], want[:, 4 * H :]), "the maximum is over the steps of one text"
    out, n = case([3, 2, 4], 2)
    out = -1 - out.abs()
    assert close(segments(out, n)[:, 8:], segments_truth(out, n)[:, 8:]), (
        "all values negative: a table that starts with zeros gives a maximum of 0"
    )
    for lengths in ([3, 0, 2], [0, 2], [2, 0, 0], [0, 0, 3, 0, 1, 0]):
        out, n = case(lengths, 2)
        got, want = segments(out, n), segments_truth(out, n)
        assert got.shape == want.shape, "an empty text has a row, too: M rows"
        empty = n == 0
        assert close(got[empty], want[empty]), (
            "a text of length 0 gives zeros: no NaN from 0 / 0, no -inf, and not its neighbour's row"
        )
        assert close(got, want), (
            "an empty text must not move the others: text m begins at the sum of the lengths before it"
        )
    out, n = case([3, 0, 4], 2)
    leaf = out.clone().requires_grad_()
    weight = torch.randn((3, 12), generator=generator)
    got = segments(leaf, n)
    assert got.requires_grad, (
        "gradients must flow from the result to out: stay with tensors, no detach, no NumPy"
    )
    (weight * got).sum().backward()
    other = out.clone().requires_grad_()
    (weight * segments_truth(other, n)).sum().backward()
    assert leaf.grad is not None and close(leaf.grad, other.grad), (
        "gradients must flow from the result to out, and be finite: stay with tensors, no detach, no NumPy"
    )
    out = case([2, 1], 1)[0].double()
    assert segments(out, torch.tensor([2, 1])).dtype == torch.float64, "keep the type of out"


hidden_segments()
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Letters make lines, lines make texts (`ps6-reader`, 12 points, medium)
#
# A text is not only long, it has parts. A **hierarchical** reader reads each line letter by letter and makes
# a vector of it; a second layer reads these vectors, line by line. No path from a letter to the answer is
# longer than a line and the number of lines. Again nothing is padded from outside; how you do it within is
# yours.
#
# Write the class `Reader(nn.Module)`:
#
# - `Reader(V, C, D=8, H=12, drop=0.0)`: V symbols, C classes, D numbers for a symbol, H units in each
#   direction and each of the two layers (bidirectional, `nn.GRU` or `nn.LSTM`); dropout of `drop` somewhere
#   between the embedding and the scores, in training alone.
# - `net(x, lines, texts)`: `x` tensor `(S,)`, all letters of all lines of all texts, end to end, integers in
#   [0, V); `lines` tensor `(M,)`, the number of letters in each line, **0 included**; `texts` tensor `(N,)`,
#   the number of lines in each text, $\ge 1$. $S \ge 1$; at least one line is not empty.
# - Returns scores, a tensor `(N, C)`, with gradients. An empty line's vector is zeros, but it is a line: the
#   second layer takes a step.
# - What is promised, to `1e-5`: a text's scores depend on nothing but this text. And they depend on *all* of it: on
#   each letter, its place in the line, the order of the lines, where lines end. Every weight takes
#   part, in both layers and directions, and each of the V symbols has a vector that learns: none is padding.
#
# <details><summary>Hint 1</summary>
#
# `nn.utils.rnn.pack_sequence(parts, enforce_sorted=False)` takes a list of tensors of different lengths, none
# of them empty. The second result of the layer, `h_n`, holds the ends of both directions in the order of
# your list (chapter 9).
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Start with zeros `(M, 2H)` for all lines and put the vectors of those that are not empty where they belong:
# `z[lines > 0] = ...` on a fresh tensor keeps gradients.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps6-reader", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Reader(nn.Module):
    """Read letters into lines, lines into texts, and score C classes."""

    ### BEGIN SOLUTION
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed = nn.Embedding(V, D)
        self.letters = nn.GRU(D, H, bidirectional=True)
        self.lines = nn.GRU(2 * H, H, bidirectional=True)
        self.score = nn.Linear(2 * H, C)
        self.drop = nn.Dropout(drop)

    def forward(self, x, lines, texts):
        some = lines > 0
        z = self.drop(self.ends(self.letters, self.embed(x), lines[some]))
        all_lines = z.new_zeros(len(lines), z.shape[1])
        all_lines[some] = z
        return self.score(self.drop(self.ends(self.lines, all_lines, texts)))

    def ends(self, layer, rows, lengths):
        parts = rows.split(lengths.tolist())
        h = layer(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))[1]
        return torch.cat([h[0], h[1]], dim=1)

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-reader-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_reader():
    torch.manual_seed(0)
    net = Reader(9, 4)
    x, lines, texts = torch.arange(9), torch.tensor([4, 2, 3]), torch.tensor([2, 1])
    scores = net(x, lines, texts)
    assert tuple(scores.shape) == (2, 4), f"(N, C) = (2, 4) expected; got {tuple(scores.shape)}"
    assert scores.requires_grad, "the scores must carry gradients"
    assert bool(torch.isfinite(scores).all()), "the scores must be finite"


visible_reader()


### BEGIN HIDDEN TESTS
def laid_out(texts):
    """x, lines and texts, for texts that are lists of lines, lines lists of letters."""
    lines = [line for text in texts for line in text]
    letters = [letter for line in lines for letter in line]
    sizes = [len(line) for line in lines], [len(text) for text in texts]
    return torch.tensor(letters), torch.tensor(sizes[0]), torch.tensor(sizes[1])


def hidden_reader():
    torch.manual_seed(3)
    net = Reader(11, 3, 6, 10)
    net.eval()

    def read(*texts):
        return net(*laid_out(texts)).detach()

    base = [[1, 2, 3, 4], [5, 6], [7, 8, 9]]
    others = [[[3]], [[1, 1, 2, 10, 10, 4, 4, 4, 9], [2]], [[6, 5], [4], [3], [2, 1, 0], [7]]]
    assert close(read(base), read(base)), "in eval mode nothing is random: no dropout there"
    alone = torch.cat([read(text) for text in [base, *others]])
    together = read(base, *others)
    assert tuple(together.shape) == (4, 3), "one row for each text"
    assert close(together, alone), (
        "a text's scores must not depend on the texts beside it: no state runs on from one text to the"
        " next, and no padding is read (chapter 10, padding; chapter 9, lengths)"
    )
    assert close(read(*others, base)[3:], alone[:1]), (
        "a text's scores must not depend on its place in the batch: are results in the order of the texts?"
    )

    def differ(texts, message):
        rows = read(base, *texts)
        gaps = (rows[1:] - rows[:1]).abs().amax(dim=1)
        assert bool((gaps > 1e-6).all()), message

    changed = []
    for m, line in enumerate(base):
        for t in range(len(line)):
            text = copy.deepcopy(base)
            text[m][t] = 0
            changed.append(text)
    differ(changed, "each letter of a text must matter: all steps of all lines are read")
    swapped = [[[2, 1, 3, 4], *base[1:]], [[1, 2, 4, 3], *base[1:]], [base[0], [6, 5], base[2]]]
    differ(
        swapped, "two letters changed places in a line: a mean or sum of embeddings cannot see it"
    )
    orders = [[base[1], base[0], base[2]], base[::-1], [base[0], base[2], base[1]]]
    differ(
        orders, "lines changed places: the second layer must read them in order, not average them"
    )
    moved = [[[1, 2, 3], [4, 5, 6], base[2]], [[1, 2, 3, 4, 5, 6], [7, 8, 9]]]
    differ(moved, "the same letters, but lines end elsewhere: lines must be read one by one")
    empty = [[base[0], [], *base[1:]], [*base, []], [[], *base]]
    differ(empty, "an empty line is a line: its vector is zeros, and the second layer takes a step")
    with_empty = [[[]], [[], [4, 2], []], [[], []]]
    rows = read(*with_empty, base)
    assert bool(torch.isfinite(rows).all()), "an empty line must give no NaN: its vector is zeros"
    assert close(rows[3:], alone[:1]), "an empty line must not move the lines of other texts"
    net.train()
    assert close(net(*laid_out([base])).detach(), alone[:1]), "with drop = 0 nothing is dropped"
    noisy = Reader(11, 3, 6, 10, drop=0.5)
    noisy.train()
    args = laid_out([base])
    assert not close(noisy(*args).detach(), noisy(*args).detach()), (
        "with drop > 0 and in training two calls must differ: drop must be used"
    )
    noisy.eval()
    assert close(noisy(*args).detach(), noisy(*args).detach()), (
        "in eval mode nothing is dropped: use nn.Dropout, or pass training=self.training"
    )
    blank = Reader(11, 3, 6, 10)
    blank(*laid_out([[[], []], base]))[0].sum().backward()
    sizes = [(p.numel(), p.grad is None or not bool(p.grad.any())) for p in blank.parameters()]
    biases = [zero for size, zero in sizes if size in (30, 40)]
    assert len(biases) != 8 or sum(biases) >= 4, (
        "the vector of an empty line is zeros, not what the first layer makes of a blank symbol"
    )
    net(*laid_out([base, *others])).pow(2).sum().backward()
    found = [p.grad for p in net.parameters()]
    grads = [grad for grad in found if grad is not None]
    assert len(grads) == len(found), (
        "every weight must have a part in the scores, and gradients must reach it (no detach)"
    )
    assert all([bool(grad.any()) for grad in grads]), (
        "the gradient of some weights is 0 everywhere: at a line's or text's last step the backward direction"
        " has read one symbol, and its recurrent weights did nothing (chapter 9, one vector for a sequence)"
    )
    tables = [grad for grad in grads if tuple(grad.shape) == (11, 6)]
    assert all([bool(table.any(dim=1).all()) for table in tables]), (
        "each symbol from 0 to V - 1 has a vector that learns: none of them is padding (padding_idx)"
    )


hidden_reader()
### END HIDDEN TESTS

# %% [markdown]
# ## 3. A proof that order is needed (`ps6-triplet`, 8 points, medium)
#
# "The network uses order." How do you know? A high score does not say so: bags of words score well on most
# texts, and what looks like order may be a few pairs of neighbours. A **proof** needs texts that no bag can
# tell apart. An **n-gram** is a piece of n characters in a row. A model that looks only at how often each
# n-gram occurs, whatever it does with the counts and however long it is trained, must give the same answer
# to two texts with the same counts. If the right answers differ, it is wrong on one of them, with certainty.
#
# Write `triplet(n)`:
#
# - `n` from 1 to 40. Returns three texts, a tuple of `str`, over `ALPHABET`, each of at most `10 * n + 20`
#   characters and ending in a letter. By `kinds_of` this letter is code in the first, in a string in the second,
#   in a comment in the third.
# - For every m from 1 to n, all three have the same m-grams, each equally often.
# - A string may still be open at the end of the text; that is how the letter comes to stand in it. But no string
#   that begins with a single `'` or `"` may run over a line's end: that would be no Python.
#
# Give them to your own network in task 8, too. It may be right on 99 of 100 letters and fail here.
#
# <details><summary>Hint 1</summary>
#
# For n = 1: any three orders of the same characters. Find three marks, one of each, whose order decides.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# If any two marks are so far apart that no n-gram holds both, then an n-gram knows nothing of their order.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps6-triplet", "locked": false, "schema_version": 3, "solution": true, "task": false}
def triplet(n):
    """Return three texts with the same n-grams whose last letter is code, string, comment."""
    ### BEGIN SOLUTION
    gap = "x" * n
    return tuple(gap + gap.join(marks) + gap for marks in ('#"\n', '#\n"', '\n#"'))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-triplet-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_triplet():
    texts = triplet(1)
    assert len(texts) == 3 and all([isinstance(text, str) for text in texts]), "three texts"
    assert all([set(text) <= set(ALPHABET) and text[-1].isalpha() for text in texts]), (
        "only characters of ALPHABET, and a letter at the end"
    )
    last = [int(kinds_of(text)[-1]) for text in texts]
    assert last == [CODE, STRING, COMMENT], (
        f"the last letters are {last}, not code, string, comment"
    )
    counts = [Counter(text) for text in texts]
    assert counts[0] == counts[1] == counts[2], "n = 1: the same characters, each equally often"


visible_triplet()


### BEGIN HIDDEN TESTS
def grams(text, n):
    return Counter([text[i : i + n] for i in range(len(text) - n + 1)])


def hidden_triplet():
    for n in (1, 2, 3, 4, 5, 7, 10, 16, 23, 40):
        texts = triplet(n)
        assert all([text[-1].isalpha() and set(text) <= set(ALPHABET) for text in texts]), (
            "only characters of ALPHABET, and a letter at the end, for every n"
        )
        assert all([len(text) <= 10 * n + 20 for text in texts]), "at most 10 n + 20 characters"
        kinds = [kinds_of(text) for text in texts]
        assert [int(k[-1]) for k in kinds] == [CODE, STRING, COMMENT], (
            "by kinds_of, the last letter must be code, string, comment, in this order, for every n"
        )
        one, two, three = (grams(text, 1) for text in texts)
        assert one == two == three, "not even the characters are the same, each equally often"
        for m in range(2, n + 1):
            one, two, three = (grams(text, m) for text in texts)
            assert one == two == three, (
                "a bag of n-grams can tell them apart: between two marks, before the first and after the"
                " last, must stand at least n - 1 characters that are the same everywhere"
            )
        for text in texts:
            for span in SPANS.finditer(text):
                long_quote = span[1] is not None and len(span[1]) == 3
                assert span[1] is None or long_quote or "\n" not in span[0], (
                    "a string in single quotation marks must not run over the end of a line"
                )


hidden_triplet()
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Stopped and gone on (`ps6-resume`, 14 points, hard)
#
# Chapter 11 saved a run that was written to be saved. This one was not. The trainer below works, and somebody
# else wrote it; all sorts of things live in it. Your cluster kills jobs after four hours. Make it go on where
# it was, **bit for bit**, as if nothing had happened.
#
# Read it with one question: *which numbers does the next call of `run` depend on?*


# %% nbgrader={"grade": false, "grade_id": "ps6-trainer", "locked": true, "schema_version": 3, "solution": false, "task": false}
class Trainer:
    """Train a small classifier; what is learned and reported is in `results`.

    seed: of everything. drop: dropout. blank: share of symbols that are blanked out. every: how
    many batches make an update. size: texts in a batch. look: updates between two looks.
    """

    def __init__(self, seed, drop=0.2, blank=0.1, every=3, size=4, look=4):
        data = np.random.default_rng(0)  # the same for every seed
        self.x = torch.tensor(data.integers(1, 9, (6, 22)))  # (T, N)
        self.y = torch.tensor(data.integers(0, 3, 22))
        self.every, self.size, self.look, self.blank = every, size, look, blank
        torch.manual_seed(seed)
        self.embed, self.read, self.top = nn.Embedding(9, 4), nn.GRU(4, 6), nn.Linear(6, 3)
        self.net = nn.ModuleList([self.embed, self.read, self.top, nn.Dropout(drop)])
        self.adam = torch.optim.AdamW(self.net.parameters(), 0.02)
        self.rate = torch.optim.lr_scheduler.CosineAnnealingLR(self.adam, 40)
        self.smooth = [p.detach().clone() for p in self.net.parameters()]
        self.deck, self.dealer = [], np.random.default_rng(seed)
        self.blanker = torch.Generator().manual_seed(seed)
        self.batches = self.updates = 0
        self.best, self.best_weights = np.inf, []

    def scores(self, x):
        drop = self.net[3]
        return self.top(drop(self.read(drop(self.embed(x)))[0][-1]))

    def run(self, batches):
        """Take so many batches more."""
        for _ in range(batches):
            if not self.deck:
                self.deck = self.dealer.permutation(len(self.y)).tolist()
            chosen = [self.deck.pop() for _ in range(min(self.size, len(self.deck)))]
            x = self.x[:, chosen]
            blanked = torch.rand(x.shape, generator=self.blanker) < self.blank
            self.net.train()
            scores = self.scores(x.masked_fill(blanked, 0))
            (nn.functional.cross_entropy(scores, self.y[chosen]) / self.every).backward()
            self.batches += 1
            if self.batches % self.every == 0:
                self.update()
        return self

    def update(self):
        self.adam.step()
        self.adam.zero_grad()
        self.rate.step()
        self.updates += 1
        for mean, p in zip(self.smooth, self.net.parameters(), strict=True):
            mean.mul_(0.9).add_(p.detach(), alpha=0.1)
        if self.updates % self.look == 0:
            self.net.eval()
            with torch.no_grad():
                loss = float(nn.functional.cross_entropy(self.scores(self.x), self.y))
            if loss < self.best:
                self.best, self.best_weights = loss, [w.clone() for w in self.smooth]

    def results(self):
        """Return the weights, their running mean and the best of these, as one array."""
        parts = [*self.net.parameters(), *self.smooth, *self.best_weights]
        return torch.cat([p.detach().flatten() for p in parts]).numpy().copy()


# %% [markdown]
# Write the class `Resumable(Trainer)` with two methods more:
#
# - `state()` returns `bytes`: all that is needed. Asking for it must not change how the run goes on.
# - `load(data)` takes such bytes and puts everything back, into an object that may have been made with another
#   `seed` (all other settings alike), in a process that may have drawn any random numbers since, and may have trained
#   already. After that, `run` does exactly what it would have done without the interruption, and so do
#   `state` and `load` again.
# - The methods of `Trainer` stay as they are. They draw on the global generator of PyTorch, and on no other global
#   one. The run may be stopped after any number of batches, 0 included, also in the middle of an epoch and
#   between two updates.
# - Bytes that come from a stranger must not be able to run code: `torch.load(..., weights_only=True)`. It
#   takes tensors, numbers, strings, None, and dicts, lists and tuples of these. A person looks at that.
#
# The tests compare `results()` of an undisturbed run with those of one that was stopped, for equality.
#
# <details><summary>Hint 1</summary>
#
# Go through `__init__` attribute by attribute: does `run` or `update` ever change it? And what does `backward()`
# change, that no line of `__init__` shows?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.save` writes into an `io.BytesIO()`; `getvalue()` are its bytes. NumPy's generator has
# `bit_generator.state`, a dict of plain values that can be assigned; a `torch.Generator` has `get_state` and
# `set_state`, and the global one `torch.get_rng_state` and `torch.set_rng_state`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps6-resume", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Resumable(Trainer):
    """A Trainer that can be stopped and go on, bit for bit."""

    ### BEGIN SOLUTION
    PLAIN = ("smooth", "deck", "batches", "updates", "best", "best_weights")

    def state(self):
        whole = {name: getattr(self, name) for name in self.PLAIN}
        whole |= {name: getattr(self, name).state_dict() for name in ("net", "adam", "rate")}
        whole["grads"] = [p.grad for p in self.net.parameters()]
        whole["dealer"] = self.dealer.bit_generator.state
        whole["random"] = (self.blanker.get_state(), torch.get_rng_state())
        data = io.BytesIO()
        torch.save(whole, data)
        return data.getvalue()

    def load(self, data):
        whole = torch.load(io.BytesIO(data), weights_only=True)
        for name in self.PLAIN:
            setattr(self, name, whole[name])
        for name in ("net", "adam", "rate"):
            getattr(self, name).load_state_dict(whole[name])
        for p, grad in zip(self.net.parameters(), whole["grads"], strict=True):
            p.grad = grad
        self.dealer.bit_generator.state = whole["dealer"]
        self.blanker.set_state(whole["random"][0])
        torch.set_rng_state(whole["random"][1])

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-resume-tests", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
def visible_resume():
    run = Resumable(1)
    run.run(2)
    data = run.state()
    assert isinstance(data, bytes), f"state() must return bytes; got {type(data)}"
    again = Resumable(1)
    again.load(data)
    assert again.batches == 2, f"2 batches were taken before the stop; got {again.batches}"
    got, want = np.asarray(again.results()), np.asarray(run.results())
    assert got.shape == want.shape, f"results() has shape {got.shape}, {want.shape} before the stop"


visible_resume()


### BEGIN HIDDEN TESTS
def hidden_resume():
    def stopped(seed, before, after, **settings):
        """Whether a run that is stopped ends as one that is not."""
        whole = Resumable(seed, **settings)
        whole.run(before + after)
        want = np.asarray(whole.results())
        first = Resumable(seed, **settings)
        first.run(before)
        data = first.state()
        torch.manual_seed(99 + seed)  # somebody draws
        second = Resumable(seed + 7, **settings)
        second.run(4)
        second.load(data)
        second.run(after)
        return np.array_equal(np.asarray(second.results()), want)

    plain = {"drop": 0.0, "blank": 0.0, "every": 1, "size": 22, "look": 1_000}
    assert stopped(1, 0, 0, **plain), (
        "what was loaded must be there: the weights, their running mean"
    )
    assert stopped(2, 5, 0, **plain), (
        "what was loaded must be there: the weights, their running mean"
    )
    quiet = Resumable(12)
    quiet.run(19)
    want = np.asarray(quiet.results())
    asked = Resumable(12)
    asked.run(7)
    data = asked.state()
    asked.state()
    asked.run(12)
    assert np.array_equal(np.asarray(asked.results()), want), (
        "asking for the state must not change the run: draw nothing, train nothing, switch nothing off"
    )
    assert stopped(2, 5, 4, **plain), (
        "the optimiser has memories and a count of its own, and the learning rate falls by a schedule;"
        " without them the next update is another one (chapter 11, checkpoints). So it is if the texts come"
        " in another order: who deals them?"
    )
    assert stopped(3, 10, 13, **{**plain, "size": 4}), (
        "stopped in the middle of an epoch: what is left of the deck, and the generator that deals the"
        " next one, are part of the state; else some texts come twice and some never"
    )
    assert stopped(4, 5, 4, **{**plain, "blank": 0.3}), (
        "the generator that blanks symbols has a state of its own (`blanker`)"
    )
    assert stopped(5, 5, 4, **{**plain, "drop": 0.3}), (
        "dropout draws from PyTorch's global generator: its state is part of the run, and must be put back"
        " last, after everything that may draw"
    )
    assert stopped(6, 5, 8, **{**plain, "every": 3}), (
        "stopped between two updates: the gradients of the batches since the last one are waiting in"
        " p.grad, and so does the number of batches"
    )
    assert stopped(6, 6, 6, **{**plain, "every": 3}), (
        "no gradients are waiting right after an update: load must take away those of an object that has"
        " trained already (p.grad = None)"
    )
    assert stopped(7, 7, 9, **{**plain, "look": 2}), (
        "the best weights and the best loss so far are part of the state, and so is the number of updates"
        " that says when to look"
    )
    assert stopped(7, 6, 0, **{**plain, "look": 2}), (
        "the best weights so far must be there after load"
    )
    for seed, before, after in [(8, 0, 12), (9, 1, 30), (10, 17, 20), (11, 18, 1)]:
        assert stopped(seed, before, after), (
            "with all settings at once, stopped anywhere, the run must end with the same bits"
        )
    asked = Resumable(12)
    asked.run(7)
    data = asked.state()
    asked.run(3)
    third = Resumable(5)
    third.load(data)
    third.run(12)
    assert np.array_equal(np.asarray(third.results()), want), (
        "bytes are a photograph: what the first run does after them must not show in them"
    )
    fourth = Resumable(6)
    fourth.load(data)
    fourth.run(5)
    data = fourth.state()
    fifth = Resumable(7)
    fifth.load(data)
    fifth.run(7)
    assert np.array_equal(np.asarray(fifth.results()), want), (
        "stopped twice: load, run, state, load"
    )
    mine = Resumable(21)
    mine.run(15)
    got = np.asarray(mine.results())
    want = Trainer(21).run(15).results()
    assert close(got, want, rtol=1e-4), "the methods of Trainer must stay as they are"


hidden_resume()
### END HIDDEN TESTS

# %% [markdown]
# ## 5. Which number do you report? (`ps6-choose`, 8 points, easy)
#
# You have tried K configurations with S seeds each and written down, after each of E epochs, the accuracy on
# validation data and, because it was easy, on test data too. Now it is there, and it must not choose anything.
#
# Write `choose(val, test, patience)`:
#
# - `val`, `test` `(K, S, E)`: accuracies, higher is better. An epoch whose loss was no number holds NaN; the
#   first epoch of each run is a number. `patience` $\ge 1$.
# - Each run is **stopped early**, by its own validation curve: it is looked at epoch by epoch; a look is better if
#   its value is higher than all before (NaN never is); the run stops after `patience` looks in a row that were not
#   better, or at the end, and **goes back** to its best look, the first of equals. What would have come after the
#   stop was never computed in earnest and counts for nothing.
# - The configuration is chosen whose runs have the highest mean, over seeds, of these best validation values; of equals
#   the first.
# - Returns a tuple `(k, epochs, scores)`: the number of the configuration, the epochs (from 0) to which its runs go
#   back, `(S,)`, and the test accuracies there, `(S,)`.
#
# Worked example, one run, patience 2: validation .5, .7, .6, NaN, .9; it stops after the fourth epoch and goes back to
# epoch 1.


# %% nbgrader={"grade": false, "grade_id": "ps6-choose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(val, test, patience):
    """Choose one of K configurations by validation, with early stopping; report its test scores.

    val, test: (K, S, E). Returns k, epochs (S,), scores (S,).
    """
    ### BEGIN SOLUTION
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        for t in range(1, E):
            if val[k, s, t] > val[k, s, at[k, s]]:
                at[k, s] = t
            elif t - at[k, s] >= patience:
                break
    best = np.take_along_axis(val, at[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    k = int(best.argmax())
    return k, at[k], test[k, np.arange(S), at[k]]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-choose-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_choose():
    val = np.array([[[0.5, 0.7, 0.6, np.nan, 0.9]]])
    test = np.array([[[0.41, 0.42, 0.43, 0.44, 0.45]]])
    k, epochs, scores = choose(val, test, 2)
    assert int(k) == 0 and np.shape(epochs) == np.shape(scores) == (1,), "k, then (S,) and (S,)"
    assert int(epochs[0]) == 1, f"worked example: back to epoch 1; got {epochs}"
    assert close(scores, [0.42]), f"worked example: test accuracy .42; got {scores}"


visible_choose()


### BEGIN HIDDEN TESTS
def choose_truth(val, test, patience):
    found = []
    for config in val:
        row = []
        for curve in config:
            best, at, waited = -np.inf, 0, 0
            for t, value in enumerate(curve):
                if value > best:
                    best, at, waited = value, t, 0
                else:
                    waited += 1
                if waited == patience:
                    break
            row.append((best, at))
        found.append(row)
    means = [np.mean([best for best, _ in row]) for row in found]
    k = int(np.argmax(means))
    epochs = np.array([at for _, at in found[k]])
    return k, epochs, np.array([test[k, s, t] for s, t in enumerate(epochs)])


def hidden_choose():
    def right(val, test, patience, message):
        val, test = np.array(val), np.array(test)
        given = val.copy(), test.copy()
        k, epochs, scores = choose(val, test, patience)
        unchanged = np.array_equal(val, given[0], equal_nan=True) and np.array_equal(test, given[1])
        assert unchanged, "do not change the arguments: work on a copy"
        want = choose_truth(*given, patience)
        same = int(k) == want[0] and np.array_equal(np.asarray(epochs), want[1])
        assert same and close(scores, want[2]), message

    one = np.linspace(0.3, 0.4, 6).reshape(1, 1, 6)
    right([[[0.5, 0.6, 0.5, 0.5, 0.9, 0.9]]], one, 2, (
        "after the stop nothing counts, however high: the run was never there (early stopping)"
    ))  # fmt: skip
    right([[[0.5, 0.6, 0.55, 0.58, 0.65, 0.6]]], one, 2, (
        "patience counts looks in a row without a new best; a rise that is no new best does not start it"
        " anew"
    ))  # fmt: skip
    right([[[0.5, 0.6, 0.55, 0.58, 0.65, 0.6]]], one, 3, (
        "one look too few is not enough to stop: after the best, `patience` looks are waited for"
    ))  # fmt: skip
    right([[[0.5, 0.6, 0.55, 0.7, 0.65, 0.72]]], one, 2, "a new best sets the count back to 0")
    right([[[0.5, 0.6, 0.6, 0.6, 0.7, 0.1]]], one, 2, (
        "of equals the first; an equal look is not a better one, and it uses up patience"
    ))  # fmt: skip
    right([[[0.5, np.nan, 0.4, np.nan, 0.3, np.nan]]], one, 9, (
        "NaN is never better: argmax would choose it"
    ))  # fmt: skip
    right(
        [[[0.5, np.nan, np.nan, 0.8, 0.1, 0.1]]], one, 2, "NaN uses up patience like any other look"
    )
    right(
        [[[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]]], one, 4, "the first look may be the best: go back to it"
    )
    val = [[[0.2, 0.9], [0.2, 0.3]], [[0.2, 0.7], [0.2, 0.65]]]
    test = [[[0.1, 0.95], [0.1, 0.9]], [[0.1, 0.5], [0.1, 0.4]]]
    right(val, test, 1, (
        "the configuration is chosen by the mean over seeds of validation values; neither the test data"
        " nor the luckiest seed may choose"
    ))  # fmt: skip
    val = [[[0.8, 0.1, 0.99]], [[0.7, 0.85, 0.2]]]
    right(val, [[[0.1, 0.2, 0.3]], [[0.4, 0.5, 0.6]]], 1, (
        "configurations are compared at the looks to which their runs go back, not at the highest of all"
        " epochs nor at the last one"
    ))  # fmt: skip
    val = [[[0.5, 0.6]], [[0.6, 0.5]], [[0.6, 0.6]]]
    right(val, np.arange(6.0).reshape(3, 1, 2), 3, "of equal configurations the first")
    rng = np.random.default_rng(50)
    for K, S, E, patience in [(4, 3, 20, 3), (2, 5, 9, 1), (1, 1, 1, 1), (6, 2, 30, 5)]:
        val, test = rng.integers(30, 60, (2, K, S, E)) / 64
        val[rng.random(val.shape) < 0.1] = np.nan
        val[:, :, 0] = 0.5
        right(val, test, patience, "random curves: K, S and E that differ")


hidden_choose()
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Classes of unequal size (`ps6-f1`, 8 points, easy)
#
# Of a hundred letters in the standard library, some fifty are code. Who always says "code" is right on fifty. A
# score that does not fall for that looks at each class by itself. Of what the model called class c, which share was
# c: **precision**. Of what was c, which share did it find: **recall**. Their harmonic mean is **F1**, the mean
# over classes **macro-F1**. The formulas are quickly written, and half of the programs that compute them are wrong at
# the edges. For the next task you will need it for thousands of tables at once.
#
# Write `macro_f1(counts)`:
#
# - `counts` `(..., C, C)`, any number of axes in front, none included: non-negative counts, row the truth, column
#   what the model said. Integers or floats.
# - Returns `(...,)`: for each table the mean over classes of
#   $\mathrm{F1}_c = 2 n_{cc} / (\sum_j n_{cj} + \sum_i n_{ic})$. A class that is neither true nor said anywhere in a table
#   has no F1 and takes no part in that table's mean; one that is only true or only said has F1 $= 0$ and takes part.
#   A table of zeros has 0. For counts `(C, C)` a number (or array of shape `()`).
# - No warning, no NaN.
#
# Worked example: counts $\begin{pmatrix} 3 & 1 & 0 \\ 0 & 2 & 0 \\ 0 & 0 & 0 \end{pmatrix}$: F1 is $6/7$ and $4/5$, the third
# class takes no part, macro-F1 $= .828571$.


# %% nbgrader={"grade": false, "grade_id": "ps6-f1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def macro_f1(counts):
    """Return the macro-F1 of each table of counts (..., C, C), truth by what was said: (...,)."""
    ### BEGIN SOLUTION
    counts = np.asarray(counts, dtype=np.float64)
    hit = np.diagonal(counts, axis1=-2, axis2=-1)
    both = counts.sum(axis=-1) + counts.sum(axis=-2)  # (..., C)
    f1 = 2 * hit / np.where(both > 0, both, 1)
    return f1.sum(axis=-1) / np.maximum((both > 0).sum(axis=-1), 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-f1-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_f1():
    got = macro_f1(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]]))
    assert np.shape(got) == (), f"one table, one number; got shape {np.shape(got)}"
    assert close(got, 0.828571), f"worked example: .828571; got {got}"
    assert np.shape(macro_f1(np.ones((2, 4, 3, 3)))) == (2, 4), "(2, 4, 3, 3) gives (2, 4)"


visible_f1()


### BEGIN HIDDEN TESTS
def f1_truth(counts):
    """One table, from lists of truths and answers."""
    pairs = [(i, j) for i in range(len(counts)) for j in range(len(counts)) if counts[i][j] > 0]
    found = []
    for c in range(len(counts)):
        weights = [counts[i][j] * ((i == c) + (j == c)) for i, j in pairs]
        if sum(weights) > 0:
            found.append(2 * counts[c][c] / sum(weights))
    return sum(found) / len(found) if found else 0.0


def hidden_f1():
    rng = np.random.default_rng(60)
    for C in (2, 3, 5):
        counts = rng.integers(1, 30, (C, C))
        kept = counts.copy()
        assert close(macro_f1(counts), f1_truth(counts.tolist())), (
            "the mean over classes of 2 n_cc / (row sum + column sum): each class counts the same, large or"
            " small (not the accuracy, not the F1 of mean precision and mean recall)"
        )
        assert np.array_equal(counts, kept), "do not change the arguments: work on a copy"
    never = np.array([[5, 0, 0], [2, 0, 1], [0, 0, 4]])
    assert close(macro_f1(never), f1_truth(never.tolist())), (
        "a class that occurs and is never said has F1 = 0 and takes part in the mean; 0 / 0 is no NaN"
    )
    only_said = np.array([[5, 1, 0], [0, 0, 0], [0, 2, 4]])
    assert close(macro_f1(only_said), f1_truth(only_said.tolist())), (
        "a class that is said and never true has F1 = 0 and takes part in the mean"
    )
    absent = np.zeros((4, 4), dtype=int)
    absent[:2, :2] = [[7, 3], [1, 9]]
    assert close(macro_f1(absent), f1_truth(absent.tolist())), (
        "a class that is neither true nor said takes no part: divide by the number of classes that do"
    )
    assert close(np.asarray(macro_f1(np.zeros((3, 3)))) + 1, 1), "a table of zeros has 0, not NaN"
    many = rng.integers(0, 3, (3, 50, 4, 4)) * (rng.random((3, 50, 4, 4)) < 0.4)
    want = [[f1_truth(table) for table in row] for row in many.tolist()]
    assert close(macro_f1(many), want), (
        "many tables at once: which classes take part is decided for each table by itself"
    )
    assert close(macro_f1(many[0] / 8), want[0]), "counts may be floats, below 1 too"
    kinds = "no warning, also where something is 0: look for it before you divide, do not hide it afterwards"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        macro_f1(many)
        macro_f1(np.zeros((2, 3, 3)))
    assert not caught, kinds


hidden_f1()
### END HIDDEN TESTS

# %% [markdown]
# ## 7. Is it better, on other files? (`ps6-interval`, 12 points, medium)
#
# A has macro-F1 .94, B .92, on 500 letters from 9 files. Chapter 11 drew the *examples* again, with replacement, and took
# the mean of their differences. Neither fits here: macro-F1 is no mean over examples, and letters of one file go right or
# wrong together, so that 500 letters are worth much less than 500. What would be new in another test set is the *files*.
# So draw files.
#
# Write `interval(y, a, b, files, C, draws, rng)`:
#
# - `y`, `a`, `b` `(N,)` integers in [0, C): the truth, what A said, what B said, of the same N examples. `files` `(N,)`
#   integers, any: of which file an example is. The files differ in size.
# - One draw: with G different files, draw G of them with replacement, each as probable as any other. The drawn test set
#   holds all examples of a file as often as the file was drawn. Its difference is macro-F1 of A minus macro-F1 of B, each of
#   **the whole drawn set**, with the macro-F1 of task 6.
# - `rng` is NumPy's generator; draw from it and from nothing else. `draws` up to 20,000, G up to 50.
# - Returns the tuple `(difference, low, high)`: of the set as it is; then the 2.5 and the 97.5 percentiles of the differences
#   of all draws.
#
# The tests know the exact distribution for few files. `low` is right if between 1.8 and 3.2 percent of it lie below,
# by any reading of a percentile; and `high` likewise.
#
# <details><summary>Hint</summary>
#
# The table of counts of a drawn set is a sum of tables of files: `(G, C, C)` tables, `(draws, G)` numbers that say how
# often each file was drawn, one product, and your `macro_f1` of `(draws, C, C)`. (If you skipped task 6, write it here.)
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps6-interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
def interval(y, a, b, files, C, draws, rng):
    """Return the difference in macro-F1 of A and B and its 95 percent interval over files.

    y, a, b, files: (N,). Returns (difference, low, high).
    """
    ### BEGIN SOLUTION
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    often = rng.multinomial(G, np.full(G, 1 / G), size=draws)  # (draws, G)

    def gap(weights):
        one, two = (macro_f1(np.tensordot(weights, table, axes=1)) for table in tables)
        return one - two

    low, high = np.quantile(gap(often), [0.025, 0.975])
    return float(gap(np.ones(G))), float(low), float(high)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps6-interval-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_interval():
    y = np.array([0, 0, 1, 1, 2, 2, 0, 1])
    b = np.array([0, 1, 1, 1, 0, 2, 0, 1])
    files = np.array([4, 4, 4, 7, 7, 7, 9, 9])
    found = interval(y, y, b, files, 3, 500, np.random.default_rng(0))
    assert len(found) == 3, "three numbers: the difference, low, high"
    difference, low, high = (float(v) for v in found)
    assert np.isclose(difference, 0.2698413, rtol=1e-5), f"difference .269841; got {difference}"
    assert low <= high, f"low must not be above high; got {low} and {high}"


visible_interval()


### BEGIN HIDDEN TESTS
def interval_exact(y, a, b, files, C):
    """All draws of files that there are, as (difference, probability), sorted."""
    names = sorted(set(files.tolist()))
    G, found = len(names), []
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        for i in range(len(y)):
            tables[m, names.index(files[i]), y[i], said[i]] += 1
    for drawn in itertools.product(range(G), repeat=G):
        one, two = (f1_of(table[list(drawn)].sum(axis=0)) for table in tables)
        found.append(one - two)
    return f1_of(tables[0].sum(axis=0)) - f1_of(tables[1].sum(axis=0)), np.sort(found)


def f1_of(n):
    both = n.sum(axis=0) + n.sum(axis=1)
    part = both > 0
    return float((2 * n.diagonal()[part] / both[part]).mean())


def interval_case(seed, sizes, C, bad):
    """A and B, mostly right, often wrong together; in bad files B is worse than A."""
    rng = np.random.default_rng(seed)
    files = np.repeat(rng.permutation(1_000)[: len(sizes)], sizes)
    y = rng.choice(C, len(files), p=np.array([0.6, 0.3, 0.1]) if C == 3 else None)
    hard = np.isin(files, np.unique(files)[:bad])
    shared = rng.random(len(y)) < np.where(hard, 0.6, 0.1)
    both = np.where(shared, (y + 1) % C, y)
    a = np.where(rng.random(len(y)) < 0.03, (y + 2) % C, both)
    b = np.where(rng.random(len(y)) < np.where(hard, 0.3, 0.03), (y + 2) % C, both)
    shuffled = rng.permutation(len(y))
    return y[shuffled], a[shuffled], b[shuffled], files[shuffled]


def hidden_interval():
    for seed, sizes, C, bad in [(1, [30, 8, 50, 15, 22], 3, 2), (2, [9, 40, 12, 5], 4, 1)]:
        y, a, b, files = interval_case(seed, sizes, C, bad)
        given = y.copy(), a.copy(), b.copy(), files.copy()
        found = interval(y, a, b, files, C, 20_000, np.random.default_rng(seed))
        same = [np.array_equal(v, kept) for v, kept in zip((y, a, b, files), given, strict=True)]
        assert all(same), "do not change the arguments: work on a copy"
        difference, low, high = (float(v) for v in found)
        want, exact = interval_exact(*given, C)
        assert np.isclose(difference, want, rtol=1e-5), (
            "the difference is macro-F1 of A minus macro-F1 of B on the set as it is, not a mean over"
            " draws nor over files"
        )
        edges = np.quantile(exact, [0.018, 0.032, 0.968, 0.982])
        slack = 1e-9 + 0.01 * (exact[-1] - exact[0])
        wide, narrow = edges[3] - edges[0], edges[2] - edges[1]
        assert high - low <= 1.1 * wide + slack, (
            "the interval is too wide: A and B must be scored on the SAME drawn files, for what is hard for"
            " one is hard for the other (chapter 11, paired)"
        )
        assert high - low >= 0.9 * narrow - slack, (
            "the interval is too narrow: draw files, each as probable as any other, not examples; and the"
            " interval holds 95 percent of the differences, it is no error of their mean"
        )
        inside = edges[0] - slack <= low <= edges[1] + slack
        assert inside and edges[2] - slack <= high <= edges[3] + slack, (
            "low and high must be percentiles, 2.5 and 97.5, of differences, A minus B, in macro-F1 of whole"
            " drawn sets of G files, with replacement: no mean of the files' own scores, and not two standard"
            " deviations on either side. Numbers in `files` are names, not places"
        )
    y, a, b, files = interval_case(3, [12] * 40, 3, 10)
    one = interval(y, a, b, files, 3, 300, np.random.default_rng(5))
    two = interval(y, a, b, files, 3, 300, np.random.default_rng(5))
    three = interval(y, a, b, files, 3, 300, np.random.default_rng(6))
    assert tuple(one) == tuple(two) and tuple(one) != tuple(three), (
        "draw from rng and from nothing else: the same generator, the same interval"
    )
    assert close(interval(y, a, a, files, 3, 300, np.random.default_rng(0)), (0, 0, 0)), (
        "A against itself differs by 0 in every draw, if both are scored on the same files"
    )


hidden_interval()
### END HIDDEN TESTS

# %% [markdown]
# ## 8. Code, string or comment (`ps6-score`, 6 + 6 + 6 points, hard)
#
# You are given a piece of a program, from the beginning of a line to some letter, and asked: does this letter
# stand in code, in a string or in a comment? The words alone say much, for comments are English and code is not.
# But strings hold code, comments hold quotation marks, documentation holds both, and every so often a `#` is no comment. In the
# end only what was opened and not closed decides, and in which order.
#
# Here are some four thousand pieces of Python's own library, each 240 characters long and each beginning where a line begins that is
# neither within a string nor a comment. Each of them is not one question with an answer but 240.


# %% nbgrader={"grade": false, "grade_id": "ps6-library", "locked": true, "schema_version": 3, "solution": false, "task": false}
def library(each=40):
    """Return pieces of the standard library: symbols (LONG, N), kinds (LONG, N), files (N,).

    At most `each` pieces of a file, none overlapping. files: which file a piece is from.
    """
    columns, kinds, files = [], [], []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_bytes()
        if not 2_000 <= len(source) <= 60_000 or not source.isascii():
            continue
        text = source.decode().replace("\r\n", "\n")
        if not set(text) <= set(ALPHABET):
            continue
        found = pieces_of(text)
        for symbols, kind in found[:: max(1, len(found) // each)][:each]:
            columns.append(symbols)
            kinds.append(kind)
            files.append(path.stem)
    number = {name: k for k, name in enumerate(sorted(set(files)))}
    return np.stack(columns, 1), np.stack(kinds, 1), np.array([number[name] for name in files])


def pieces_of(text):
    """Return all pieces of LONG characters that begin with a line of code, as pairs of arrays."""
    symbols, kinds, found, at = symbols_of(text), kinds_of(text), [], 0
    ends = np.flatnonzero((symbols == 0) & (kinds == CODE))  # line ends in code
    for start in [0, *(ends + 1).tolist()]:
        if at <= start <= len(text) - LONG:
            at = start + LONG
            found.append((symbols[start:at], kinds[start:at]))
    return found


def coded(symbols, book):
    """Return symbols under another numbering of the alphabet, one for each book."""
    return np.random.default_rng(book).permutation(V)[symbols]


def ends_of(symbols, kinds, among, seed, each=1):
    """Return questions from pieces: x (LONG, M), lengths (M,), labels (M,), column (M,).

    symbols, kinds: (LONG, N), not coded. among: the columns to ask of. Of each at most `each` letters of
    each kind, not among the first 30. What stands after the end of a question is anything.
    """
    rng = np.random.default_rng(seed)
    asked = []
    letter = np.array([c.isalpha() for c in ALPHABET])
    for n in among:
        for kind in range(3):
            at = np.flatnonzero(letter[symbols[:, n]] & (kinds[:, n] == kind))
            asked += [(n, t + 1, kind) for t in rng.permutation(at[at >= 30])[:each]]
    column, lengths, labels = (np.array(part) for part in zip(*asked, strict=True))
    x = symbols[:, column]
    junk = rng.integers(0, V, x.shape)
    return np.where(np.arange(LONG)[:, None] < lengths, x, junk), lengths, labels, column


SYMBOLS, SPELLED, FILES = library()
print(f"{SYMBOLS.shape[1]} pieces of {FILES.max() + 1} files")
print("shares of the kinds", (np.bincount(SPELLED.ravel()) / SPELLED.size).round(2))
for n in (21, 2_527):
    print("-" * 60)
    print("".join([ALPHABET[s] for s in SYMBOLS[:, n]]))

# %% [markdown]
# So that nobody writes down what he knows about Python, the tests replace each character by a number under a
# **code book** that shuffles the alphabet; another one than here. What is a quotation mark, your network must find out.
#
# Write `learn(symbols, kinds, steps, seed)`:
#
# - `symbols`, `kinds`: arrays `(T, N)`, integers: N pieces of T symbols in [0, V), and the kind of each symbol, 0 code,
#   1 string, 2 comment. T from 40 to 240, N from 10 to 6,000. `steps`: make about so many updates, each on at most
#   10,000 symbols. `seed` for your generator.
# - Returns a function `classify(x, lengths)` (or anything that can be called): `x` array `(T, M)` of symbols, `lengths`
#   `(M,)` from 1 to T; it returns integers `(M,)`: **the kind of the last symbol of each text**, `x[lengths[m] - 1, m]`. What stands
#   in x after a text's end is junk: random symbols. T may be another one than before. M up to 2,000.
# - Everything inside is yours. But it must be learned from what is given: an answer that looks into `SYMBOLS` or
#   `kinds_of`, or reads Python by rules, earns nothing; a person looks at that. The tests hand the pieces over in
#   another order.
#
# The tests train once, on the library under another book, with `steps = 600`, and ask of some nine hundred letters of programs
# that are in no installed package: a third code, a third string, a third comment. The score is the share that is right.
#
# - **6 points** for at least **0.80**. Bags of the last 60 characters get .80 to .87; the last 16 characters, each in its place,
#   .72 to .75.
# - **6 more** for at least **0.90**. No bag of characters that we have tried gets there.
# - **6 more** for at least **0.96**. One recurrent layer gets .97 to .99, differing from seed to seed.
#
# All calls together may compute for 120 seconds on one thread; with 64 units and 6,000 symbols an update `nn.LSTM` needs some
# 8 and `nn.GRU` some 30.
#
# The three cells share **one** training, in the first of them: if `learn` or `classify` raises there, has not the form that is stated
# or runs out of time, there is no score, and all 18 points are lost. The visible test looks at the form alone. Test yourself on files you have not trained on, as in the cell after it.
#
# <details><summary>Hint 1</summary>
#
# With one label for a piece you throw away 239 of 240. A network that reads forwards can answer after *every* symbol: cross-entropy
# over all steps.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# An embedding, one layer, one linear layer. Adam with a rate of .01 that rises for a fifth of the steps and falls to 0
# (`OneCycleLR`); gradients cut to norm 1; 24 pieces an update. A backward direction would have to be trained to begin
# at a letter in the middle of a word.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps6-score", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn(symbols, kinds, steps, seed):
    """Learn to tell the kind of a text's last symbol; return classify(x (T, M), lengths (M,)).

    symbols, kinds: (T, N) integers. steps: updates. classify returns (M,) integers.
    """
    ### BEGIN SOLUTION
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    embed, layer, score = nn.Embedding(V, 24), nn.LSTM(24, 64), nn.Linear(64, 3)
    weights = [*embed.parameters(), *layer.parameters(), *score.parameters()]
    adam = torch.optim.Adam(weights, 0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps, pct_start=0.2)
    symbols, kinds = torch.as_tensor(symbols), torch.as_tensor(kinds)
    for _ in range(steps):
        chosen = torch.as_tensor(rng.integers(0, symbols.shape[1], 24))
        scores = score(layer(embed(symbols[:, chosen]))[0])  # (T, B, 3)
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), kinds[:, chosen].flatten())
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        rate.step()

    def classify(x, lengths):
        with torch.no_grad():
            states = layer(embed(torch.as_tensor(x)))[0]
            own_end = states[torch.as_tensor(lengths) - 1, torch.arange(len(lengths))]
            return score(own_end).argmax(dim=1).numpy()

    return classify
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "ps6-kept", "locked": true, "schema_version": 3, "solution": false, "task": false}
KEPT = {"share": 0.0}  # the three test cells below train once: what the first of them finds out


# %% nbgrader={"grade": true, "grade_id": "ps6-score-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 150}
def visible_score():
    symbols, kinds = coded(SYMBOLS[:100, :30], 3), SPELLED[:100, :30]
    classify = learn(symbols.copy(), kinds.copy(), 10, 0)
    for T, M in ((100, 7), (60, 1)):
        got = np.asarray(classify(symbols[:T, :M].copy(), np.arange(T, T - M, -1)))
        assert got.shape == (M,), f"one kind for each text: {(M,)} expected; got {got.shape}"
        assert got.dtype.kind in "iu" and set(got.tolist()) <= {0, 1, 2}, (
            f"kinds 0, 1, 2; got {got}"
        )


visible_score()


### BEGIN HIDDEN TESTS
# programs of ours, in no installed package, packed; and the letters that are asked of: file, start of
# the text, its end (one byte beyond), drawn at random, a little more often where a bag is right
PROGRAMS = """
c-
pOfeSh0FvhMj?p8}=Zl1yaAcG7MuN9m@G+vYS)a+7r5Y#o=9D2ug3sw5R#tLlFCJI~C31SL7m+28Fs8%rcG7z_sUhQY}5yw`
D6B}G=6NnV&?5|7PI62DKgtFD<8`P@{=ZDp$5#AY;&3;H;XD>I5SYHJonnpMd->U5r(g}^asX~so-
lbM^enwnXHr)AgVSz=}>{exkWcr-Ode$(r84E;x+O4B#K@AKD~{%?qX_1n-
K;5&aqo6gNNDH7u!_%vANS3oVF&y%b&!zI35#f!+iputMPc9>kHijVi;foEdsU0$b)1yJ`quhU8Ai=5_`60TLA&&m!@eU#5;
$*4+mqK>xsE??4&i%#c<r>_ZR@4)N4{pmS>B*>lbUcGqr%bU0Kb?wDo&v@~Cm=s>uctd;}&Xx(jjPPYNOJaUC#<y`?TpNF$j
<fV?TKPts(lGQgpc#eUrqlWH?CG0#7>tm9@PMW|B^cEyO*0`P(IoL<louJ%oTo`0iTGJwSrV0<117Nk+lh_yfBG)gcL&CPKh
SRn@|nId*}i@C=GoaBUAmzenfiZt4_q>E53jpjs&PIltAhC}t$e}~%MWNyZ!_xfLLZn{vvE=g=aptzCSy}l*I8m2i`l8H(rP
rN)s9PI-r1~clISWj{;kiiy-
|^ur56#nchh9WbOA*QFngS>%selWo=GQWl`qXSexHC_yQWxXhRBw^C#DFzd^V1%+sX@#nWRNo5jX;f|HjFrZbrLc8us)B^LA
1#X;<WnB$JmBh7Is%F^fk@;N5};4!p3_>5OJ^SsLAuXGM`0!QWzH1pY{10gy=b4vWm2k@lev{x&!H`y>-
Sm?vc!UlE7LD<a2q74cGafF(9sfDPTidL#IuBX7feLMvkTGSPFEmK8r$f=9AtpFDXY&^+3o7Z(}rPnrSVoS*x#-
!=ZwA9T$*{h`mXKNxIvBks+!*$T^_%!&7H?}0^(|4wMTjfubXF;-KUDPy@5m5W(g;Yk_jl<*&|B-
R(tBk<ZH2#xln?_ed!f&d$rU-
&ef5144tfWd#Xu2q^XllmcJ6vZSvvT+~~fkO}q{<_@UN{LRKIl2y%q>ANDI<BUWdFvVR1yLmAxzPupp=~!EoebJYkI+0Z#|?
%Dw41;HwA8fHsR~t*bk$96hsp9`K3<vY3=1sna^8`~yD9SQ%BukuaatyA2Ap`7FUIL)LV}mXtibJ=bxATY8C&Ewx`@jRLuE9
*GO2=Es7A!IX%^hGqzKI+H&CG&+UaWdW|~<{JPoNw8zuTJCm6JOieM>3TY_YYh<4S*xMN0MmP54X%R<D1xvwMKH{Pj{vH7W|
qbYEUXM3r2HoDm5G+!)8LfQ51nsPz%rhgP2@9a6n;qVEo-4aT6xLi?>e4emOg7(TtgeGIwvFQEO4C5;-
hR^E5H&c>JrTOBhYvS3=<g|}TD4rY{+L*(9S&?d~tjxPfNVO#6FlueF5i}YRS2f!QmaAzVE%HS`s;O&U5+k+9u~sUbj|L=Cv
nt5UJrf)gHJK10eK?A~{`zZKyAkOoXZZv;VKArt9B!1R^OTpZrsy=k>3e^8O3wr1|3PwomM%zGB@<FHBrysoQ4&0dzF98#$(
UA^9^Cio6D{?SC}sI=D!b16<G$DMoE3p2dx-zfd%eTs!Ja)j*amXAABcVuI3Hl2MOwtOEnz_`_0Ke!jZFYPA+?#2P+PKH5?Y
;~7toW$7izrqOg<iqL>DU#@*PA`K6*|gC#$?lRCyZK*431C;uTXU9$nLRAo#-~9bMaYX~hI2sS|BU>cV78SUX)yqJ+LDMO-
D$W`OkVA3L)8hD2ANh(X$uw7ZBx$ZrN^J~JmKnU$=Y91$#rs%U5$sA1WwB3~|stAL<}Z9zVVqVKaPg-Q#kt0N_J5!w9h_u1-
dy~BSiUIQ7Jg`!ytmYW`1lV*)EHsDCIy1Z6@%;A3rQGwky8w%|PpA;J?^Vd&*I1@AQ@wA%Ho;)TyaQx&kEzvA_vgSXV#}DLd
=W$uB@Yk4XY}RX$-
aT`Cvba4Z0}@<ezikM8^WYwgZjeH3w(|ES?c6RK*BJ>N(%SbPFtms!3W(qpkUkstNZDiw08xX3S#m{c5-lL>ik>-
m`0ydWeEdL=di;Pf?>vTvq6x%9OaNbiKYx3?FzLAO2`ul)T0YS01@)G0510s@#?Tp&70A0qx!^iwGs45dY%R3#7ap_}xc``l
#r9a=Tci8NGfYqV+FFr~N8?xHC%z87Als{9c<rK=u0FP+i?wpURx{q?s(9k+oq4<nMr_YwTR?PrG*t2ABJ=i$BH?Bwc^|4w!
AxiZ8`v7}H`4FAYu=-y&cg~^5a!x^!c+;t#-u07$#Tg8zKaONJgx$n8vonnsr2zrS25_zA6T^n_VN-M_VN-m_bxBzq*yL5RZ
y}EL+FW}#MU9ZIl4XB#|&z{%B@32Z|$>p<@e0V!wu}XGOtC^Ww$mIRi;WuM>aEDGz!%uBcqAUbdQ@x;3-
%fH)QgYAxz4&=}cdun<8b=M$63|>|*<|5eS}7Q~0j~(%I!4%DGJE%UKMu4MEMG8m3IJfM#sU<svCy3n%Jae77tsvIW?cD^hY
x$d@fhndS2?b<OiKVJNdWOT^Kg<@t398-
%oJDVp#mPOAuh55fC=Nl!6+3NtW)tss6m*?@St6z?3kR_Sb3qTP_qez8Q*R+_<qKP8BZBwx%DtAwyf)M1vAG>4*K@zG^8*cW
8kR<gCqZ=>4rCVDM?w_jw6_8X~;iUf8#y4xuqCxlh)KAn*#RMndEEfKJq66Xkorfj*Fpkz#woRg?Z&|bXd>tvy80ffYH0-
Vdsa+X&m_?HYTbOU3s&c%nA(ec8TJ#{2qArdYx(=4qnFM~3fO}acRQAHGZ!&8iRB;D`#&2jw#y&~zvA9-B;EKq1TdGElmBe-
bH8YI|K3|&`(h#1cpju2x(PIF2En7zu37$%33CYO_}Q}%$xPT-
H7Eq6EAi*slmn}7$_SMpijxp>07S4<rgt!VammchCnqZge_HeIv6N{CmgB5)`}CZCl(a74fH!%gVbtYSA<@2;hieFvKhBGSP
{hLE>Jef`va&3))4|82i2lR`Seeg^T``l6|TF~viZC$tqgdQ}Q}{<<hgL>1MlMi~2>?4~VJk;rw&p?!>j+7^g-
Mo)=gDQWgZeIwc{r5Pz*(6MABFbr)XFWg=YcbLN#S!yc3C9%+oU9fQJ@(fv=l-
P5$xry;bFwPsHF`DJ0Yc*QAUyn^~Hs`>lkk}DP9{NniM<bzBkVOUtXs@0TwD6o9`YI9gwOl0VCrf2tS?Pf8#B0S$1c=Bb1kw
_<s(&rAt6$-
;iEts8TY%DpOZCDb7O`W>1hK0mX`a+5HHP%v5`zgQv+VMex`KND<S07oGW7n@Hh&U!u&o*G=nek~&@$X&Mg|LSoj<f+>H?7)
#8Ng8zwHt$Mu1889W%2D2sWh{*>KPXGbw255)Y7W(rOD6ofsp9*)jI@T-
$BQO^1|?j@pk^n%5zt`o$Q$!H;VylMy5I9VfGRwMQhgT8i-
RVp&cDX8;woL5<4&Eg+6Oll`!>MO8Y$HBK!gTCpg(UF7fMB8B60Y#xwh?vSb8nf+RL)i_uw<;Zl^%3==iQg%f_K`3OZzI!%6
B<2GllZ#{~yS^l2q>){+wffj5fx{hLQk*L?__DCw(uT<_(p#$?-!bW$6~eA7P{KVTG;qi)54NZbW@Q1^1Q}|6-
0~3Z<eZ6}A2pJ6i^B)oz9aY8_3@kq6PheQ@<|nhcQ$RbgI(F3ru7`6aaxYzV$Az#7o?+DXi*nrc&YPF6vNVxz$A4;q6?AlVZ
J0+a0iCSM6ha&pz!Vkcc<R3MNYKLQn(1gQS`8Dj-#V+Kl-
%%3R;(Wmc%4%c_!U@EO#SmgGMGg%^J$rErYEEuEoIJeA%XLJl;pwUG8(#ArIVOTr4w1SEuTrL<0XsQn`jRD>FIK$VJ0xuhZK
4f*vl#AY<!mO87@M2IG=e)xw_LL*~USX$ec{TIc)u(SXe=vetC`HXXSYv4bNW^MxxM_s~nEHNR%qy8zW-3-
($V&Msfh$wgXi?{lFGiT6<?7LkM(dE47%AGqcb$JEgYM(N3xWh4W8Di&e!dfQm7TRps5nR`74bhq7Tp2QiwZ#<d^Pwr|vPIp
`5+1~cD(U;k5Il5lK3?e%zt4~TYH4_Q7vJ_tqc3yi#G_O_|QG@zC%sF(^QS`OB=gcb{Y+-
wolM_H)=ke_hdNzzpb`v7NqWSxe#Ej{mL|@jMqyOcR+A?Kdjf<nO34*?c$8JC}@oX`sE<A?>NoOIP$Y&KSYx$5d$F?c4dC0q
A*lJC_Ynf&MTkbK=H~<RBY}Bc(m!w5~8ZwfTHU`-Q?UR%hsD?4)8Kh1tUMk^-iMM8QY^;g522nP9%vE}&RN7c_sWHy-LbMa%
8hjs<it3to#WHE>K|M%=F&^x<Ct*XDVFa0FrB!6No0xs2>?fjOvzK^1`a4WLITv=9p!tL?eBj_{@dXE)TV2a)oV@>tzOwdx<
~M3B?00u_IDiO=?YIZtw(;u4PK3kT3KmT~W7dGxJN^pGfSIrHFFT;-{-
IgRq|_l5EZ6*}7adRBmD6}XnOCDJN4L5Xm+e11YB>H`5#P9OQe5(}r;|+qG<(D(ayr{2SJbN7@*5wLwog*8yE@latRA?i`Qt
{*B+%moD|4pZNNs_~=J-e{_{wW!FT-
&SQcGU;m&m(B=*fncIF`ke%EruT*yx2D`B%9u$lxqgLfI`@RAVY1&U?~`oYUh0BB)QARb`r3V_@R3ow&Y6@Ll@a^GvG`E;5}
wcl?OZrWJW%>zfF`6BU5R(Mc$j(I_Eofh&SivR-7F()ll1#-
Ea8!897Ona&6G(q%MT4ttW$K#H_TVNr2tQGIFVUc~g{SxoW@={gy=Tww_;FCi0!5IQ9fhFt{uFqgksUL{^+p7ICUb1Ob|MCt
@P#@!AhO4uax6oLK>3&jyWT5akw);yn+qld?bM~@DVPEN_%Ns3c*czhClade6l4IY}T(!4~^jOH{>#$LPMLu#>vIrND7um}D
$%ly&|3-MQoj6|PBoU$k!#pSfqLCOJ<y-
WiCqsRCBuyY3b1fWRY>F9SYdHOy;(DxBco<2dsAuK4=_uJ42Sc3!^6<L|k{}XS$E8<atvlA1{^AZUufJJ!In$F@9(drk;nDz
(9W_q$YrX&Q8%>+kBlGyX8XM79PZ>2L4<J=uGoy5yoHBLvBw5e7IuiMuziKWNymb3>toD;;uVLer^d9tn^qVA+GN}RG*xv4X
L{8OJc9I)eq*6*L6y?DmQd=WMQ*`Gn-UzGQPZ+c!p|D6AicX2WJ<KiL;?}gqU!TJB3dIy7hVTd-Te;h>j{`fQ`GXDJP<=H>C
;CR9L{lmdGVQ?|N9}=vKh(2A6!|<C=iNrsiJ(Ub4=54$2bqVdaxqM+Z@4Wft1s|;)dTR0r2-
%~E>WmYX!!%VKT_F++4~nhxw3Oq>I`ri%-`-4~x00iSc%LRo8P3QM182HACFNKI33tLv2v(6zn$@ErZ|2oz(R6?@hrS3x$C-
5VfEkw$>G`mSXFy9m%VTPE6dm(X{Rs|)$dlt9pb+<GMc{_3=-F<-
woI=wC8c$vc}&t4R#_O&@k?@?BrW7LXq>*E=i?wAmO;}oB!BYgDBO(*ODuTIwv$<F{8y&?`1pvQ5iXlGkI{Sb<tAEVoZivNx
bA?->G3M&#4KOR0nyeuJl0-
bixftiQzr{C@DEHBMSiH7tg5weEGGkv8%7Tv+f(UmpTWjkCz{7F6GTeKRk)q$G?AlM)vplJ(61yIWl=}79GP>B3~f|oPwt5X
ySzH_MsZf>$Sp_~L5M8pWbeck6eLhNCqCf=X*cWxu|SJBBL&tqauO*iQ+zaEI_{mEesjw@ON-+udDVohg-zsHoigWNTzH7)L
riZ`f<|;xyu4E{+~?cXk9a`@K^OsHeSS>b=4Q$r81MMR16Ic;a8f)d4*p&w6XYfKIBkdhMcSlSIj1_NS83JCV`BlPtH}v$br
ztHgCsAklc1!>PT+obsXR;@meO2yHx7_FJ&LiXFGQ*2c0uwV0qFWPY?fZr_7nYQ>4-hj-P(tH7VkX-
86uZQM<gO)7;~3U1DV{B<kV5icsi6`kOM3gL@e;?@|*hf97?ji>6{cr7IfHj)@V^*?hVM&7PnrlEnn(pt<@#%O)oT(MXdW6M
+x(^L~`k=oHb07#@rbul3J86o8!z(EgavE_NFXymWeAwLN}dH92Ah@VQ+tKq37-
EK*IQulNd)2Az*nJZx{BlN?Ad}>wIX#*W_9^FgE1w(1%S;Io|ipmLId@sFJp;EGR~hWgV9X8k5TDBwJ0ohSJyWLe7*W(U8P*
<pwv)$e!;zt_wHamu2*!jL?}rXvvL(ZMk6+K_Lo;WJZ(oq(|i{_3PF&$97j0bTwy3g^UP)!U^psw<8=sJF5aagLQxJPsKG8!
^s}vZnR8dB}0ZNP1OeoYDa+_)=7HX_q?4AXRV~eC$dOg@tWnSrq(mf<fuyk8Dd;)3!+R|tGz0(;u(~BV|4~3Dw_C(IwP6&Us
@~2FReazS4l?PS|}dtywzub^K^N_6LEQxap67<*TDpC2&5@I-
wNTHv_nn3g}FRjafqR3olhL3$k78y5ug2kzb0pMU|##=nndIEt<A{~Xg7%M*)=dq2TmWF&pBI$5|>Gw<Bb|`K9h;(!*Of~vq
UYZL2E(E<vh?g4IqV3iyvuBHd}AM=j{J8Uz+>|IjdQ+>hUS3XW7KF$sy$7kKwr@&?HF<4^{27fO$L`lo(=TJn{o*n%<L>uMk
!FQ<t1GMv=H07gtNZ@!&A_l5^UBU6A9NBUq0u6fIU{Ws%W;{`$??_s{<^_*L@gliO6XPnMhrbBwbRZ%F1459QU&t+J&aZac-
uTOu95r=zupVnz}+?rA=}-CnGq#mC$|bwBB7dg-)l?iC5g!fFJz(wU@Hl8y2)X}7+&tR{zFNludp%--
FiOIg9HGgl!02ZBrKA#cduQNKnq%_{2*pVp~E2w5yS+c{qr<-
QR8aV<e=eWG?owkzqFQ0KklL1;7HdOHEWwZef6MfNZ)t^llE7XQA#S;H;i=b>`vE^8if&_-e=LsuR^U%-
ao%Le?~<_g4Dylo{12^P+OzkLPcWd<|nJLy(-4)woIJRX~OXa9It+p=Wt-
!Q;agdWGcx1a8_ox>+cG*$;|YR=z1{b8U0NSiS}tlMad&~&+9jP_lC2djwy<MZ^Fzx@0yx!0^9amfZaK>3rQ)R`dX^6#(SJc
GTZ&ZD9v;Una$bGiqH0lux^1+g=$O#2;X1D_n}_utAqv!C;_&K6tMA8Cmfpk1f)x3f2IpA#kfv~PZV^)uZ2yo|6faPCY*B?F
!e#{WwT`0VWar@y>-=d@tyf?l|Mz;lQ&bREJacX@2D{p=d7GHLb_feR6KHm+%S%69v(Ojs+-
#Qe(g+N%AYo^fX+M?+#BQ;RWg7Fs?wMCmgKQ%23zreVS7xEhk-um@YZu^MB@Tf~u&%4P5jj%%BI6^`JHrZ|9Uo3<_S@E-
{nH5y~0FNhd1@l>F699e>yzs#%eVL_g?1&MAijbm$j28P}8EFmnCyMz#NM+C8sjSj3gd|NS|lYAb-
6%;FqJ4N`M<+Uvp&C9DzW0I#OvhZ2HU_M=zkF9jNdd(1?XD^rAU^(UfTe&l(wFjRKS2j4v?_rhc+xdV#&*O1IpI_z@sHH#jj
n8^EB3ZC#GzPG#FD2khbd`|IRcuJ;9wBb7J7N!IBms=M@dn{8WtQPe#0x2~MUh_>Ftf?hiD~OD7vQnB@Wa689y7l;uxA}Ok{
4d#7quZJ$%G=kc;I1DBFe`18fIg;jK>}qE{lnwC4r4;JhMAX6#-utY&P#WEzmx&-
)Xbquk2UB7<LIZrk)X5sS(YuOMDKjeJp$bkSIt%`!Z5^*S095$(Z+sh3?&W|BEfc>^xr5=<9mrdUnyeMhUCRW79R(@ga#zvV
=UJCQ-SpLkyT;mu-gDR{NIL@QgpwC_T61GNV0k&Hc9SQ`NUsW@&W^E)7_I@0Eben4k*hIjibv^84`3xl`zXJogX?M_A-
%BnIKb{lyfFk55%Tj#u755DR>cnR7cIw+^`-
LPXrm*Je8d95X2Vb4;M@2^9`&iMiSA6Dx$8>o^FC9%BdvS&K#pWHQQc&X0R?4#}zcqK0WF-
n6{S`&fFI060<SJAL*}5L<HRH+vw!#ti-pOxU_x<TcmjO8C~S^kwOgwGNR&4?&?m-
{W$_(wt?<YFae9gti^CLR}qFovtMen0umDiVr86$5*-a3del;NB+`;t%~PBZp4oR8)#U8yn!@5+-
eCQH!X9$mjD#PFdExKd6t8#vhBcFjOxo#lO;V!JaB*w<oTs!pQ<1v+_&JJ?7)Nj0=^`US`p2Y0$;*&v>$ABK7O<(vw4k|8);
J0sp<3O(OrGag9qj>8*`H+*G|vfHV=<BaMN%rlv~xe7H<L@SK$bZjDyPvh%eoG%7MwbsGdPPe6QSJpADP)aNy{vs3!VLyd&L
Nrwzg_^knSbqw$8cAV%E`5PG5xKIDf#*sRfULtAhS)|FRSY1-
S8(XA;au#qp3xMdAlmTOitiDFfB9Z{gIA`xS*TZbO|)TC|;T+S@z#-_kVA9mz;qG5~C_wsktaBf&1vefSI9VUUuP-
_%0q;0EU>-Nk|04X7gR~7L2A-
O`Wl|a(S7Ae{9+e=FT&FbR}H!>#zBWrH;F_0!sr{HXuE^OINR#hAx#z^qH(L{l9Ue^$yMPi=>7TQ*Xui;NIjw_3EM8N*!W;a
2wjlr=1;C=_NEiV2OfDY|jd&^0IVG`DtJ(T76=}r`Z-pDl;vgz}-
wZ#j*wQeB8{&j0sirq||qF&C~37H<_d`g?^NtJ88?Xj#Y_BK*@GQtTqEP1N8m0$$RS?9U|=bj=7cj}<X+o)HyFD&|DmWAWFf
9f|eXFfy2(ncrmgX~#NZNdYW9xMq4ce3`K%<KeHVEFVc!(bN=?1*kc3@%r&R-
G?Fn9*oibS3#^CAWIr6`|IF#gyT@sLSlaeKD82m~amRvD01H*hrNxB(%hjqo*2UdM%CM3iQ<)MHYQIDpICj-+L*JZ?+Tih-
#s@K!WY14O<1?;UNrf2E<|FKG~p2_C6)eD^ASISMSc=(tCB%NsdjE*`n{sNltyw9TAlJGL{5Q*vgRc%H>d|SO)OK`<}KTxJB
~&GA)vEpOfe0z;+CFv0xa063C;^p2ffoz1)}eD8+8{YB*c7<wf`4cNAA;AGTcGuuQ5;r9p{{%6&(#X{*`n@-
Dm}Y`umwB0hOjwj(%R18NI3pj{*O&E4%-M0@tiL*FZ_yhtvqf-Bd^_+Y%242Qv)yCCnJEPK>q{mIphy|W#QLm;C`3`%1zOFK
hJ`EFsZ(#|D+7b!4FKSd02o>cMsxF9a(_?8RjPISk0C4`AwHr|Ua-qq;V#{|L)P4ACm6>fPaK6u;O<g@|yhR0poU!@-
xED$je@dqGNIuZ58P(f%IK^!YLv4z8qb*1da7ZjRXr)kBpE(tO<nPi<UJ&aV;y@H%o4&n*!ur{vn=XrTd0KS|1cNV=IpL2y&
7oK@cnmA$cyqwi{x8`y+7s<oLat6#=6&N6f?e)EtkEq*%tW0FUp(N08gyIc|ZTQF!L4u#XTn7KDlB)umO@~-
`IYSN`x}MZsJse-V?-
7xyk`cMq#3L7MxO~b<dkh$cIzxCEVNU==cYp6XjY)2}Aq>bJA4P~$E;G%{I6$O~^AHhO&M*ekkHwz2r%f&l0eG7mlZ>Xh;al
*Y!To65NAi3Eg-Rw2w=~QVs6e67;5tUYH<wlKB7k7iZ0uE*Ip2SeI+Dl+&1}=y&ggS<4Y7i{#v^5-Z_nQS{p<{3VQ-jJ<T|N
;D?ZKZ7f+w_JH8K$7xMh=^OrwJh8VrzWt8X7Uj6bdKlf1v1ZyNW=f8XP^Ur55xoB5BL5}VLyp?ZXJbn2So|%j4BJ(<LpMHO)
_v5^HIHFy8HBEoJp3Sp-@jD6Y<@=l4)xV#9`yJ`NAAWrP-#@+h`Q@wE|L4uycfb7Y@BjGczmASi9zOcw%fEc}^<O``-
|uy!2Zxs=CeGe|_w@DIv&-i%FKhhPK9Xm=iwk(EpW>fiQCdu?^h+k$Lc8f|3wo^rgvq4oNVcw6-
^n;H+99BuW|KKN8;HgTpu)HOaRCO2FU(Mn2G98o(4}{HiDFXpcCZD(y9MD_#8ChC`8Y{3muyif{}!>JKK_w5+x>mqN%yeZa~
=63ax>A)l8eji&}znYqSPbxR^<I|iU_BNkJ)fUJ_MqLVw$3C7X6ReHBugxLOWv8Ok+ZgYoGDe;=*yPoIDdw!DdXll8W8*YhM
$_Fpxeno^W?>`*PcerKs=i-
fxrseeKSh<|8Vfu=#CoVL2y>vt5jYZ}($Focy0)R8NTZz;6Fb5<I+7`z!*3hHzaISdw~PxbL<d&ZB|As^t1xP1jQi3UHu+FV
~CEbuP8;BaPqzyI($JW_Lq#AZCQ4J+uk`{}Nw?*B$&oll?RDEB|)3h)*+N3Ah7zYkXe4-7&Tjr6lTvX-
Q!aP1*8&%|mw&GCXfDJ=zzBKYAX0E&<7k%F02xP1l}=_U?UP0HyRELV5m$=k4k0$c(_<yzYJ#?r=9!*j2I6`I!CiaeINfZS9
5~CJs9vyG3_-_6~mi5TJ&WvNmzLZDMRER@T~&!x)<8Dr6pP9O1r}XPcIcZ%zk4%*7wz-
n(iDvi&1%_MNea>7`W&eifCbT|!O-
Jii(I+SRlC(oD!#Rilf(**YI?7@q;kwa`k2Meqkk%1!_pZ*4bloW{xUcsJbcBQDIq@ADUXMV;)mS%M22NzeG4`GR9e-
;IjxO1{q<>~=;X&Cra5FA&abe|Glbvz3TTTMqy4g$<tU#EP&bYZ&*X$N4w9JoO4%|780B#xBOzxsJ^tkSv5i3<ACeKV;WJGg
7yb^B7U{DIZv}vCntXHmAn_^iy8~5953`iwiZhe$jG_Qsi)$z`QrVD(qiR*|3vj>nb-_No9UYR+3lfql+JM#W^yk+Sve-
3|pzmvYpf}hf?jeAtA%_K98%`UEC4UTFDe`Z+p~O+P~}LtpYhL!FUzj)3Hxs+s0LRCsglKZy(%~4~U{6tirKQqdnT%Yp3Q*`
V<$3sc>jW|C8Qr*~SDzJBMPts{HYs-VCC&jAvxyNzQ8hSRC8!JXJevi$KmDNTq)ZBhy2dor(tfQt#UGpwbeZ2fSvRJqCbC(#
CxtS^DXEEj-$imp#53Ip%a?kp%GlcvRwjNw1WYN%-BZacl~Dy;nFuC@0*?*gM7jG%;*nDVzrFn)TbK-dmg_sbAZ?(^uL!%WU
O<iU9(FE&uN9?K{+nK9@sf&*Sstu6~P+KQtrXAWn4d@wqpBmqO8XE8jcdDyD36c;*1L`8ab!F7)Aqy4At~e=rol^p~Dm5qw|
|ySIFMJDkTL9XODWhQ%bniBIWUh<pdN4lHnZ1aTkjN{eyZ)5x^H@<YZaonVT$$P4u3)hcv`BQbe#VJ4h-OA_-
c2z#}xpZW}eZ|!iGL96txbM7H7s~!W86y}v^cmdZo`i^(oEHR15q^P7pUjd+KqqMbY@gdG`mR!@3c$*t(?);j1ZoF-
9(wkX>-ixZH4@3bxs{<TdS@94#<8r-&55ACH_%0#6iS(~tlV*YBI!;?A((oj?cKd6|c%3XWj@5F-
_DXx3ayf!sAll+t5*Mi0$ns*d5&Ew`WAY(wQVVX*OY_;rn0si7uhEjW1`bm;8`}fB;j_(J_^aT%a+<eOCZvcs(}-
Ai)9Hv#((Cv6vLN*)DRYW$*QuyMP?JKp`gT<=oEx?bd1uf1JTd3Skn;|y)V$%tR^gb|bnjFnKB(aDr0Dv-yXPe+m~!w6_ZE@
WG!pfVkOIUkA|&uo=mV?^SV7VDb<WP~=V#xYz1_J2d9l7&NB6$D*j#M>xLAKiA3x(y2lVOSViWS=1{uBYp1ybyc3!<cdwIrH
>I07}AS1pq;Xk5}_!F1Q4?90UfA;LfnKXt%#5-
2F{DBjP@M)4}G>;W^c>eO4#=F>BAe`Tvz4+zXnUsmY=s2smt|Q8uIvb2LNQUGp6D>yR4B6Qn*JB0p2~H8mxm@)c>*cD}s>^{
*vpif#{_OSh7q5Q!MN6h$+$EYZJj@_lpC0uup)7p8)ya!-
_K&AOzkZ>hI>hFvSY4u4Eg1jt!WIqXV3PObNBrqxm!Q$PSX2YrC7+;xDfL*}n*>*+{ZK<JCBC3dfei#}Q^7v@`!wgs0rAE+=
t@&~{K?@V3vSa$dZ7B_yPsc}!^0<?dJ}fs+oErUvZCkSuCgk=b>n<{>W^tjdAW1rhTxaH=cBs0y@-
N;xrnWFbPso>)KAJMIxNU6T7O49&7!t*zmrSLr3wTjMkkAs)5NcB{md~j-
!%GA<uq>5I+m52qIk>~QWjbVx`o=l`e9Ch&Pd=oxK37LvNKt55|AYYM+*@lbaBESZ>qU9*9zOCT8W}N=$?z~ed*Q!<@CY^;O
^ScE4~8=7pAwp019-
c%%sfHA`&!3_Ji>JXrO~QSj^M$c$Vy+*n#oE!9Lt!oWaW0O6r^9a;0v<o)yaD7INjW+K1`kHl`mnwHi$}I2Fq+I@zR)X7>AT
TebF#SMRGjTP1ERCQpZGqwBGk#fM^iNmOH0q=KuJoOJkT;hSk(%x%g3{Zl)<Yt>MO$-
0!ZPqGr)J+NxN+uRV5Y}dYLUwM0@3XLZIRpj-rI5@)XZ;mr0x5<d~eHC9PHiNUd10&9+{t(Bx2ieD32Ab3xME1g_OIE#*$*1
Oi>Hd&_f?*?MS(sbMxD`>KuPKN{0sOZ7Q?Ade*97}2T>{)7udTsFnv6I^BwAG&-4dnEBiy#-@vYa}zL!)4o**-
TO^P*lIzQ<ho($}@!%Y}^TQS!?pg-FN%@HL&4c2Mx0lm$4cLCqI+t{$CDiJa>NiEfJ7*a>x9;o{!&vUP@AagU0p}3Rg6`}np
sIiA9cOmQO6F}{3MiI5_XSof|Z9)AzHtWRm+0EQ=XvE<b=UVi--q0Jzi=Rq)A~j!Z+3V)qy!knb=3rcRR^vUYnZdB`JNMOO3
UX^rU(g?GsMx&B?N#5A^thhKc}8T8pgg)mE*?MxU&9x?dLq>umQWKf-
0rNxT@=rqz15oB>CFntLHKS6UP*?J*U}vP2#0#de4EshkEd2wXkHQjqJfPmz}Iu4E5eT$>KuU;9mDhn7Lju2TKyK^*q<>$_8
&N84PYB(5}8s{*^JEQODj1Xk$Z37EkwOu>w07MIC2LRi5Y6S*${J}(7xfpH7ekR!Ex7|$b>jG{lu>!vHdA&DBBR#nQLmeW+B
ar?8|x^0KDChHL&2J6Q<!h(c;^B)s5yG`vgP&-*1WHa)F2?eiZBSa=1)qRhpGZ#-
IlzyST_*K_fCU^o{@0cUm_or>8!pDy060m7BfYK-
$TANY;e(9;;XJM4Xpo<b_?qPNr5YOUMHYwd7N~Puz{njn6$%i1po;q#VVIM7f=Vz3y@Nf%#lgu2^AtpU<jOPqRui8tZ=^&lj
ik-
0wK4gY60tp95!Z=Q+O~^_ZUmqVtfa_xTkbcIxt^sNJ%ioY)#cVmP0pWeXZd#6Lf{J^9ONJMR>||2)}7f;r8SsRPxuX2C#Zrq
3tn$!(0Y0MEq3{C(oLegt5Lm1|G}DGb&gK;ie){*@;rC*~Y>@-
`^Mk9bKsPPFzrnOQ^r1t9pAG2a53Ecrs>D9`X)Crj`W?aX&v=!XT3dL1`$CAEHHDFHVloidXPBPilO7a%1>dsiZ1>`Nncg~U
mR>!n8K?SfOsdHDqi+5~x)&sS^>#)VTVn)8I%JVH?}SSd@M2)Vb5X<TwtpYK+vWo;*C0ZnlBImTN)#lU%JKGZ6+oEg{-
G?1E`N-
_=Zaj|!nG?k<5qpsA>K!GTo3qn>2+}P4Aa65}o;CqRB!%J(_;YPqsF7YKv4z20k)pQ?C{pDXUtE+u$WqRC&z@aWjjPT1C%d6
>Z6?NXeK08B=DJjh9{d_`PaPn33^;eIMj~<=Wan5;;qVVEnGc0NT7R?`W(NudTwcOY4rGkC*@aw;veEmfWEb-eol}mw|*(O%
3_tP<TI{qR$B2>Qo>PzlaE~Sd4;3L7HW|&vp<6-pmqlZTizxcANb9zKizxYe^^_O3r9DVgj;7rN2M2;mh<&bOq2$Q}~I-
AaquYN)GtA}46p;Gp<r>LHF@`zkZyr8}N*Lpc^N&IFtWc$i}ySj*!<-
VR2isFb(QWZK?=0^L9t8+`hmYJe!gUeDhLU+?DiHp06+w)f0t||o$8lw=Za9K$bG#j^S;Hr268%KpS4VXR7rO*@2Xn>2`LIX
RPY;x<$?j9*hRVh1vA|b=4jUG5<knfqw9JWX1w@et<aV}>x*FA%QT1EOkuJC&wN+LFxSstFsZy*j=LPsJUNf#*dDd8?Wu#NW
N4&E(v8P(F(^Zv+5?6S>|B60Sy3>U~0me8E+M!xpsPHbO9NuY_Wmy>u@<;AKmDZqceLT$fQr8P+-
;Y=Z&{$e5_P7)f7sGL*oV;!C@3-|k6BV!cl*j2bySlFG-
M=Y;}&oHIY$AaVxS_R2Fi0f;0Ii%9({oSUB{$`l`(uSbl<sU){Ik=7=c_D~M-
&~MGQt?l{a1x|!PY5Se(`rgw^N%RO7zeX)=|7Joj~AI2T#%BhFsR_;Th6HSWPce3Gp%o!H|H(sdmb-YG*y*Ip1s$j0Q|UY@j
jjz@(|OR)?1Qt_F6JDw%gyGcw^*rX-
*T=<n3FE375;_;K_DbY@A%vtlO@wO@VPbBlHBk_xywy4|q>IwJsgj4lru<^N#HUM+<8=F^N&)hKJ~c8=lb~cv7Vuz8a$RGyX
LK^n#2#+1uJh)R~n43HM`N|0seWE^YU=+Mjmj%>M4~QY(oG#CYkpqX%TDE8{iDKdI{of)Te1Vv~`fS?4KIp_}-
lHNE+$7=ZvjJr&!K40~UH<oNexI=XJx7IGNMu9{{@S&uy@?hQzE7U^wQ{8Q&zEnaF8Y+T^Z6b_h3n3GpLPc!*xD5<5CzRxQg
RTF5vx_m%Z|59sae^aSjr_$qB9bmRcGPv8zwzX-bt@gN<5t%odr!V2Z*^)8hRCs`?!*>5liu_snKE=g!_LepIL$Bc|#=Kiez
AR@k7s<p47&o!Cw&f>NS_+~0McXQ$i8CK_K{+mPB%7bh0F01;(Q+~~{dqqjdQ;`tb#t9tb)c|Tke0XC<cEZ<vPo$V)j4!E&(
p#A^}snH)W_H4zvxGXIbfj9_iod&Q3Jq{yUM4!r~9>AH*23tHWRu=CI--M?>14N4IYd+$$}aW7o-
LIn*(+iq%&cH_S*nKXdULB1NXN!T){tWw{A_UX0pCHCk-
~B_u1Cc)jtiXYuM7JY&<}lx;Q|nDO`Npo}DF{6I{2gudxP!#gL>f-
<;n^I;+UFXI(VZW}#?&MC2Ftr^Dp^0Pabby^b!s2VFM#!@Xg6HLYa7OxTOGzMDcv!HlX_wWtHk`j>yUu`zEBY&gB_>F-
3xnby^4%7!;siWi{+)E=!Q1=@?Zk`2kHW#`ATdQ!cN<{mbeCnf*fHT#?*@bWW1du;VlW1}}$Y<WC;Jayh!;MQ&xTS|xlEC%6
+JG15cC!I3{erG&Ma9T`FhhpuJIzZ!pr;C8}!0({|_+6&UqY3vd+$WuSX8@#yIJFR`4n$pFg}VzymhhfkrM{{kLD;Gvt#Tqv
)VJ(plcfkk=vIUuwQsk!Y|&=fc;<b}9_J@CfonsKG5@`9P6n-#@3cZlivr)+g5%0fl95{bCezg-uL1yXmQ68lS;ck@Tf)ZiT
!T?pILZO2Pt+F;_zO8P*-
0=Y6;34n3|?|GZaaK0NZ5EUszL<nKJ4sS9{~#d^39{((HFj&#TwDTwv=ul#wgkE4%b^2RU5ii%4tPp`K>4!y2}Mu$*Z@uY)~
g{y92&;IRda%bpd!vVF(h4`29TY&NY#HYliXQ0ZLBbfvvE>Kgk*>Il6}H4#@8oJUXhQo%OF1)N+MK)EQQM15N9S4P&m;B!xl
Bc6bfeUb{|W6Trh^iRBF8WY22^PStjJz|yv{cu|3r5jhTtVTpV^5&7saIdGHw{(EdD9CalVD^LfMh(m99_F;I}j|!}XS*j3q
rh!cF5z1Js^>=r_;9riI(*qi9(=Pd{heQ3oTWF+REHTS>NGoR}T-R!Ks#kxVE%t9R-M;ygB8vYH%<j2R
"""
ASKED = """
c-kFUdA!bL`o6!*^WC@iea{&($|yC$sYAoDBs={qHHAt=)=aiGAxntjh_a?+7b@8b$9_tSeH&^lNhqO-F-1|M-
*tWeIPd3tzVGvWp8LM;>$>jyd6jH8M<`uH9u-S|jc-jv`m48;CUs;Io;=`+XUOX4x5$tWoK~(Sw`)o_WP$m)sY#LS5nZMxXA
@1#+}fOy%j&RY%4n;^GGwfFUQ;sE`q0v(On5fbrMB^zq08URai%F*zu4F1Ie(_l)4#x3oxP2oB{yoVG(*b!S9~RP^{e=Du$S
>I*`$A?Te2bkZ>-
A*6=Kht*}vrY?MzRX$HVm@cgXV@`ED`g=IA_P7TGF>lmuNuP4*aN(wJx9=^u8HqsifLO=QV;);+c^1<9$zlE=Kmh+(a@z&53
Ea4yiKMmRS#<lm~bWl2N*w64o-`Y0eUDle0-NiJ!h81h71fOpp^6Istrz6Kg1l@LR1c^;=PPnu;c>EiA67-
112ylTJU=yJ&^1)j?@<FiV7$AyV0`R))`$-8<D!<4O22V}ZOJx@G?8xg+|cZv<Eo~Pm5Dp4`A`y{>v=RT-TD@%@NSLAeQ?(M
)SUk6ozMkC{TQ)G@_1Q=@DgOFo=dzMYCnn%RE9wMCL_^t+=pVm!T=v~IUJ*>URw5<7!$u+e_lSM{V(~`Z(kPI0zDA7el4I(9
DlOy=QRg{TMX<!Yp_<V3=$_f2$gZSj~mAq*^g%j5$Cy?D@Z3loU@h1hkWRf!pt9-
yWWQyD0Q?lF~g)BrS0<ktm29;_8Of<O?twq)s%m<Yr7qxqI#_)W?>i5fPQY@inNh?(buQvC70TWI+7Es+8HbZ3}(pG5P^B%B
tOmqOT&2U?ItoVM^cf9+#YsmJj<e2YDlb`EwZewGML1uOeSl@QYu|VIX^GTJ!lmXF?*ynv`I&gbY|5R5pPw|jH?0$|ZYdp_K
rt&?q_}>1DL;ggFq+!m@)1;a;1}Lp@9z}!)lmgB-X*Rf2Y^(=jj~S)-
9Be+J$e$;H{O@KR#WlyEhy_rAA&%+>wf0V4OZZl78dBhV>X4t0LlG0qi^!sb_5#*Fl4s?M+@=4F$d|@vz@^LXbI|fG{Vju4y
B?^zYJ(z%n}n+Q88QEqdpD1#HwHJ3X7nssy2{mMtg{=8E%Ij}yIOKgxaMPMc2U$2`wY~&=$ia!Y=Ex2K+*iav8iOGHyJUP&$
Z1luOgha&s?UcvJ6z;Gn@vNmer@DrfYKZ^F(Z|NaOwwp<XMEV+QfB1^j#4@7UDcda!g<@I}Cyt`PEJ6VCn2uZ2pD%HD@M9@p
leBIl!yu}Bm51K^xzv;nGJwIlGN22g>L55ii|&Mxas>{%uLET*!y$Ci{a4<P27>?JnO?Fz<r(@Hg6&Z>J+wat2cgEj5wD0w-
)hPQ6e+5qQ+$XZFEbpZHx#)-N-s*giPouV_)NV)jem`wg9X4Z}1V}-
8nX>u)mHli2J6F%|rWTgHbvOAmk2QXjZw+{??A(PG0!3u=<OwF@owCZZ{^m`NXc5cp;)ov^Bd9X9b5or^i3W-b&A(KA_6W-
M(>Qr$zp|1`GO<P6>k-O&Zbn#f)iIT<81#2`t$CdMiKK2W=_LDIl?lD{6id;^*18~X^uNSIWHQW>O-
G}klMom`quD4=l+6^4LkXHPN^@hzz#?jTIb=d!C-
gWtweB~D)uZ7;rSTi|#3dr=c3ZcY)@J3=g#^Gn|@X3cBS$Z5!)hyVB`hM*<3`EZB-BVVaNa!$8zApXL6vaJ1gNIzwW`GY(a|
3dkB+h#do#$KdXF~WmY9Vq5Sl!OJ!=(0`AfxV<13m=)w_xMHg8m`h=6d9^-
TVPHeJNZ9=bxNc9+96k?gtv3Az9{fb3W1D5%NhfSlvnsf%C;+TS$dIrg-
9}kcf5jskr~*+sWSDJ~i78J74GQbu4L+dj=hIWiTM*{v{?gvdN@34okScmoIY7>4lC^Gxg7I+B}VWwuQcq%1lj@C$w=I`}JY
O@ItaPVHYTqBSRj>`p$X=^tsJBi?iaeKVoa{?tp6*r`@5%`V#)rDECT^KD-
98Eeh@lsfg34W99h&@VVZ51IR2jZ&9Z7k?&GZYwoa{Y_;hy74qrouju6b1o&8ARRTV=3yufucgItn_kvp%>YKr$E6I!uYq}{
S6WRvUX%}$7jK|?~7TlOBn_^h<lV09nc2iRKZYyNwBB8r#>9jCX*srf7tm)J6qE2C*NaR4!0TpRrlm(LWvc=$l=~o6;Lo-
&EXKjE}9SPbZ_vYEJvh1GK(MPIk6M^JueLmFvs$YurO?(wF!lq!|9Q}Y!-+sa3xep50{Ksc!;ad|-
Ls3~1;4RneT@L4;t`_Uq6%{F)9heoVZ@hq=`}oJO^KV)yu$ms%#gx?@Orz_r#=ZmHlWE@{#H{@a(8w2hZ-
dMni+npJyVD-@GD2veql{p08>r(GwFI-lVEBe5MczW7eZlSQ(QTH%ZDtw6;Q*~wDQ5$%2-
PV~YG#yZ!8h2yFq_Ts^sj{z$Vhn3`XB&$ZR~ld?A5%#g7dfL&4nlTgXimF_%rZ1$7*e}D~$#pZZ)={Qq{A=v($@HjJcUXhsn
j%VD&s*g17|#Z_4z_nldTe8-kf(qlo9uPp6|*LbpGJ3Km!gfp8b+6Nh|O7WF<EbHcYy7ckaQ2cW4H#!V)BR-
d##?h{sF5Re~c9RlXVygELW)fa64)#>N*td9X!Mei+m%MSk%;-7{d#GcqWb;VWK;jGpZ|CXp?AW5dN8(tMoL?t?B-
L)DWcqQWO;~s}+zG`iQYKB<_Hg~9+`e(bC@$3LM+IvHQe{*LveCz@3J@k%?UW=5meZkm1>UN7h`48}LlQ$oV^HibYgv>o>8N
V1ju@`3~I56v5&0>cg7PBKv1RD<}<)EN*b{~iJIti9ebDxIq&9i%edjpNXVR~tk8JH27=X`}H=d>;8DU~wAGvv?fI+5Qc><i
O?z;*U}HfOE9202h4is%(rO*kp_L`Ii_(vW=KiI~r7{dGFzQam}~w)Lo&m%-
25RR?zSsD7&A{^+^gqAd|U>YQgn7sVPK=6Ou%d(3)@E-
?l%v~u^MrpNtdh~Lb8o})G^V}|@*yCrp!nOJkx9Hhu|$K%Af2)XwR@<ZzJA%m)~2(*t{>(D#Ss()IXxT<LM_Db;2NL^E$_Uo
EfS{G_<S2_)j(1`FX)MbCz86BaFwb`OquM0WB=4`Iqjg{SVt-
<`qR4w2?Ar8|Sd#R#l7TUZMMd%$L87oq+egxlEH>a57Ktn`TQT2cpI>c2Hy67<=^Q<%9AxdG)exzr}kad_0Gr@|0ihC7R=oq
!e%Ee*Jh!e#`lQ)HF!0<@sebnW+_O?#Vj?2<f_eJ!9Nx<r)vldA9HMf{N_Z)z6v_g%O$q4A;BXtp&AN2=8NBfK(h)~5p#+>K
tm{j+aJUX^m)YQj{NOrNv=i6g4vtC-+?GgX)jf~a=4T1mN=5~|Se~C(0gYn$Mv`i-
)iuF&qyIoErB@Wjsbd#a>Dk$YX>ko_f$2l%1ihNWsRHO0knV>Nkb(i-E6#BOJ2$b?4Z<^2Pq673&Ti>9wA6-JsUEF_B(e4u-
9pkjnE$_g&znLE)^55evaMb&)9Tt_oI^cBI*e3Uu!{xf?KFzW3ERLwVk#O&avm>&M;h&0AXaOp|2)8Oj{_K__!cOWEkQ^LV!
1~K^&4j(R6xA$i?ligQk{o^G8N}8j{50g9v>v)`IrTbN_iyceuy>XHBbkZb0_`WO@a|5l1kO1P^9JY1vKCj)(0LPCgE&v+dg
qz)Ebd$erl}?g`BQ}McF3HgI8n4ioX<rUB6g4!P;@W*0_K(-=J2#GuY{bt-b8<y89e|U-
L2n(>J%qIhCQxY!kKoW&G}?lNUy$%38a!e!se8?%w&D5r8loJ!u~isWXHTIOV`>gyn+7B;+%5`I9E(QM{GNDmGk%uz?oEEy@
fts8nf$d1~<lsLxJaFeL{N6xH;y8GdJXJ(}lgMJn$@&J&|P=ClSMJ^RL+XP-
a1v9eg9(o4kQN8<>^(yM%Mtp}uZV<ikeH_G9BUF*}+IMbrrT!b6s%Gu1}7Cw!@6GCScszX5BkU{OF9dR-
%KOMv$8Q42iZ7`ztp20cEVOP|Rn^6O1@nJ*P*^25UEWj=Nb-
2&*VnfGU(6Ix5Gxnkex@RoFA9+mPXW}9ElcN9CqVT+z$OXu`;Fs5^EP3NmcX`g*f=w|=Jee-
zqr<k{@gD!6kOD*ah1F4)dcmqAFb<+8J#RDN-Xd%3jb1xmQu5c!~hAOuR51>=u9JP+vL;r{G_T#=owp8Il=_#Czt6?^_jLGR
7^^?Y)Si$9d`yft#JZOrFEOLjTceGTqk@e<m%~UCO=CN<yAMvKv9(lcF-lgbT{m?<01QP=8`3~4M)7WQF7o9WYKzp1x!wPNQ
)2pYy9c@FcE9(1o>ise@DzM&$)5g{mi?@l`BU_qdWjXHx6g?n$JK=5dE05E~RIs{SQV(^kV7IXOYtP^DR?TEIG+sshq3Eck4
(|ou1iT%uMvtBp{tOS_>Cc9v?g^X1Atx9$O#b4u#9&8gqIky{p5ra}6teE<5684H86L&DbU-
|Ic50TtSNzE)ivr{;LG^$d`5twzV)Tb=J?S;|>7q}@M65=Rb7nz~KEEwRbtX>#!MFkEF7PV_{H5gs@cD$+UZ-
!@jd*|QYj9?cz{Y-
=`?BosKLG9XPBoVZ?+G}Kzw0x{W#|!8aa*AaHBES1xy@$BEX>iPE+C_)qJ_}fdf=nWi)L%ZyKtj`Gsd=<$nV$bki8WV?w;Wd
dacer`=L%HE{}N^9vPA07lA<2T!=g7z441N-?~$=nmtoR3`>6-d=fES(i<539c(t-
ua_}5?ZvkVF<BT>xoffVoZZqP2cq<DQpfs#*qo9|
"""


def unseen_letters(book):
    """x (LONG, M) coded, lengths (M,), labels (M,)."""
    texts = zlib.decompress(base64.b85decode(PROGRAMS.replace("\n", ""))).decode().split("\0")
    rows = np.frombuffer(zlib.decompress(base64.b85decode(ASKED.replace("\n", ""))), "<u2")
    rows = rows.reshape(-1, 3).astype(int)
    kinds, symbols = [kinds_of(text) for text in texts], [symbols_of(text) for text in texts]
    x = np.random.default_rng(book).integers(0, V, (LONG, len(rows)))
    for m, (k, start, end) in enumerate(rows):
        x[: end - start, m] = symbols[k][start:end]
    labels = np.array([kinds[k][end - 1] for k, _, end in rows])
    return coded(x, book), rows[:, 2] - rows[:, 1], labels


def hidden_score():
    book = 11
    order = np.random.default_rng(book).permutation(SYMBOLS.shape[1])
    symbols, kinds = coded(SYMBOLS[:, order], book), SPELLED[:, order]
    given = symbols.copy(), kinds.copy()
    classify = learn(*given, 600, 4)
    x, lengths, labels = unseen_letters(book)
    asked = x.copy()
    said = np.asarray(classify(asked, lengths.copy()))
    KEPT["share"] = float((said == labels).mean())
    same = np.array_equal(given[0], symbols) and np.array_equal(given[1], kinds)
    assert same and np.array_equal(asked, x), "do not change the arguments: work on a copy"
    other = np.where(np.arange(LONG)[:, None] < lengths, x, 5)
    junk = np.asarray(classify(other[:, :200], lengths[:200]))
    assert (junk == said[:200]).mean() > 0.99, (
        "what stands after a text's end must not matter: read the state at lengths - 1, not the last row,"
        " and average nothing beyond the end (chapter 10, the last row)"
    )
    assert KEPT["share"] > 0.45, (
        "hardly better than guessing among three: are symbols and kinds still side by side, and is the"
        " last symbol of a text at lengths - 1?"
    )
    assert KEPT["share"] >= 0.80, (
        "less than .80, so less than a bag of the last 60 characters: a few characters before the letter"
        " are not enough, and pieces learned by heart do not come again"
    )


hidden_score()
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "ps6-score-90", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 150}
assert callable(learn), (
    "learn must be a function; this cell judges the classifier of the cell above"
)

### BEGIN HIDDEN TESTS
assert KEPT["share"] >= 0.90, (
    "less than .90 (or the cell above went wrong before it had a score): a bag cannot see which was opened"
    " first, the quotation mark or the #; carry a state from symbol to symbol, train it on all of them"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "ps6-score-96", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 150}
assert callable(learn), "learn must be a function; this cell judges the classifier above"

### BEGIN HIDDEN TESTS
assert KEPT["share"] >= 0.96, (
    "less than .96 (or the first cell went wrong before it had a score): every step of a piece has a label,"
    " use them all; a rate of .01 that falls to 0, all of the steps and all of the pieces"
)
### END HIDDEN TESTS

# %% [markdown]
# How to look at it yourself: hold back *files*, not pieces; train on the others; look at what goes wrong. A few steps only, so
# that the cell is quick when the notebook is run: set `STEPS` to 150 or 600 while you work.

# %% autograder={"timeout_s": 150}
STEPS = 5


def look(steps, shown=3, seed=0):
    held = FILES % 6 == 0
    classify = learn(SYMBOLS[:, ~held].copy(), SPELLED[:, ~held].copy(), steps, seed)
    x, lengths, labels, column = ends_of(SYMBOLS, SPELLED, np.flatnonzero(held)[::3], seed)
    said = np.asarray(classify(x, lengths))
    print(
        f"{len(said)} letters of {len(set(FILES[held]))} files held back:", (said == labels).mean()
    )
    counts = np.zeros((3, 3), dtype=int)
    np.add.at(counts, (labels, said), 1)
    print("rows: truth; columns: said", KINDS, counts, sep="\n")
    for m in np.flatnonzero(said != labels)[:shown]:
        text = "".join([ALPHABET[s] for s in x[: lengths[m], m]])
        print("-" * 60)
        print(f"piece {column[m]}: {KINDS[labels[m]]}, said {KINDS[said[m]]}: ...{text[-100:]!r}")


look(STEPS)

# %% [markdown]
# ## 9. What it still gets wrong (`ps6-errors`, 10 points, read by a person)
#
# Train with **150 steps** and files held back, and ask of all pieces held back (no `[::3]`), two letters of each kind (`each=2`): that
# leaves a hundred errors or so to look at; with 600 steps the library leaves hardly any. Then write an error analysis of some 250 to 400 words, with numbers and examples. Answer:
#
# 1. **What is there?** Sort the errors into at least three groups of your own, by what is in the *text*, not by the label. For each
#    its number, its share, and one example. (3 points)
# 2. **Are they what you think?** Take the largest group and a guess at its cause. Test it: change the texts of that group in
#    one respect only, or make new ones (the `triplet` of task 3 may serve), and report how the answers change, beside a control in which
#    the same thing is changed where your cause is absent. (3 points)
# 3. **Beside what?** Train a bag of words or another baseline, or take another seed. Which errors do both make, which only one?
#    Say with numbers whether the common ones are more than independent errors would have in common. (2 points)
# 4. **So what?** One change to model or data that follows from 1 to 3, and what you expect it to do to which group; and one
#    thing that your numbers cannot show, for example because of how the letters were drawn. (2 points)

# %% [markdown] nbgrader={"grade": true, "grade_id": "ps6-errors", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# From one run; yours differ. 150 steps, seed 0, 22 files held back, two letters of each kind and piece: 2,895 letters, .958 right, 122 errors.
#
# 1. By what stands before the letter: code within 10 characters after something was closed, 48 of 122 (39 %), e.g. `environ['QUERY_STRING']...if 'CONTENT_LENGTH' in e`;
#    7 to 40 characters after a quotation mark was opened, 23 (19 %), `return "%s:%d(%s)" % f` the other way round; up to 6 after it, 22 (18 %), 14 of them in
#    lists such as `0x1d4e6:'w'` taken for comments; within triple quotation marks, 21 (17 %), mostly after an empty line; the rest, 8 (7 %). Of letters
#    just after a closing quotation mark 30 % are wrong (48 of 161), after a closed comment none of 36.
# 2. My guess for the largest group was that what the string holds looks like code. I replaced it by as many x: of 42 errors that can be changed so 38 stay.
#    Control, the same in texts of this group that were right: 3 of 89 become wrong. Another quotation mark of the two: 43 of 46 stay, 6 of 96 become wrong.
#    Both guesses are refuted. Cut down to their last line, 33 of 33 stay wrong, so strings before are not it either; but then 66 of 148 right
#    ones go wrong, too: the network leans on what came before, and one change in one place is no clean test of that.
# 3. Another seed has 65 errors, 35 in common; independent ones would share 122 x 65 / 2,895 = 2.7. A bag of the last 60 characters is right on .776; it shares 58 of
#    its errors with the network's 122, where independence gives 27. So seeds fail on the same letters, and half of these are hard for a bag, too.
# 4. Closing is learned last: I expect 600 steps to empty the group "just closed" and not to help in long documentation with empty lines, where pieces of 240 hold few examples. What these numbers
#    do not show: the 122 errors come from 90 pieces of 18 files, two letters of a piece are no independent witnesses, and pieces begin in code, which real files often do not.
#
# ### BEGIN MARK SCHEME
# 10 points. Numbers must be there; they need not be ours. Half points where a part is there without its number or its test.
#
# - Part 1, 3 points: at least three groups that are properties of the text and exclude each other (1); numbers and shares
#   that add up (1); a readable example for each (1). A confusion matrix alone, or "string taken for code", earns 0.5 in all.
# - Part 2, 3 points: a cause that could be wrong (1); a change in one respect only, on several texts, with the answers before and
#   after (1); a control (1). "The model is confused by quotation marks" without a test earns 0.5 in all.
# - Part 3, 2 points: both sets of errors on the same letters, with the number in common (1); compared with what independence
#   would give, share times share times number, or a paired count of task 7's kind (1).
# - Part 4, 2 points: a change that follows from a group found, with a prediction (1; "more data", "a transformer" 0); one honest
#   limit: letters of a file are not independent, equal shares of kinds where the library has 3 : 2 : 1, pieces begin in code,
#   the library is one style, few errors, one seed (1).
# ### END MARK SCHEME
