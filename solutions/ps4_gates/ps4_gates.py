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
# network that shows only its outputs; and at the end you teach one to read. None of the tasks is printed
# in the chapters; each is one step away from something that is.
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
# $$ f = \sigma(\cdot), \quad g = \tanh(\cdot), \quad o = \sigma(\cdot), \qquad
#    c' = f \odot c + (1 - f) \odot g, \qquad h' = o \odot \tanh(c'), $$
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
    h, c, d = coupled(s["x"], s["h"], s["c"], w, s["dh"], s["dc"])
    want_h, want_c, truth = coupled_truth(w, s)
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
    h, c, d = coupled(s["x"], s["h"], s["c"], w, s["dh"], s["dc"])
    truth = coupled_truth(w, s)[2]
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
# shut, the gates cannot see what they are guarding. The remedy is **peepholes**. Each gate may look at *its own unit's* cell, with one weight for each unit. The two
# gates that decide about the cell look at it as it was; the output gate, which comes last, looks at
# it as it *is*:
#
# $$ i_t = \sigma(\cdot + p_i \odot c_{t-1}), \quad f_t = \sigma(\cdot + p_f \odot c_{t-1}), \quad
#    g_t = \tanh(\cdot), \quad c_t = f_t \odot c_{t-1} + i_t \odot g_t, $$
#
# $$ o_t = \sigma(\cdot + p_o \odot c_t), \qquad h_t = o_t \odot \tanh(c_t). $$
#
# Write `peep_forward(x, w, h0, c0)`:
#
# - `x` `(T, B, D)`; `h0`, `c0` `(B, H)`; `w` has `W_x` `(D, 4H)`, `W_h` `(H, 4H)`, `b` `(4H,)`,
#   blocks in the order **i, f, g, o**, and `p_i`, `p_f`, `p_o` `(H,)`. Each dot is its block of
#   $x_t W_x + h_{t-1} W_h + b$.
# - Returns the tuple `(h, c)`, both `(T + 1, B, H)`; `h[0]` and `c[0]` are the first states.
#
# Worked example, one unit: all weights, biases and inputs 0 but `p_i = p_f = 1`; `h0 = 0`, `c0 = 1`, two
# steps. Then $c = (1, .731059, .493486)$ and $h = (0, .311856, .228492)$.
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
    assert same(c.ravel(), [1, 0.731059, 0.493486], rtol=1e-5), f"worked example, c: {c.ravel()}"
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
    h, c = (np.asarray(a) for a in peep_forward(s["x"], copy.deepcopy(w), s["h0"], s["c0"]))
    assert same(h[0], s["h0"]) and same(c[0], s["c0"]), "h[0] and c[0] are the first states, not 0"
    assert same(h[1:], want), (
        "without peepholes it is nn.LSTM, blocks i, f, g, o, from h0 and c0 (chapter 7, forward)"
    )
    for name in ("p_i", "p_f", "p_o"):
        w, s = peep_case(1, 2, 3, 4, seed=11)
        for other in {"p_i", "p_f", "p_o"} - {name}:
            w[other] = np.zeros(4)
        h, c = peep_forward(s["x"], w, s["h0"], s["c0"])
        want_h, want_c = peep_witness(w, s)
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
    names = {"W_x": net.weight_ih_l0.T, "W_h": net.weight_hh_l0.T}
    names |= {"b_x": net.bias_ih_l0, "b_h": net.bias_hh_l0}
    w = {name: value.detach().numpy() for name, value in names.items()}
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
    H, below, found = net.hidden_size, torch.as_tensor(x), ([], [])
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
            found[0].append(torch.stack(gates))
            found[1].append(torch.stack(cells))
    return torch.stack(found[0]).numpy(), torch.stack(found[1]).numpy()


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
    net, x = inside_case(4, 2, 2, 3, 2, seed=102, bias=False)
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
                " the SAME sequence (chapter 9, what h_n holds)"
            )
        want = [
            [np.append(before[2 * k, b], before[2 * k + 1, b]) for b in range(B)] for k in range(L)
        ]
        assert same(got, np.array(want)), (
            "in h_n the two directions of a layer stand next to each other, layer by layer: 0 forward,"
            " 0 backward, 1 forward, ... (chapter 9, what h_n holds)"
        )
        assert np.array_equal(h_n.numpy(), before), "do not change the arguments: work on a copy"
    h_n = np.arange(24.0).reshape(3, 2, 4)
    got = np.asarray(bridge(h_n, 3))
    assert got.shape == (3, 2, 4) and same(got, h_n), "one direction: h_n as it is"
    h_n = np.arange(48.0).reshape(6, 2, 4)
    assert same(bridge(h_n, 6), h_n), "six layers of one direction are not three of two"


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
        given = [x.copy(), lengths.copy()]
        got = np.asarray(around(*given, forth, back))
        assert got.shape == want.shape, "the result must be (T, B, 2H), padding included"
        real = np.arange(T)[:, None] < lengths[None]
        assert same(got[real], want[real]), (
            "different lengths: turn each sequence around within its OWN length. Where the whole array is"
            " flipped, back reads the padding first (chapter 9, the reverse direction)"
        )
        assert np.all(got[~real] == 0), "in the padding the result must be exactly 0"
        assert unchanged(given, [x, lengths]), "do not change the arguments: work on a copy"
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
# some hundred functions from it, each character tagged with one of seven kinds:
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
# - Everything inside is yours: the cell, the directions, the size, PyTorch or NumPy.
#
# The tests train on 500 functions of the library, coded by another book, with `steps = 250`, and score what is returned
# on functions of a program that is not part of any installation. The score is the share of characters tagged right, over all
# functions together.
#
# - **6 points** for at least **0.80**. The commonest kind of each symbol gets about half. A one-directional network gets
#   .85 to .90.
# - **6 more** for at least **0.92**. A network that sees both sides gets about .94.
#
# A call may compute for 60 seconds; six are enough with 48 units in each direction.
#
# The visible test is the oldest trick there is: before you learn something large, **overfit** something tiny. Five
# functions can be learned by heart in 150 steps.
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
        at = rng.choice(begins, 32)[None] + np.arange(length)[:, None]
        at = torch.as_tensor(at % len(symbols))  # (length, 32)
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
    tag = learn([(symbols.copy(), kinds.copy()) for symbols, kinds in files], 150, 0)
    share = share_right(tag, files)
    assert share > 0.9, f"five functions should be known by heart; only {share:.3f} are right"


visible_tagger()


