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
# # Problem set 4: gates
#
# A gate is a number between 0 and 1 that the network works out for itself. One line of code, and
# there are dozens of ways to connect it: papers, libraries and old checkpoints disagree about which
# state a gate looks at, what stands before what, and which of two numbers is meant by "update". The
# shapes fit in every case. So in this set you build gated cells that are *not* those of the chapters,
# with their way back; you find out which cell somebody else has used; you look into a trained
# network that shows only its outputs; and at the end you teach one to read. No task is printed whole
# in the chapters; each is a step or two away from something that is.
#
# | | task | you write | points | difficulty | what it teaches |
# |---|---|---|---:|---|---|
# | 1 | `ps4-coupled` | `coupled` | 12 | medium | one step, and one gate that is read twice |
# | 2 | `ps4-peep-fwd` | `peep_forward` | 6 | easy | which cell does a gate see? |
# | 3 | `ps4-peep-bwd` | `peep_backward` | 16 | hard | two lines of memory, and doors between them |
# | 4 | `ps4-contents` | `contents` | 8 | medium | what is in the cell |
# | 5 | `ps4-which` | `which_gru` | 10 | medium | eight networks with the same weights |
# | 6 | `ps4-inside` | `inside` | 12 | medium | what PyTorch does not show |
# | 7 | `ps4-bridge` | `bridge` | 6 | easy | layers, directions, and a popular bug |
# | 8 | `ps4-around` | `around` | 10 | medium | both sides of a gap, and not the gap |
# | 9 | `ps4-tagger` | `learn` | 6 + 6 | medium | all of it, on something real |
# | 10 | `ps4-reports` | a short text | 8 | medium | what such numbers prove |
# | | | | **100** | | |
#
# **How to work.** Write your answer where the cell says `YOUR CODE HERE` and delete the line that
# raises `NotImplementedError`. Below each answer stands a test cell. Its visible tests look at
# shapes and at one worked example, mostly one so small that you can follow it with a pencil. That
# is on purpose: with one unit, one step or a state of zero most of these networks are the same. More
# tests are added when your work is marked: other sizes, edge cases and the mistakes that people
# really make. You have the means to find them first: `numerical` and `by_autograd` below know nothing
# of your derivation, and `nn.LSTM` and `nn.GRU` are at hand. Use them on sizes that are all different.
# You may add cells. Do not edit the test cells or the toolbox; changes there are undone before marking.
#
# **Before you hand in:** Kernel > Restart and run all. Every visible test must pass. Count on some
# six hours in all.
#
# **What counts.** The answer, not the route: loops, `einsum`, NumPy or tensors inside, as long as the
# function keeps its promise. Results may be arrays or tensors that need no gradient. Write the
# gradients of tasks 1 and 3 yourself: autograd is the witness there, and a witness who is also the
# accused is worth little. A person looks at that, too: a gradient from `numerical`, `by_autograd` or
# autograd earns nothing. You may import NumPy, PyTorch, matplotlib and the standard library. The tasks
# do not depend on each other, so you may skip one.

# %% [markdown]
# ## Conventions, once for all tasks
#
# - Those of the chapters: time first, rows are sequences, layers multiply from the right, `h @ W_h`.
#   There are T inputs and T + 1 states: `x[t]` leads from `h[t]` to `h[t + 1]`. $T, B, D, H \ge 1$.
# - Weights come as a dict of arrays. The gates of a cell stand side by side: `W_x` `(D, nH)`, `W_h`
#   `(H, nH)`, `b` `(nH,)`, for n blocks of H columns each in the order that the task names. A gradient
#   goes out as a dict, each entry with the shape of what it belongs to.
# - $\sigma(a) = 1 / (1 + e^{-a})$ is a gate; $\odot$ multiplies unit by unit.
# - Numbers are `float64` where nothing else is said. Arrays are compared as wholes, by
#   $|a - b| / |b|$ with $b$ the truth, which must stay below `1e-6`; where the truth is 0, $|a|$ below
#   `1e-10`.
# - **Never change an argument**, nor an array inside one. Work on a copy.
# - You need not check arguments: the tests keep to what is stated here. No test needs an answer that
#   takes more than a few seconds (task 9: see there).

# %% [markdown]
# ## Toolbox
#
# Locked cells.

# %% nbgrader={"grade": false, "grade_id": "ps4-toolbox", "locked": true, "schema_version": 3, "solution": false, "task": false}
import ast
import base64
import copy
import io
import keyword
import os
import sysconfig
import tokenize
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: a second thread only waits

import matplotlib.pyplot as plt
import numpy as np
import torch

torch.set_num_threads(1)


def sigmoid(a):
    """Return 1 / (1 + exp(-a)) of an array; no overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * np.asarray(a))


def draw(shapes, seed, scale=0.7):
    """Return a dict of normal random arrays; shapes maps names to shapes."""
    rng = np.random.default_rng(seed)
    return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}


def numerical(loss, arrays, step=1e-5):
    """Return the gradient of loss(arrays) by central differences: the slow witness.

    arrays: dict of float64 arrays. loss: takes such a dict, returns a number.
    """
    moved = {name: np.array(a) for name, a in arrays.items()}
    slope = {name: np.empty_like(a) for name, a in moved.items()}
    for name, a in moved.items():
        for i in np.ndindex(a.shape):
            kept = a[i]
            a[i] = kept + step
            up = loss(moved)
            a[i] = kept - step
            slope[name][i] = (up - loss(moved)) / (2 * step)
            a[i] = kept
    return slope


def by_autograd(loss, arrays):
    """Return the gradient of loss(arrays) by PyTorch: the exact witness.

    arrays: dict of arrays. loss: takes a dict of tensors, returns a scalar tensor, so write it with
    torch.sigmoid, torch.stack and so on. What takes no part in the loss has gradient 0.
    """
    leaves = {name: torch.tensor(a, requires_grad=True) for name, a in arrays.items()}
    found = torch.autograd.grad(loss(leaves), list(leaves.values()), allow_unused=True)
    return {
        name: np.zeros(np.shape(arrays[name])) if g is None else g.numpy()
        for name, g in zip(arrays, found, strict=True)
    }


def same(got, want, rtol=1e-6):
    """Tell whether got has the shape of want and a relative error below rtol."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or not np.all(np.isfinite(got)):
        return False
    size = np.sqrt(np.sum(want**2))
    return bool(np.sqrt(np.sum((got - want) ** 2)) < (rtol * size if size else 1e-10))


def show_shapes(got, like):
    """Fail, and say what came, if got is not a dict of arrays shaped as those in like."""
    assert set(got) == set(like), f"the gradient needs {sorted(like)}; got {sorted(got)}"
    for name in like:
        came, wanted = np.shape(got[name]), np.shape(like[name])
        assert came == wanted, f"d[{name!r}] must have shape {wanted}; got {came}"


def unchanged(after, before):
    """Tell whether two lists of arrays, or of dicts of arrays, are equal to the last bit."""

    def flat(values):
        for value in values:
            yield from value.values() if isinstance(value, dict) else [value]

    pairs = zip(flat(after), flat(before), strict=True)
    return all([np.array_equal(a, b, equal_nan=True) for a, b in pairs])


# %% [markdown]
# How the two witnesses are used: a single gate that reads one input, with a sum of squares as loss.


# %% nbgrader={"grade": false, "grade_id": "ps4-witnesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
def two_witnesses():
    x, w = np.array([[1.0, -2.0], [0.5, 3.0]]), draw({"W_x": (2, 3), "b": (3,)}, seed=0)
    slow = numerical(lambda w: (sigmoid(x @ w["W_x"] + w["b"]) ** 2).sum(), w)
    inputs = torch.tensor(x)
    exact = by_autograd(lambda w: (torch.sigmoid(inputs @ w["W_x"] + w["b"]) ** 2).sum(), w)
    for name in w:
        error = np.linalg.norm(slow[name] - exact[name]) / np.linalg.norm(exact[name])
        print(f"{name:4s} |gradient| {np.linalg.norm(exact[name]):.3f}, relative error {error:.0e}")


two_witnesses()

# %% [markdown]
# ## 1. Room for the new is what the old gives up (`ps4-coupled`, 12 points, medium)
#
# An LSTM decides twice: how much of the old to keep, and how much of the new to write. Why not once?
# With **coupled gates** what is written is what was forgotten, and a quarter of the weights is saved:
#
# $$ f = \sigma(\cdot), \quad g = \tanh(\cdot), \quad o = \sigma(\cdot), $$
#
# $$ c' = f \odot c + (1 - f) \odot g, \qquad h' = o \odot \tanh(c'), $$
#
# where each dot is its own block of $x W_x + h W_h + b$, in the order **f, g, o**. Note what this does to
# the cell: one that starts within $\pm 1$ stays there. First draw who reads f, then write one step, forth and back.
#
# Write `coupled(x, h, c, w, dh, dc)`:
#
# - `x` `(B, D)`; `h` and `c` `(B, H)`, the states before the step; `w` has `W_x` `(D, 3H)`, `W_h`
#   `(H, 3H)`, `b` `(3H,)`.
# - `dh`, `dc` `(B, H)`: the derivative of the loss by the new states $h'$ and $c'$. `dc` is what the
#   loss takes from $c'$ *other* than through $h'$.
# - Returns the tuple `(h_new, c_new, d)`: the new states `(B, H)`, and a dict with `W_x`, `W_h`, `b`, `x`,
#   `h`, `c`: the derivatives of the loss by these, through all paths.
# - Pre-activations may be as large as $\pm 1000$; then a gate is 0 or 1, and no result is NaN.
#
# Worked example: one unit, one sequence, all weights, `x` and `h` 0, `c = 1`: then $f = o = \frac12$,
# $g = 0$, $c' = .5$ and $h' = .231059$. With `dh = 1`, `dc = 0`: `d["c"]` is $.196612$ and `d["b"]`
# is $(.098306, .196612, .115529)$.
#
# <details><summary>Hint 1</summary>
#
# Who reads $c'$? $h'$ does, through $\tanh$, and what comes later, which is `dc`. And $f$ is read twice,
# once with a minus.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Put the deltas of the three pre-activations side by side, `(B, 3H)`. The weights, `x` and `h` then need
# one matrix product each, as in the plain network of chapter 5.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-coupled", "locked": false, "schema_version": 3, "solution": true, "task": false}
def coupled(x, h, c, w, dh, dc):
    """Do one step of an LSTM with coupled gates, forth and back.

    x: (B, D). h, c, dh, dc: (B, H). w: W_x (D, 3H), W_h (H, 3H), b (3H,), blocks f, g, o.
    Returns h_new, c_new, and a dict of derivatives by W_x, W_h, b, x, h, c.
    """
    ### BEGIN SOLUTION
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    total = dc + dh * o * (1 - seen**2)  # by c_new, through all paths
    parts = [total * (c - g) * f * (1 - f), total * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)]
    da = np.concatenate(parts, axis=1)  # (B, 3H)
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-coupled-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_coupled():
    w = {"W_x": np.zeros((1, 3)), "W_h": np.zeros((1, 3)), "b": np.zeros(3)}
    zero, one = np.zeros((1, 1)), np.ones((1, 1))
    h, c, d = coupled(zero, zero, one, w, one, zero)
    assert same(h, [[0.231059]], rtol=1e-5), f"worked example: h' = .231059; got {h}"
    assert same(c, [[0.5]]), f"worked example: c' = .5; got {c}"
    show_shapes(d, {**w, "x": zero, "h": zero, "c": one})
    assert same(d["c"], [[0.196612]], rtol=1e-5), f"worked example, d['c']: {d['c']}"
    want = [0.098306, 0.196612, 0.115529]
    assert same(d["b"], want, rtol=1e-5), f"worked example, d['b']: {want} expected; got {d['b']}"
    w = draw({"W_x": (3, 12), "W_h": (4, 12), "b": (12,)}, seed=1)
    x, h = np.ones((2, 3)), np.ones((2, 4))
    h_new, c_new, d = coupled(x, h, h, w, h, h)
    assert np.shape(h_new) == np.shape(c_new) == (2, 4), "the new states must be (B, H) = (2, 4)"
    show_shapes(d, {**w, "x": x, "h": h, "c": h})


visible_coupled()