### BEGIN HIDDEN TESTS
# functions of a program of ours, packed; in no installed package
PACKED = """
eNq1XG9720Zy7+t8ChxyrQGbgknJThzG9FW2dLaTSHIlOdeWYmGQWJGIQAABQEm04+/e+c0sgAVIyb7eNY9DkYvd2dnZ+b+z
CNWlFazKdJ4HoR+naeZ8Y9F/t0OrTPPZwjtXSZHmPasM8rkqu603KpovymJonanfVyqZqbH5fPKNa+28aA0ZMnTbtk9VucoT
q1woa6mCxIrTorDSS6tYL6dpXFi3lnPes166P+qZ6af1yBpIk57WCgorSqwPp8fHHzyCybD/5t8uevS5oM+pL1/X+Eofi741
qgZz58s8Xfq31IhR49sJTUFjLOtbmb1nvXG5X1EGpSqo33jR99RtFiShc+sViyBT48GkZ+0M3IkATHMN1C+Bm3yXVTeAvCDL
FIEQypRBsnDqQY90n/HOYGL9Oy/EFSTidB6VQEKGUbfZlSOdXem5ZvzX3DvXBOa+SeJdrpJZGaVJEHuznIjtq6TM02zt1LgJ
fO8yDspSJU6/Zw3cauPrVmqJ5kmaKz9KQnU7Onp7dvb2+DUDcb/5l5DYqQiWygmIVVZZrMaXcRqUPflBlJpubWc+maZpXPPH
WbC2bhaK+CO3ypuU+YN2gAhvgVUjwp5+zXOlwAU3Ko7xl4Hu7Vqxoqc0dlmzxYwAKKJdEMdOrmgx0bXyVZ6nuZP1rCTzgiLI
82Dt/O661nNroHb2eDPp4e/YyI9R5gS811P+LMo8mpWj83yl9PZogstEwDOYFjSkP7F2aEx/osE+ESIRclFeOJC4ofWKsAqm
RBTP83oteRHK1M/Hk9428k2EbICbr2iPWOo2uw2NrS7ASCzvD+dEiqRHNAuuiZPqPno96OpFpVpi6wW1Sl94+HDQoT1ajyRU
ZK0quY7yNFnSnjmLdKmG1rugXDCWIRFxTLRkgk7q3T9OrUKVZZTMoROgJDKVF2liBSX/ulLraRrkoTVLV8QIPaZ3klpZns4U
LW1BvBAQiFlK7eUiV4RsxQmEDS3909XQuuYdvurRF9rhtPA0orzcgsgYXRLQ0rqCrOVlcROVC8exf3r/7r/OD0/tnmW/pW9v
To5t1/3MsDNaFwEnUPhWqMz7LY0SByt0sGanWNMst2q2KrGfLnXLiSpEWZraIzlz7Hf7528A2nYnQk1BH9sFYnlQFLT8ghA5
OXrnH78/8s/fnB7uH5xh1Mm7w+OXv+yfdduPfv6l1UQz2gNbJkhvEhDEfnNydGgPsRG8S+jCyAx5WfjFi9Vt6HZ6cnLu1g8O
To7P/3b69vzwJZHn1ckBgNn2Z5MlQPs/6hX9gam1zihTUmaXaRyqXNiDOGI1XUZFQTqLDExEVGrY+n2hwh53a3jmNTGjsrBH
VjIFZ5LmgIEgPVzUm5+nKYkDlkdL9i9zVSz0rNZjy2Ys7NbMQqIa4Mj6wlYCTNVb05egab70IJ21gI2rfkTBuUpUTprcD2ja
OYsK4fHujB7t7BCXzpQ96dUjZzfhSFZCBB11xYt2ZLZQsytWTvQ9yIj2yk9XZbYSjSWQXNi5yyUZ9eIqykRLpsslRGnUQq6S
d8UoTcwNJdtdEHBHD+wZBO41hLBMCOgBKtVtIbgRrcIKv5Gc+8sgvyocNBrK4giN9X6fQyuQdJVFpSN+Ojs5ti6jmKaGYKNp
RoYBloD0xoIUlFUQYgYz3ECsMKFHejIkmaqQ4/k9PLFdD9zql+q2dNqq/lO9ITTuZkzsswqxcRMsh36T7lBk1K7qBmBjT9yh
7i/Y10+Xwa3fNP01iAvVaGMsiHpBUQHtup1UVAsWMTvrrOM0Udzps1CVNogEp1ROoeLLTXP7N21qaegCWpegQAJUONT6Nk9U
LGZ1VYjWbcgo1AA8hu6pawjCi5HV1x6BT85CVPo+P+5ZWRSyQPeIfZZpvh7yWEYKaAtSDIl69uTbTZCUvnSnLeN2+dV0JmUy
FIPCsNn0TaDZPoPRX717rw1CzS+zNM3DKAnIqrEBgXc1W0RxSIJMjkJFQQZeYRpHRTkWJdTMUk2G2caTZhDZ1ysFaep7fW0K
/aJUmUPuNbkcScguB60kDVU8tBbLpffm6MjQc2h5l9KQPIK73YyZbHOks6onrwYt5KqqWUkoKK3PtMG0nJ971q9uvYUYSWhi
OmK0G7Ks/pS8S3xxbjV+wosYRz25xTsUF1g8X/Kp6MGtl5OcxY6r9QnPBnWSedMo4d8OuvZ4Tm8ekN4YD3sW/buaVGNpxiiJ
VTIvF6NfXbHSzPlBMlfOz25LBQGOeHDsv8mUmvHYGYMvalJ7av7siILJywAZxxoEDSMxLdN4RD7cM3I49NfBrqvnisl2+GSZ
xasX95jNJE9Bf7tbFsBNWYAZSWDytQgeq6pQzaKQvN0b/IgQ5JADEseqcWLCaK5kywhEHE2xEbtPv9NkB8ES8sJBM8fOKTaL
cgX7UHjlLQyLna3JJP1GvOGV6TK23cY1ZAOaUnjiaC9GXBiY+h4DhcHPp7bL/jYp22Zog5i3ykKyZg6es/qsNGf7ca6y3GFD
SgQAexLVLtPxcG+iXU2hYs9iR8Ml/2xGfNfRwhrkQt3KN0fvxzK4Uj5pomuno1mIhq8Ip1JZHh6TsKibmrAlCXmjXJdZmpdk
ZGHjsiiDHknS34mf/vqkP7CsAzWNKHYtFlFWWAwL1CNDS6pEfNLLICL7E2My/KQYjBzlPF53p8Bg8U5vZyorrbfcfIj4pEEn
DyIKLc7zdEUOh9Miu/2O+CdNHmg0SDxXsaq0OPHV0CLZ1+gSc7yfkpCs4KFbdhvOB/IWKn6zMgb66bP36fMO4H7oQaskTFoK
voIosaEvlkHpPNzcxd1JY75cjoQbqwRoFIdiF5xfD49/7THlfKJx5bWATvp7sV7GUXJVSLQluxtGAYWhBTyPUDXu4RYxgx6k
aUlz0weLF7i4EAsQrIiiJIEB7xQpSuwykaUn+MIiUFhcc0cjHL+cvGYJoKfNBsFH4LBqrpneK7I4Iqf+IvkzQ64Ia7sI72tZ
zRBb5zRpEF5HMxbb89OT9y9/OTxrgBOVZwgucuUVRJvZwqmHYV7XdAm4b1swL0kvwhQl8GOcOTFRxnPLtyiRMR7/1LEPf3c5
FmmBErYgWDazxtfygCGzss5qHM88YgRJxSgVjo4PDw8OD/xX7w/2/dcve3rGkfzpgcAjbICpBmzQV2+io27J7f/02f1RdjAg
VXlDtp6CwpypayAN/ulZDE0stDaZ2gXNCtbhPZiyvCBOe8V/Ea+ys2fmvs6kadKJbMU3qNlyn/xemjiaGd6rCmhrNUTNeqz7
waPTILmyimBd8FqCpLghCiMsV4b5jsTMlqT/tA/pJFNZobCioO9VLikW5o77pGefdHzawoN40KJXS0c4BF4rbQHoJqDN+BgP
2eGkp4UHrAox2Jyaq4ikndCEwqYMtpZc+SwjtSQEYp9qnxc2IYwS7RzOFgQtMeiLFEGHtnpUy3h/KoOContMNMbXyTix/pV8
18RpmtyJhAj0HXjKVJWrTD4NyVXhgFBG+MFotmNOQ8Ukq+VU5cR81XBS9gh9AKTHzgttAyc0cmruOs8FaXsV8ozePE6njj3u
7/ww4Q//obekGKnypcmYq9Kp8rHn/Jfxk681bj8rlQkXBVUONcuZT5i/gDOhSY5WQLs7JZsFgojHUYqpkbC5lVois03Wb7rm
nGPLqtbqkVxs6CM4JUQOcjxmJTm9IVlFJ0q9s5JwmL89ISPeu6uryvNO17Yqk9UwLu43WzNO5JyFzhU5D5qVbnJiWSPPRty2
Jk4D9jr3iBXJLAkpV5LBgIN98ulU6cmfLIhy7WBJlqHqaKZ3md9ppNYFziX6fLJfwStVuc36A98+u91B5PwmYbpMkCcQTwYS
/Qk+h04/B2y01hZxPAR0AcehIHVZtKijxRdDvMojqj3CnjwwZNOcVmentXjXUD9voFogew369pCSZ+puJA5BHtrW2bUzsJ4/
t3b77vjJcCL7A5cUiBFTDEmG1x1eomaP4207SrJVWeWpqJV+OejXtAiyY/svCJoHTXsZzJ2pTb5uFYQaXLOdg1uuXx7ctFMD
wm2Gi+b8GsQrxS4aOahqtmK7x78NfhVi6BS0Ilcz5BxSMFce/3ZoIh0rQZPCPt/4sEk+fjv2gFYgmZtipAFUKSmt3q+DOGJv
GiMr/e5w4mM0xp+J1vC8mHC1JPNeQao9aiERb+SXN8XYj80Gg+zmpl2DWHoaKJKKS4l2D3XyqBUsWX+0PfbTFQImzmv9WHEY
7KGEOZfQWWL8m4w/LQy0brJvMyT/x+28HRJsS7tBgpgI2TUOOEzVAmTY3jFUiugtFZPriOmrcCPSmXfSOIaBoF2R4BxbXuH2
bv/1ocfUlrxSjm6k/7ndTDe1cOhXwhOES0W+8gx5PWeKfBCypi/lS4+n0rQlOfWDsqHs2yXQ4M/mqGWR3rCHXJBDTt49u8Pa
isE4zxclogcsIlaXJQcyFDxfVY259MCoIg4SpBuIuPVaGUBPRoysJmzJFiknALNFtQTBnKR49xkOnwb4XLJ7JssYyR/RZngg
8S1PgKAWU2hWrNR0iETygk/84Jjjr1dEHyUIISypUUhC9HfsX+ye0afm4VwPHzsM0Hpo9b3v+3jcsxw9h/ld5qsbuP/es7pd
/H6e9oCk38OHQ7i4XpbG63lKOkFIRtFzPNp9+tRt6EgReUEiipUSeI0DxkrSaRmwDpGuucIqHGfQ7/eRYiR/hL8TPpoij4VC
MMVChVNVBEsKWZK598v+8av/PjlrMSDD935f0SYD8u7T76qB/6HbvKPDg7c08v15z7rCwW4x2qO9j5BcHEnXA/7hHZ8cH5qZ
EyQyuglfM5p7g1zJTTs7EpHXTM5MUu4QZxDzzK5ogsrJ76ZMIFGciqqSvJzMEGljc2CYSWEsDVDSwEiayO8d4Ktzw61MVCcX
M7Uv+rZkT3hu191MUrDDHvgFLchHbOpHhZ8gHeRfYqNzn7OwBT1T/jwNYhEfElZfDlGGrJggJsmVWmcc9iFaQkbkiNveoY1P
AUjx1c9eyaHAX6Nb/GHP+puOvjdAkr0nz6DMnSnZi4U/zUriTvv1yT4EZqB+cL9uwNnb/z7EaZTjPOlZuz2LOOOp29M6LqB1
kj/TDPBYo47tnR1m3cLmIyty10j7DswhNgij09U2e/O8Vt5ZMj/wJsnQ5blBcc4NyVRkjAo/KrtJInJcogz2gzNfOBI4ojHI
Z7UPBJoIn8ENKbIfTJrGC+IRCrNa6P7ZOX1/7JKPmsaF16zXliAB05q8kfjky/oS+TJ3EHuGXWxDqO8RDKvPh5Q2+QAlbWqQ
eUQJBIbrTDkPzh4Q8d0ex09kkSnEoaf024zZRw5tyw+0rc/I+titvcEsnvB6ZQbbGyFJKGvP+6E6hihWWcahzbDOfdSdBuQ6
0ucuElL0d48JwHNIDGCCRvRmPPJw/J5V1Edmh6RXc4YpVzr7xWlAX5JiDQ3LZeYjwWkonLspmqQ3pLVUPci1Hlm0v+AzgVuM
H9R5wgc4CACsv5N+m7m3Pa9LFTa/Nqfj/h8IRmY/mStUApFKJkrVatTndF+HZl/UOx2i/iN56XrqWnMb/pMdjEYDyNrdiqgS
CJoEEm1zxUGznTJyqghF7HsjP3Va325v5vYeoKgA+VLfRVlmxfDxY3ULi6u8NJ8/nmUrAvGnFghz3Zsk26DCbk2F+/FsJmm2
f5VU2w89V/hkR314fD6fhd0vL/pIXaeZEDI5jQ9dJa1GnMxqnmJJmLmw+UBYeuF7qJapP4tpCd67s6oES1JJqINonrIi569O
a0x1BK1h6sOHpodQTbDdPrJabZPp0+UY0ZIrwT5lxPAcMUOqyKTggZ8UktAFh1cQvFwyOg9tzphlHskVCOzoohFDYhm4i6PT
XfLSSDU+svb+eajrif4pmIPRGdt/Bnrj4dOJ26UF0m1Oi/u5LKMsUTCAsD8PkY8RLfbUDGA7ebu2/pGZOVNPK1W3ME+VCueR
bpX/aHQP08IQNMm3N4KD9C3H6zr3yoenfpmSX1H4heK6u7ux0qcG21AZ45OXrn7nI1eRFD7jhJOere2WbwFQZrGS/a31+vD4
8HT//PBA0n4A+Lj/vV+DWIbWdG194CMdQeFDW4EQjJ2dnW0Dh9ZBepPgkLiwnG9D+u5eJHw4Q1/ZOAGftkEWG6yPyXwdZcLS
cMruTho1Gyu4OdsJk+YZaTCQpa0YUeI56GpGTXAYOA0anDSud93mJdcTPK6Bk+YkhTgvyIVD0ZlexJCP09qEZFiTFgUu4+AG
6+XjDnLvQlLJWXm/cjXKcjazFzMyZS9PT34+PO6YtElV7lZVB0llmm6w/rA+2edH7w7enupqrnrgZ9MDuqt6qa74QbrkcvXx
oydHxJ2KpO31R8wY1VfSIvRsNNjtG6H7HS7Tn5B5YQ8osDKdbABFW64QDmAf3eUYjUWxGVHfeDiY1Kqhpf5E+2Hi2c4sp+hu
hzThhLlkak9tc2PJ74uDtY/TKzKcvk423rurnETWPpPk252zNQV9y8NbHB/LqZi9azpBTOcmLuI5u57MpB1agokbeUNiMUzJ
tpNzTt3JbP5jHl1LP3Otk+str8I6Ub7NFYs5JV95YTXeX+p/8t7sztJep4aJQ0kaloWuz0E425TiYDzJDPlAFPVUPVtcVjXy
ztqNSOtD0+Yg57GUQ82RQi+CG5Z+IqlWwt+ipENxwVtVB4DekqdFRETbReyFMjZoSKiP31YgMSnJ7cTEl/7A53F8CNTSat9a
7/AAUeaHDx8kYLhItK6jllrhVevjlHO1NV8mCx+ZVQ84VhDRw8r7kgnlNDMLX9UR0W7Df6FCoTvFuBH8SZRrMy+KxUyRCLoj
lO2onTuytjj0xR/OC+MA4H5l86VorN8zdYixDOSd/DSJ1wiRViFJ1SqiqFyknZQ5e8lk77loZSOVwEcJjea0uRe56hTzev1H
5PRfJMI+11Fg7eTW7UVC0VqZJqPRnvfE65uPeexF8jHKMg55mic0yjYUaF2LMLvqnjQYzgJWzV3eHO4fHJ4iqG1ht4nZXTMb
3lBcKE5YXUZ5AbLxD/D1P6hsTOVAFhmlPfarN6cnR2/fH6GwlHQoOSYjo3Kyo054hC6w3hL9aboUixTXICIyzbMF+UzRaomz
7qKpXmnHsfM0ncdqh/sq4UYZ9fXh67d/ejyNksfFohbZ7WNmC/JFnH76fZUUvhfl0ai1SvYca9RM7tbWAXlIQikqfZQbCNMT
U4ep8G53876cUvziBn9NztGG6JM5vSbSjm1eqc1l0UB2i/HbIIs+mSFq7Lb82sZdA6QPFrPrVyYQAaOUCLlJkaTJjJg+zYmQ
kCmHtRKfpm2x/jSIdoswq3qhXjqDUnvABtTayci8kLnWAcGPlpotUsv+87/b1osXKIV8oANjQt7TSGi8aphf24OgQUVVjZxq
CJJtmU6dOuqaCeptWAj6RWagFYjMIgslg5y72pEbRDvFLI+yUsyHDBEzaKKxJeduSs6DT7bOWZATW5KK//zVVDGw/zsWrvnI
SCXrFCPtHSwBUvNsZX0MuJ8Fvs4BBJuCS01tcv/qWuEGH4pqe8XViD7Ks/3ospZzXfN9P66aWrDFBsNyndWebSYS67L+3CEx
ugzv0w/ty018+ck+QNp00jn3vVb5lD3zBbwofcnHkdpJlKMXJV8Sq+q7I4zBwSsqBTaLWB6SNiG9lU6RaGQcDlplLIx3S/rN
2joMxq0u0f36UoONxFbD4L+lU2JrXRbFs7VKNNBiPSKBq7qickH8R31n6SbNr3DzjfYdtV7E4DncRZYoFDHi8Js80Gt6irR0
U4Fo1jAYp+CzONJxA9RlICddQYWdUaSnixsaPkTVSVHilhrwy+dZkBdq2xTkTjro6PFvAt/fKAkBmXXB3cNNIt9RyyPXczZc
B8hmc66NtmEn12javSq3aHbRgQrxMLyUK8NDdCogNDLkatuNlEJTclmVNMqQtmbg/ePjBs6bcbjPeuHO1eBaQ1FUB/hfVhjv
0VcXoYjC0OM9jg5nyrEd+Eb2hWObdVRNIrZDX11NamoRTtH66SXHtcWVL6ZrqhbwN6JSvAPJxFZFki2Z5pq5nqEZuh3AFxvn
j3xKOzLhVman0TB2Tm5gUChxCKTXDm2qvmakd5OX5Xay0/zcqIe0yyhZ29WWXpJQkTVHPU6rjFIo9KSdYQcpKxo59VhCCSB3
hIFER47Nph1JfU/+DliLIL5sQUJDDad1kINsJJ8oU/xVcCJS6806XkFF3h1anhMLzqe9z7h9U+LIcCwHr9K2627t3bO+3zZA
mve2jdF9qyEDAq2H6aaByYdRktAKkpIXV8jq+N4pGJOPw9khC2a/rzhN/KXVtfGVyaHZaX55KHPLJTV/uvanZCmdmjkr2a1L
hFsMXqXHmguvZs1wnab4xrjtw/fbenLNrbGA/BM5Wr6daNxtTDhzu6IR+j4TLl6bdxeb2yISU5uCUxmurNguOtyqCx+2XYr7
+ki6yr9hBpbn6mYfJm/DiS41vxcOevcs+ezcCBQfTCd36ht7vCCunw2npKpXCa4MaI1RLFZlFHv5ssyVcrZdQNQuObz21g3G
7fcyNdHkXmZz5aaq/jQKn9lq2g9thI98y2eahmujnHJjQvOmZGsaCXn0DcOalVomqENaIV9LK9zk5Er4tVrxxWihYVVVmdRJ
3pZCR/FDVfm+hc2/QnefH/7neWOTNMa3tA+7WJrxe892/296fqEDKs2+QRiATml8rbS2d78kDGID7pvjbo7vxJa1BRESI83d
UtdDXa44tNAGCX4CHtm970zfTlKwj3VDLplm3Ht6w/vcyuseezxFVYLE7ryz5aRMOxK9+viB61PAKeHmEdkmVauKysYLvId4
9STdzhqJ7joZ86oCUgq95S0C0UdVvWGC08b0gVSw8z1qjdpFZfDI4Lem3ku4VCg0byrzpCDw9PVLW4Ayj4J4cLoduWSMeVsC
OCUW/e6JN/3uia6r5ftvc1Vy9St5uF6ozHpbrsdHJQp7f/vJuldXb6P63JY8pL1x52HdufBgS7rTR5UPLt1TNxVwfhTgqEVK
v23MgziZ/mjbxsXDVTmwNku1x3OsnaNjQnnSPZLS1cp1FfITr125/LVFyx0A9xUw133ZDy++dmxd5CzX90TgihX5zMjjFy1H
V+5D+LiYkKexP8dRCdTKLI2hEOD6rruyMgsKqQhoMrwXt4PpePcn/vNmjoh2iDI1+ttrd5r0fyyjMlYXt/3vA2549uOPKA0Z
Pn58i98XF7BjGB7wl9b4H6a7P1GvH8I1fcw+otftx+4U473dJRLvCf/oL9Fra3t3nHQaLHd/aobwL6PjlEgM3HHgTX+f0f99
9EY72sy+wcVqt7+rpryYaWu6Vfis32fnlp79hb8Yj1fJZZRExUKFFmMx2EU3o1V3bpVTfBKhYvYzQja59qNP/3nnuJSBv7VM
Jer9/cscoduVUpm40Hz40N1/bsRV3HIZOwf75/v+X0/3jw5do+Qg5+mcB8+l75TvAI3sgW1xccTIxmw8mf3iAQnq8zJ8MbD+
LS5/tHafP6YftpbeHeKCeTKUkmQzI1SdZOmpeJ6W7ShmaQaDoZMSgginK8gtKaNZEAvsdg8TBK/PliW8sHFU8LzMXzCq3lPG
kj5yevLQ+g5Fxrt97vNYD3A9uf1tU2+dMdrt9zvuCfz2pHZLUJqps1M+l98hZ0XhC4dii7Qocf1YFL/YgM1bC+QC/yK38ANO
ZUBjaAe6WOD9DxExSY4zKtzdIn86mZLwgyTtvBE6Ex8F88JpZx4ofBg3766RahEYTZ844s350S+HXAqAAFstM1wE5nTAyCZb
Ec2IKPzip0pz+cj4tm/2fknJYeHC2uZ12y5fUPxPAdJlvbnAsZudQSCUKz5F4Lck2c+dv/zpsTv+n+cvJg9tKc5vPLjfgutA
ErjDIKYpnIHryntrqkSOnHaOTNLZ3Ga4zNTK7nLTRQR2qc9Iq12G6RaADZ3FqD3M5SI8DdZFjvZzMFuc3uBwUZfibhAEg71c
D3iB+ibYUTlMTMUZDPhOQYRzB3sxsD/jXVjzDThpadzIJTJP0+Ti5tFF8XD0R0OiP4p8FqazPwIuBQJAS1eGA3vXFdBm1e/a
56gH72YqfLaW+kxT7FGS+pKpQ2URexfbmL+5cSQngPoSDl/ANg1/y7eVrtUTVo4ajJmgxKstLLBKUb0zRLs0yVxuPeibd3LT
YMsFbRyUy+t0VjNcayAf1H7x9u1TOFytexQ96xlXi/fln74stVgluE4ytd++OTiFMmJ4j7rwCNhHlOTP8tnertPuXV2u4ePZ
KRm4Zz+8O359kV/AIgYXib0VHM4LZDQ9ZjTu9QBx6Nrx+iRRQRJmvu6o4+NxaUrHy0PmNvPql5eVqQbguqjn27jHwJV80uO+
CsSG6SiknLJyqmxdceXcEQR2iz9V3i3+bKXtKieZYzjx3hyMqSKu5gJc93086OXpgVWKjqtG6ZsXZetkarevcLjylp0qraZP
wT/NxnYU2hO8kErkjhoKwg7vVRJyzdghwNDP3UPyVtbO5vxQo6MfSMEbv5Lh1h1W5+L/dfL+1MJLsKw3h6eH0irvbyCv+i0q
fpFLUCGnbp12pvDBZh2UgcbNYi042DzH/vHZ3w5PeRa7ZfBfHr5+e1wrfNu4ieKxHiiqfeHVV7epZh1i8J03oamEFzI160jD
/cDrhcBQNXnpuUHhHmKS1dTmIyM1s91ulT4S5RS74wiax1RHaZws/3syEV9ORMi9Sq4216TCHUsGo+tFcNaoQvPdfltyBl+T
kfjKbIFZp699JNQBbN4PYK7P1sPBUMf/EoY9KB/wG+8otrnQL4K6sLemBkhbJfK6tzuWknBNzletSsO6Nw3CwHAfa8j5D8ap
GmdG8mRUcpxhLvhms9Yj1S7r/OoWb4s8tEMk1eTdHriBmNT5lkUUhiphFsNhVL6a5tFMv/8jtTKSNPrJ5FuQjiyqt0ga1xYT
hYlVXU7GieJWHTGWwxpKmBbvVNA1gw/5wMjwVfD2IDVHVrZXTY7r5RjWnCw0qfBmrlpCIYGYMCFrBsnsvt4jFypowfU1Ts1V
JLtzi15yfHwpU3c9JY1xcuwf7Z/+XDk0AOluDOM3jORXm/AkIyvr9IIwrHqOB6I2tE7iq7NVt1wt02vlOtyv+74QYzbeRRmz
fWLeMczKWFc3XjbhYfbtEGRj7gHBU1g7I92zZZ6Z+uY2SGfCXqrZiZDWC2vv8zf/Cxbw44E=
"""