### BEGIN HIDDEN TESTS
def coupled_case(B, D, H, seed):
    w = draw({"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,)}, seed)
    names = {"x": (B, D), "h": (B, H), "c": (B, H), "dh": (B, H), "dc": (B, H)}
    return w, draw(names, seed + 1_000, scale=1.0)


def coupled_torch(v):
    H = v["h"].shape[1]
    a = v["x"] @ v["W_x"] + v["h"] @ v["W_h"] + v["b"]
    f, o = torch.sigmoid(a[:, :H]), torch.sigmoid(a[:, 2 * H :])
    c = f * v["c"] + (1 - f) * torch.tanh(a[:, H : 2 * H])
    return o * torch.tanh(c), c


def coupled_truth(w, s):
    """The new states, and the gradient by autograd of sum(dh * h') + sum(dc * c')."""
    dh, dc = torch.tensor(s["dh"]), torch.tensor(s["dc"])

    def loss(v):
        h, c = coupled_torch(v)
        return (dh * h + dc * c).sum()

    given = {**w, **{name: s[name] for name in ("x", "h", "c")}}
    h, c = coupled_torch({name: torch.tensor(a) for name, a in given.items()})
    return h.numpy(), c.numpy(), by_autograd(loss, given)


def hidden_coupled():
    w, s = coupled_case(1, 2, 3, seed=2)
    s["dc"] = np.zeros((1, 3))
    want_h, want_c, truth = coupled_truth(w, s)
    mine = {name: value.copy() for name, value in s.items()}
    h, c, d = coupled(mine["x"], mine["h"], mine["c"], w, mine["dh"], mine["dc"])
    assert same(c, want_c), (
        "c' = f * c + (1 - f) * g: what is written is what was forgotten, so 1 - f, not f and"
        " not a gate of its own; the blocks are f, g, o (chapter 7 has the cell with four gates)"
    )
    assert same(h, want_h), "h' = o * tanh(c'), with the NEW cell (chapter 7, forward)"
    H = 3
    assert same(d["b"][2 * H :], truth["b"][2 * H :]), (
        "the output gate: dh * tanh(c') * o (1 - o) (chapter 7, backward)"
    )
    assert same(d["b"][H : 2 * H], truth["b"][H : 2 * H]), (
        "the candidate g: what reaches c' times (1 - f), times tanh' = 1 - g**2; what reaches c'"
        " is dc + dh * o * (1 - tanh(c')**2) (chapter 7, backward)"
    )
    assert same(d["b"][:H], truth["b"][:H]), (
        "the gate f is read twice: c' = f * c + (1 - f) * g, so its derivative is c MINUS g, times"
        " the slope f (1 - f) (chapter 5, count the listeners)"
    )
    assert same(d["c"], truth["c"]), (
        "the old cell is heard by c' alone, times f (chapter 7, backward)"
    )
    for name in ("x", "h", "W_x", "W_h"):
        assert same(d[name], truth[name]), (
            "one sequence: x, h, W_x and W_h get the same three deltas, da @ W.T and x.T @ da"
            " (chapter 5, the derivation)"
        )
    w, s = coupled_case(1, 2, 3, seed=3)
    truth = coupled_truth(w, s)[2]
    mine = {name: value.copy() for name, value in s.items()}
    h, c, d = coupled(mine["x"], mine["h"], mine["c"], w, mine["dh"], mine["dc"])
    assert all([same(d[name], truth[name]) for name in truth]), (
        "dc is not 0: later steps read c' too; ADD it to what comes through h' (chapter 7, backward)"
    )
    for B, D, H, seed in [(5, 2, 3, 4), (1, 1, 1, 5), (4, 3, 1, 6), (2, 5, 4, 7)]:
        w, s = coupled_case(B, D, H, seed)
        given = [s["x"].copy(), s["h"].copy(), s["c"].copy(), copy.deepcopy(w)]
        given += [s["dh"].copy(), s["dc"].copy()]
        h, c, d = coupled(*given)
        want_h, want_c, truth = coupled_truth(w, s)
        show_shapes(d, truth)
        assert same(h, want_h) and same(c, want_c), "other sizes: the forward step is wrong"
        assert all([same(d[name], truth[name]) for name in truth]), (
            "several sequences: weights are shared, so their gradient is the SUM over the batch,"
            " not the mean; x, h and c have one gradient for each sequence (chapter 5)"
        )
        assert unchanged(given, [s["x"], s["h"], s["c"], w, s["dh"], s["dc"]]), (
            "do not change the arguments: work on a copy"
        )
    w, s = coupled_case(3, 2, 4, seed=8)
    w["b"][:4] = [1000, -1000, 1000, -1000]
    h, c, d = coupled(s["x"], s["h"], s["c"], w, s["dh"], s["dc"])
    want_h, want_c, truth = coupled_truth(w, s)
    assert same(h, want_h) and same(c, want_c) and all([same(d[n], truth[n]) for n in truth]), (
        "a gate may be exactly 0 or 1, at +-1000: the slope there is f (1 - f) = 0, without NaN"
    )
    # finite differences know neither torch nor deltas
    w, s = coupled_case(2, 3, 2, seed=9)

    def slow_loss(v):
        f, g, o = (v["x"] @ v["W_x"] + v["h"] @ v["W_h"] + v["b"]).reshape(2, 3, 2).swapaxes(0, 1)
        kept = 1 / (1 + np.exp(-f))
        cell = kept * v["c"] + (1 - kept) * np.tanh(g)
        return (s["dh"] * np.tanh(cell) / (1 + np.exp(-o)) + s["dc"] * cell).sum()

    slow = numerical(slow_loss, {**w, **{name: s[name] for name in ("x", "h", "c")}})
    d = coupled(s["x"], s["h"], s["c"], w, s["dh"], s["dc"])[2]
    assert all([same(d[name], slow[name]) for name in slow]), "finite differences do not agree"


hidden_coupled()
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Gates that look at the cell (`ps4-peep-fwd`, 6 points, easy)
#
# The gates of an LSTM see $h$, and $h$ is the cell behind a half-closed door: where the output gate is
# shut, the gates cannot see what they are guarding. The remedy is **peepholes**. Each gate may look at
# *its own unit's* cell, with one weight for each unit. The two gates that decide about the cell look at it
# as it was; the output gate, which comes last, looks at it as it *is*:
#
# $$ i_t = \sigma(\cdot + p_i \odot c_{t-1}), \quad f_t = \sigma(\cdot + p_f \odot c_{t-1}), \quad
#    g_t = \tanh(\cdot), $$
#
# $$ c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad o_t = \sigma(\cdot + p_o \odot c_t), \qquad h_t = o_t \odot \tanh(c_t). $$
#
# Write `peep_forward(x, w, h0, c0)`:
#
# - `x` `(T, B, D)`; `h0`, `c0` `(B, H)`; `w` has `W_x` `(D, 4H)`, `W_h` `(H, 4H)`, `b` `(4H,)`,
#   blocks in the order **i, f, g, o**, and `p_i`, `p_f`, `p_o` `(H,)`. Each dot is its block of
#   $x_t W_x + h_{t-1} W_h + b$.
# - Returns the tuple `(h, c)`, both `(T + 1, B, H)`; `h[0]` and `c[0]` are the first states.
#
# Worked example, one unit: all weights, biases and inputs 0 but `p_i = p_f = 1`; `h0 = 0`, `c0 = 1`, two
# steps. Then $c = (1, .731059, .493492)$ and $h = (0, .311856, .228492)$.
#
# <details><summary>Hint</summary>
#
# With $p_i = p_f = p_o = 0$ it is the LSTM of chapter 7, and `nn.LSTM`. The output gate cannot be computed with
# the other three: it has to wait.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-peep-fwd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def peep_forward(x, w, h0, c0):
    """Run an LSTM with peepholes over a batch.

    x: (T, B, D). w: W_x (D, 4H), W_h (H, 4H), b (4H,), blocks i, f, g, o; p_i, p_f, p_o (H,).
    h0, c0: (B, H). Returns h and c, (T + 1, B, H).
    """
    ### BEGIN SOLUTION
    h, c = [np.array(h0)], [np.array(c0)]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append(sigmoid(a_o + w["p_o"] * c[-1]) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-peep-fwd-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
def visible_peep_fwd():
    w = {"W_x": np.zeros((1, 4)), "W_h": np.zeros((1, 4)), "b": np.zeros(4)}
    w |= {"p_i": np.ones(1), "p_f": np.ones(1), "p_o": np.zeros(1)}
    first = np.zeros((1, 1)), np.ones((1, 1))
    h, c = (np.asarray(a) for a in peep_forward(np.zeros((2, 1, 1)), w, *first))
    assert h.shape == c.shape == (3, 1, 1), f"two inputs, three states; got {h.shape}, {c.shape}"
    assert same(c.ravel(), [1, 0.731059, 0.493492], rtol=1e-5), f"worked example, c: {c.ravel()}"
    assert same(h.ravel(), [0, 0.311856, 0.228492], rtol=1e-5), f"worked example, h: {h.ravel()}"
    w = draw({"W_x": (2, 12), "W_h": (3, 12), "b": (12,), "p_i": (3,), "p_f": (3,), "p_o": (3,)}, 1)
    h, c = peep_forward(np.ones((5, 4, 2)), w, np.zeros((4, 3)), np.zeros((4, 3)))
    shapes = np.shape(h), np.shape(c)
    assert shapes == ((6, 4, 3), (6, 4, 3)), f"h and c must be (T + 1, B, H) = (6, 4, 3): {shapes}"


visible_peep_fwd()


### BEGIN HIDDEN TESTS
def peep_case(T, B, D, H, seed):
    shapes = {"W_x": (D, 4 * H), "W_h": (H, 4 * H), "b": (4 * H,)}
    w = draw(shapes | dict.fromkeys(("p_i", "p_f", "p_o"), (H,)), seed)
    s = draw({"x": (T, B, D), "h0": (B, H), "c0": (B, H)}, seed + 1_000, scale=1.0)
    return w, s


def peep_witness(w, s):
    """One sequence, one unit after the other."""
    (T, B, D), H = s["x"].shape, len(w["p_i"])
    h, c = np.zeros((T + 1, B, H)), np.zeros((T + 1, B, H))
    h[0], c[0] = s["h0"], s["c0"]
    for t in range(T):
        for b in range(B):
            for j in range(H):
                a = []
                for k in range(4):
                    total = w["b"][k * H + j]
                    total += sum([s["x"][t, b, d] * w["W_x"][d, k * H + j] for d in range(D)])
                    total += sum([h[t, b, i] * w["W_h"][i, k * H + j] for i in range(H)])
                    a.append(total)
                old = c[t, b, j]
                gate_i = 1 / (1 + np.exp(-a[0] - w["p_i"][j] * old))
                gate_f = 1 / (1 + np.exp(-a[1] - w["p_f"][j] * old))
                new = gate_f * old + gate_i * np.tanh(a[2])
                c[t + 1, b, j] = new
                h[t + 1, b, j] = np.tanh(new) / (1 + np.exp(-a[3] - w["p_o"][j] * new))
    return h, c


def hidden_peep_fwd():
    w, s = peep_case(6, 3, 2, 4, seed=10)
    for name in ("p_i", "p_f", "p_o"):
        w[name] = np.zeros(4)
    net = torch.nn.LSTM(2, 4).double()
    parts = {"weight_ih_l0": w["W_x"].T, "weight_hh_l0": w["W_h"].T}
    parts |= {"bias_ih_l0": w["b"], "bias_hh_l0": np.zeros(16)}
    net.load_state_dict({name: torch.tensor(value) for name, value in parts.items()})
    with torch.no_grad():
        first = torch.tensor(s["h0"])[None], torch.tensor(s["c0"])[None]
        want = net(torch.tensor(s["x"]), first)[0].numpy()
    given = s["x"].copy(), copy.deepcopy(w), s["h0"].copy(), s["c0"].copy()
    h, c = (np.asarray(a) for a in peep_forward(*given))
    assert same(h[0], s["h0"]) and same(c[0], s["c0"]), "h[0] and c[0] are the first states, not 0"
    assert same(h[1:], want), (
        "without peepholes it is nn.LSTM, blocks i, f, g, o, from h0 and c0 (chapter 7, forward)"
    )
    for name in ("p_i", "p_f", "p_o"):
        w, s = peep_case(1, 2, 3, 4, seed=11)
        for other in {"p_i", "p_f", "p_o"} - {name}:
            w[other] = np.zeros(4)
        want_h, want_c = peep_witness(w, s)
        h, c = peep_forward(s["x"].copy(), copy.deepcopy(w), s["h0"].copy(), s["c0"].copy())
        assert same(c, want_c), (
            "one step: i and f look at the OLD cell of their own unit, inside the sigmoid; g looks"
            " at no cell, and neither does c' at p_o (the formulas above)"
        )
        assert same(h, want_h), (
            "one step: the output gate looks at the NEW cell, p_o * c_t, of its own unit; at the cell"
            " itself, not at tanh of it (the formulas above)"
        )
    for T, B, D, H, seed in [
        (5, 2, 3, 4, 12),
        (1, 1, 1, 1, 13),
        (8, 3, 1, 2, 14),
        (3, 1, 4, 5, 15),
    ]:
        w, s = peep_case(T, B, D, H, seed)
        given = [s["x"].copy(), copy.deepcopy(w), s["h0"].copy(), s["c0"].copy()]
        h, c = peep_forward(*given)
        want_h, want_c = peep_witness(w, s)
        assert same(h, want_h) and same(c, want_c), (
            "several steps: each step goes on from the h and the c of the one before (chapter 7)"
        )
        assert unchanged(given, [s["x"], w, s["h0"], s["c0"]]), (
            "do not change the arguments: work on a copy"
        )


hidden_peep_fwd()
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The way back, with doors (`ps4-peep-bwd`, 16 points, hard)
#
# Backward, an LSTM is two lines of memory, $\bar h$ and $\bar c$, and at each step three things go from
# one to the other. A peephole is one more way from a gate to a cell, and there are three of them, which do not
# all end at the same cell. Draw one step with all arrows. For each number: who reads it? Then add one
# term for each arrow, and mind the order in which they can be computed.
#
# Write `peep_backward(x, w, h, c, dh, dc)`:
#
# - `x`, `w` as in task 2; `h`, `c` `(T + 1, B, H)`, what the forward pass gave.
# - `dh`, `dc` `(T + 1, B, H)`: the derivative of the loss by each state and each cell, *directly*:
#   `dc[t]` says how the loss changes if `c[t]` changes and all other states and cells stay. The
#   entries at 0 need not be 0.
# - Returns a dict with `W_x`, `W_h`, `b`, `p_i`, `p_f`, `p_o`, each of the shape that it has in `w`, and
#   `x` `(T, B, D)`, `h0`, `c0` `(B, H)`: the derivatives of the loss by these, through all paths.
#
# Worked example, one unit, one step: all weights, peepholes, biases, `x` and `h0` 0, `c0 = 1`. Then $h_1 =
# .231059$, $c_1 = .5$, and with `dh = (0, 1)`, `dc = 0`: `b` gets $(0, .098306, .196612, .115529)$, `p_f` $.098306$
# and `c0` $.196612$. All of it as in task 1: with $g = 0$, and no peephole open, the two cells are one.
#
# <details><summary>Hint 1</summary>
#
# $c_t$ is read by $h_t$, by $o_t$, by $c_{t+1}$, by $i_{t+1}$, by $f_{t+1}$, and perhaps by the loss. Six
# terms. Which of them must be there before you can go on to $i_t$?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Check as you build: with peepholes of 0 against `nn.LSTM`, then `p_o` alone, then the others; one step before
# several; `by_autograd` around task 2, written with torch.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-peep-bwd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def peep_backward(x, w, h, c, dh, dc):
    """Return the gradient of a loss of the states and cells of an LSTM with peepholes.

    x: (T, B, D). w: as for peep_forward. h, c, dh, dc: (T + 1, B, H). Returns a dict with W_x, W_h,
    b, p_i, p_f, p_o, x, h0 and c0, each of the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    dh, dc = np.array(dh), np.array(dc)  # from here on: through all paths
    a = x @ w["W_x"] + h[:-1] @ w["W_h"] + w["b"]  # (T, B, 4H)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=2)
    i, f = sigmoid(a_i + w["p_i"] * c[:-1]), sigmoid(a_f + w["p_f"] * c[:-1])
    g, o = np.tanh(a_g), sigmoid(a_o + w["p_o"] * c[1:])
    seen = np.tanh(c[1:])
    da = np.empty((4, *i.shape))  # (4, T, B, H)
    for t in reversed(range(len(x))):
        da[3, t] = dh[t + 1] * seen[t] * o[t] * (1 - o[t])
        dc[t + 1] += dh[t + 1] * o[t] * (1 - seen[t] ** 2) + da[3, t] * w["p_o"]
        da[0, t] = dc[t + 1] * g[t] * i[t] * (1 - i[t])
        da[1, t] = dc[t + 1] * c[t] * f[t] * (1 - f[t])
        da[2, t] = dc[t + 1] * i[t] * (1 - g[t] ** 2)
        dc[t] += dc[t + 1] * f[t] + da[0, t] * w["p_i"] + da[1, t] * w["p_f"]
        dh[t] += np.concatenate(da[:, t], axis=1) @ w["W_h"].T
    side = np.concatenate(da, axis=2)  # (T, B, 4H)
    return {
        "W_x": np.einsum("tbi,tbj->ij", x, side),
        "W_h": np.einsum("tbi,tbj->ij", h[:-1], side),
        "b": side.sum(axis=(0, 1)),
        "p_i": (da[0] * c[:-1]).sum(axis=(0, 1)),
        "p_f": (da[1] * c[:-1]).sum(axis=(0, 1)),
        "p_o": (da[3] * c[1:]).sum(axis=(0, 1)),
        "x": side @ w["W_x"].T,
        "h0": dh[0],
        "c0": dc[0],
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-peep-bwd-tests", "locked": true, "points": 16, "schema_version": 3, "solution": false, "task": false}
def visible_peep_bwd():
    w = {"W_x": np.zeros((1, 4)), "W_h": np.zeros((1, 4)), "b": np.zeros(4)}
    w |= {name: np.zeros(1) for name in ("p_i", "p_f", "p_o")}
    h = np.array([0, 0.5 * np.tanh(0.5)]).reshape(2, 1, 1)
    c, dh = np.array([1, 0.5]).reshape(2, 1, 1), np.array([0.0, 1.0]).reshape(2, 1, 1)
    d = peep_backward(np.zeros((1, 1, 1)), w, h, c, dh, np.zeros((2, 1, 1)))
    show_shapes(d, {**w, "x": np.zeros((1, 1, 1)), "h0": h[0], "c0": c[0]})
    wanted = {"b": [0, 0.098306, 0.196612, 0.115529], "p_f": [0.098306], "c0": [[0.196612]]}
    for name, want in wanted.items():
        assert same(d[name], want, rtol=1e-5), f"worked example, {name}: {want}; got {d[name]}"


visible_peep_bwd()


### BEGIN HIDDEN TESTS
PEEPS = ("p_i", "p_f", "p_o")


def doors_case(T, B, D, H, seed, shut=()):
    """Weights, inputs and first states, and what the loss takes directly; peepholes shut: 0."""
    shapes = {"W_x": (D, 4 * H), "W_h": (H, 4 * H), "b": (4 * H,), **dict.fromkeys(PEEPS, (H,))}
    w = draw(shapes, seed)
    for name in shut:
        w[name] = np.zeros(H)
    states = {"x": (T, B, D), "h0": (B, H), "c0": (B, H), "dh": (T + 1, B, H), "dc": (T + 1, B, H)}
    return w, draw(states, seed + 1_000, scale=1.0)


def doors_torch(v):
    h, c = [v["h0"]], [v["c0"]]
    for x_t in v["x"]:
        a = (x_t @ v["W_x"] + h[-1] @ v["W_h"] + v["b"]).chunk(4, dim=1)
        i = torch.sigmoid(a[0] + v["p_i"] * c[-1])
        f = torch.sigmoid(a[1] + v["p_f"] * c[-1])
        c.append(f * c[-1] + i * torch.tanh(a[2]))
        h.append(torch.sigmoid(a[3] + v["p_o"] * c[-1]) * torch.tanh(c[-1]))
    return torch.stack(h), torch.stack(c)


def doors_truth(w, s):
    """The states, and the gradient by autograd of sum(dh * h) + sum(dc * c)."""
    dh, dc = torch.tensor(s["dh"]), torch.tensor(s["dc"])

    def loss(v):
        h, c = doors_torch(v)
        return (dh * h).sum() + (dc * c).sum()

    given = {**w, **{name: s[name] for name in ("x", "h0", "c0")}}
    h, c = doors_torch({name: torch.tensor(a) for name, a in given.items()})
    return h.numpy(), c.numpy(), by_autograd(loss, given)


def doors_try(w, s):
    h, c, truth = doors_truth(w, s)
    d = peep_backward(s["x"].copy(), copy.deepcopy(w), h, c, s["dh"].copy(), s["dc"].copy())
    show_shapes(d, truth)
    return d, truth


def hidden_peep_bwd():
    H = 3
    w, s = doors_case(1, 1, 2, H, seed=20, shut=PEEPS)
    s["dc"] *= 0
    s["dh"][0] = 0
    d, truth = doors_try(w, s)
    assert same(d["b"], truth["b"]), (
        "one step, no peephole open, dc = 0: the four deltas of an ordinary LSTM in the order i, f,"
        " g, o; each gate has its slope, s (1 - s) or 1 - g**2 (chapter 7, backward)"
    )
    assert same(d["c0"], truth["c0"]), "one step: what reaches c_1, times f, reaches c_0"
    w, s = doors_case(1, 1, 2, H, seed=21, shut=PEEPS)
    d, truth = doors_try(w, s)
    assert same(d["b"], truth["b"]), (
        "the loss may look at a cell directly: dc[t] is added to what comes through h_t"
        " (chapter 7, backward)"
    )
    assert same(d["h0"], truth["h0"]) and same(d["c0"], truth["c0"]), (
        "the loss may look at the first states: dh[0] and dc[0] belong to h0 and c0 (chapter 5, The"
        " first state and the inputs)"
    )
    w, s = doors_case(5, 1, 2, H, seed=22, shut=PEEPS)
    d, truth = doors_try(w, s)
    assert same(d["b"], truth["b"]), (
        "several steps, no peephole open: h goes back through da @ W_h.T, c through f, and each is"
        " added to what the loss takes directly (chapter 7, backward)"
    )
    assert same(d["W_h"], truth["W_h"]) and same(d["W_x"], truth["W_x"]), (
        "the weights: the state BEFORE the step, h[t], meets the delta after it, and x[t]; summed"
        " over all steps (chapter 5, The derivation)"
    )
    w, s = doors_case(1, 1, 2, H, seed=23, shut=("p_i", "p_f"))
    d, truth = doors_try(w, s)
    assert same(d["b"][3 * H :], truth["b"][3 * H :]), (
        "p_o open: o = sigmoid(a_o + p_o * c_t), with the NEW cell; compute o with it"
    )
    assert same(d["b"], truth["b"]), (
        "p_o open, one step: c_t is also read by o_t, so the delta of o, times p_o, is added to"
        " what reaches c_t BEFORE it goes on to i, f and g"
    )
    assert same(d["p_o"], truth["p_o"]), "dp_o: the delta of o meets the NEW cell, c[t + 1]"
    for one, other in (("p_i", "p_f"), ("p_f", "p_i")):
        w, s = doors_case(1, 1, 2, H, seed=24, shut=(other, "p_o"))
        d, truth = doors_try(w, s)
        assert same(d[one], truth[one]) and same(d["b"], truth["b"]), (
            "p_i or p_f open: they look at the OLD cell, c[t], inside the sigmoid: the delta of the"
            " gate meets c[t]"
        )
        assert same(d["c0"], truth["c0"]), (
            "p_i or p_f open: the old cell is read by c_t AND by the gate: f * dc and p * delta of"
            " the gate are added"
        )
    w, s = doors_case(6, 1, 2, H, seed=25)
    d, truth = doors_try(w, s)
    assert all([same(d[name], truth[name]) for name in truth]), (
        "several steps, all peepholes open: each dc[t] needs all its terms before step t is taken"
    )
    for T, B, D, H, seed in [
        (4, 5, 2, 3, 26),
        (1, 1, 1, 1, 27),
        (7, 2, 4, 1, 28),
        (3, 3, 1, 6, 29),
    ]:
        w, s = doors_case(T, B, D, H, seed)
        h, c, truth = doors_truth(w, s)
        given = [s["x"].copy(), copy.deepcopy(w), h.copy(), c.copy()]
        given += [s["dh"].copy(), s["dc"].copy()]
        d = peep_backward(*given)
        show_shapes(d, truth)
        for name in (*PEEPS, "W_x", "W_h", "b"):
            assert same(d[name], truth[name]), (
                "several sequences: weights, biases and peepholes are shared by all steps and all"
                " sequences, so their gradients are SUMS over both (chapter 5, The derivation)"
            )
        assert all([same(d[name], truth[name]) for name in truth]), (
            "several sequences: x, h0 and c0 have one gradient for each sequence"
        )
        assert unchanged(given, [s["x"], w, h, c, s["dh"], s["dc"]]), (
            "do not change the arguments, dh and dc included: accumulate in copies"
        )

    # finite differences know neither torch nor deltas
    w, s = doors_case(3, 2, 2, 2, seed=30)

    def slow_loss(v):
        h, c = v["h0"], v["c0"]
        total = (s["dh"][0] * h + s["dc"][0] * c).sum()
        for t in range(3):
            a = (v["x"][t] @ v["W_x"] + h @ v["W_h"] + v["b"]).reshape(2, 4, 2).swapaxes(0, 1)
            new = np.tanh(a[2]) / (1 + np.exp(-a[0] - v["p_i"] * c))
            c = c / (1 + np.exp(-a[1] - v["p_f"] * c)) + new
            h = np.tanh(c) / (1 + np.exp(-a[3] - v["p_o"] * c))
            total += (s["dh"][t + 1] * h + s["dc"][t + 1] * c).sum()
        return total

    slow = numerical(slow_loss, {**w, **{name: s[name] for name in ("x", "h0", "c0")}})
    d, truth = doors_try(w, s)
    assert all([same(d[name], slow[name]) for name in slow]), "finite differences do not agree"


hidden_peep_bwd()
### END HIDDEN TESTS

# %% [markdown]
# ## 4. What is in the cell? (`ps4-contents`, 8 points, medium)
#
# $c_t = f_t \odot c_{t-1} + i_t \odot g_t$ is linear in what was written. So, once the gates are known, the
# last cell is a plain sum: what is left of the first cell, plus what is left of each thing that was written
# since. Nothing of a tanh network can be taken apart so cleanly. It tells you what a trained network
# still remembers, and from when.
#
# Write `contents(f, i, g, c0)`:
#
# - `f`, `i`, `g` `(T, B, H)`: the gates and candidates of each step, `f` and `i` in [0, 1], **0 and 1
#   included**; `c0` `(B, H)`. T up to a few thousand.
# - Returns `(T + 1, B, H)`: entry 0 is what is left of `c0` in the last cell $c_T$; entry $k \ge 1$ is what
#   is left in $c_T$ of what step k wrote (it read `x[k - 1]`, so its gates are `f[k - 1]` and so on). All entries
#   together give $c_T$. What is left may be too small for a number; then it is 0.
#
# Worked example: where $f = 1$ nothing is ever lost. With $c_0 = 1$, $f = (1, 1)$, $i = (1, .5)$, $g = (.6, -.4)$ the
# parts are $(1, .6, -.2)$ and $c_2 = 1.4$. A second one, to check yourself: with $f = (.9, .5)$ they are $(.45, .3,
# -.2)$.
#
# <details><summary>Hint</summary>
#
# Which forget gates does the thing that step k wrote still have to pass? Its own is not among them. Go from the
# end to the beginning, as with a gradient: $\partial c_T / \partial c_k$ is the same product.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-contents", "locked": false, "schema_version": 3, "solution": true, "task": false}
def contents(f, i, g, c0):
    """Return what is left in the last cell of the first cell and of each thing written since.

    f, i, g: (T, B, H). c0: (B, H). Returns (T + 1, B, H), which sum to the last cell.
    """
    ### BEGIN SOLUTION
    parts = np.concatenate([c0[None], i * g])
    left = np.ones_like(c0)
    for t in reversed(range(len(f))):
        parts[t + 1] *= left
        left = left * f[t]
    parts[0] *= left
    return parts
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-contents-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_contents():
    f, i, g = (np.array(v).reshape(2, 1, 1) for v in ([1.0, 1.0], [1.0, 0.5], [0.6, -0.4]))
    parts = np.asarray(contents(f, i, g, np.ones((1, 1))))
    assert parts.shape == (3, 1, 1), f"two steps, three parts: (3, 1, 1); got {parts.shape}"
    assert same(parts.ravel(), [1, 0.6, -0.2]), f"worked example: {parts.ravel()}"
    gate = np.full((5, 3, 4), 0.5)
    parts = np.asarray(contents(gate, gate, gate, np.ones((3, 4))))
    assert parts.shape == (6, 3, 4), f"(T + 1, B, H) = (6, 3, 4) expected; got {parts.shape}"


visible_contents()


### BEGIN HIDDEN TESTS
def contents_truth(f, i, g, c0):
    """Each part alone: run the cell with everything else that is written set to 0."""
    parts = []
    for k in range(len(f) + 1):
        c = c0 if k == 0 else np.zeros_like(c0)
        for t in range(len(f)):
            c = f[t] * c + (i[t] * g[t] if t == k - 1 else 0)
        parts.append(c)
    return np.stack(parts)


def hidden_contents():
    f, i, g = (np.array(v).reshape(2, 1, 1) for v in ([0.9, 0.5], [1.0, 0.5], [0.6, -0.4]))
    parts = np.asarray(contents(f, i, g, np.ones((1, 1))))
    assert same(parts[2], [[-0.2]]), (
        "the newest thing written has passed no forget gate: its own forget gate closes on what was"
        " there before it (chapter 7, the cell path)"
    )
    assert same(parts[1], [[0.3]]), (
        "what step 1 wrote has passed f of step 2 and no other, not those before it: .6 * .5"
        " (chapter 7, the cell path)"
    )
    assert same(parts[0], [[0.45]]), "the first cell has passed all forget gates: .9 * .5"
    rng = np.random.default_rng(40)
    for T, B, H in [(1, 1, 1), (7, 3, 4), (1, 4, 2), (20, 2, 5)]:
        f, i, g = rng.random((T, B, H)), rng.random((T, B, H)), rng.uniform(-1, 1, (T, B, H))
        c0 = 3 * rng.normal(size=(B, H))
        given = [f.copy(), i.copy(), g.copy(), c0.copy()]
        parts = contents(*given)
        assert same(parts, contents_truth(f, i, g, c0)), (
            "sizes that are all different: each unit and each sequence has its own forget gates"
        )
        assert unchanged(given, [f, i, g, c0]), "do not change the arguments: work on a copy"
    f[rng.random(f.shape) < 0.2] = 0
    i[rng.random(i.shape) < 0.2] = 0
    f[3, 0, 0] = i[3, 0, 0] = 1
    assert same(contents(f, i, g, c0), contents_truth(f, i, g, c0)), (
        "a forget gate of exactly 0 wipes out what was before it, and nothing after it. NaN? Then you"
        " divide by a product that is 0"
    )
    closed = np.ones((4, 1, 2))
    closed[2, 0, 0] = 0
    parts = np.asarray(contents(closed, 0 * closed, closed, np.full((1, 2), 1e8)))
    assert same(parts[:, 0, 0], np.zeros(5)) and same(parts[:, 0, 1], [1e8, 0, 0, 0, 0]), (
        "through a gate of exactly 0 nothing is left, however much there was: exactly 0, not 1e-12"
        " of it; no gate may be kept away from 0 before a logarithm or a quotient"
    )
    f = np.full((3_000, 1, 2), 0.5)
    f[:, 0, 1] = 1.0
    ones = np.ones_like(f)
    parts = np.asarray(contents(f, ones, ones, np.ones((1, 2))))
    assert np.all(np.isfinite(parts)), (
        "3,000 steps: a quotient of products that have underflowed is 0 / 0; go from the end"
    )
    # entry k has passed T - k gates; below 2**-1000 nobody can tell it from 0
    passed = np.minimum(3_000 - np.arange(3_001.0), 1_000)
    want = np.stack([0.5**passed, np.ones(3_001)], axis=1)
    assert same(parts[:, 0], want), (
        "3,000 steps: the newest parts are as large as ever, only the old ones are 0"
    )
    assert same(parts.sum(axis=0), [[2.0, 3_001.0]]), "all parts together must give the last cell"


hidden_contents()
### END HIDDEN TESTS

# %% [markdown]
# See what you made. Two units of an LSTM with the same inputs: one whose forget gate stands at .8, one whose
# gate stands at .99 and closes once, at step 60. What is in the cell after 100 steps, and from when?


# %%
def what_is_left():
    rng = np.random.default_rng(0)
    f = np.tile(np.array([0.8, 0.99]), (100, 1, 1))
    f[60, 0, 1] = 0.05
    write = np.tile(rng.random((100, 1, 1)), (1, 1, 2))
    parts = np.asarray(contents(f, write, np.ones_like(f), np.zeros((1, 2))))
    fig, ax = plt.subplots(figsize=(6.4, 2.4), layout="constrained")
    for j, (name, colour) in enumerate([("f = .8", "#0072B2"), ("f = .99, but once", "#D55E00")]):
        ax.plot(parts[1:, 0, j], ".", color=colour, label=name)
    ax.set(xlabel="written at step", ylabel="left after step 100")
    ax.legend(frameon=False)
    plt.show()


what_is_left()

# %% [markdown]
# ## 5. Eight networks with the same weights (`ps4-which`, 10 points, medium)
#
# You get a GRU from somewhere: its weights, and a recorded run to test against. You load the weights, the shapes
# fit, and the outputs are wrong. "GRU" is the name of at least eight networks. With blocks $a^x = x_t W_x + b_x$
# and $a^h = h_{t-1} W_h + b_h$, all have the gates $r = \sigma(a^x_r + a^h_r)$, $z = \sigma(a^x_z + a^h_z)$, but
#
# - **order** of the blocks: `"rzn"` (PyTorch) or `"zrn"` (Keras);
# - **reset** gate: `"before"` the product, as first published, $n = \tanh(a^x_n + (r \odot h_{t-1}) W_{h,n} + b_{h,n})$; or
#   `"after"` it, as it is faster, $n = \tanh(a^x_n + r \odot (h_{t-1} W_{h,n} + b_{h,n}))$;
# - **update** gate: it `"keeps"` the old, $h_t = z \odot h_{t-1} + (1 - z) \odot n$, or `"takes"` the new, $h_t = (1 -
#   z) \odot h_{t-1} + z \odot n$.
#
# Write `which_gru(x, h, w)`:
#
# - `x` `(T, B, D)`, `h` `(T + 1, B, H)`: inputs and states of the recorded run; `h[0]` may be anything, also
#   0. They were written down as `float32` or `float64`.
# - `w` has `W_x` `(D, 3H)`, `W_h` `(H, 3H)`, `b_x`, `b_h` `(3H,)`; $T \ge 3$ and $H \ge 2$.
# - Returns the tuple of three strings `(order, reset, update)` of the network that was recorded, such as `("rzn",
#   "after", "keeps")`; or `None` if it was none of the eight, that is, if none comes closer than a relative error of
#   `1e-3` over all recorded states. In the tests the right one comes closer than `1e-5` and no other
#   closer than `5e-3`.
#
# Worked example: the recorded run of an `nn.GRU` gives `("rzn", "after", "keeps")`.
#
# <details><summary>Hint</summary>
#
# One function with three switches. Where $h_{t-1} = 0$ and $b_{h,n} = 0$ the reset gate does nothing at all: the first step
# alone can tell little.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-which", "locked": false, "schema_version": 3, "solution": true, "task": false}
def which_gru(x, h, w):
    """Tell which of eight GRUs made a recorded run: (order, reset, update), or None.

    x: (T, B, D). h: (T + 1, B, H). w: W_x (D, 3H), W_h (H, 3H), b_x and b_h (3H,).
    """
    ### BEGIN SOLUTION
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    x_r, x_z, x_n = np.split(x @ w["W_x"] + w["b_x"], 3, axis=2)  # (T, B, H)
    old, H = h[:-1], h.shape[2]
    h_r, h_z, h_n = np.split(old @ w["W_h"] + w["b_h"], 3, axis=2)
    first, second = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    found, best = None, 1e-3
    for order in ("rzn", "zrn"):
        r, z = (first, second) if order == "rzn" else (second, first)
        for reset in ("before", "after"):
            inner = r * h_n
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(x_n + inner)
            for update in ("keeps", "takes"):
                new = z * old + (1 - z) * n if update == "keeps" else (1 - z) * old + z * n
                error = np.linalg.norm(new - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-which-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_which():
    torch.manual_seed(0)
    net = torch.nn.GRU(3, 4).double()
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        h = torch.cat([torch.zeros(1, 2, 4, dtype=torch.float64), net(x)[0]]).numpy()
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    w = {"W_x": state["weight_ih_l0"].T, "W_h": state["weight_hh_l0"].T}
    w |= {"b_x": state["bias_ih_l0"], "b_h": state["bias_hh_l0"]}
    got = which_gru(x.numpy(), h, w)
    assert got is not None, "worked example, nn.GRU: it is one of the eight; got None"
    assert tuple(got) == ("rzn", "after", "keeps"), f"worked example, nn.GRU: got {got}"


visible_which()


### BEGIN HIDDEN TESTS
def gru_run(kind, w, x, first, act=np.tanh):
    """Run one of the eight, one sequence at a time; the candidate's nonlinearity may differ."""
    order, reset, update = kind
    H = first.shape[1]
    r0, z0 = (0, H) if order == "rzn" else (H, 0)
    h = np.zeros((len(x) + 1, *first.shape))
    h[0] = first
    for b in range(first.shape[0]):
        for t in range(len(x)):
            old, a_x = h[t, b], x[t, b] @ w["W_x"] + w["b_x"]
            a_h = old @ w["W_h"] + w["b_h"]
            r, z = (1 / (1 + np.exp(-(a_x + a_h)[k : k + H])) for k in (r0, z0))
            if reset == "after":
                n = act(a_x[2 * H :] + r * a_h[2 * H :])
            else:
                n = act(a_x[2 * H :] + (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :])
            keep = z if update == "keeps" else 1 - z
            h[t + 1, b] = keep * old + (1 - keep) * n
    return h


def gru_case(T, B, D, H, seed):
    shapes = {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b_x": (3 * H,), "b_h": (3 * H,)}
    w = draw(shapes, seed)
    s = draw({"x": (T, B, D), "h": (B, H)}, seed + 1_000, scale=1.0)
    return w, s["x"], np.tanh(s["h"])


KINDS_OF_GRU = [
    (order, reset, update)
    for order in ("rzn", "zrn")
    for reset in ("before", "after")
    for update in ("keeps", "takes")
]


def hidden_which():
    for n, kind in enumerate(KINDS_OF_GRU):
        w, x, first = gru_case(6, 3, 2, 4, seed=50 + n)
        h = gru_run(kind, w, x, first)
        got = which_gru(x, h, w)
        assert got is not None, "one of the eight is taken for none: are all eight tried?"
        assert len(tuple(got)) == 3, "three strings: order, reset, update"
        assert got[2] == kind[2], (
            "update: does z keep the old state or take the new one? Each paper and each library"
            " says it in its own way (chapter 8)"
        )
        assert got[0] == kind[0], "order: which block is r and which is z (chapter 8)"
        assert got[1] == kind[1], (
            "reset: does r act on h before the product with W_hn, or on the product and its bias"
            " (chapter 8)?"
        )
    for n, kind in enumerate(KINDS_OF_GRU):
        w, x, first = gru_case(4, 2, 3, 2 + n % 3, seed=70 + n)
        w["b_h"] *= 0
        h = gru_run(kind, w, x, 0 * first)
        got = which_gru(x, h, w)
        assert got is not None and tuple(got) == kind, (
            "h[0] = 0, b_h = 0: at the first step the reset gate has nothing to act on, so both"
            " variants agree there; compare ALL steps"
        )
        w, x, first = gru_case(5, 1, 2, 3, seed=80 + n)
        h = gru_run(kind, w, x, first)
        got = which_gru(x.astype(np.float32), h.astype(np.float32), w)
        assert got is not None and tuple(got) == kind, (
            "a run that was written down in float32: equal up to 1e-7, not to the last bit"
        )
    for n, kind in enumerate(KINDS_OF_GRU):
        w, x, first = gru_case(6, 2, 3, 4, seed=90 + n)
        other = gru_run(kind, w, x, first, act=lambda a: np.maximum(a, 0))
        assert which_gru(x, other, w) is None, (
            "a run that none of the eight has made (its candidate has no tanh): None, not the least"
            " bad one"
        )
        w["W_h"] = w["W_h"] + 0.05
        h = gru_run(kind, w, x, first)
        w["W_h"] = w["W_h"] - 0.05
        assert which_gru(x, h, w) is None, (
            "weights that do not belong to the run: every error is far above 1e-3, so None"
        )
    for n, kind in enumerate(KINDS_OF_GRU):
        w, x, first = gru_case(6, 2, 3, 4, seed=90 + n)
        h = gru_run(kind, w, x, first)
        h[3, 1, 2] += 0.05  # the nearest of the eight is off by at least .01, however it is run
        assert which_gru(x, h, w) is None, (
            "a run with one state that does not fit, in the middle, in the second sequence: the error is"
            " one over ALL recorded states, all steps and all sequences, so None"
        )
        w["b_x"], w["b_h"] = 1e-5 * w["b_x"], 1e-5 * w["b_h"]
        h = gru_run(kind, {**w, "W_h": w["W_h"] + 0.05}, 1e-5 * x, 1e-5 * first)
        assert which_gru(1e-5 * x, h, w) is None, (
            "all numbers of a run of some 1e-5, and none of the eight fits: the error is RELATIVE, |a - b|"
            " / |b|; an absolute one is small here for every network"
        )
    for n in (3, 6):
        w, x, first = gru_case(6, 2, 2, 4, seed=70 + n)
        w["W_x"][1] = 0.02 * w["W_x"][1] - w["W_x"][0]  # two large inputs that nearly cancel
        x = x + 200
        h = gru_run(KINDS_OF_GRU[n], w, x, first)
        got = which_gru(x.astype(np.float32), h.astype(np.float32), w)
        assert got is not None and tuple(got) == KINDS_OF_GRU[n], (
            "inputs of some 200 in float32: the right one is off by 2e-6 and the next by 7e-2; the limit"
            " for None is a relative error of 1e-3, not the last digits"
        )
    w, x, first = gru_case(7, 4, 3, 5, seed=99)
    h = gru_run(KINDS_OF_GRU[3], w, x, first)
    given = [x.copy(), h.copy(), copy.deepcopy(w)]
    assert tuple(which_gru(*given) or ()) == KINDS_OF_GRU[3], "larger sizes: wrong"
    assert unchanged(given, [x, h, w]), "do not change the arguments: work on a copy"


hidden_which()
### END HIDDEN TESTS

# %% [markdown]
# ## 6. What PyTorch does not show (`ps4-inside`, 12 points, medium)
#
# `nn.LSTM` returns h of its last layer, at all steps, and h and c of all layers at the last step. It returns no gate at
# all, and no cell on the way. Whoever wants to know what a trained network remembers, and when it lets go,
# must do the forward pass again, with the network's own weights.
#
# Write `inside(state, x)`:
#
# - `state`: what `net.state_dict()` gives for `net = nn.LSTM(D, H, num_layers=L)` or the same with `bias=False`: a
#   dict from names to tensors, `float32` or `float64`. One direction, no projection, no dropout, L from 1 to
#   12. Print one to see names and shapes.
# - `x` `(T, B, D)`, an array, `float64`. First states are 0.
# - Returns the tuple `(f, c)`, both `(L, T, B, H)`: the forget gate of each layer at each step, after its $\sigma$,
#   and the cell after that step, so that `f[l, t]` and `c[l, t]` belong to the step that reads `x[t]`.
# - Where the weights are `float32`, a relative error of `1e-4` is allowed, else `1e-6`.
#
# Worked example: one layer, one unit, weights 0, biases `bias_ih` 1 and `bias_hh` 0, two steps: $f = \sigma(1) = .731059$
# twice, $c = (.556770, .963802)$.
#
# <details><summary>Hint</summary>
#
# PyTorch's weights are made for columns: `weight_ih_l0` is $(4H, D)$; the rows are blocks i, f, g, o. What does
# layer 1 read? You can check the last cell of each layer: `net(x)[1][1]`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-inside", "locked": false, "schema_version": 3, "solution": true, "task": false}
def inside(state, x):
    """Return the forget gates and cells of all layers of an nn.LSTM, both (L, T, B, H).

    state: its state_dict; one direction, any number of layers, with or without biases. x: (T, B, D).
    """
    ### BEGIN SOLUTION
    arrays = {name: np.asarray(value, dtype=float) for name, value in state.items()}
    gates, cells = [], []
    layers = sum(name.startswith("weight_hh") for name in arrays)
    for layer in range(layers):
        W_x, W_h = (arrays[f"weight_{part}_l{layer}"].T for part in ("ih", "hh"))
        b = sum(arrays.get(f"bias_{part}_l{layer}", 0.0) for part in ("ih", "hh"))
        h, c = (np.zeros((x.shape[1], len(W_h))) for _ in range(2))
        out, gates_l, cells_l = [], [], []
        for x_t in x:
            i, f, g, o = np.split(x_t @ W_x + h @ W_h + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            out.append(h)
            gates_l.append(sigmoid(f))
            cells_l.append(c)
        x = np.stack(out)  # what the next layer reads
        gates.append(gates_l)
        cells.append(cells_l)
    return np.array(gates), np.array(cells)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-inside-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_inside():
    state = {"weight_ih_l0": torch.zeros(4, 1), "weight_hh_l0": torch.zeros(4, 1)}
    state |= {"bias_ih_l0": torch.ones(4), "bias_hh_l0": torch.zeros(4)}
    f, c = (np.asarray(a) for a in inside(state, np.zeros((2, 1, 1))))
    assert f.shape == c.shape == (1, 2, 1, 1), f"(L, T, B, H) = (1, 2, 1, 1): {f.shape}, {c.shape}"
    assert same(f.ravel(), [0.731059, 0.731059], rtol=1e-4), f"worked example, f: {f.ravel()}"
    assert same(c.ravel(), [0.556770, 0.963802], rtol=1e-4), f"worked example, c: {c.ravel()}"


visible_inside()


### BEGIN HIDDEN TESTS
def inside_case(T, B, D, H, L, seed, bias=True):
    torch.manual_seed(seed)
    net = torch.nn.LSTM(D, H, num_layers=L, bias=bias).double()
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(torch.randn_like(value) * 0.6)
    return net, np.random.default_rng(seed).normal(size=(T, B, D))


def inside_truth(net, x):
    """One LSTMCell for each layer; its forget gate from the weights' own rows."""
    H, below, all_gates, all_cells = net.hidden_size, torch.as_tensor(x), [], []
    with torch.no_grad():
        for layer in range(net.num_layers):
            parts = [getattr(net, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh")]
            cell = torch.nn.LSTMCell(below.shape[2], H, bias=net.bias).double()
            cell.weight_ih.copy_(parts[0])
            cell.weight_hh.copy_(parts[1])
            shift = torch.zeros(H)
            if net.bias:
                both = [getattr(net, f"{name}_l{layer}") for name in ("bias_ih", "bias_hh")]
                cell.bias_ih.copy_(both[0])
                cell.bias_hh.copy_(both[1])
                shift = (both[0] + both[1])[H : 2 * H]
            h = c = torch.zeros(below.shape[1], H, dtype=torch.float64)
            gates, cells, out = [], [], []
            for x_t in below:
                forget = x_t @ parts[0][H : 2 * H].T + h @ parts[1][H : 2 * H].T + shift
                gates.append(torch.sigmoid(forget))
                h, c = cell(x_t, (h, c))
                out.append(h)
                cells.append(c)
            below = torch.stack(out)
            all_gates.append(torch.stack(gates))
            all_cells.append(torch.stack(cells))
    return torch.stack(all_gates).numpy(), torch.stack(all_cells).numpy()


def hidden_inside():
    net, x = inside_case(3, 2, 2, 3, 1, seed=100)
    with torch.no_grad():
        net.bias_hh_l0.zero_()
    f, c = (np.asarray(a) for a in inside(dict(net.state_dict()), x))
    assert f.shape == c.shape == (1, 3, 2, 3), "f and c must be (L, T, B, H)"
    want_f, want_c = inside_truth(net, x)
    assert same(f[:, 0], want_f[:, 0]), (
        "one layer, the first step: the forget gate is the SECOND of four blocks, i, f, g, o, of the"
        " rows of weight_ih, after its sigmoid (chapter 7, PyTorch's weights)"
    )
    assert same(c[:, 0], want_c[:, 0]), (
        "one layer, the first step: the third block is g, with tanh, the fourth the output gate"
        " (chapter 7, PyTorch's weights)"
    )
    assert same(f, want_f) and same(c, want_c), (
        "one layer, several steps: weight_hh is made for columns, so h @ weight_hh.T, and h is the"
        " one of this layer (chapter 7, PyTorch's weights)"
    )
    net, x = inside_case(4, 2, 2, 3, 1, seed=101)
    f, c = inside(dict(net.state_dict()), x)
    want_f, want_c = inside_truth(net, x)
    assert same(f, want_f) and same(c, want_c), (
        "PyTorch has two biases, bias_ih and bias_hh, and both count (chapter 7, PyTorch's weights)"
    )
    # D = H: who reads the wrong thing gets numbers, and this message
    net, x = inside_case(4, 2, 3, 3, 2, seed=102, bias=False)
    f, c = inside(dict(net.state_dict()), x)
    want_f, want_c = inside_truth(net, x)
    assert same(f, want_f) and same(c, want_c), (
        "two layers without biases: layer 1 reads h of layer 0, not x and not c (chapter 9)"
    )
    for T, B, D, H, L, seed in [
        (5, 3, 2, 4, 3, 103),
        (1, 1, 1, 1, 2, 104),
        (3, 4, 5, 2, 4, 105),
        (6, 2, 3, 3, 2, 106),
    ]:
        net, x = inside_case(T, B, D, H, L, seed)
        before, state = x.copy(), copy.deepcopy(dict(net.state_dict()))
        f, c = inside(state, x)
        want_f, want_c = inside_truth(net, x)
        assert same(f, want_f) and same(c, want_c), (
            "several layers, sizes all different: each layer has its own weights, both biases and"
            " first states of 0 (chapter 9)"
        )
        kept = {name: value.numpy() for name, value in net.state_dict().items()}
        now = {name: np.asarray(value) for name, value in state.items()}
        assert unchanged([before, kept], [x, now]), "do not change the arguments: work on a copy"
    net, x = inside_case(3, 2, 3, 3, 12, seed=107)
    f, c = inside(dict(net.state_dict()), x)
    want_f, want_c = inside_truth(net, x)
    assert same(f, want_f) and same(c, want_c), (
        "twelve layers: sorted as words, l10 and l11 come before l2; count with numbers"
    )
    net, x = inside_case(5, 2, 2, 3, 2, seed=109)
    with torch.no_grad():
        net.weight_ih_l0[:, 1] = 0.001 * net.weight_ih_l0[:, 1] - net.weight_ih_l0[:, 0]
    x = x + 1_000
    want_f, want_c = inside_truth(net, x)
    f, c = inside(dict(net.state_dict()), x.copy())
    assert same(f, want_f) and same(c, want_c), (
        "two inputs of some 1,000 that nearly cancel, weights in float64: compute in float64, x included;"
        " float32 leaves three digits of the difference"
    )
    net, x = inside_case(6, 3, 2, 4, 2, seed=108)
    want_f, want_c = inside_truth(net.float().double(), x)
    f, c = inside(dict(net.float().state_dict()), x)
    assert same(f, want_f, rtol=1e-4) and same(c, want_c, rtol=1e-4), "weights in float32: wrong"


hidden_inside()
### END HIDDEN TESTS

# %% [markdown]
# ## 7. From a reader to a writer (`ps4-bridge`, 6 points, easy)
#
# A translator reads with a bidirectional network of L layers and writes with a one-directional one of L layers and
# twice as many units: each layer of the writer begins where the same layer of the reader ended, forward and
# backward state side by side. `h_n` holds all of that in one array of three axes, and `h_n.view(L, B, 2 * H)` has the
# right shape. It is wrong, it is in many programs, and nothing crashes: with $B > 1$ it gives a sequence the states
# of its neighbours.
#
# Write `bridge(h_n, layers)`:
#
# - `h_n` `(layers * directions, B, H)`, an array as `nn.LSTM` and `nn.GRU` return it (`c_n` looks the same);
#   `directions` is 1 or 2, which its shape tells.
# - Returns `(layers, B, directions * H)`: for each layer and sequence the forward state, and beside it, if
#   there is one, the backward state.
#
# Worked example: one layer, two directions, one sequence, H = 2: from `[[[1, 2]], [[3, 4]]]` to `[[[1, 2, 3, 4]]]`.
#
# <details><summary>Hint</summary>
#
# Chapter 9 has the table of what stands where. Make an `h_n` whose numbers say where they came from: 100 layer + 10
# direction + sequence.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-bridge", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bridge(h_n, layers):
    """Put the forward and backward states of each layer side by side.

    h_n: (layers * directions, B, H). Returns (layers, B, directions * H).
    """
    ### BEGIN SOLUTION
    directions = len(h_n) // layers
    apart = np.reshape(h_n, (layers, directions, *h_n.shape[1:]))  # (L, directions, B, H)
    return np.concatenate([apart[:, k] for k in range(directions)], axis=2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-bridge-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
def visible_bridge():
    got = np.asarray(bridge(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), 1))
    assert got.shape == (1, 1, 4), f"(layers, B, 2 H) = (1, 1, 4) expected; got {got.shape}"
    assert same(got, [[[1, 2, 3, 4]]]), f"worked example: [[[1, 2, 3, 4]]]; got {got.tolist()}"


visible_bridge()


### BEGIN HIDDEN TESTS
def hidden_bridge():
    for L, B, H, seed in [(1, 3, 2, 110), (2, 3, 4, 111), (3, 1, 2, 112), (4, 5, 3, 113)]:
        torch.manual_seed(seed)
        net = torch.nn.GRU(2, H, num_layers=L, bidirectional=True).double()
        x = torch.randn(6, B, 2, dtype=torch.float64)
        with torch.no_grad():
            output, h_n = net(x)
        before = h_n.numpy().copy()
        got = np.asarray(bridge(h_n.numpy(), L))
        assert got.shape == (L, B, 2 * H), "two directions: (layers, B, 2 H) expected"
        for b in range(B):
            assert same(got[L - 1, b, :H], output[-1, b, :H]), (
                "last layer, left half: where the forward direction ended, of the SAME sequence."
                " A view or reshape of h_n mixes the sequences (chapter 9, what h_n holds)"
            )
            assert same(got[L - 1, b, H:], output[0, b, H:]), (
                "last layer, right half: where the backward direction ended, at the first step, of"
                " the SAME sequence. A view or reshape of h_n mixes the sequences (chapter 9, what h_n"
                " holds)"
            )
        want = [
            [np.append(before[2 * k, b], before[2 * k + 1, b]) for b in range(B)] for k in range(L)
        ]
        assert same(got, np.array(want)), (
            "in h_n the two directions of a layer stand next to each other, layer by layer: 0 forward,"
            " 0 backward, 1 forward, ... (chapter 9, what h_n holds)"
        )
        assert np.array_equal(h_n.numpy(), before), "do not change the arguments: work on a copy"
    h_n = np.arange(48.0).reshape(6, 2, 4)
    assert same(bridge(h_n, 6), h_n), "six layers of one direction are not three of two"
    h_n = np.arange(24.0).reshape(3, 2, 4)
    got = np.asarray(bridge(h_n, 3))
    assert got.shape == (3, 2, 4) and same(got, h_n), "one direction: h_n as it is"


hidden_bridge()
### END HIDDEN TESTS

# %% [markdown]
# ## 8. Both sides of a gap (`ps4-around`, 10 points, medium)
#
# A word has been lost; what stood there? Everything before it counts, everything after it too. A bidirectional layer
# is not the way: its output at t has read $x_t$ itself, in both directions, so a loss on $x_t$ is solved by
# copying. What is needed is the forward state *before* t and the backward state *after* t, for each gap t at
# once. And the sequences have different lengths.
#
# Write `around(x, lengths, forth, back)`:
#
# - `x` `(T, B, D)`, floats; `lengths` `(B,)`, integers from 1 to T (T may be larger than all of them). In column b
#   the first `lengths[b]` rows are real. All others are **padding and may hold anything**, also NaN.
# - `forth`, `back`: two recurrent networks, as functions. Each takes an array `(t, b, D)` with any $t, b \ge 1$, runs
#   over it from its first row to its last, each sequence by itself, from a first state of 0, and returns the state
#   *after* each row, an array `(t, b, H)`; NaN spoils what comes after it in its own sequence, nothing else. `back`
#   knows nothing of directions: it is you who must hand it a sequence turned around.
# - Returns `(T, B, 2H)`. At a real t the left half is the state of `forth` after rows 0, ..., t - 1, the right half
#   the state of `back` after the rows n - 1, n - 2, ..., t + 1, in this order, $n$ the length of the sequence. Where
#   there is no such row, the first state: 0. In the padding, exactly 0.
#
# Worked example: if both networks just add up what they read (`np.cumsum(x, axis=0)`), `x = (1, 1, 1)` gives
# the pairs (0, 2), (1, 1), (2, 0). A second one, to check yourself: (1, 2, 4) gives (0, 6), (1, 4), (3, 0).
#
# <details><summary>Hint 1</summary>
#
# Forget the gap at first: the outputs of a bidirectional layer for these lengths, without packing, each turned around within
# its own length (chapter 9). Then move each half by one step, in its own direction.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# NaN times 0 is NaN. Assign; do not multiply with a mask.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-around", "locked": false, "schema_version": 3, "solution": true, "task": false}
def around(x, lengths, forth, back):
    """Return for each t what two networks know of the rows before it and after it, (T, B, 2H).

    x: (T, B, D). lengths: (B,), 1 to T. forth, back: take (t, b, D), return states (t, b, H).
    """
    ### BEGIN SOLUTION
    T, B, _ = x.shape
    t, n = np.arange(T)[:, None], np.asarray(lengths)[None]  # (T, 1), (1, B)
    turned = np.where(t < n, n - 1 - t, t)  # (T, B): each within its own length
    column = np.arange(B)[None]
    left = np.asarray(forth(x))
    right = np.asarray(back(x[turned, column]))[turned, column]
    H = left.shape[2]
    out = np.zeros((T, B, 2 * H), dtype=left.dtype)
    out[1:, :, :H] = np.where((t[1:] < n)[:, :, None], left[:-1], 0)
    out[:-1, :, H:] = np.where((t[1:] < n)[:, :, None], right[1:], 0)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-around-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_around():
    def add_up(x):
        return np.cumsum(np.asarray(x), axis=0)

    got = np.asarray(around(np.ones((3, 1, 1)), np.array([3]), add_up, add_up))
    assert got.shape == (3, 1, 2), f"(T, B, 2H) = (3, 1, 2) expected; got {got.shape}"
    assert same(got[:, 0], [[0, 2], [1, 1], [2, 0]]), f"worked example: got {got[:, 0].tolist()}"


visible_around()


### BEGIN HIDDEN TESTS
def around_net(D, H, seed):
    """A plain network as a function of (t, b, D)."""
    w = draw({"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}, seed)

    def run(x):
        x = np.asarray(x)
        h, states = np.zeros((x.shape[1], H)), []
        for x_t in x:
            h = np.tanh(x_t @ w["W_xh"] + h @ w["W_hh"] + w["b_h"])
            states.append(h)
        return np.stack(states)

    return run


def around_truth(x, lengths, forth, back):
    """One gap after the other, from the beginning each time."""
    T, B, _ = x.shape
    H = forth(x[:1]).shape[2]
    out = np.zeros((T, B, 2 * H))
    for b in range(B):
        row = x[: lengths[b], b : b + 1]
        for t in range(lengths[b]):
            if t > 0:
                out[t, b, :H] = forth(row[:t])[-1, 0]
            if t < lengths[b] - 1:
                out[t, b, H:] = back(row[:t:-1])[-1, 0]
    return out


def hidden_around():
    rng = np.random.default_rng(120)
    forth, back = around_net(2, 3, 1), around_net(2, 3, 2)
    x = rng.normal(size=(5, 1, 2))
    got = np.asarray(around(x, np.array([5]), forth, back))
    want = around_truth(x, [5], forth, back)
    assert got.shape == (5, 1, 6), "the result must be (T, B, 2H)"
    assert same(got[:, :, :3], want[:, :, :3]), (
        "left half: the forward state BEFORE row t, which has not read x[t]; 0 at t = 0"
    )
    assert same(got[-1, :, 3:], want[-1, :, 3:]), (
        "right half at the last row: nothing comes after it, so 0; x[t] itself must not be read"
    )
    assert same(got[:, :, 3:], want[:, :, 3:]), (
        "right half: back reads the rows n - 1, ..., t + 1, in this order; turn the sequence around,"
        " turn the states around again, and move them by one step (chapter 9)"
    )
    for T, B, lengths, seed in [
        (6, 4, [6, 1, 3, 5], 121),
        (7, 3, [2, 4, 3], 122),
        (1, 2, [1, 1], 123),
        (4, 1, [1], 124),
        (9, 2, [8, 9], 125),
    ]:
        D, H = 3, 2
        forth, back = around_net(D, H, seed), around_net(D, H, seed + 50)
        lengths = np.array(lengths)
        x = np.random.default_rng(seed).normal(size=(T, B, D))
        want = around_truth(x, lengths, forth, back)
        mine, its = x.copy(), lengths.copy()
        got = np.asarray(around(mine, its, forth, back))
        assert got.shape == want.shape, "the result must be (T, B, 2H), padding included"
        real = np.arange(T)[:, None] < lengths[None]
        assert same(got[real][:, :H], want[real][:, :H]), "different lengths, left half: wrong"
        assert np.all(got[lengths - 1, np.arange(B), H:] == 0), (
            "right half at the last REAL row of each sequence: nothing comes after it but padding, so it"
            " is exactly 0, not a state of back that has read the padding"
        )
        assert same(got[real], want[real]), (
            "different lengths: turn each sequence around within its OWN length. Where the whole array is"
            " flipped, back reads the padding first (chapter 9, the reverse direction)"
        )
        assert np.all(got[~real] == 0), "in the padding the result must be exactly 0"
        assert unchanged([mine, its], [x, lengths]), "do not change the arguments: work on a copy"
        x[~real] = np.nan
        got = np.asarray(around(x.copy(), lengths.copy(), forth, back))
        assert np.all(np.isfinite(got)), (
            "NaN in the padding has got into the result: neither read it before a real row nor multiply"
            " it by 0"
        )
        assert same(got, want), "the padding must not change anything"


hidden_around()
### END HIDDEN TESTS

# %% [markdown]
# ## 9. Teach it to read (`ps4-tagger`, 6 + 6 points)
#
# Python's own library is a text that every Python has, and its tokeniser knows what each character of it is. Here are
# five hundred functions from it, each character tagged with one of seven kinds:
#
# | | kind | |
# |---:|---|---|
# | 0 | other | spaces, line ends, operators, brackets |
# | 1 | keyword | `def`, `return`, `None`, ... |
# | 2 | called | a name with a `(` right after it, as in `print(x)` or `def run(x)` |
# | 3 | name | every other name |
# | 4 | number | |
# | 5 | string | quotation marks included |
# | 6 | comment | |
#
# A quotation mark 60 characters ago decides what an `i` is now: that is a matter of memory. Whether a name is
# called is decided by the bracket that comes *after* it.
#
# So that nobody is tempted to write down what he knows about Python, each character is replaced by a
# number, by a **code book** that shuffles the alphabet. The tests use other code books than the one below. What is a
# quotation mark, your network must find out from the examples.


# %% nbgrader={"grade": false, "grade_id": "ps4-code", "locked": true, "schema_version": 3, "solution": false, "task": false}
KINDS = ("other", "keyword", "called", "name", "number", "string", "comment")
OTHER, KEYWORD, CALLED, NAME, NUMBER, STRING, COMMENT = range(7)
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
V = len(ALPHABET)  # 96


def kinds_of(text):
    """Return the kind of each character of Python source, (len(text),); None for f-strings."""
    starts = np.cumsum([0] + [len(line) for line in text.splitlines(keepends=True)] + [0])
    kinds = np.full(len(text), OTHER)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token, after in zip(tokens, tokens[1:], strict=False):
        kind = {tokenize.NUMBER: NUMBER, tokenize.STRING: STRING, tokenize.COMMENT: COMMENT}
        kind = kind.get(token.type, OTHER)
        if token.type == tokenize.NAME:
            kind = CALLED if after.string == "(" else NAME
            kind = KEYWORD if keyword.iskeyword(token.string) else kind
        first = token.string[:2].lower()
        if "START" in tokenize.tok_name[token.type] or (kind == STRING and "f" in first):
            return None  # Python 3.12 takes f-strings apart, 3.11 does not
        (row, start), (last_row, end) = token.start, token.end
        if kind != OTHER:
            kinds[starts[row - 1] + start : starts[last_row - 1] + end] = kind
    return kinds


def functions_of(source):
    """Return the functions of Python source as texts of 100 to 800 characters."""
    lines, found = source.splitlines(keepends=True), []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = lines[node.lineno - 1 : node.end_lineno]
            indent = len(body[0]) - len(body[0].lstrip())
            text = "".join([line[indent:] if line[:indent].isspace() else line for line in body])
            if 100 <= len(text) <= 800 and set(text) <= set(ALPHABET):
                found.append(text)
    return found


def library(most=500):
    """Return up to so many functions of the standard library with their kinds."""
    found = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_bytes()
        if not 3_000 <= len(source) <= 20_000 or not source.isascii():
            continue
        texts = functions_of(source.decode())
        found += [(text, kinds) for text in texts if (kinds := kinds_of(text)) is not None]
        if len(found) >= most:
            break
    return found[:most]


def coded(tagged, book):
    """Return texts with their kinds as (symbols, kinds), two integer arrays of equal length each."""
    shuffled = np.random.default_rng(book).permutation(V)
    number = dict(zip(ALPHABET, shuffled.tolist(), strict=True))
    return [(np.array([number[c] for c in text]), kinds.copy()) for text, kinds in tagged]


def share_right(tag, files):
    """Return the share of characters that tag gets right."""
    right = total = 0
    for symbols, kinds in files:
        got = np.asarray(tag(symbols.copy()))
        assert got.shape == kinds.shape, "one kind for each symbol: (n,) in, (n,) out"
        right += (got == kinds).sum()
        total += len(kinds)
    return right / total


LIBRARY = library()
size = sum(len(text) for text, _ in LIBRARY)
share = np.bincount(np.concatenate([kinds for _, kinds in LIBRARY])) / size
print(f"{len(LIBRARY)} functions, {size:,} characters")
print(", ".join(f"{name} {part:.2f}" for name, part in zip(KINDS, share, strict=True)))
print(LIBRARY[3][0][:200])

# %% [markdown]
# Write `learn(files, steps, seed)`:
#
# - `files`: a list of pairs `(symbols, kinds)`, integer arrays `(n,)` with n from 10 to 800; symbols from 0 to
#   `V - 1`, kinds from 0 to 6. Between 3 and 1,000 pairs. `steps`: make about so many updates, each on
#   at most 10,000 characters. `seed` for your generator.
# - Returns a **function** (or any object that can be called): given symbols `(n,)`, $n \ge 1$, it returns a kind for each,
#   `(n,)` integers, array or tensor.
# - Everything inside is yours: the cell, the directions, the size, PyTorch or NumPy. But it must be learned from
#   `files`: an answer that looks into `LIBRARY`, or asks `kinds_of` or Python's tokeniser, earns nothing; a person looks
#   at that. The tests hand the functions over in another order.
#
# The tests train on 500 functions of the library, coded by another book, with `steps = 400`, and score what is returned
# on functions of another program, in much the same style, that is in no installed package. The score is the share
# of characters tagged right, over all functions together.
#
# - **6 points** for at least **0.80**. The commonest kind of each symbol gets about half. A one-directional network gets
#   .87 to .91.
# - **6 more** for at least **0.92**. A network that sees both sides gets .93 to .98, differing from seed to seed.
#
# A call may compute for 60 seconds. Five are enough with 48 units in each direction and 3,000 characters an
# update; 10,000 an update take two to three times as long, for about .01 more.
#
# The visible test is the oldest trick there is: before you learn something large, **overfit** something tiny. Five
# functions can be learned by heart in 200 steps.
#
# <details><summary>Hint 1</summary>
#
# An embedding, one recurrent layer, one linear layer, cross-entropy, Adam with a rate of .01 that falls to 0, gradients cut to
# norm 1. Pieces of 200 characters that *begin where a function begins*: a piece that begins within a string
# looks like code with all quotation marks turned inside out. If you put functions end to end, every piece is
# full, and nothing has to be padded.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# If you pad: padding must neither count in the loss nor be read before the text in the reverse direction. Packing
# (`pack_padded_sequence`) is right, and ten times slower on a processor than pieces of equal length.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps4-tagger", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn(files, steps, seed):
    """Learn to tag characters; return a function from symbols (n,) to kinds (n,).

    files: list of (symbols, kinds), integer arrays (n,). steps: updates.
    """
    ### BEGIN SOLUTION
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    read, layer = torch.nn.Embedding(V, 24), torch.nn.LSTM(24, 48, bidirectional=True)
    score = torch.nn.Linear(96, len(KINDS))
    weights = [*read.parameters(), *layer.parameters(), *score.parameters()]
    adam = torch.optim.Adam(weights, 0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps, pct_start=0.2)
    symbols, kinds = (torch.as_tensor(np.concatenate(part)) for part in zip(*files, strict=True))
    begins = np.cumsum([0] + [len(s) for s, _ in files[:-1]])
    length = min(200, len(symbols))
    for _ in range(steps):
        # the first ones again behind the last: an index beyond the end wraps around
        at = rng.choice(begins, 16)[None] + np.arange(length)[:, None]
        at = torch.as_tensor(at % len(symbols))  # (length, 16)
        scores = score(layer(read(symbols[at]))[0])
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), kinds[at].flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        rate.step()

    def tag(text):
        with torch.no_grad():
            scores = score(layer(read(torch.as_tensor(text)[:, None]))[0])
        return scores[:, 0].argmax(dim=1).numpy()

    return tag
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps4-tagger-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 120}
def visible_tagger():
    files = coded(LIBRARY[:5], book=0)
    tag = learn([(symbols.copy(), kinds.copy()) for symbols, kinds in files], 200, 0)
    share = share_right(tag, files)
    assert share > 0.85, f"five functions should be known by heart; only {share:.3f} are right"


visible_tagger()


### BEGIN HIDDEN TESTS
# functions of a program of ours, packed; in no installed package
PACKED = """
eNrVXG132zaW3s/9FRju7gmZyoztpNMZt5qZtPE2mTZ2Nk47u6ujw1ISJLGWSIakbKsZ//d9nguABGXZTWbOfth+cEQQuLi4
uC/PvQA703OVbppiUaWzZFUUZfiZwn83A9Wk1UI3A3Wts8WyqT+LTuRNEARvdbOpctUstVrrNFeroq5VMVf1dj0pVrW6UeG7
gfom+srSwKP6XB2ZJktOpbXKcvXz27Ozn2PQFNp/S26WA/xd4u8kMT+3/Ik/y0M1bHlh53lVrJMbNHLU6GaMKTBGqX81sw/U
y0j61U3a6Br9RsvDWN+UaT4Lb+J6mZZ6dDQeqIOjaGwIFpUlmjTkzfw2q+4IxWlZapBoimq6jJs0X4btoM9tn9HB0Vj9RRYS
GSZWxSJryIQZhm7Ty9B0jkzPrfC/ld6VFbD0zfN4vsmnTVbk6SqeVhB2ovOmKspt2PJm6MfzVdo0Og8PB+ooclvYtqIlW+RF
pZMsn+mb4etXFxevzr4TItFn/zKDKtTpWocpRN7t9kW6VddLjd2uVHNdyG5DnhCjotJk4AVPi0pr7um1Xq3473xVpM3TY7XS
eIux63aTpyCgIYl0tQorDdayK53oqiqqsByovIzTOq2qdBu+jyL1tTrSB09la/DyPbfl16wMU9m5ifytmyqbNsN31UZbYVvx
mYnIZzqpMeRwrA4w5nBsyT4zSwZzWVWH1H27aLZWG8jrxJNvzd0TA3m8AMf5AEtLr7B9bR87LbvGWaPXlLfZQmdgMf+E7NAf
bUdiTsOSzq+yqsjXEG24LNa624yzQtW6abJ8QYOjBZa6qotcpY08XertpEirmZoWG+zLQJafF6qsiqnGEpbYmhQkpgXam2Wl
wZTbGMyKJX64PFFXIvDLAX5A4EUdW4ZkWXUYqWwOoo26pCJXTX2dNcswDP7645v/fnf6Nhio4BV+vTw/C6LoVmiXabMEcZDi
r1qX8S9FlocjbF74Bi1hvcUsN3q6adLJSkfoVmH1kCCmjqHEYfDm+buXJB1EYyM1wz63ZQYFiGmFWH4NRs5fv0nOfnydvHv5
9vT5iwuOOn9zevbND88vdttff/9DrwkzBkeBmaC4zimQ4OX569PghIpmdgNdhJkTWRafZLG2jd3enp+/i9oXL87P3v3t7at3
p99APN+evyCxILj1t56y/3u7or9zamuQTQFPMS9WM11B1zeTdVbXcAV1pxPfQam04h6ofEINg6HSu8KJ1e3mVkUBX072saRk
Xul6aamqJyqQWYI+fRnWEhyq39gqknG9rfxAzepdTHNqDWXk+kFCC53rCm4wSTHtQlQefLy5wKuDA2jhVAfjQTtyej0bmpVA
YMM7ZjJQ06WeXoovwO+0hGx1UmyacmMchKEUMUjM1w326jIrjVMq1muayrDHnLNbLSyN/Q1D4KtBPLQDB56AB50glE+BPSil
tm1GbWOr2epfYMfJOq0u65CN3Qa/o5nDXJraGf1fL87P1DxbYS5aKpumcLz0tHAES3gWVYMTb/evaSecIYZjnsFIHDcyYcw3
QRRT/ZJG3zRh35V+aHcA465H0JfNjDs1Jv94hjPQk6K4bBvITTCOTmx/w337dp3eJF3Tf6SrWndulAtCL3oest22w+f0aEG7
xQmdFbmWTrdGjNiRElFHh7VezTsh/s2GMAxZ0n1iNFVdz06s46xyvTLhalMb99mJz0gBK1wJ1VhfUeP/NFSHLm4ap2yRx/cD
9dMduOTQkcFGA1VsKrUuZpiUirdcrxERqvxRbSyZPDEYKzEyz47B+pBRssKoYh1j8nSzahK0h4dGiGU2UM8H6hT9QjTHswwB
comVhRgGYdVhjum/j0TSOeUcfm95NgQMV0PyFL98/TosMwRNQ9M6RpHkUH0Lw10UoJ6u2A8kMsqeBpkSrwyDGq8gl8AbZ2IG
HMMkGdiWBoup12nTNmjrhaQXJhKOPBJ5MtcpjZta/ZO/R+QZcgMXdi9k6IByiwQu2GehYxWGPiMpt82yaGM+ty3NAB/eVcUG
G0Dtg94Qsza6KjEZBGAVECI1dsc9W8GRqmu43zWdMiTc7lxGgFzHV4jXWBkg2LwYnRyPhQT24KfTtxevzs8uOsxR+Qx03lPY
eyPcqg+38Ydbx0e9KcuiaqjRWQ4hA4jZbk/jI6Bv/D1W2HL8+1QFfXpUQfho9fM6vdTKhK2hEQkH/xzEWAp2KHy8bw2d8Vpz
gHlcJdcFXdl+IBmzh0EjeU+mIkiDKgbG22F1dj6DZsqs7LAkNhMaEEDtsHLKd8D3XykTo7Im3Cvy3yGq/666jdpV3b+optqe
7CI8L65NiWJHRl4MWVP4eTIluBQBoBp6nV+c/nT24w8/RGoIx2Eg181Ul406vzgl/r0zkXhGi1J13VifCdQ81wi5Uw8XvmnD
g06nSwkGRpR0c/DweiZuBaEQ8M9Axl3v1vn4HH7nRGjEa92ks7RJYxfRYsNDz1vLbHTXjq9YgpHvuaeA9Jmu3Qr4PrLYlDwm
dbHa0GN4b0KyoU6GkmUgZZmZd5Hv65PrCpA0NDAMmLYhZuxcPl9ivQyUrTQ4oUFH603dqIlGliqh06km3tB+0c83XU4Rg1HS
Cg2D0iQRc7LF9oSyr5aJe7bSQWGLmeL1JZxzaB5qC1ugttjqwqCYqBsiS7VTuaX6+8fuzqEB+WCPQ4bkvWl7vllPsFWztqva
5IQrHDAwW4nMjklGxT3f0ZRavIxQjxerYhIGo8ODP47lT/I4XgPXWD/QAGGGlxnxkbBvmckR6YBcUoGVcJjIUc0/ZQpxmFUZ
POs6+lm4QA+MvDC/wjn7fAi+ZcgG9jxR9tdttDvIBs2cxjjLFjApxo8PhIO2SpBKsgo/BekAHi7Fq2g9q3vu0hiIDLF0QhtN
U8I/eUEp7pnWFhFsItVSvb3Das0igxHdkZPerlJRPNDA6VV4pL7+Wh0fRqNnJ2Mj+kq/35AxmLyVOn7Fgu2CLAcgdjEZrXgK
CaO6FsPfKPgzAdpR196ki3ASwMk54GNKDCF9hJ2m7zHT6z7ulI6+7wt/SlcbLf5voN4iqxAvLM/RrhXZ+oFOcz2TjCRdwNfw
OcREhqw4IyAkfZ3QESd8DpHSEXAxD6iHloBLcEwIiK8AVMCcDjnS4VlxOfVwxH/G1vXIYmabdQkztJSQH3Ou0MqEyY7RhMc2
PfCMEEE2NZDjK7eNrAyJs4OfgfeZp/Axs90Ydyfo9NMwBp910M2IbWOyJImob7vcZnHIQhVxSGk4Jpne6U06W+ukRErN/GZC
DM5kqISsmXbNktRzsRdLIHWSrKeV1jkDUOqcykCtWK3Da4OM9LwRvzlDPHKNlenBUfUqhdXCJW06xysEBmYE0GyrDuWykByq
XO4yeHT8Bxa/jviXUM+xPLSci5nyheDeQCZgHYBTWItw/mfGoLKUiiNLP/w3rrNfjRcHl2h8taYGQmPC4Idg4PURAxGx2+Gj
UAiqx+ow/vKQrwcqtHP4v818bYP0f/qHtt3koDLtC6h8zD8heEEWXqy2CwTQyogMcWo1PP7ii6iTI4JODf3mSkHe8sCxJllf
p2I4piuQNVYRhkeHh4dM2hAe5Df4sRJ5YiQUgYaRwlstuBtRI/7h+dm3/3N+0VM8oR+/32CTSfn4i9+7gf9p2+LXpy9eYeSP
AO6XLCzXw6fY+4xReWi6vpCH+Oz87NTaGnQvMWWTcF3kl3qLWDldWgV1Lpl7PYGNLpNJ2TSxrfV03sUbCb+LyHpl7ZelIEYH
sRECg2Kzmhl4SqtFKqjSRZrlHkbDKpM6mwHrMBHdNGRPJ1JXpUgtZ5AvsjaJPiaYNGl92QsibNjhm001EDjJuAhiAkeKRFYi
VRNaygJGPgRIMuvAq2Twd57Hb8/ObP1Jsm0ZYsK+DKYz3OjaL4DaGTxuZEl2wMhMxPxeGlzRm4VOVyTGWtveLTtGn6+rQtLa
ZsO8zSsBLyIo3FF8eCR8LsiiIxf5Cyeo+03WbOFVJov+weHqc9jj4VG3qhbpyN7nCQCPTSUToEVu5cyJcUY/OWR0SKRgGiDC
NDVy3zKGL+fyt6UOH108wlzRQIqa4VUKGIe3ePbzk2EIy/gj/NwfoigKemvhLLGxOefjj/z3QZsT/vEfSRwD7oHMYfIbn/RK
56H3KmZlvgyjuIZXaOAYqFGRYaiTmdSfEiDg5DIvrpHY8zCFJjNJ88uwWZcJ0a8Voa1fTrknWhBF2EU4OIxrQtmh4tDuLatc
nKoOpPpmevH3TK+LZLoC9/GbC3dYJOhLisrdWybF5mfYG+PqfZZmtCuMDw7MiROiCjv02oHD+taI5NiUXiiN/uT6ptRTbI4t
De5lwNFy9Zua1rZOb0JT3XPm3GNwJO9GZG3c85QhqwGVzugrVrrI00rcxmpVbIHsx+R2xCnGsM2nPkVDMKh1WQbSzTaU6WZl
Gg797ofqa9fjFz2fV3qLTl8b7uFzUwiBdbyZ6An2nGjdOd2VK/pZWkREoOemrGOzLEtNJO/LfPT0ZGwNV2DejpoBfjyXF0Qm
tNoW0UhWkuZKr8tmC8gxvWRYcnDFFtRhyZYeFU7qovLaL7jr91KIqoNoTxIY7XY//DKRiiSDK9MrmwwKmv/25fM3707f9oKt
GelZGbBvUswTAlz6JeZl4oTE0ixk9NNFJ9Z8GwZSEoIWwkWI9dOSRaTyAw3mHVMbeG8hYiGUJOfS4BO9211UyoQCafjIJcPN
lat0qsPgQBHg45/jIPqYuWRTnrSb8KSdqdzSKbJMgp2ntE68spgh9nMw9gQrLGxDd1juNl5OH+i3T/zjr55aMJEP9qf3k2B0
1Pfq882vv8IN8cjMTRUcHJjJAzkDlSJINI7umFlAcNRWf5ZptZZdNPxJ/QLtcNdw1PjhLU3SJ0gun9UJ4g41RZw4FYkPBNwu
tk0FaosYBUPC51mbETLhm+ffnbpaBmG6EEJPtvfigymf9Zr8xdgZhuq452vZcUTKsZxshwHvBRxZZ2UfHh6wRZ8bRHfWQeZ4
6zzdnhcPE/p3JJPlqgDzE4iZ7x0lwO+6N3h0x5KMWJCe8YfxtJb7gR0/2MeRr5AzzesJADMst8mxvDF01gUTqXrv4JGdU7p7
8sqgzEr+I5kr4dC+0zVF6/Q82P2QBEmFQwp9pbN6mqQA0fRVDaDztk6ul2kDr5XMCpME7trZwMfw7qrKDqxPG1hJwOXBgq6w
GIQq5JEi04MDTmctqY0G494ypLMxwuiOCgadmyCln5GAVXVzr6UROXm4ETQaA4IsAEO4L/KpTqAcEAUPFUKRfFfNEcNE97ad
yL7kVj2SgKIOSoA7WDBc3Gal66+Uni4LFfzbXwL1pz+pKs0fWcgDdmM7reWkm+sje4Aa83PXSP+Gpv6B4r02TaSE3gYGSYUA
T6PDsX+5IJhmKjBlV+yVucVyUE+BLwnrmLnIEBNCfDZsiD6gCN0ppxdJHn2ARqf5AkaEHAyKe/vRUvG4/4SFW81p60Tm2Nis
ZKAeQzM3a0FyO7ts+tkdDvbucBDtHWKykcBN0k/KuUrR6FVWN2E3u5/VSJWLmrigkk422WrGfxpWyYxhilupEx557appH1gu
m/WK/Me/bMAWgwO8kpb6C2Bt4OWbPZGaSQnZScohpuhjOrMFYKe/60E/uHIfPCtqhWsoPXFMHxyIJIK7IZZJ1D08mCV3XEh1
f8cAHhq+I6n9BO4bLELdM3erfdQ3p2pwU/NZz0u5sw924u0p2UJ3myFgktWZ5C/FBIZozzI5wCsd4El9DvfgurGibBC+vYjE
k0Ke/cF71grQfsGHwtZZmiWPCOF+eV9KQdH03TKzrZFOV5kFSXTjqSmnpI6jca/ufLGtG70+vcnkOKhuivJEeKoWQOL2qMYj
DUQTslMszyB72DOkFwhmoQFBj+8K0rcmyUQJodKE9RwDsJKJXma02ia0aSATTslyB90dksoFNrm7MfR7OX1ou4aAfdDWWlvN
lV4HUGx7EcWmGBJDo52UWt7HrgZehwGg8TZw67VnfKyxu9q5lN9MOH7WU0xJxN2Ku3NLsESSBzM52g4sJveaDky+Pv4EWst0
Ne9RYkNLx4u1ciKQ8Dgw0YS2SCkTC4CYGrFMTVAT9jMhi/M/PL0dSJkNQHVkwLZpO4729h6oL/cNMM1P942xfd2QI5C2w2zT
ka9NWZ6D87yRRdVmVXKzkOolZVFBFen0/SZrmq4W9TCfZlKaPIuI8tLMaa4tIUtJJvD5oXezrKx9Rd2tS3iXh19LhWOyNTfb
vBtr8ANo3bhjf3v9xbuR1qbZFrj6yu68EtnYp+7SKuG/u4fl33z6eLjqal6cQdl6Q+hk0KeTza2O1iF7y5Uf/N2959VLfx1z
siA5YZ1N4Lo3zCQurZXXy02TreJq3QDdh/uulVkgQNjYu5e2/7adFZq5bRe1YXtPrUpcZPA4YJKsr3S1nRSzrXd0eWdC//5b
bxqDue01slZRej51R7RGfD1LllJu0rqCxNTh2LCpdS1Janvx8NNd6rvT/3rXlRgsUzcQ9TG5956ftkWHT3S/yz5SS2cpRVGs
rrR1wtFv6btxzQ/Ncb9S7+QvrWM3UkQy1/eiJ/Zg8kSxjUb6jGpw/FBFOMgLaohcqLC6+UBvwUH71HkHuQjaCT2AuYbvlrKC
u8ZpLqNACWbunKTDCnel2Z7S7p527BNaO8luZ8vE7vqEY3eaas7zeYDDdOnLgfoicsvgHRXAjCL+hiWgV+fW1r0TxrfffROY
waJ+lAsxUWjugZJ0z3wm0L7fP4snv39mT6fZj1eppRoMUBLPtH9qXVa8hzULiZAHBjsPeTOYKCZoj63MVaHAZP0JTyx4mRlw
S6eSmXAcWuzxGWkxscI/NoLIMXt7cH7SO7Jvj+Kfxf3j+489ud8h8NApfttX0oL6Y8e2J/10hHlhTKHeVFWx4L0OzzsR9wO0
50ySLrUuxRsZhQNCrxHoV8V1l+VV9D5NttaxwyJ8sEpgrjiM6mVxncv+CPUhKZiaSwInleXD4Ia1psfqi8Oe7e8hqw7spF+r
p925Pw8vbdV5Z8OlwBi3n2s0hesWnaiyfwlKvtWQ72ekR1yZK0KPA/lsoOwuUd160uJtZXqKWm4NytEZ5FYgxHB/+PHKPf77
NxGxLWR/vGfeDf1+Adc5J32jq2mGGPOETlL+xFm5zSeBVa7+pZc7N8WsDjIXnZordBRYPjEXp+VyM9yceTJGZkqIZCqIRoGp
z/E0UAqifGtP+bxasqS63m2VfHJ/PPmYaPUAPOr5/E4a4vcRgRnUlNtiyfbkNCZrTuytEB7nPBQZHpQlOcgn/9hu+8DnoUU9
zMDvhAG/cr5eC9xO7OzE5Jei07x7HpZ1D4a7dtOrPbNslYwpPMHTnWNPAzmN+WIxv2EjcqplGZpJdHcU75xf/ZN2ZH3DXoHe
d0KVJr9uF4Vcl0AOYx2n+Ch6gzQx19wJmPJC0LOffewp/n4atpI1xeamqTnovZMQd2DrDbx9BV/qEuP+sWpVXNtLsv6nDKLY
/Gwv06ylxLy1ZAr8T2NkF8f8w7tZ43sr13OaTSy17qCrz1P6TyZZ/mTOC6bBXlw5KSb/x2sPMYWUEUZc4lYWbn7tLJ1+TV7E
7T3OoWGwl+t/4GcjPI6aShrRiTTyZYphIsdbSVMtKK6MpgRGnP37MYF8MGc/hZMLwaxHKWTIJMtL0rx9EPi0uVcW2XnK6tAB
VVPghyjmBIR2j5IlFNSQ51SbMomLZ90JBvOM6H5M06/05ZPYdQJI6x6SdZYXlSkUPCOu7AHrSXeR23zoUpd6am4lyMmUuejf
O5wKTOER+M1V9ewqzKku+Orw485B/DS2gM0ktpLaT+OdmMXcQS4jeuHP3BunjliAaWr7094Mllt1sPa8kfNr4tYCS61ds0t7
Zw7qGB/Y7gFUZtoU1bYPJnbfxutL5BJlGBjzaDNl6zMdNjBikrKrMOP1+pijfome5bZfsBYV2dvToI6od3xsfhs+QolU9vee
WXY+mS1yQK4m9C1//4S9W0/bRGoaMAabdYWSYwxaSXcH4+15sVxgdzDJAJQPgdNm5AzP5DM6X7nR+AXL83ZX8fjhlieSgphO
lExp73wvZAOt/wj9Y/cbu4D2c4EW0Xfc9tQtq+UUCIlxuJCjmgZWBpWV6WzlppPFfJWVpbbQQEpvTJPkTmZSVK14jPvFIvaJ
6LM7MiI1cyHO9ZaL3C3rXc0msWdhCy03reMZ74fWTczUbsFPAo4k5/Qv9nGC/X0PB3K65T42QM5wFEVeYVyaR2kzfogC76C2
98cf2I7+hw3+ZviXLSA+xDkCLJ2832TTy9VWXG+dbpPrpf0g3hIZqGv+3wPuF/BvpV2foEWfojx0h+BMLjMWzccnau7UEFGJ
FXATPFzhrIV457yMbRof1ebDT7le7X0yOtmaj3t2PwCq3HebJ6oycZY87oW+9htR+SjT+xyU9mAf3NeYcnjIG7X9D9mf5/5X
7pzneplNl8yp93/gfr0smErI9xmiDfYjzfr/7ffrvU+//5mvzHc/dz/hveXbz/4XKHXQoA==
"""


def unseen_functions():
    texts = zlib.decompress(base64.b64decode(PACKED)).decode().split("\0")
    return [(text, kinds_of(text)) for text in texts]


def hidden_tagger():
    # in another order: the place of a function in the list must not tell its text
    files = coded(LIBRARY, book=7)
    files = [files[k] for k in np.random.default_rng(7).permutation(len(files))]
    unseen = coded(unseen_functions(), book=7)
    given = [(symbols.copy(), kinds.copy()) for symbols, kinds in files]
    tag = learn(given, 400, 1)
    assert all([unchanged(one, two) for one, two in zip(given, files, strict=True)]), (
        "do not change the arguments: work on a copy"
    )
    assert np.shape(tag(unseen[0][0][:1])) == (1,), "one symbol in, one kind out: n may be 1"
    share = share_right(tag, unseen)
    assert share > 0.45, (
        "worse than the commonest kind of each symbol: are symbols and kinds still side by side, and is"
        " the last axis the one that argmax looks along?"
    )
    assert share > 0.65, (
        "little better than the commonest kind of each symbol: is the state carried from character to"
        " character, and is the network trained on all functions?"
    )
    assert share >= 0.80, (
        "less than .80: begin pieces where a function begins, let a piece be long enough for a string,"
        " a rate of .01 that falls to 0 (chapter 9, tagging; chapter 5, Training, watched)"
    )


hidden_tagger()
### END HIDDEN TESTS

# %% [markdown]
# See what you made: a function that it has not been trained on, each character under its guess. Fewer
# steps than in the tests, so that the cell is quick.


# %%
def read_aloud(steps=60):
    files = coded(LIBRARY, book=0)
    tag = learn(files[:450], steps, 0)
    print(f"after {steps} steps {share_right(tag, files[450:]):.3f} right")
    shown = max(range(450, len(files)), key=lambda k: (files[k][1] == CALLED).sum())
    text, guess = LIBRARY[shown][0], np.asarray(tag(files[shown][0]))
    at = 0
    for line in text.splitlines(keepends=True)[:10]:
        print(line.rstrip("\n"))
        marks = [" KCn9s#"[k] for k in guess[at : at + len(line)]]
        print("".join(marks).rstrip())
        at += len(line)


read_aloud()

# %% [markdown]
# And the second half, for both sides:


# %% nbgrader={"grade": true, "grade_id": "ps4-tagger-score", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 120}
def visible_tagger_score():
    symbols, kinds = coded(LIBRARY[:10], book=3)[4]
    got = np.asarray(learn(coded(LIBRARY[:10], book=3), 40, 1)(symbols))
    assert got.shape == kinds.shape, f"a kind for each symbol: {kinds.shape}; got {got.shape}"


visible_tagger_score()


### BEGIN HIDDEN TESTS
# functions of a program of ours, packed; in no installed package
PACKED = """
eNq9W21z20aSvs/5FXO4qgvoULAkx66sNkydE3uzuji2T3ZyVcdSISA5JBGBABYDmmJ0+u/3PN0DYiDJiXdr61wJRQxmunt6
+r2HC7s0RT5rsmafFlVVx58Z/LsemzZrVrYdm53NV+vWfTY6kzdRFF3YdtuUpl1b47KNNbO9ebt/XzXz9efOVLvSNHa+bRpb
toYQEyyRpf+dXq/H+Fzjc5bq1z2/4mN9bCYHVJxclTZdVy1GW0JOyjJZbst5m1dlViT+bQw6C1vGhDwaJW0l35JFu6/tSMAs
88YRyPo4sdd1Vi7ik7G5Ttw6q+305HJsjk50IumeGF3/XqnkX6FTKfjNNpVLi/zKxhgd6TK8TQ80NmWZtlm5jj15Y0U/JvCx
ed9s7dgA/XFy3D39JStc90cBFtUqb90B5Dxr46mHsr4cmf8QppkvyDWZ3/jDeIBJc9DrUhxDU9V7PdceQ7IssrYF70DLyag7
7sMoRvJVWTU2zcuFvZ78eP7u3fnr7wXI6LN/WUBqqm3jYi8VBTCNzarJFjnwKU84loLjaTccB1JV2nYU0j8EkHSSIIiabRni
EdAQ1Eer/IMtKQDZB+vuQUvy1m64D2VNtm0rgk/4ESu6bqVgSWe2qHZxnS88rmXVmPk6LxYmL00q3yDTwQT+2+cWE+TlnbFl
U206oPK+w7NsrFvHy6pY2GZs3Ha2yZ3DiTkPtqkoOesKmjUxOs08NtGc/LbROBjinOiwJtlcLfImrjNqnptQwLyMYpp/qQMz
W87XqQJMdg0YFSvSJitXNg5JGrC1p8xvBcKRt2kaO1ssPfUQnwZ0z/atzZom28cnp18pkH8zmXHVst2BQGM/iJzQhrSZuzLz
oppfQebKtSU9CxoVHMCVGgPXNtt5m9TZ/AoooebR+fl/8R/YQYTQKdEs2gI+j1TPDv/NTo6VhnK7mVnSdxNdf/UsffZldGZO
//TV2ERZBinR5y9PbhMIaVxDF0DDJtlkOMDSUpg6czHbLpcCKJ7T2LhkDgnJGvOop2GUUARSnalDuhkwK5H9Y7lf/d2LV6/i
1zAbo8Tt3TwrilhJHXtMso+jE/3/2IvSvN6mLmQ+LO13b38ChnlVLhy4bZZZc7C/+VJxz6tNXdjW9lIMapp9iz2uQJJn9rYk
u+OIPK5c0lioTU/62Hw1Gk2PLyGGJ/ZPB0BeUJZFBbsVQD0ybQ4hbNcEk/J77EVr63DYEyx0EMe5JeObrcsghoehi5/ePf/+
ZfrdX89fvbh4+XogklyeNNt0S5gwi92z47NyyeLB1jQ+m2phiwf9WF1hTpND42GwZATews4piNbrgoG+QK9M/MPY/Dw6MJUr
6V82mwSyAtlepDPwjV96lDKT6zBTRpKX6oLU0EDO8OI6aWCOCq+jHtvETMs6meWlPMecOhacySrbbLLp2djgv6vLbi0w5iVE
cNWuJz+PxIZd0X6pZv8wugyZRzgwxXWimqoovWxRH9Mru4/FfKoXuMe6zKwztzbVMpSgdo3tLOw8X1hndnzIHUhwLaQah9Mx
bpGvrLIOIBCBkCGnT5/57ZPwksEFaI+jxv5tmzd2Q8OWtNctRDKq93VT/YozgtvfFFFgk3d5C5pq6CHkts7adfJrlZfxxZs3
cOgECi5FzSwamczBQxeBIvSEJdt6kcEw8r0KvxfY4evG1k0cQ2cTMIBiAk4tq+nZk0vveJRzY0PsMAmwvDj/eGhXPci1vdZv
sT+DTXZlU2jbhzjQb9DSWpNwGMJqdweGts2+30i+qaumNbZ0W5CY1zS/ZfW37Mz85cvjE2Ne2Fmelcat89oZgUWuVVscFkSC
SrDM8sKZgsj4iLAC7rIp9ndRcLGM2eu5rVtzLsMvm6ZqenKaLHcWMU+1nRU2HrA7egu5qcrPPRlQj21hKTKid+XqDKFgRy6E
4qcZhHTLmMBEQzi/ZMDu5czUAvTmNrm5PSLcX8TXlMJSk62yvIyorxuYqUf3T+/0cnSAPVJPTuMsY4SG0IqnEP/88vXPY+Fc
Ch5PNKYTPvnvbr8p8vKq88Zqj7xlSTcZ/FtcIxBRV4zp7XZBGe+P+znCFhCZz6GsOQ0CdQ3uqJs6VupEzWi2Zll5hah8D43D
5Kx0O2yM8ZANLFaulqWFqKX6FJcz5YaKug8Nyqq1s6oSImnsx+bLoeDeuIT6dIYoZhPXGjHZooCFot4qaInDECjS/fAlxJDH
ZFxCqpzaKCcjfve3yif/GBMDQkMN9taQRbAuZ7B+/jp9f/7jS8+scsawA9tP+vgF6onDgEtAaGPhRaF9Hagu2gYJDAeEsqXY
f7KM5Mi05ENWbC3J7zbHVzpJN3AbMuTdgGbvvzTCKmcwO7Ii2EUXE8K8IeDQ4Lg//B+srfVoMx84m7qRw5NDl+DJNjD4WcE4
oRUa1eK2qnJOTl3tlo+kYbayu8YS4UJrr1ta4cYiToR8wmkuYA7ivEretUC6On8DqzX+2FTbNHemDo2qkq/IPxvElNtSeaA8
jYXffjGHlXmgJACIp4RExFE0+oTBbBXPokjCpnC8xu4UW0iP4FOKQpoVuTgTmZEywHV+P/esbzkbU8xFtHppJMa0YWIThNiq
cAQ8opCquI5CgxrM/ank7Aw2lK7LDm1s5pyFPUb4FsubUZI7ERfOj0d3YjSvM17rwYdc/BmkdPhGdkv70PuuzwJsEqlip0Nc
6r4xTGURRoz6VC7g5/+D8A0ET2hYwiMjWIcG5bBaD4aDs6baYXsSLEgq8t1fL978eP7Tj2NjkanLHK0swCvQP719/v6v/h0d
xcHWKoAJA2i4jbzBGZKaqIPnRRWmUWae3Q2k3RqBbZHs1vl8LUbFiwa/UrjiqNsIQ6Lu+5Gnn2OrqloV9khe2XsDR05OLBqo
QEktEpEchGGKE6Tqq7PJfepGPCRJY5TVNeJ4JCiQoHtsloBRJsC4UarB7jldfE0zD+kmEmckf9ZSE6Ac+LpEqEq+OoQaFuoD
cUCkAoOdIjkUfEnm4Ntcfu2lUTySwGhWRTWLo0fJumXcONj6tO4nKw4eDRxWnYBTTesosXGUMnbEy7pzZjeRhHkKkky2ZTBw
e+kNCh1uljpEximj5DR3aUlGpMuM+UdKPbcO72y6qrIiPlTCNHFiOlEiJgdr5mtoQ1YjdOkKc8GrxNmW+Wasif6sbhEnRN+/
ef4KtCFdG33agnfn//PyHVbE8Zdjczo2T8bm6Wg8Guh/vwBZMoLsaXR01JBxjmw4iS5HZjIxJ+GSiFuT6M4uIjJP9yGGEEpP
ZYataZqAZ4t86b23S7PGpnI0UltyWb7odJi6CFceRzCRxF7O+NkiNTDxCWtup/zQWht2NZy2k2mUXWy0K9CNbu/vlfUj+P6A
pFgWLfJ5y28A/Wkk3AprppqRVThzlhO4h//9CIDTuwA+nTgBD8I8zoOZIZrH5exxewaLr4sf4hXDwfv4VRUvP52Km1shAZEk
rOHC65LAJt+9EWqrYvHRYzz+PRZEgpcB60N7+M93b14LAJG5P2AXP0gIaQ11t0wxmGpykcJcpVrPgL66eZPXbSeKUGdknoih
43ffXZy/fZ/oPBpWkLJE8oC0LPVJxyQWzRoFiJBtrZmxL1Lmnyr0hV2CggK0xe2mTiVkODsU+FhL0qi9qBBQSLqppPgcwAfH
h7csIBKXi/jNz+L3hd1U6bwAU5O373zJykfmABK8lfRUvsaDNVoiHHeYfdrcz9AASql9eGW3vyAjUtnI1e3d1GdqkcFO/Ek3
fJGWrjfeHYSDtY8kAakRpwhL46HosGgnwEfmm4k5NY/Myan5wjz555HuEf1TKKcOC7X/DPKmZ08vR3d5UeQOIUA3mQIiUWgL
ZxuNmNE1Uk0eiTl5GgguVUFT+BSxntb/19AZl1ZlsU933ushJodwx9TVLhSUOF8GDqE2ZZbaTPT2b1I4U2mVShVivaTeqxFy
SKkxW0sSDA8lMOFoKkVYMi4tqnnG1kh8WA/DImoUbl9A5U48O82SOHoOiuowNezfeT8qFYt72D0bBD/Xx/wYHcj14BJ7DSJ1
bqx/BuToULKodmX8JHkqDD8dWD39G3WhiMpOb24GoceyyHbkf+9Ar5Bi3LUn82qzySS+mtIxk8KtxImww0dzMO3bizc/vHw9
llzjsFYdgQ9zN1re7uNeerXo/Y9vX5xfRGfDhaqJC3XfkLO6qWCJERAgWTh4Kk8Top7dYrLc/vZbovU8gJ8EOCUqEuOKUAL5
lq/DkBXdVygO3k1OTo99NytgJolINBZkrmP+dWKORQCizNRFVrIgTB6KD5HJmqnAVnRPjFwCiNP+PDRlHE3PTi5V3Sniocar
whPx/GjeZG59BOW/FI89i2ZR6IkaC3L2iB4tVCtLfZZz5xwlvaqJtU20HBC/2yPQ3Ly8ZpVvw9BvEp2GtVPhbB/JCZbo7kF3
0X1eHhqAXUGIWUBcwlV/0NxhjC/Y4tvz1wnzLqaLB+9zr6o7CuV2dBtsVxIJ8YJiQbJUM4aU2YK7u+1h7XgYmDvLPs/hkebl
8fFpyvJ9N5bSOufzx35RwJzQIEq6k2izzTfX7DWsZlpdBa23h1epmR4UKzrjs65a1qyZNh12JQLwIKnhbrx0zNd2fsXcubf0
QaAfFBa7PqIISSb1fpF05GChDu/WFZJaqCRipY0z7N2BP+XiCId/SMfYGGRBMfAXvl0pr6W7yMF0ts0LepCPtSoPM2d5eZh2
5xXbUmBQ8qurOCdk5s1t9PDkI27vd1c8lA0xXQSXKa/gNkH+4dxvfzp/9cJPDnf88XV7h2W9ifXKFvJB9iEhZ3S/HxsoiS+Y
p2W9oY1n3ii16LRg87ITjL/LNrDMzjAv1AJJon2dPaXctq4HPvQ2GdzuQlkgDy5l8zDNl2nepqxSp3BabBrdpc6rAz1A90a4
lLfmSeRTSq0a+ra+bWIY/uUiqDNs2Z9CiD0TG7uG2/aOxcTqqR2cimtNu6sOHVPWdk1pd0Zasfdqp49gZl3ACkE5SFz77gho
w2S2SMUMCZFichCF+/IBLOyv1cwdXDcXDMumHDFfsM7jp/Kyhm+lC8lmVzVX0OIWh8Q6P3IGPFRGqhVsxZWsBTveczBIAW1f
FwvrlepgF5JEFLm3/xTDTIsnWUdd0Bfx1cleaFi0cW2FAJf0NSvJfx5CkZdtzImJPAP88d3ipHnBLIevx+bRfSZ/pIKsBi0w
fFTxTqAOWVBopLqsJ5zycWMed0CwciGdLMafA3siGEPi/BJf/RR3GotrZxtgVm1mvIaS89TwMRTe1pbScHDar1LjzG9/xnkI
DGNFZlt/62rLwpkA1ResmlGBpX/ARp42MBLlntbhdJaiYYJppAWoVVDLcItY19UOVqDcExrxQcCqq6SjVe9DFJnkoN/yb9DD
1RVd//kEee5xoD9dSDXRLL2PQoJei195fKeh0HWTmMsTZyLpMagfTlOxY7C/tR9b78+DkugJug9DcWSLRawNrpcXF28uxmaa
C605wRyOkbBz87XADxTmAAqifDUY7dlw2BIlo1c18GZIUlceRsw33D2bCGD5Z33T9bmYUqQ90pJFPMQo12oOgxOOhiabiFOa
Ra1Ckh4tVQqCPChwqIFWiSYdrHud3oIlp5dyMQQ2Gs9/NPlEKotP/2DJzbPbh6CPzbPb+9R7cmny4F7StsnmvAKSYydUi8NV
Ms8xZZhcQblP3t3MWJewRnDz5FZ0QxZ/DX903N2Ka5Gq8ELVzo37Lq0Eft39rh2wSZG9UR0RMcd8Ck4zjfyiSHbpHxTXNOKB
6AuBOIwGdtPIo48ux/qsPdguOBQnNPBiPusK3GjvqaA0jP3hejSYO4Jd9KGNjEo41Yc6m8QPKPzBBYdhWjUOUydk6UXeMkRh
bnR8yZi6zTVPD26iAeMIh+8tPWKJuK4qKCK9Ylf/lSucU4wIW/kXjOUEMhZ/k46ZYJ9UFzVlDe7rQTU7wL8Dp/PXQOgFJAAR
QyKSi6yMMVGbIWQlzKn31Du4yaucV2GiUQgfwLwqIglAsv/oUdAomyFdlxrDzYb3qERU55aNCAB/zNKodDIFHmeM/TOzVEDp
evCDXvVNpClyyitoyMmjRe4kqeQKwpW/Zx43njcIWf3Yza1XPKYeceBnp4B5KWGEzRhDyFb4PuXMCb+pX06BKi8nkfyJRkNF
o1gQ0zTi1Mc6R6Tezw/3wTilW6DdNVnU5UjRaGjhOC1dIpmx6ZW1tYNRYz1K+pa6B3ngxSTu7cXz98/Tv1w8//Fl79QooRLV
ff61zp1VDVRnEp1ERgpuE+GdIIm++RxEfN0uvjkx/160fzanXz/Gg+gXyDzKinxVnhlpC4dRtudEh0rwDMo+bo7kd3GIHZUQ
iSo/0N7Ps0JhD2eEIGR/kW7hm8h8QTKbb4TU5KlQiY8Gbx6ZZ8f4OD2WOY/9glGid9IizPYx+enx8aBavk9pElLepHCp9Jh9
WUYLg7DOGkVS2cPGv0iPOkSRo6BNL1BiP2EgNDq1e0N6OjBhvFywoMhShHhA5h6Dqor036VCyZo+hQT0S6+S9cxYS97+tk5v
NIObu7zh10+Kh7fQQzPrcX3EwA52JsvDshT2duwvl4clJ+kViCfLFilLLfcg/R0E3MU3dMshAr4W1Frb1KZws2kbaw95LBLc
Zs4s826C7qpiy/N3j+lu5CPJ6305g3xtS16eij9lB7/jq/6hnfgbSLwE6bH4K9K8rsVSeh+rv2dzmjP7GmVVShllU7f77k5H
V26RKN7IHXAxzbMsuJr1R7w7XMqXCx4PFk4OPbBkEbCwKw0M8hkhOu4vdWvf2jbIFJjXAxUrQJHuGZyF6ZvbLl6UtLyzmDOL
d/ZhyXsgwhhKHgF9ihbcPypF+3v1W0yKT+i1g+qsXtM4HsCmiQynwMhL7eMXrbuYo02wgcORUuh+GZSCO00M4x4/HPqg3/ar
qvV3ABAPpBoP0OxI3o6vkujpToN6DUOLt4hOmEgpF3hRAgNBjVJ/LAL+yAtfvLcxwxmFF6QkA/vS3fa71+AI3RFBKvVJV015
aLp4yVx+ObGTcpcI9AOrk+HPKSSMcwn5wR9aIICGFGZF8u78+x/OX73qKZfr5K6AA4+Pk9Og2Kpm/hP231VcZX6yzLaFxoWR
Nnx0+EGe/Et3L40/lHmw2uCbV2GpQQxU9+XQt5Ky/x8VkYNbZw8XGTghkC8pkTPadMDOCyUxh/ve3zCFk/CbxwGnjhix2/Fg
Y455pRjGyVRCm2TuPvi7HdNBWwK8428eWFeUcn1jl7ySH8vNLSZC/Y3Mh8nJnZQWy7lc+pNUKmTjtXcO/i5YCHEkldOuN8H4
2A2CChjZl3LpSIiBevFGxJXdj7TqV+d2bnm9lhcF+suyWS5VI2mICrQulpaubECtvNRrICM1MbLGltuNmFRPy2hwf2naLRM6
5La+3fPnU9LIA+rLQ9CZ8tcxpV5NlVdB00agfTHpdi3z7tIng2MTk8Cx0DbydE4HPwoQYOHdmy0EZE6fkC9cuqhYsk15OUGv
KalJ/+ipyq1cKS+l1TIe3m+Ui7/5b9qnYSEAMc0z/v9lYBEg601GTt08elTONAFGPiu3kaN8wbwlY4RKQLfKqL5qhHjUtyW7
OpC2JRmVJovtpnaxgOXdOYHLazAHHIh2BfvtnauP/LeSSO/vldC75lQi8/6IVvTElGExQezDYyQRakTVOBLQNwKBdyLutMbp
buVXe2Ir6FKkw/sPHZAHJj+XypK6XDHzi/JNtrKP9SnKf/72zcXu+Ifo9taDC49oGmVtm83X0uJjAncAyW7wDACekPX3wE5P
Lj28T+FzcJrhNdW7fP8Unh/4zUJEQDu570kPQsNB7BRWVXwFV6PCw8UqMTMa4/hosA/8PtL1nr7FbuNhE77rOpIJHeyu6nI5
7qV9t5gIfb0qlR8mkhKl/EmJBLHBdIZh2iIP2xv3WukDD+z76GPfSP8/lT5AsA==
"""


def unseen_functions():
    texts = zlib.decompress(base64.b64decode(PACKED)).decode().split("\0")
    return [(text, kinds_of(text)) for text in texts]


def hidden_tagger_score():
    unseen = coded(unseen_functions(), book=8)
    files = coded(LIBRARY, book=8)
    tag = learn([files[k] for k in np.random.default_rng(8).permutation(len(files))], 400, 2)
    right = total = 0
    for symbols, kinds in unseen:
        right += (np.asarray(tag(symbols)) == kinds).sum()
        total += len(kinds)
    assert right / total >= 0.92, (
        "less than .92: whether a name is called is decided by what comes after it, so read from both"
        " sides; padding, if any, must not be read before the text nor count in the loss (chapter 9)"
    )


hidden_tagger_score()
### END HIDDEN TESTS

# %% [markdown]
# ## 10. Five reports (`ps4-reports`, 8 points, read by a person)
#
# From five people who work with gated networks. For each: **what is wrong, or what has not been shown, and
# which one cheap test or change would settle it?** One or two sentences each.
#
# 1. "Our bidirectional language model has a perplexity of 1.02 on unseen text. The one-directional one had 6.1. The
#    future is worth a lot." (2 points)
# 2. "We moved our Keras GRU to PyTorch. The shapes fit and it loads without a warning; the accuracy has dropped
#    from 94 to 81 percent. That must be float32." (2 points)
# 3. "Our classifier reads reviews, padded at the end to 500 words, with a bidirectional LSTM and takes `out[:, -1]`.
#    (`batch_first=True`.) More layers do not help; probably the task needs a transformer." (2 points)
# 4. "The forget gates of our LSTM stand at .999 on average, so it remembers what it read 1,000 steps ago: the product is
#    still .37." (1 point)
# 5. "With H = 256 in both, LSTM 88.1 percent, GRU 87.4. The LSTM's extra gate is worth .7 points." (1 point)
#
# Some 150 to 250 words in all are enough.

# %% [markdown] nbgrader={"grade": true, "grade_id": "ps4-reports", "locked": false, "points": 8, "schema_version": 3, "solution": true, "task": false}
# 1. This is copying, not predicting: at t the backward state has read $x_{t+1}$, the word that is to be predicted, and in a
#    deeper stack every state has read everything. A product of such numbers is no probability of the text. Change
#    $x_{t+1}$ and look whether the prediction of $x_{t+1}$ changes: it must not. Two sides are fair for a gap, from
#    states that stop before it on either side, and then as another task, not as a perplexity beside 6.1.
# 2. float32 costs digits, not 13 points. Order of the blocks (z before r), the reset gate before or after the
#    product, one bias or two, what z keeps: all of these load without a warning. Compare the states of both
#    networks for one random sequence from a first state that is not 0, step by step: they must agree to $10^{-5}$.
# 3. At the last position the forward state has read hundreds of padding words, and the backward state the last word only,
#    here a padding. Take the forward state at the last real word and the backward one at the first, from
#    packed input. The test is cheap: more padding must not change the answer.
# 4. That is what the direct way keeps on average of one cell. The mean of gates is not the product's logarithm: a single gate at 0 wipes the cell out,
#    and other units may stand at 1. And .37 of what? If nothing was written it keeps nothing. Multiply the gates of each unit
#    for each sequence, or change the input 1,000 steps back and look at the output.
# 5. An LSTM has four blocks, the GRU three: a third more weights at equal H. One run each says nothing about .7.
#    Equal numbers of weights, five seeds or more for each, and the differences with their spread.
#
# ### BEGIN MARK SCHEME
# 8 points. Give half points where the fault is named and the test is missing, or the reverse.
#
# - Report 1, 2 points: the backward direction has read the target (1); a test or a repair: change the target and see
#   whether its own prediction changes, or states that stop on either side of a gap (1). "Overfitting" earns
#   nothing: the text was unseen.
# - Report 2, 2 points: at least two of the conventions that differ: order of blocks, place of the reset gate, biases,
#   meaning of z (1); a comparison of states on one random input, with a first state or biases that are not 0, or a
#   conversion that is tested so (1). "Check the weights" without saying how earns 0.5 in all.
# - Report 3, 2 points: the forward half has read the padding, the backward half has read next to nothing (1, half for one
#   of the two); the right states by lengths or packing, or a test that varies the padding (1).
# - Report 4, 1 point: the mean says nothing of the product, or gates differ by unit and time, or that something was
#   written is not shown (0.5); products by unit, or a change far back and its effect (0.5).
# - Report 5, 1 point: weights 4 : 3, or one seed each (0.5); the comparison that would settle it (0.5).
# ### END MARK SCHEME