def unseen_functions():
    texts = zlib.decompress(base64.b64decode(PACKED)).decode().split("\0")
    return [(text, kinds_of(text)) for text in texts]


def hidden_tagger():
    files, unseen = coded(LIBRARY, book=7), coded(unseen_functions(), book=7)
    given = [(symbols.copy(), kinds.copy()) for symbols, kinds in files]
    tag = learn(given, 250, 1)
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
eNq1XH172zaSv7/zKVi2tyVdmZbtpNuqUXbTxE28mzi+2Ok+98halpIgiTFFsgQVW3X93W9+MwBfJNlxe3d9GksEgcEA8z4Y
aKKmThKPiqhYhUmW5d4jh/677jllVoznwblKdVZ0nDIqZqpcb71S8Wxe6p5zpn5dqnSsBs33w0e+s/usNaTH0F3Xfa/KZZE6
5Vw5OlooZ7RyTlfn6Pm1drKr1CnUeFkUKi0dYBXQEB76r/B63qG/c/o7CuXrCl/pz7zr9C1K3DlLVTjPSmoVHNI0mC7TcRln
aZQE5q133XESlXqA7PtBmfG3YFKucuUzmGlcaACZdwN1nUfpxNvvONeBnke5GuwPO87uvnQE3n1Hxp8LlvhkPAWD31SR6TCJ
L5VHrb4Mo7dhhWORpmEZpXPPoNeR6TsA3nHOi6XqODR9N+jap5+iRNsPAZhks7jUFchxVHoDA2U+9J2/86Y532DXuH9hiLFl
k8aErw6JDEWWr4Q36hmCaRKVJe0d4bLvWyapWqklnqVZocI4najr/tvjs7Pjk1cMxH/0HxPivGxZaE+4ZJknajBNsoiw5Idh
zyxG644zK6JJTGjIVqEtJEKEthlElNk7TqpKv7msNoDAMgjPXyzTB0zPM5Jo7MziTyoFu0SflN6YJIhLtcCqZSOjZZlh1gB/
PMHCjuTJw5FKsisvjyc9J05LxuO4VEVE4wfUYDCYZoUznsfJhDo5IX8jucAwv1cRZBUr6sAv19qmRbawU/F7O/u0UHruTbNk
ooqecxqVxId6OVrEWhPtdY2T7I10wF+DV5GBO+cZSW/fETDOnuOOQVPldhpN6ONWY4LF5SQuvDyCdOs+mNjIAXUzL6VhRCpl
HgrA4Kqg7fVk0iJKZ8prIOu3iFFjZpZKDBiXYehplUx5SSckXbIKYtWC8B+tShUVRbTy9g++E2BfOpGjs2l5RYg66hMzH/RV
GelLZ5xk40vi73SugNcECowIdSmKR5fFclwGeTS+pKlJpbjHx/+F/2hbMCHJL0sx9A6efZHp6v/RfldwSJeLkQJ+N+71d9+G
3z52e87B9991HDeKiMfk+fH+bUCc7+Ukd4TDIlhEROhUgRWtahotp1MG5I2h2HQwJk6KCmenxsEPwCqh9JQmWQxtWsDrp+Fm
9IuXb9542EQ/0Cs9jpLEE1Q7ZiZex+6+/Osalhvny1DXRGBpqyzCi9MPNNU4Syeatt2ZRkWl9OOpIDHOFsSJparZntAqViUt
dka4mV1fpth3z8VmZzooFElfvYaO853vD7pD4st99X0FyHAOo+Q1oO46ZUxcWc4BJsR3z/DaUhPV+zRQE3+OFShQLHVEfFk1
vf9w9vzVUfji9fGbl++PTlo8iuFBsQyXgEm62D5rPMt2aVWWhIN3zqLYcX40n/80nz+vi2iaB+mEuZi4f7EIXr9923FeRKWa
ZUVMRKLn4boF1qvFKEu045Gh+pEYhjB3FtlEJQ7pV0AhlVWkZJSv4nJe2+syGiXEB5ZCBROA5ifJnGSLgNCPlkkZUrtnWDmP
O87zjnMEHqTmgMQ8Hs+JnB4NI07SXkrT/9NnfZdC13n/pGdaptlwwapvV0YKkMgoMI35JezA4u0VA0oMvlkQ9SOYtb4LjqWd
dRvjAk32o8yLbBR2TEtJi9GLqKwalFE33IsmYowaINJwqiLaVQWL8XOT2sCZ9o2w4H3uyNAO9s1nF8I8Mxyhfkx+AA3VYnSh
dEglT+JxOdBQIC9I5kCDwYBGZ6OPalwO6VuRLUmADIOQ5lqEy5yfCKND8cdqGEmsS7F5wwZfLFOHYMuMIAOwsIBZGshBIwH5
oXIbiCcWcULAjPRmU0eRBoJxrRiEx/XumBv6LSWu6jmDoZAfLIapgcNtZQV5OmoW9W9WR7IjuDWsoYXREWVtIbGBJn+j7ijK
mggPZwmCnqtiCouTkh02Vsj+BxBrTaSYGKdn/WqvW++rlQ+AzTCI8lzBfVSHpHi9LROSvmF02vaMQRgVOldkU3LSTpnxXGpT
BuJFRAXyC7MlsQajN49BRAKeEzASD3pMySWmQfQuKpl6sGW0AO0soonC5rU070oHRG7wPdmyaTboHQwZBO3qz0fvz47fnZzV
qy6aCHitzXBPGWvn5ja4ubV46GWeZwUZUDApLZ0Yz3Q7DPbJdNDfA4eoSZ+HjtuGBwVFPOb8sogulXP63+ev3530ZWsw+Bc3
gDUkfb6zbQ01JY11IuvwKbyCDZeNHWVZUm3sWbRyruaKNUyAns6c9itKW3vLG8r0I1cvM5tv5u2wPs3jOpQZk8gT27mknGgH
sM8dvP+Bd1xdx6W3deu/IGH5orj1q9XdvbiyWPXWLRw5TaS+xorcVTbbA9k38ih2x2QwgRSpEV2S61b0G51fHv188uHNG9/p
950uA1XXY5WXzruzo6KwkV1jIo5HjCGbk+9JCpcEnGR/C9cqcl3GinmR5puRAtUO+hObkhNGW7uIKRj5wVEEkqhQoBt0GnEQ
rPQ6uxL22bIMYk1OzKop7lfxhIwYeQpzMrsJTHZogYc6/o1sO/kYyXKRahLE/WpYA6Z4oe5F4ZLeAYqDHgMdBsnHpS49fvD9
bUOnyZL8bcNspdJlmGe0CE3+AjlMiJ57tC2lIr67PCEyrClr0ZXVnp3y2ErXjhVUNvgvhhgXl+ScwGLTxLSDpGR0VitjQ6Gb
CktRvoARLFQZTaIyCtIR4hayaoJlS7fybFDEFvMALXUfosOY/JBYabtGvPdZBFh16FDTPsMYN954rPZ7fY7VKGicyDvZzFvj
ygsBcgpDbMxCRoeizbLHPrzeFN1/YQRtwjROVLVFwIIEOC6dBZGNIo0fiCS0hErI6Q00IvVrchfmJb4KAcsTrLmJvUOe32MJ
sThtFwp2hzBMYqAtAVGHpIsMZJhdNuIjHsLrN1OZWVq2At2N1JXLCUJjIS7zEMevTSv8PNVXqiCBn9NS1IT0B/ckETk+Cc+P
3x7xdp4JJFlNOkK4FKWXQR1/EQuTm0gebKdmCTObzUhodopumHPAQhHPDCbibsGnKFny7jX5SzoFPPq2ucqzxtpIW4m7LayR
jsiN5BGNVdkAhMRq3Az4z03OgL0R3tSGJyQvmchaKXhVsJqMaM0Torwp+MlXYKg0bzZzIuCR+C8Iw21KgNb0MRvZXpxjITV2
V7+A0ba9X+CBVW7HoW/0RMyS4lMmirRWDaCIY2UkHoirFQyWZl17GRt3TTZfxrN24pV70ANNsaqVtihT0qXMgtdlEo8CmHJo
bq/GcM3TKlReeIIzwybR5vcyfU+o8DxdwSEcVCMxa8cZkDNwEDxB5OsSv964lxT6eiIrI/fa9W+pEX1uhZqeOIkHXZ/YYdAN
ngzJ5TpA2N3d2Xnc7dS6Lw8i6ftt0PUDJEWinAaS70Ej6S0r3sMDb18eOTHouU/jx640SNpgQHgRcqOxO/Rr4JIJ4ujGAJQW
hvntY/t4BttDcYAA3BpD2aTHoYE+BGGnC1J7+jLOW96i4emBcIXHuytyxV8hWLLjQ2OLPkftP0bpLVTmaUSYBZ0eaZ4Vz1LH
MSB8h2c1IohBItNkxeoRbS6EZQVenuv6D2iMZt7IdTkl0WzPl6XZp+ZO8uQP3KMN5cxL33TD0lEHRoW1Ya1AgUBYIDHZyGpJ
6gKAQX2jYf2m79Xo+yFFb+wk1JBqu2RGJ5Bm9/iNTzaMPSj0b8Q0sm6j5sW9hGKOaS2sWNtveLUa7YFhNb+pgTgpRCttzyWx
GTWDDXkj/DoV+3AWLBSZTIp5Q3GuvDgLzkqaZXb8zoPE39GVVr/Wtd6kBomtuSBNQMoy5LUBXO2/ivlgG1pnauusimeCGEab
00li06gJmXkcFMB51BIlKDtTxyb8MrFVPEj7lbWRMaQcXXfIESThFHDwSC5p6vrkk5p8Hzc61lXHnhPFyE+kTX9x9OZNMCXV
HyPkBIjGJoyyyQqZDXQeuHhyh7Wk5PDYgMC703PEfQH389Ct4fKaeJrfSVrFE0jAzzNAAgTCPnwqCxXOfVMuTXz09vmr4xfw
NbzCvdjPiblIfIH1QCbqmYkAz0zTiO3s2c3aTnF6UiLtlmObTada/IGUGVQRPZCQVx6wCXSexCUTocU5FWnklIVWKXBgx9Ae
UGMR515zbSDPN30TZBh9A8zI4McpB0tEdzuOIArWPM4wJ+mDdI0r6XOdEymi3EXelBxWnKwtS9I0VWRAgX+ETM+MfKUXH14+
d5A5jWZKs9MDTh2TJwXHoVAIKuqEH+bl7KehzL+9i7Nv+v3Bv7+50MNv/Itv6JHwBckMuRDB0ER9GvLWvwPG33rpp3gSR7u/
07rLLPUvznb6fQJ1kdI7TsoHOxepvwNT+3C4Xzrnc+Q1kiS7wmLsKgHrXkiGLq+Pnr88eo9EkwV5kd4cdG4xliGwEAlZIFjh
eE5eXLxceJYqzu/rEW+VOhsV2RXpS47B+Bjhxev3794ef3jbEYlAH2GrTALi0+fnr807wKxIIgD6yHkr2saCjAL0mWvhGVNI
Esc9NzMDEhRfzWMSae7iV3Ah855rl4V12++7Bn+0zbJslqhdfqU2GnY1mwC3tbUprDTbuFbiT+YkVOVVr7+JnQ81z0cQsvE5
KOppUmoSGPLWs0dJ+7+hoEUnYwxFhrCcRIFxlJIywgEfWVDMqx0+NpOsNwGutnqKhCMMOKeuPHLZVBKVFMeEZcYo+EGE0FfH
18bi5VgVwyhmSTby3J1gXi4St53oG+R1Z5kD1KJQNRc9qiG4nhu6JvS0ebgbl09YBST2XaWNhlvj5+FEWQ4yvEWWXqpVDsXZ
c3LY2zJ4y22naFszvk3KyJncKC/L4Pz1exKMRvKvATUg9UdcaAI0d58wJn+VmRaRdbZMJsZQkJZRCXmHsyhOG7kR8h5CHU+U
DqG9liVQVyHOHjxkanrGAnOeu/VnuIY8OarkRes6xyx53C054sbSOF3s7WAm32aNb5vODS3PM5A54L9xcUqJvbexG76nafD+
5MStM9gyRFInPLiKezectQY2vGozYCATIdXPDf6WQ3I5lpLeFTpixq9ILeCohncPJy+Rlvhl5pNDsR909xnPGQfmBlzLqwPH
fRY1c9rNk/l/cjip2y6hU6/Kb6bOJvHU5Bl0GBUqZGnhkgAdxZP1zDg0J9HIc8lDZrqM8Ld0fQoh91FJcYA/UkFB07e7XXE3
iUIPbdlFmxtkRSZib6Dm8SCkW/CNQD8MhVtmqcGwdaqFNfx+B4CDdQAPR47BE2Jmzkd1dn0S7aWjPfIubCZw216BZJvzi5Yc
PhyLm1tGYdAdwo8zao5hY9+NySizZHInGbv3bYHL8yKxum0N/zh7d8IA3FoL3Lld+ANEgGtTXaUhNZqDmZAsSSgHxtBZY/Lh
ynWWjDTqAwqtvLMX749PzyWFyEEroWTOEUOT1+97hx3nSUsAonC6JBU5ifVlGOuQ7XU4UlOU20SpnF7jBYI0FOOUizyss6Zr
yJBXWyatwwi2tvA3k0RxLZAmR6fZl3xX19hkxoGPvuHvRovRJHLyXnNswOiJzvn6w9cd5+tpodTXvneovjPMMhEZpSgwZOqn
GSf6K7ytD8xpd2DQUisYHYgRlbDBetaWAWDCgSfnflVUJCsH+9cjHXPovPrRAT5MfoYkkeK63qpwQU0LHwK5fsB5Wt1K67On
zFrpklaRhlxWAU5A1vR+QphqGlPykmRkqt+/e3du1soJFG3Tr9VboIOJtYtvphe+T9QiC8cJLSE4PTPFHJI4BZDGWxygyVev
NUaKaDp25taWo27kxoBj+rLhMA3s7ZipRLPsH8ghPvamPbm6zolNiHv53XYELCxbCaAlwLz2JCqxRrSF4IDfyclry4XxcHJY
qBjKI1FZGhVsrCk6WE0oeGQ9iCkQYh82IQpAV6s8d7mbacijZSIN3Wb3rvPU9viopsRhFEujCdhzddFEoZplwlxDNCcKVt5Q
QiyxnkwheHZKkagKGu98c88Hh72hYUlovW1Mhy+VV/ycuyHtADGsshGcviCvWC3ycmXDpoYXzAVe5Ew05AJw5LVXF4Bp9SsX
OGgSmLuqvxrdu3+VE3Ec7S2IJCavxsrxxevnp+dH71tus4xsSCCEjSZcJiokhSKlgnPqpMMsTVbh1TwqoRsp8J2R+w6Ut0qj
JB/xuj6AgfRhq1qrMnVvgnG+kvVrYmvqLRoViShWlmgVjYAzpBAROB+DVeOJFVnftbxNgDKnVkBPziSokZVAfap/YrlGFr85
u9kUnh/jPfzxK3QNOBJJQlL6evLRQkeaggkpN+8weMLyfdBSt/Lp2vikPiMTA9cgVbakf9MQGUYmCawo2I5pSK7/AvW2d1LI
Ske68lyuAiBlkmHiWBJsLBlVMoffIZJKDFX9rWQ2QDe7N7wyzzLBA3iVVs7n25676yAbQh8Hrv+QuVia9io+22vwGEiOFA6J
LPau16iEEGC/uC3/JJxzkBviADScc2AlOzzhfS/UFBVod+/0n1uw5KrJ/4AX03NogMm42K2HgjHxJ5eOaO9n6HJzvsWZvb7b
huA2YiWzb8KQ2tCwXjXjsfJs8Tqna9uqkFycKNcrXUXBL0j1kef1U3yND84dbMn0rys9jHW3nwOM3MG+2yL2dPnbb2Ry49Qb
2LMad3dXcHU7nKVnDTD0N0yKCyGq0nfzqFgwq8saWMKoHUluP6AvjZ1gOhN7pawDmfScY4Ts4QGZkHUXVc4WbSaZupdBKyN+
+vzVkVWMM9WpstNob6VKpayk1dQ6qpQZ1nSIJFQBOeBchudeE+x9Y6DNw/0DkMm+Rm0lPU7prbXuW17cD+g/iRHzJIMepe3G
ewuJ89Etr2ND7ci2xFP+It6Fwb5jxne2YWSkN49TU49Un9rXCS1byQFvwEspDvoknk6HvtDUp8cnnOmH91C5ioX6dRkXXA6p
g/KawqemavZv1+woisM4vKAgIwujyQQnf2xR6ZETyOFoGScbMbfJwj5w2uYWcq6+me/60nl1dHL0/vn50Us5H2/BQsy2MqoP
yP7ibmQckLdVKJj2Cre3t/f7353fd3eZtvSJDdol2lzq3y++GedL/F22k7rVZpgwS1KeME8KtSCFLr11tfLHMmw2d9tUKotV
lVut+zS1rfvlF3ujON3Tc5z9NPqM56QQvW721ydPrMO8kZir08KicSTh2/Y65hnueKwltPv9Rv+HQm+tK+bCBPchk8WSAGjW
TCHNy8EVe3FRKMnbEIlbfX9w1Y4B2hlTYY/qke1u9yBE3a5tg/os4/GeGdSwQs3lcWq6XdizpZRn+6gmbd0tuyMp7joirl2E
NVSbqxk2CkdxUvpnGHUtVjCeukQHUj0KhxSBghw8QDCdq3mmTT1ftNAOblGwASLBaxSOZ3I/q8Ef5gKJeB38nhpFx9wXPtie
JBFVt7VXNoD5qLO07bi4N7fu9s67WN69I9bYHxcn+AyA6ADdh1MwAvnZvj9+OH7z0nRurvjucSgYdeGqL+VgRUStuQ+8Dk5J
uZs3ZBpCRZo8VSVqX+EL4pwAp4sFuwie5ZytMsUUDcmVsb2QlstxQvS1Gs8zfpBqBDnPPTp5d/7Tuw8nL13n2V8OfnDWO13b
9uu4dPa/vtNLPFvpUi2OqJeP0xpdZnnePNPioxZTURxCiFCDaFA08U4UT+TSiGdGB40KEOtvNfBFeI0xYHWXYfHBkNm4tffI
VJngB432QpHUP/LNknESxQtdFWGvWECQjFUbeSeLOMiZwpEz/i7TNwCD7s4jPd/IRqGkApSubndxJtL4wTvkei7Zgtbnx7Et
8qvIKlepDEldlipnF+dODSz8rUMM39lZW+zH1GEPmEu1KkxaGU4+4A5JaZOHrEUa8AFuLUX5c+5ah6hav59L25rfasng4xJM
RXY8otFoQe6ppdibO28EstLWTRXzmc5oyZK1YGlNxYNYDSGqtlog7Vmkd3d5X9zN2GCDVWocZMk1FhWbPHD42k5tB3DXYN7U
LXNXLApORHElX2Jhyr2sY5Aon05agY09xMYg3ONiknK6ng13lF6a01Haqo/ZSFdyyLPUp2z0hCS2Z7vhCqu59Mf3WBxINYr6
ya/UZOTSGR4yc2pJYotSHhLuT/S2ktpWqZcpYBknsYn2oGsiOXmMLEbDVkFXrdasVusxTsWMzwrWQZO8svLiClFck+i2xAzb
6EkUt7O5ke1AOZrAqec07/1eVHkVj7k+ma8z4bptPJuPcG2smZcWF6GC1HFevXv3su3xeQyJj1o7AjUw57H8navh7APX8zLL
e24Zp6vdCV8w4eMfdHDtZei1HLCMlvpgjtewYhnrXfu9i7SxWwi/rt12VobXGJjq5bXJdyXn3vG3Dbmar3g+vk8il5fIVnyK
dYwKPdNL0rxbp3wYyo9bYytKfAZhRxrnUTI1TU1WqGsKTcoUcQ/XaHPQh6eqxrviGOGMdc+STxXYm+vVdZ5BEJhrxJ1GnfN6
B7Cu+f2AxlG+OIsNuFYDVXA81xRKGl3JvXZJlbbcMFtMiTuLtpqR6yKs80ReVTGGo7GHreI/QZyv+MDxsb2cjLO2JgRTD9mu
1Kz26s657E2Ie+YyxfIPELDB/vAPVunfmCJ7yGHPzHTbKqTiov0At9T5i2HNZp1+OpILILfrYfygJa2c/DDTCZQ7+oM1pTdz
Px63iOuec9Dif/f18cuXRyeVwt9SqNoSl7vohnmFusZGSRZxXJCPhTJ1cib5en7HGWWLUasBt0oVaktNMXtVj2LqRauO7aLR
ZUqrT6XaUyphJKDCtx/IVvDUDk7Gq/JRMpwkP4yBvIB+QQ44woWfJMJ9NCaXlNhL2ZP0kmkSNS05gxxLHRoBkTtq8+yKRCxd
ARrfkCkpwgwsrsL7ScTnlD/i08ggl7fwCHtBc7/jPOk2vCnaxbRkoauvwWzcKJKR3bXqSlwoMj147gDY4+xg874lKn/jdKnu
Gm/ICGtpENqEIXNEE7mB1HGO3r9/977jDGLGNTZZPaE0YMfOU4Y/9DdBkaxftlrrbaiWBDaqc9q0N+v3JsRrVqXXXj3qwmnL
H9U3L58zb5Owcwbdc2OcjSs5HSIKu+0SAkwc8sGjHAYQPnJAwBPEW4oWxFUVgQA+qGnBlYvBwZBv1aMU6uD2c51xT4OY4zND
br693Qa943x7u7kKgzbcMYSzZRGNkfCOaUUQj/WV2B2UDeSCqU00h2sH3jIEt31vDm8dc/1U41R2v2t/z6REUtBD3s6oAKRt
h9UJtgm+qjtZ68XkfDHEVItWv7NxBduBkKEQKWNBoRnAesXANaBFYdoDeMZu4IKk8oKDlnYO4AolV4ww15PhWa7r2aQR29Qt
/nmj9q7ORZsKjqYtrtxyaPU7LDK3cn6lzn0sAtPAU7ewXqv06FQFG7jG0TxhQC0ROc1lLMerjR8LoRl94ihTrxvFiZfjviDf
Vz+lbx0HAUHjR43w4h/ZaNj+hRa0vo9Ss3r57Z8BrnWBRny9K2VAoBJucVnKwKqhgEkMdeNHWkhTCCqd++BY60YTGv5sgPAM
Uh517JibU1z7YoIZXGm8JJnAUUgTPgHz67u6FJLtyFUMe+emeWNwZVY8WqYTPmO+WeAie3XmF4LQeyjKkutGfPkghmNfXT/i
C6atskp7kOFKhXqIS1Zuj8x/rCGXOB/mki/+7Jm5ESab66rUdnNr1AKC3bsK4wcEf8hBGarnB7Ja9A0xqi9l4PxM08Zp3+WP
6kqBUQXgNcxK7gp13ZM+5kCIv7eSHRT12QFSkc2DbEDvtgKxrJjEKX6LS/ZBI+m8CiPWzyukvdcVmXjmpnfr3hxfulETz6W+
F+lFWV5lzsX1/miw/8Ph/qJQE37oLi4KHB90NseNI5wKJ3JiKyVRzX6yd/EimqkwT2f9nHhkSQi6pyevcDWuuYtPf4pn9O7Z
XeM/5qoB4B+nR5sQjtGxBWCDWSQXivgEBaUNdrlp0ok6HgRP3NsqeYpQh88g6dXh7TqCjAT8qet+4X51YRhSlyvi/YspmZmb
iyjJ59Et2QxyAw6/uh9FmGVgpqCP0VKfd3Mzywja04wVJ+zYKBrjtqO9YugODZKiQZiVxZ9gpm5xhG8vWOI2tXRsF0ndXNpD
w0tzaMhX50U2oXIu8YsDtZzdyj0Z8RsNxGG7dPR/BbKFvVllK1EN/67IEopTi08xrD25qpJQa4t829bb3al7to+g63fozSEA
vlSebc6l6ik3ipnxXMgPWZL93nCjeNvgT0rRXJEq3IvBoLv7/Q/DnQVX+BSbZdXwPWT2v/B3mqD7V/r33cX19yP6N6Z/k4vl
QfdAXSwn33W7LW8O+gSFp8iOXiqVS9zOhjgcLTW5Nkl2tW172r9/Ij/3YH7pqOavTVUJcG0Rvcah+A58/lZYtwnW/soJxKVd
QzvHVdnSpBVY92kovxjlWt6WpC5HqFLSR8DI5H11/XT1FTs/h08fQ1qeTojN4kQ/e6qXiwVp1mdvKbB7umefrp/u2R5uZ8N7
p5iSxo2eHWDA6Nm7p6Ni7xlcMYB+5vy6zEro1vSXX365SJGUBBY9fubLQaIatgIeRENvXpa57u3tXQdZMdtb/e23/r7vDEZD
78ux73wxmAzxM1zReI7keI92MZ3R6+mQ7yjuzYKx/uRvhX092B865MsqJxplnxSZ4hXy9L3NO8MbMoD6womlNMsBvjQr78Fb
cM+47BietuSm1qiDbms3uocV2cJmqNcNu91mvIeR6I7P4YaQemg2lVhM5032FHbkfkNbs1X7Nqj60+vugWreEpJqFvzA0+vz
t2+OuMSIb0ou8AtrUgTQd0eRjseu+dG01PxuR4iDEa9x2ddeon0cpOqq6sZhpe4PcAFfNtr4F+0TAfdiTha4UUU3U4/W4kFS
MLbAo3Cfen/7Ys8f/Pvps+EOK5lZwy37GH2KzAFQlBB4b9/3jf/RzgRzFoRr8cyFGxQM8X0pFFN6razeW3p4wd/XknlSuPfQ
/J29pflH83i2oArD18q/u+aHM5u13Ki4lFgvmoS8ZeuQ/gAC6/O1A9jmBHjNU4u6laL5YlEWSm0mHNePoe/ODvrBEqVIl95D
VnBPAPanVtLIF1P4iGu3OrTnx7BA+IUwe/Xg/4Nj/o/oZWr5Pp/2rZOqUH2cgtXexk+/mCIcuBFjSWtJHlLicAqrORElT+IS
StAApMiT2PBHoTb318sK2UthLCbLRc5pTf+uAPwPCNGWKxTt0sN6NziM5ASkzhxLf0eOOmIci/XE55LjjXtuVdy7l5y0GP05
anMrEWCs3HvZ+34EvmAEzI/poAzOTNo6VM+1yengpsLWEzP8lAxukAKEY0qaO/zTVray3sC1hTWc+3X491k5VCZTU1fdf05/
VD+6y6HG1hKZ6jZUMGmoEVOX1S5UYqS9+gdV5XIpX4lHWQVNBd8ExkY397xVebpYQA9MKtNCfy9ZS6AOwsv1NqdU6GM7yZCq
lLBeLD1h4o37MsDHf/Q/Q2UBnw==
"""


def unseen_functions():
    texts = zlib.decompress(base64.b64decode(PACKED)).decode().split("\0")
    return [(text, kinds_of(text)) for text in texts]


def hidden_tagger_score():
    unseen = coded(unseen_functions(), book=8)
    tag = learn(coded(LIBRARY, book=8), 250, 2)
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
