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
# # Problem set 3: what happens to a gradient on its way back
#
# "With $W > 1$ gradients explode, with $W < 1$ they vanish." After chapter 6 you know how little that
# sentence says. In this set you measure. You follow a gradient through a network that is not the one
# of the chapter, find its worst direction without ever writing down its Jacobian, tell how fast a
# stranger's system forgets, and in the end you draw the picture yourself and say what it shows. None
# of the tasks is printed in the chapters; each is one step away from something that is.
#
# | | task | you write | points | difficulty | what it teaches |
# |---|---|---|---:|---|---|
# | 1 | `ps3-jprod` | `between` | 10 | medium | which factor, on which side, in which order |
# | 2 | `ps3-decades` | `decades` | 10 | medium | a sum of logarithms, not the logarithm of a sum |
# | 3 | `ps3-sigma` | `stretch` | 12 | hard | the worst direction of a matrix that you never see |
# | 4 | `ps3-rho` | `skip_radius` | 10 | medium | a memory of several steps is one matrix |
# | 5 | `ps3-lyapunov` | `largest_exponent` | 12 | hard | how fast two runs part |
# | 6 | `ps3-ortho` | `rotation` | 8 | easy | orthogonal, and really random |
# | 7 | `ps3-clip` | `clip_each` | 12 | medium | one loud sequence must not drown the others |
# | 8 | `ps3-angle` | `cut_angles` | 10 | medium | what truncation does to the direction |
# | 9 | `ps3-reach` | `reach` | 6 | easy | numbers first, |
# | | `ps3-figure` | a figure | 4 | | then the picture, |
# | | `ps3-what` | a short text | 6 | | then what it says and what it does not |
# | | | | **100** | | |
#
# **How to work.** Write your answer where the cell says `YOUR CODE HERE` and delete the line that
# raises `NotImplementedError`. Below each answer stands a test cell. Its visible tests look at
# shapes and at one worked example, mostly one so small that you can follow it with a pencil. That
# is on purpose: with one unit every matrix commutes, every order is right and every number of a matrix
# is the same. More tests are added when your work is marked: other sizes, edge cases and the mistakes
# that people really make. You have the means to find them first: try sizes that are all different, and
# ask PyTorch, as the cell below the toolbox shows. You may add cells. Do not edit the test cells or
# the toolbox; changes there are undone before marking.
#
# **Before you hand in:** Kernel > Restart and run all. Every visible test must pass.
#
# **What counts.** The answer, not the route: loops, `einsum`, any order, as long as the function keeps
# its promise. You may import NumPy, PyTorch, matplotlib and the standard library. No task needs your
# answer to another, so you may skip one; task 9 is shorter if task 2 is done.

# %% [markdown]
# ## Conventions, once for all tasks
#
# - Those of the chapters: time first, rows are sequences, layers multiply from the right, `h @ W_hh`.
#   There are T inputs and T + 1 states: `x[t]` leads from `h[t]` to `h[t + 1]`. Formulas count steps
#   from 1, as the chapters do: $h_t$ is `h[t]`, and the input of that step, $x_t$, is `x[t - 1]`.
# - **Jacobians in the row convention**: entry `[i, j]` is the derivative of *output j* by *input i*, so
#   that a small change $\delta$ arrives as $\delta P$ and a gradient $g$ goes back as $g P^\top$
#   (chapter 6, A product in the middle).
# - The network of tasks 1, 2 and 9 has **leaky units**, as in chapter 6, Remedies for vanishing: unit
#   j keeps the part $z_j$ of its state, $0 \le z_j \le 1$,
#
#   $$ s_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \qquad
#      h_t = z \odot h_{t-1} + (1 - z) \odot s_t , $$
#
#   with weights in a dict `w`: `W_xh` `(D, H)`, `W_hh` `(H, H)`, `b_h` and `z` `(H,)`. With $z = 0$
#   it is the plain network. All sizes are 1 or more where nothing else is said.
# - Arrays are NumPy's, of `float64` where nothing else is said. They are compared as wholes, by
#   $|a - b| / |b|$, which must stay below `1e-6`; where the truth is 0, $|a|$ below `1e-10`.
# - **Never change an argument**, nor an array inside one. Work on a copy.
# - You need not check arguments: the tests keep to what is stated here. No test needs an answer that
#   takes more than a few seconds.

# %% [markdown]
# ## Toolbox
#
# Locked cells.

# %% nbgrader={"grade": false, "grade_id": "ps3-toolbox", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import math
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: a second thread only waits

import matplotlib.pyplot as plt
import numpy as np
import torch

torch.set_num_threads(1)


def leaky_case(T, B, D, H, seed, z=None, scale=0.7):
    """Return inputs x (T, B, D), weights w, states h (T + 1, B, H) of a random leaky network.

    z: (H,), drawn from [0.1, 0.9] where None.
    """
    rng = np.random.default_rng(seed)
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}
    w = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    w["z"] = rng.uniform(0.1, 0.9, H) if z is None else np.array(z, dtype=float)
    x = rng.normal(size=(T, B, D))
    return x, w, leaky_states(x, w, rng.normal(size=(B, H)))


def leaky_states(x, w, first):
    """Run the leaky network on x (T, B, D) from the states first (B, H); h (T + 1, B, H)."""
    h = np.empty((len(x) + 1, *first.shape))
    h[0] = first
    for t in range(len(x)):
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ w["W_hh"] + w["b_h"])
        h[t + 1] = w["z"] * h[t] + (1 - w["z"]) * s
    return h


def torch_run(x, w, first):
    """Do the same with PyTorch; return the last state alone. first: a tensor (B, H)."""
    w = {name: torch.as_tensor(a) for name, a in w.items()}
    h = first
    for x_t in torch.as_tensor(x):
        s = torch.tanh(x_t @ w["W_xh"] + h @ w["W_hh"] + w["b_h"])
        h = w["z"] * h + (1 - w["z"]) * s
    return h


def same(got, want, rtol=1e-6):
    """Tell whether got has the shape of want and a relative error below rtol."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or not np.all(np.isfinite(got)):
        return False
    size = np.abs(want).max() if want.size else 0.0
    if size == 0:
        return bool(np.all(np.abs(got) < 1e-10))
    error, scale = np.linalg.norm((got - want) / size), np.linalg.norm(want / size)
    return bool(error < rtol * scale)


def unchanged(after, before):
    """Tell whether two lists of arrays, or of dicts of arrays, are equal to the last bit."""

    def flat(values):
        for value in values:
            yield from value.values() if isinstance(value, dict) else [value]

    pairs = zip(flat(after), flat(before), strict=True)
    return all([np.array_equal(a, b, equal_nan=True) for a, b in pairs])


# %% [markdown]
# The witness: how PyTorch tells what a gradient at the end of a stretch becomes at its beginning. It
# knows nothing of Jacobians, only of the forward pass.


# %% nbgrader={"grade": false, "grade_id": "ps3-witness", "locked": true, "schema_version": 3, "solution": false, "task": false}
def sent_back(x, w, h, g, t, s):
    """Return by autograd what a gradient g (B, H) at state s is at state t; (B, H)."""
    first = torch.tensor(h[t], requires_grad=True)
    last = torch_run(x[t:s], w, first)
    return torch.autograd.grad(last, first, torch.as_tensor(g))[0].numpy()


def try_witness():
    x, w, h = leaky_case(T=6, B=2, D=3, H=4, seed=0)
    g = np.ones((2, 4))
    print("at state 6:", np.linalg.norm(g, axis=1).round(4))
    print("at state 1:", np.linalg.norm(sent_back(x, w, h, g, 1, 6), axis=1).round(4))


try_witness()

# %% [markdown]
# ## 1. From here to there (`ps3-jprod`, 10 points, medium)
#
# In a plain network one step has the Jacobian $W_{hh} D_t$. A leaky unit has a second way to pass on
# what it holds: it simply keeps it. What is one step now? And what are several?
#
# Write `between(x, w, h, t, s)`:
#
# - `x` `(T, B, D)`, `w` and `h` `(T + 1, B, H)`: inputs, weights and the states that belong to them;
#   `t`, `s`, integers, $0 \le t \le s \le T$.
# - Returns `(B, H, H)`: for each sequence b, $P_{t \to s}$ with `[b, i, j]` $= \partial h_{s,b,j} /
#   \partial h_{t,b,i}$. Nothing has happened yet for $t = s$: the identity.
# - $z_j$ may be exactly 0 or exactly 1.
#
# Worked example, the one unit that chapter 5 works by hand: `W_xh = .5`, `W_hh = .8`, `b_h = 0`,
# `z = 0`, first state `.2`, `x = (1, 0)`. The states are .2, .578363, .432275 and $P_{0 \to 2} = .8^2\,
# (1 - .578363^2)(1 - .432275^2) = .346330$.
#
# <details><summary>Hint 1</summary>
#
# $\partial h_{t,j} / \partial h_{t-1,i}$: through $s_{t,j}$, which every unit i reaches, and directly,
# which only unit j itself does. Which of the two gets which factor?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\tanh'$ needs $s_t$, and $s_t$ is not $h_t$. Where $z_j = 1$ you cannot get it from $h$: compute it
# again from `x` and `h`. Then exercise 1 of chapter 6 with your code, with $z = 0$.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-jprod", "locked": false, "schema_version": 3, "solution": true, "task": false}
def between(x, w, h, t, s):
    """Return the Jacobian product of a leaky network from state t to state s, (B, H, H).

    x: (T, B, D). w: W_xh (D, H), W_hh (H, H), b_h and z (H,). h: (T + 1, B, H). 0 <= t <= s <= T.
    [b, i, j] is the derivative of h[s, b, j] by h[t, b, i].
    """
    ### BEGIN SOLUTION
    z, W = w["z"], w["W_hh"]
    P = np.tile(np.eye(len(z)), (h.shape[1], 1, 1))
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ W + w["b_h"])  # (B, H)
        P = P @ (np.diag(z) + W * ((1 - z) * (1 - new**2))[:, None, :])  # slopes scale columns
    return P
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-jprod-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_jprod():
    w = {"W_xh": np.array([[0.5]]), "W_hh": np.array([[0.8]]), "b_h": np.zeros(1), "z": np.zeros(1)}
    x = np.array([[[1.0]], [[0.0]]])
    h = leaky_states(x, w, np.array([[0.2]]))
    P = np.asarray(between(x, w, h, 0, 2))
    assert P.shape == (1, 1, 1), "one sequence, one unit: P must be (B, H, H) = (1, 1, 1)"
    assert same(P, [[[0.346330]]], rtol=1e-5), (
        "worked example: .346330 expected (chapter 6, A product in the middle)"
    )
    x, w, h = leaky_case(T=5, B=3, D=2, H=4, seed=1)
    P = np.asarray(between(x, w, h, 1, 4))
    assert P.shape == (3, 4, 4), "T = 5, B = 3, D = 2, H = 4: P must be (B, H, H) = (3, 4, 4)"


visible_jprod()


### BEGIN HIDDEN TESTS
def jprod_truth(x, w, h, t, s):
    """One gradient for each unit j of the last state, by autograd."""
    B, H = h.shape[1:]
    P = np.empty((B, H, H))
    for j in range(H):
        first = torch.tensor(h[t], requires_grad=True)
        last = torch_run(x[t:s], w, first)[:, j].sum()
        P[:, :, j] = torch.autograd.grad(last, first)[0].numpy()
    return P


def hidden_jprod():
    x, w, h = leaky_case(3, 2, 3, 4, seed=2)
    P = np.asarray(between(x, w, h, 2, 2))
    assert same(P, np.tile(np.eye(4), (2, 1, 1))), (
        "t = s: no step, no factor: the identity for each sequence (chapter 6, A product in"
        " the middle)"
    )
    x, w, h = leaky_case(1, 1, 3, 4, seed=3, z=np.zeros(4))
    P, truth = np.asarray(between(x, w, h, 0, 1)), jprod_truth(x, w, h, 0, 1)
    assert not same(P, truth.swapaxes(1, 2)), (
        "one step, z = 0: this is the transposed Jacobian. [i, j] is the derivative of output"
        " j by input i; W_hh is not transposed (chapter 6, A product in the middle)"
    )
    assert same(P, truth), (
        "one step, z = 0: J = W_hh D, with W_hh itself, not its transpose, and the slope 1 - s_j**2"
        " on COLUMN j, not row i, taken after the step (chapter 6, A product in the middle)"
    )
    x, w, h = leaky_case(2, 1, 3, 4, seed=4, z=np.zeros(4))
    P, truth = np.asarray(between(x, w, h, 0, 2)), jprod_truth(x, w, h, 0, 2)
    assert same(P, truth), (
        "two steps: in the row convention the first step stands on the left, J[0] @ J[1]"
        " (chapter 6, A product in the middle, and the common mistake below it)"
    )
    x, w, h = leaky_case(1, 1, 3, 4, seed=5)
    P, truth = np.asarray(between(x, w, h, 0, 1)), jprod_truth(x, w, h, 0, 1)
    diagonal = np.eye(4, dtype=bool)[None]
    assert same(P[~diagonal], truth[~diagonal]), (
        "one step, z > 0, off the diagonal: (1 - z_j) tanh'(a_j) W_ij, with tanh' = 1 - s**2"
        " of s = tanh(a), not of the leaky state h (chapter 6, Remedies for vanishing)"
    )
    assert same(P, truth), (
        "one step, z > 0, on the diagonal: a unit also keeps z_j of its own state; add"
        " diag(z), not diag(1 - z), and not z to all entries (chapter 6, Remedies for"
        " vanishing)"
    )
    for T, B, D, H, t, s, seed in [
        (6, 3, 2, 4, 0, 6, 6),
        (7, 2, 4, 3, 2, 5, 7),
        (5, 4, 1, 5, 4, 5, 8),
        (4, 5, 3, 1, 1, 4, 9),
        (9, 1, 2, 6, 0, 8, 10),
    ]:
        x, w, h = leaky_case(T, B, D, H, seed)
        given = [x.copy(), copy.deepcopy(w), h.copy()]
        P = np.asarray(between(*[*given, t, s]))
        assert same(P, jprod_truth(x, w, h, t, s)), (
            "from state t to state s: the steps t, ..., s - 1 and no others, each with its"
            " own slopes, for each sequence apart (chapter 6, A product in the middle)"
        )
        assert unchanged(given, [x, w, h]), "do not change the arguments: work on a copy"
    x, w, h = leaky_case(4, 2, 3, 4, seed=11, z=[0, 1, 0.5, 1])
    P = np.asarray(between(x, w, h, 0, 4))
    assert same(P, jprod_truth(x, w, h, 0, 4)), (
        "z may be exactly 0 or 1: then s cannot be had from h by a division; compute tanh(a)"
        " again (chapter 6, Remedies for vanishing)"
    )
    # finite differences know neither torch nor Jacobians
    x, w, h = leaky_case(5, 1, 2, 3, seed=12)
    slow = np.empty((1, 3, 3))
    for i in range(3):
        move = 1e-5 * np.eye(3)[i : i + 1]
        ends = [leaky_states(x, w, h[0] + sign * move)[-1, 0] for sign in (1, -1)]
        slow[0, i] = (ends[0] - ends[1]) / 2e-5
    assert same(between(x, w, h, 0, 5), slow), (
        "finite differences do not agree (chapter 6, A product in the middle)"
    )


hidden_jprod()
### END HIDDEN TESTS

# %% [markdown]
# ## 2. The typical gradient, in powers of ten (`ps3-decades`, 10 points, medium)
#
# How far does a gradient get? A number for each distance is wanted, over a batch of sequences.
# Gradients of different sequences differ by powers of ten. Their mean is hardly more than the largest of
# them, divided by B; what is *typical* is the mean of the logarithms. (Chapter 6, exercise 3, has a case in which
# nearly every gradient vanishes and the mean explodes.) And over thousands of steps the
# numbers themselves cannot be held: `1e-400` is 0.
#
# Write `decades(x, w, h, g)`:
#
# - `x` `(T, B, D)`, `w`, `h` `(T + 1, B, H)` as in task 1, T from **0** to a few thousand; `g` `(B, H)`,
#   a gradient at the last state, no row of it all 0.
# - Returns `(T + 1,)`: entry k is the mean over the sequences of $\log_{10} (\|g_k\| / \|g\|)$, where
#   $g_k$ is what becomes of a sequence's $g$ at the state **k steps before the last**. Entry 0 is 0;
#   entry T belongs to `h[0]`. The true values lie between -5,000 and 5,000.
#
# Worked example, the network of task 1 and any $g$: $\log_{10}$ of $.8\,(1 - .432275^2)$, then of
# .346330, so `[0, -.186745, -.460510]`.
#
# <details><summary>Hint</summary>
#
# You need no Jacobian: a row is enough. $g J^\top$ for the step of task 1 is two terms. Rescale the
# row to length 1 at each step and keep the logarithm of what you divided by (chapter 6, below A
# product in the middle).
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-decades", "locked": false, "schema_version": 3, "solution": true, "task": false}
def decades(x, w, h, g):
    """Return by how many powers of ten a typical gradient changes on its way back, (T + 1,).

    x: (T, B, D). w, h: as for between. g: (B, H), the gradient at h[T]. Entry k: the mean over
    sequences of log10 of the norm k steps before the last state, relative to that of g.
    """
    ### BEGIN SOLUTION
    z, W = w["z"], w["W_hh"]
    row = g / np.linalg.norm(g, axis=1, keepdims=True)
    so_far = np.zeros(len(g))
    found = [0.0]
    for t in reversed(range(len(x))):
        new = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + ((1 - z) * (1 - new**2) * row) @ W.T
        length = np.linalg.norm(row, axis=1, keepdims=True)
        so_far += np.log10(length[:, 0])
        row = row / length
        found.append(so_far.mean())
    return np.array(found)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-decades-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_decades():
    w = {"W_xh": np.array([[0.5]]), "W_hh": np.array([[0.8]]), "b_h": np.zeros(1), "z": np.zeros(1)}
    x = np.array([[[1.0]], [[0.0]]])
    h = leaky_states(x, w, np.array([[0.2]]))
    d = np.asarray(decades(x, w, h, np.ones((1, 1))))
    assert d.shape == (3,), "two inputs, distances 0, 1, 2: (3,) expected"
    assert same(d, [0, -0.186745, -0.460510], rtol=1e-4), (
        "worked example: [0, -.186745, -.460510] expected (chapter 6, A product in the middle)"
    )
    x, w, h = leaky_case(T=5, B=3, D=2, H=4, seed=20)
    d = np.asarray(decades(x, w, h, np.ones((3, 4))))
    assert d.shape == (6,), "T = 5: one number for each distance, (T + 1,) = (6,)"


visible_decades()


### BEGIN HIDDEN TESTS
def decades_truth(x, w, h, g):
    """By autograd, one step at a time, one sequence at a time; rescaled."""
    T, B = x.shape[:2]
    total = np.zeros((T + 1, B))
    for b in range(B):
        row = torch.as_tensor(g[b : b + 1] / np.linalg.norm(g[b]))
        for k in range(1, T + 1):
            first = torch.tensor(h[T - k, b : b + 1], requires_grad=True)
            last = torch_run(x[T - k : T - k + 1, b : b + 1], w, first)
            row = torch.autograd.grad(last, first, row)[0]
            length = row.norm()
            total[k, b] = total[k - 1, b] + torch.log10(length).item()
            row = row / length
    return total.mean(axis=1)


def hidden_decades():
    rng = np.random.default_rng(20)
    x, w, h = leaky_case(0, 2, 2, 3, seed=25)
    assert same(decades(x, w, h, rng.normal(size=(2, 3))), [0.0]), (
        "T = 0: no step has been made, but distance 0 is there: [0.], of shape (T + 1,) = (1,)"
        " (task 2, what it returns)"
    )
    x, w, h = leaky_case(1, 1, 2, 4, seed=21, z=np.zeros(4))
    g = rng.normal(size=(1, 4))
    assert same(decades(x, w, h, g), decades_truth(x, w, h, g)), (
        "one step, z = 0, H = 4: a gradient goes back through the TRANSPOSED Jacobian, (g *"
        " slopes) @ W_hh.T, relative to |g|, in powers of ten (chapter 6, A product in the"
        " middle)"
    )
    x, w, h = leaky_case(6, 1, 2, 4, seed=22, z=np.zeros(4))
    assert same(decades(x, w, h, g), decades_truth(x, w, h, g)), (
        "several steps, z = 0: distance 1 is the LAST step; go back from h[T] with the slopes"
        " of each step (chapter 6, A product in the middle)"
    )
    x, w, h = leaky_case(6, 1, 2, 4, seed=23)
    assert same(decades(x, w, h, g), decades_truth(x, w, h, g)), (
        "z > 0: two terms, z * g and (g * (1 - z) * tanh') @ W_hh.T (chapter 6, Remedies for"
        " vanishing; task 1)"
    )
    x, w, h = leaky_case(30, 6, 3, 5, seed=24, scale=1.2)
    g = rng.normal(size=(6, 5)) * np.logspace(-6, 6, 6)[:, None]
    given = [x.copy(), copy.deepcopy(w), h.copy(), g.copy()]
    d, truth = decades(*given), decades_truth(x, w, h, g)
    assert same(d, truth), (
        "several sequences: the mean of the logarithms, each relative to its own |g|; not the"
        " logarithm of the mean or of the batch's norm (chapter 6, exercise 3 and The atlas)"
    )
    assert unchanged(given, [x, w, h, g]), "do not change the arguments: work on a copy"
    for T, B, D, H, seed in [
        (1, 1, 1, 1, 26),
        (12, 3, 4, 2, 27),
        (5, 2, 1, 6, 28),
    ]:
        x, w, h = leaky_case(T, B, D, H, seed)
        g = rng.normal(size=(B, H))
        assert same(decades(x, w, h, g), decades_truth(x, w, h, g)), (
            "sizes that are all different: wrong; compare with sent_back (chapter 6, A"
            " product in the middle)"
        )
    # one unit, no input: each step multiplies by (1 - z) W + z, exactly
    for T, weight, z in [
        (3_000, 0.1, 0.0),
        (3_000, 9.0, 0.0),
        (2_000, 0.2, 0.5),
        (2_500, 5.0, 0.1),
    ]:
        w = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[weight]]), "b_h": np.zeros(1)}
        w["z"] = np.array([z])
        x, h = np.zeros((T, 2, 1)), np.zeros((T + 1, 2, 1))
        d = decades(x, w, h, np.array([[1.0], [-2.0]]))
        assert same(d, np.arange(T + 1) * np.log10(z + (1 - z) * weight)), (
            "thousands of steps: the product itself underflows to 0 or overflows; rescale the"
            " row at each step and ADD logarithms (chapter 6, below A product in the middle)"
        )
    # the second sequence saturates: 1e-1480 beside 1e-18
    w = {"W_xh": np.eye(2), "W_hh": 0.9 * np.eye(2), "b_h": np.zeros(2), "z": np.zeros(2)}
    x = np.zeros((400, 2, 2))
    x[:, 1] = 4
    h, g = leaky_states(x, w, np.zeros((2, 2))), np.ones((2, 2))
    assert same(decades(x, w, h, g), decades_truth(x, w, h, g)), (
        "one sequence keeps its gradient, the other has 1e-1480 of it left: each sequence needs a"
        " scale of its own, renewed at EACH step; neither one for the whole batch nor one in a"
        " hundred steps (chapter 6, below A product in the middle)"
    )
    x, w, h = leaky_case(1_500, 2, 2, 3, seed=29, z=np.zeros(3), scale=0.4)
    g = rng.normal(size=(2, 3))
    assert same(decades(x, w, h, g), decades_truth(x, w, h, g)), (
        "1,500 steps of a network that forgets: rescale at each step, add the logarithms of"
        " all steps (chapter 6, below A product in the middle)"
    )


hidden_decades()
### END HIDDEN TESTS

# %% [markdown]
# See what you made: a gradient over 300 steps, for four leaks. One line each, six sequences.


# %%
def how_far():
    fig, ax = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    for z, colour in [(0.0, "#D55E00"), (0.5, "#E69F00"), (0.9, "#0072B2"), (0.97, "#009E73")]:
        x, w, h = leaky_case(300, 6, 4, 24, seed=5, z=np.full(24, z), scale=0.18)
        g = np.random.default_rng(6).normal(size=(6, 24))
        ax.plot(decades(x, w, h, g), color=colour, label=f"z = {z}")
    ax.set(xlabel="distance, steps", ylabel="powers of ten", ylim=(-25, 1))
    ax.legend(frameon=False)
    plt.show()


how_far()

# %% [markdown]
# ## 3. The worst direction of a matrix that you never see (`ps3-sigma`, 12 points, hard)
#
# How much can 50 steps stretch a gradient *at worst*? That is the largest singular value of a Jacobian
# product. With a thousand units the product has a million entries, and most programs cannot even tell
# you one: they can send a gradient back (that is what autograd does), and they can send a small change
# forth. From these two alone the singular value can be had, and its direction with it.
#
# There is a matrix $A$ `(n, m)`, which you do not get. You get two functions.
#
# Write `stretch(forth, back, n, seed)`:
#
# - `forth(v)` takes a row `(n,)` and returns $vA$ `(m,)`; `back(g)` takes a row `(m,)` and returns
#   $g A^\top$ `(n,)`. Both are linear and exact to rounding. `n`: 1 to 1,000. `seed` for your generator.
# - Returns a number, $\sigma_{\max}(A)$, to a relative error of `1e-6`.
# - You may call each of the two at most **300 times**.
# - $A$ need not be square or normal; entries may be of size `1e-60` or `1e60`, or all 0 (then
#   $\sigma_{\max} = 0$). The second singular value is at most .9 of the first. In which direction
#   $A$ stretches most, nobody knows: it may be orthogonal to any vector that you choose beforehand.
#
# Worked example: $A = \mathrm{diag}(1, 0, 0)$ has $\sigma_{\max} = 1$; it keeps what lies along the first axis.
# To check yourself: $\mathrm{diag}(3, 2, .5)$ has 3, and $N$ of chapter 6, with .9, 2, 0, .9, has 2.35.
#
# <details><summary>Hint 1</summary>
#
# If a matrix is applied again and again, and the row is rescaled to length 1 each time, it turns into the
# direction that grows fastest (chapter 6, Many different matrices). But $A$ applied again and again
# shows its eigenvalue. Which matrix has $\sigma^2$ as its eigenvalues?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $v A A^\top$ is `back(forth(v))`. $A A^\top$ is symmetric: its eigenvalue is its stretch.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-sigma", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stretch(forth, back, n, seed):
    """Return the largest singular value of a matrix A (n, m) that is given by two functions.

    forth: takes v (n,), returns v A (m,). back: takes g (m,), returns g A^T (n,). At most 300
    calls of each.
    """
    ### BEGIN SOLUTION
    v = np.random.default_rng(seed).normal(size=n)
    size = 0.0
    for _ in range(150):
        v = v / np.linalg.norm(v)
        there = np.asarray(forth(v))
        size = np.linalg.norm(there)
        if size == 0:
            return 0.0
        v = np.asarray(back(there / size))
    return float(size)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-sigma-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_sigma():
    A = np.diag([1.0, 0.0, 0.0])
    got = stretch(lambda v: np.asarray(v) @ A, lambda g: np.asarray(g) @ A.T, 3, 0)
    assert np.shape(got) == (), "one number expected, not an array"
    assert same(got, 1.0), (
        "worked example: 1 expected (chapter 6, Three numbers that are not the same)"
    )


visible_sigma()


### BEGIN HIDDEN TESTS
def sigma_case(n, m, seed):
    """A matrix with singular values 2, 1.8, 1.62, ... in random directions."""
    rng = np.random.default_rng(seed)
    k = min(n, m)
    U, V = (np.linalg.qr(rng.normal(size=(size, k)))[0] for size in (n, m))
    return U @ np.diag(2 * 0.9 ** np.arange(k)) @ V.T


def hidden_sigma():
    calls = {"forth": 0, "back": 0}

    def asked(A, seed):
        calls["forth"] = calls["back"] = 0

        def forth(v):
            calls["forth"] += 1
            return np.asarray(v) @ A

        def back(g):
            calls["back"] += 1
            return np.asarray(g) @ A.T

        return stretch(forth, back, len(A), seed)

    got = asked(np.diag([2.0, 0.2, 0.1]), 1)
    assert not same(got, 4.0), (
        "4 for a matrix with the singular values 2, .2, .1: the eigenvalue of A A^T is sigma"
        " SQUARED (chapter 6, Three numbers that are not the same)"
    )
    assert same(got, 2.0), (
        "a diagonal matrix with singular values 2, .2, .1: the LARGEST is wanted, which comes out"
        " after a few rounds; neither a mean of the rounds nor one round alone (chapter 6, Three"
        " numbers that are not the same)"
    )
    got = asked(np.diag([-3.0, 1.0]), 2)
    assert same(got, 3.0), (
        "eigenvalue -3, singular value 3: a stretch is never negative (chapter 6, Three numbers)"
    )
    for A in [
        [[0.0, 2.0], [0.0, 0.0]],  # eigenvalues 0, and it stretches by 2
        [[0.9, 2.0], [0.0, 0.9]],  # the example of chapter 6
        [[0.0, 3.0], [-1.0, 0.0]],  # complex eigenvalues, and it stretches by 3
    ]:
        A = np.array(A)
        got = asked(A, 3)
        assert same(got, np.linalg.norm(A, 2)), (
            "not normal: N of chapter 6 has radius .9 and stretches by 2.35. Eigenvalues and v A v^T"
            " say nothing here: go forth AND back, A A^T (chapter 6, Three numbers that are not the"
            " same)"
        )
    for seed in range(3):
        got = asked(np.diag([1.0, 0.9, 0.5, 0.9]), seed)
        assert same(got, 1.0), (
            "slow: the second singular value is .9 of the first, and what is wrong shrinks by .81 in"
            " a round; 1e-6 takes some 70 rounds. Stop when a round changes the number by 1e-6 of"
            " it, and you stop at four times that error: make more rounds, they are allowed"
            " (chapter 6, Many different matrices, How to compute them)"
        )
    for n, m in [(7, 40), (40, 7), (1, 5), (5, 1), (30, 30)]:
        A = sigma_case(n, m, seed=n + m)
        assert same(asked(A, 4), 2.0), (
            "A need not be square: back leads from (m,) to (n,), forth from (n,) to (m,);"
            " neither the Frobenius norm nor a mean stretch (chapter 6, Three numbers that are"
            " not the same)"
        )
    # small powers of two: no rounding error leaks into the worst direction and saves a fixed start
    for A in [
        [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.5]],
        [[0.5, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]],
        [[0.5, -1.0], [-1.0, 0.5]],
    ]:
        for seed in range(3):
            assert same(asked(np.array(A), seed), np.linalg.norm(A, 2)), (
                "the worst direction is orthogonal to the first axis, or to (1, ..., 1): a"
                " start that is fixed may never see it; begin with a random row (chapter 6,"
                " Many different matrices, the code)"
            )
    for size in (1e-60, 1e60):
        A = size * sigma_case(6, 5, seed=5)
        assert same(asked(A, 5), 2 * size), (
            "entries of 1e-60 or 1e60: rescale the row in every round, or it underflows or"
            " overflows (chapter 6, Many different matrices, How to compute them)"
        )
    got = asked(np.zeros((4, 3)), 6)
    assert np.isfinite(got) and got == 0, (
        "A = 0: sigma is 0; do not divide 0 by 0 when you rescale (chapter 6, Three numbers)"
    )
    A = sigma_case(400, 300, seed=7)
    got = asked(A, 7)
    assert max(calls.values()) <= 300, (
        "more than 300 calls: do not build A row by row (chapter 6, Many different matrices)"
    )
    assert same(got, 2.0), "400 rows: more rounds are needed, some 100 (chapter 6, Three numbers)"
    # what it is for: fifty steps of a network
    x, w, h = leaky_case(50, 1, 2, 5, seed=8, z=np.full(5, 0.9), scale=0.3)
    steps = []
    for t in range(50):
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ w["W_hh"] + w["b_h"])[0]
        steps.append(np.diag(w["z"]) + w["W_hh"] * ((1 - w["z"]) * (1 - s**2)))
    P = np.linalg.multi_dot(steps)
    assert same(asked(P, 9), np.linalg.norm(P, 2)), (
        "fifty steps of a leaky network: forth and back, rescaled, from a random row (chapter 6, Three"
        " numbers that are not the same)"
    )


hidden_sigma()
### END HIDDEN TESTS

# %% [markdown]
# ## 4. A memory of several steps is one matrix (`ps3-rho`, 10 points, medium)
#
# A skip connection in time adds the state of m steps ago. Take the linear network
#
# $$ h_t = h_{t-1} W + h_{t-m} W_m . $$
#
# How fast does it grow or vanish in the end, per step? It depends on m states at once, so no power of
# $W$ or $W_m$ alone can tell. But put these m states side by side into one long row, $u_{t-1} =
# (h_{t-1}, h_{t-2}, \dots, h_{t-m})$, $mH$ numbers. The next such row is $u_t = u_{t-1} C$, always with
# the same matrix $C$; and the answer is *its* spectral radius.
#
# Write `skip_radius(W, W_m, m)`:
#
# - `W`, `W_m` `(H, H)`, `m` $\ge 1$. ($m = 1$: both act on the same state.)
# - Returns a number: the spectral radius of $C$, the factor per step by which a typical state (and its
#   gradient) is multiplied in the end.
# - No matter whether the eigenvalue is negative or complex. In the tests mH is at most 120.
#
# Worked example: one unit, $W = .5$, $W_m = .3$, $m = 1$: each step multiplies by .8. A second one,
# to check yourself: $W = .5$, $W_m = .06$, $m = 2$ gives .6, since $.6^2 = .5 \cdot .6 + .06$. A
# third is exercise 7 of chapter 6.
#
# <details><summary>Hint</summary>
#
# Write $C$ for $m = 3$ as $3 \times 3$ blocks. The first block column makes $h_t$ out of $h_{t-1}$ and
# $h_{t-3}$. The others move states one place on. Try `u @ C` against the formula before you ask for
# eigenvalues.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-rho", "locked": false, "schema_version": 3, "solution": true, "task": false}
def skip_radius(W, W_m, m):
    """Return the factor per step by which h_t = h_{t-1} W + h_{t-m} W_m grows in the end.

    W, W_m: (H, H). m: 1 or more.
    """
    ### BEGIN SOLUTION
    H = len(W)
    C = np.eye(m * H, k=H)  # moves each state one place on
    C[:, :H] = 0
    C[:H, :H] += W
    C[-H:, :H] += W_m
    return float(np.abs(np.linalg.eigvals(C)).max())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-rho-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_rho():
    got = skip_radius(np.array([[0.5]]), np.array([[0.3]]), 1)
    assert np.shape(got) == (), "one number expected, not an array"
    assert same(got, 0.8), (
        "worked example: .5 + .3 = .8 expected (chapter 6, Remedies for vanishing)"
    )


visible_rho()


### BEGIN HIDDEN TESTS
def rho_truth(W, W_m, m):
    """Gelfand: run the recursion on all unit rows, square the matrix again and again, take roots."""
    H = len(W)
    basis = np.eye(m * H)
    blocks = [basis[:, i * H : (i + 1) * H] for i in range(m)]  # newest first
    M = np.concatenate([blocks[0] @ W + blocks[-1] @ W_m, *blocks[:-1]], axis=1)
    log_size = 0.0
    for _ in range(40):
        size = np.abs(M).max()
        if size == 0:
            return 0.0
        M = M / size
        log_size = 2 * (log_size + np.log(size))
        M = M @ M
    return float(np.exp((log_size + np.log(np.abs(M).max())) / 2**40))


def hidden_rho():
    def right(W, W_m, m):
        W, W_m = np.array(W, dtype=float), np.array(W_m, dtype=float)
        given = [W.copy(), W_m.copy()]
        got = skip_radius(*[*given, m])
        assert np.isrealobj(got), (
            "the spectral radius is a real number: the modulus (chapter 6, Three numbers)"
        )
        assert unchanged(given, [W, W_m]), "do not change the arguments: work on a copy"
        mixed = rho_truth(W, W_m.T, m)
        assert same(rho_truth(W, W_m, m), mixed) or not same(got, mixed), (
            "this is the radius with ONE of the two blocks transposed: rows are multiplied from the"
            " right by W and by W_m themselves, h @ W_m; no transposition (chapter 6, Remedies for"
            " vanishing, and exercise 7)"
        )
        return same(got, rho_truth(W, W_m, m))

    turn = [[0.54, 0.72], [-0.72, 0.54]]
    assert right(turn, np.zeros((2, 2)), 1), (
        "a rotation times .9 has the eigenvalues .54 +- .72i: the modulus, not the real part;"
        " and W_m = 0 leaves W (chapter 6, Three numbers that are not the same)"
    )
    assert right([[0.9, 2.0], [0.0, 0.7]], np.zeros((2, 2)), 1), (
        "not normal: the singular value 2.2 is no radius; .9 is (chapter 6, Three numbers"
        " that are not the same)"
    )
    assert right([[0.3, 1.0], [0.0, 0.2]], [[0.1, 0.0], [0.7, 0.4]], 1), (
        "m = 1: both act on the same state, W + W_m; their radii do not add (chapter 6,"
        " Remedies for vanishing, and exercise 7)"
    )
    assert right([[0.5]], [[0.06]], 2), (
        "one unit, m = 2: r**2 = .5 r + .06, r = .6; it is neither .5 + .06, nor the larger"
        " of the two, nor a singular value of C (chapter 6, Remedies for vanishing, and"
        " exercise 7)"
    )
    assert right([[0.4]], [[0.4]], 8), (
        "exercise 7 of chapter 6: .954, with m = 8 and not 7 or 9 (chapter 6, Remedies for"
        " vanishing, and exercise 7)"
    )
    assert right([[-0.5]], [[0.06]], 2), (
        "the largest eigenvalue in size is -.6: the spectral radius is its modulus, .6"
        " (chapter 6, Three numbers that are not the same)"
    )
    assert right(np.zeros((2, 2)), np.array(turn), 4), (
        "skips alone: one factor in every m steps, so the m-th root of the radius of W_m"
        " (chapter 6, Remedies for vanishing, and exercise 7)"
    )
    assert right(turn, np.zeros((2, 2)), 5), (
        "no skip, m = 5: the radius of W (chapter 6, Remedies for vanishing, and exercise 7)"
    )
    rng = np.random.default_rng(40)
    for H, m in [(2, 2), (3, 3), (4, 2), (5, 7), (3, 20), (6, 20), (1, 12), (8, 1)]:
        W = rng.normal(size=(H, H)) / np.sqrt(H)
        W_m = rng.normal(size=(H, H)) / np.sqrt(H)
        assert right(W, W_m, m), (
            "larger H and m: check u @ C against the recursion. Neither block is transposed,"
            " W acts on the newest state and W_m on the one of m steps ago (chapter 6,"
            " Remedies for vanishing, and exercise 7)"
        )
    assert right(np.zeros((3, 3)), np.zeros((3, 3)), 3), (
        "all weights 0: radius 0 (chapter 6, Three numbers)"
    )


hidden_rho()
### END HIDDEN TESTS

# %% [markdown]
# ## 5. How fast two runs part (`ps3-lyapunov`, 12 points, hard)
#
# Chapter 6 computes Lyapunov exponents from Jacobians. A stranger's system, a compiled one say, has
# no Jacobians to look at, and autograd does not see into it. You can only *run* it, from any state you
# like. That is enough for the largest exponent: start a second run very near the first, and watch the
# distance. In the end it is multiplied by $e^{\lambda_1}$ per step, as long as it stays tiny. It does not
# stay tiny, of course, if $\lambda_1 > 0$; so after each step put the second run back to the old distance
# from the first, *in the direction in which it now lies*.
#
# Write `largest_exponent(step, h0, T, skip, seed)`:
#
# - `step(h, t)`, a function: takes a state `(H,)` and the number of the step, 0, 1, 2, ..., and
#   returns the next state `(H,)`, a new array. The steps need not be alike: inputs come with `t`. The
#   same `h` and `t` always give the same state. Entries of states are of size 2 or less. `step` is smooth
#   near the run, but it may be strongly curved, and a single step may bring two runs a thousand times
#   nearer.
# - `h0` `(H,)`, the first state. `T`, how many steps count; `skip`, how many are made *before* these,
#   in which the direction settles, and do not count. `seed` for your generator.
# - Returns a number, the growth rate of the distance in **nats per step**, to an error of `0.005`.
# - You may call `step` at most `3 * (T + skip)` times. T goes up to 2,000. In the tests two runs never
#   meet exactly.
#
# Worked example: `step(h, t)` $= .5\, h$, whatever t: $\lambda_1 = \log .5 = -.693147$.
#
# <details><summary>Hint 1</summary>
#
# How near? Too far, and you measure curvature; too near, and the difference of two numbers of size 1
# has no digits left. Remember the step of a finite difference in chapter 5, Do not believe it, and take
# a distance of about `1e-7`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In which direction should the second run start? One that you choose beforehand may be the one that
# does not grow.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-lyapunov", "locked": false, "schema_version": 3, "solution": true, "task": false}
def largest_exponent(step, h0, T, skip, seed):
    """Return the largest Lyapunov exponent of a system that can only be run, nats per step.

    step: takes h (H,) and the number of the step, returns the next state. h0: (H,). T steps count,
    after skip that do not.
    """
    ### BEGIN SOLUTION
    near = 1e-7
    apart = np.random.default_rng(seed).normal(size=len(h0))
    apart *= near / np.linalg.norm(apart)
    h, total = np.array(h0), 0.0
    for t in range(skip + T):
        other = np.asarray(step(h + apart, t))
        h = np.asarray(step(h, t))
        apart = other - h
        distance = np.linalg.norm(apart)
        apart = apart * (near / distance)
        if t >= skip:
            total += np.log(distance / near)
    return total / T
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-lyapunov-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_lyapunov():
    got = largest_exponent(lambda h, t: 0.5 * np.asarray(h), np.zeros(1), 1, 0, 0)
    assert np.shape(got) == (), "one number expected, not an array"
    assert abs(got - np.log(0.5)) < 0.005, (
        "worked example, one step: -.693147 expected (chapter 6, Many different matrices)"
    )


visible_lyapunov()


### BEGIN HIDDEN TESTS
def hidden_lyapunov():
    calls = []

    def linear(matrices):
        """h @ matrix of step t, in turn."""

        def step(h, t):
            calls.append(t)
            return np.asarray(h) @ matrices[int(t) % len(matrices)]

        return step

    def right(step, h0, T, skip, want):
        found = []
        for seed in range(2 if T < 500 else 1):
            calls.clear()
            given = np.array(h0, dtype=float)
            got = largest_exponent(step, given, T, skip, seed)
            assert len(calls) <= 3 * (T + skip), (
                "at most 3 (T + skip) calls of step: two runs need two a step (chapter 6,"
                " Many different matrices)"
            )
            assert unchanged([given], [np.array(h0, dtype=float)]), (
                "do not change h0: work on a copy"
            )
            found.append(bool(np.isfinite(got) and abs(got - want) < 0.005))
        return all(found)

    assert right(linear([np.array([[0.5]])]), [0.0], 40, 0, np.log(0.5)), (
        "the same factor .5 in 40 steps: the mean of the logarithms PER STEP, so divide by T;"
        " natural logarithms (chapter 6, Many different matrices)"
    )
    assert right(linear([np.array([[0.5]])]), [0.0], 30, 20, np.log(0.5)), (
        "skip = 20, T = 30: T steps count AFTER the skipped ones; divide by T, not T + skip"
        " (chapter 6, Many different matrices)"
    )
    first = [np.array([[6.0]])] * 25 + [np.array([[0.8]])] * 75
    assert right(linear(first), [0.0], 75, 25, np.log(0.8)), (
        "a transient of 25 wild steps, skip = 25: their growth must not count; and step gets"
        " the number of the step, from 0 (chapter 6, Many different matrices)"
    )
    mixed = [np.array([[4.0]]), np.array([[0.1]])]
    assert right(linear(mixed), [0.0], 200, 0, 0.5 * np.log(0.4)), (
        "factors 4 and .1 in turn: the mean of the logarithms, (log 4 + log .1) / 2; the"
        " logarithm of the mean factor is positive (chapter 6, Many different matrices, and"
        " exercise 3)"
    )
    for factor in (3.0, 0.3):
        assert right(linear([np.array([[factor]])]), [0.0], 1_000, 0, np.log(factor)), (
            "a factor of 3, or of .3, in 1,000 steps: the product overflows or underflows;"
            " take the logarithm at each step and rescale (chapter 6, Many different matrices)"
        )
    assert right(linear([np.diag([0.5, 1.5, 0.7])]), np.zeros(3), 300, 60, np.log(1.5)), (
        "diag(.5, 1.5, .7): the LARGEST exponent; a start along one axis never sees the"
        " others, and a direction that is drawn anew at each step never settles (chapter 6,"
        " Many different matrices)"
    )
    assert right(linear([np.diag([1.5, 0.5, 0.7])]), np.zeros(3), 300, 60, np.log(1.5)), (
        "diag(1.5, .5, .7): the largest exponent, whichever axis it has (chapter 6, Many"
        " different matrices)"
    )
    # powers of two: no rounding error leaks into the direction that grows and saves a fixed start
    for along in (0.5, -0.5):  # the one that shrinks less is (1, -1), then (1, 1)
        crossed = linear([np.array([[0.25, -along], [-along, 0.25]])])
        assert right(crossed, np.zeros(2), 100, 50, np.log(0.75)), (
            "the direction of the largest exponent is orthogonal to (1, 1), or to (1, -1): a start"
            " that is fixed may never see it; begin in a random direction (chapter 6, Many"
            " different matrices, the code)"
        )
    assert right(linear([np.array([[0.5, 3.0], [0.0, 0.2]])]), np.zeros(2), 300, 60, np.log(0.5)), (
        "a matrix that is not normal: in the end its spectral radius .5 counts, not its"
        " singular value 3.05; keep the direction from step to step (chapter 6, Many different"
        " matrices)"
    )
    A = [np.array([[0, 2.0], [0, 0]]), np.array([[0, 0], [2.0, 0]])]
    assert right(linear(A), np.zeros(2), 400, 20, np.log(2)), (
        "two matrices of radius 0 in turn grow by 4 in two steps (chapter 6, Many different"
        " matrices)"
    )
    B = [np.diag([2.0, 0.1]), np.diag([0.1, 2.0])]
    assert right(linear(B), np.zeros(2), 400, 20, 0.5 * np.log(0.2)), (
        "two matrices of radius 2 in turn shrink by .2 in two steps: carry the direction on,"
        " do not begin each step afresh (chapter 6, Many different matrices)"
    )

    middle, slopes = np.array([0.9, -0.8, 0.7]), np.array([1e-3, 8e-4, 6e-4])

    def drawn(h, t):
        calls.append(t)
        return middle + (np.asarray(h) - middle) * slopes

    assert right(drawn, middle, 200, 20, np.log(1e-3)), (
        "a step that brings two runs a thousand times nearer: the second run was too near before,"
        " and the difference of two states has no digits left; a distance of 1e-7 or so (chapter"
        " 5, Do not believe it)"
    )

    def curved(h, t):
        calls.append(t)
        u = np.asarray(h) - 0.9
        return 0.9 + 0.5 * u + 100 * u * u

    assert right(curved, [0.9], 50, 0, np.log(0.5)), (
        "at rest at .9, slope .5, strongly curved: the second run is too far away, and you measure"
        " the curvature; a distance of 1e-7 or so (chapter 5, Do not believe it)"
    )

    # two that are known to be chaotic, beside the exact derivative along the same run
    def henon(h, t):
        calls.append(t)
        u, v = np.asarray(h)
        return np.array([1 - 1.4 * u * u + v, 0.3 * u])

    h, row, total = np.array([0.1, 0.1]), np.array([0.6, 0.8]), 0.0
    for t in range(1_600):
        row = row @ np.array([[-2.8 * h[0], 0.3], [1.0, 0.0]])
        h = henon(h, t)
        total += np.log(np.linalg.norm(row)) if t >= 100 else 0.0
        row = row / np.linalg.norm(row)
    assert right(henon, [0.1, 0.1], 1_500, 100, total / 1_500), (
        "the Henon map is chaotic: without putting the second run back near the first at EACH"
        " step the distance stops growing when it is as large as the states (chapter 6, Many"
        " different matrices)"
    )
    rng = np.random.default_rng(50)
    for gain, H in [(2.5, 8), (0.8, 6)]:
        W, push = gain * rng.normal(size=(H, H)) / np.sqrt(H), 0.3 * rng.normal(size=(900, H))

        def network(h, t, W=W, push=push):
            calls.append(t)
            return np.tanh(np.asarray(h) @ W + push[int(t)])

        h, row, total = np.zeros(H), rng.normal(size=H), 0.0
        for t in range(900):
            h = network(h, t)
            row = (row @ W) * (1 - h**2)
            total += np.log(np.linalg.norm(row)) if t >= 100 else 0.0
            row = row / np.linalg.norm(row)
        assert right(network, np.zeros(H), 800, 100, total / 800), (
            "a tanh network with inputs: both runs must get the same step number, and so the"
            " same input, at the same time (chapter 6, Many different matrices)"
        )


hidden_lyapunov()
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Orthogonal, and really random (`ps3-ortho`, 8 points, easy)
#
# Chapter 6 draws orthogonal matrices. Half of them are mirrors: their determinant is -1. No
# path of orthogonal matrices without a jump leads from a mirror to a **rotation**, determinant +1,
# since the determinant would have to jump. (Training moves in steps, so it may leap over.) Who wants a
# smooth path to the identity must begin with a rotation.
#
# Write `rotation(n, seed, gain=1.0)`:
#
# - `n` $\ge 1$; `seed` for your generator: the same seed gives the same matrix, another seed another one;
#   `gain` $> 0$.
# - Returns `gain` $\cdot\, Q$ with $Q$ `(n, n)`, $Q Q^\top = I$, $\det Q = 1$, drawn **uniformly**: no
#   direction is preferred. (Turn all matrices by a fixed rotation, and nobody can tell the difference.) In
#   particular each entry of $Q$, $n \ge 2$, is 0 on average, its square $1/n$ and its fourth power
#   $3 / (n (n + 2))$.
#
# Worked example: `rotation(1, seed)` is `[[1.0]]` for every seed, there is no other.
#
# <details><summary>Hint</summary>
#
# Chapter 6, Remedies for vanishing, has the QR factorisation of a Gaussian matrix and says what its signs
# need. Which change of a single column makes a mirror into a rotation? For even n, would $-Q$ do?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-ortho", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rotation(n, seed, gain=1.0):
    """Draw a rotation matrix (n, n), uniformly, times gain."""
    ### BEGIN SOLUTION
    Q, R = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)  # an implementation's signs are not random
    if np.linalg.det(Q) < 0:
        Q[:, 0] = -Q[:, 0]
    return gain * Q
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-ortho-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_ortho():
    for seed in range(3):
        Q = np.asarray(rotation(1, seed))
        assert Q.shape == (1, 1), "rotation(1, seed) must be (1, 1)"
        assert same(Q, [[1.0]]), (
            "worked example: [[1.]] expected (chapter 6, Remedies for vanishing, one by one)"
        )
    Q = np.asarray(rotation(5, 0))
    assert Q.shape == (5, 5), "rotation(5, seed) must be (5, 5)"


visible_ortho()


### BEGIN HIDDEN TESTS
def hidden_ortho():
    for n in (2, 3, 4, 7, 20):
        for seed in range(6):
            Q = np.asarray(rotation(n, seed))
            exact = Q.astype(np.float64)
            assert same(exact @ exact.T, np.eye(n), rtol=1e-3), (
                "Q Q^T must be I: all singular values 1, not only the largest, and not only"
                " on average (chapter 6, Remedies for vanishing, one by one)"
            )
            assert np.linalg.det(exact) > 0, (
                "a mirror, det = -1. Turn ONE column (or row) round; -Q has the same"
                " determinant if n is even (chapter 6, Remedies for vanishing, one by one)"
            )
            assert Q.dtype == np.float64 and same(exact @ exact.T, np.eye(n)), (
                "a rotation, but not a precise one: use float64. PyTorch draws float32 unless it"
                " is told dtype=torch.float64 (Conventions)"
            )
    for gain in (0.5, 3.0):
        Q = np.asarray(rotation(4, 1, gain))
        assert same(Q @ Q.T, gain**2 * np.eye(4)), (
            "gain multiplies the matrix: all singular values are gain (chapter 6, Remedies"
            " for vanishing, one by one)"
        )
    assert same(rotation(6, 5), np.asarray(rotation(6, 5)), rtol=1e-12), "same seed, same matrix"
    assert not same(rotation(6, 5), np.asarray(rotation(6, 6))), "another seed, another matrix"
    for n in (2, 3, 4):
        drawn = np.stack([np.asarray(rotation(n, seed)) for seed in range(600)])
        mean, square = drawn.mean(axis=0), (drawn**2).mean(axis=0)
        assert np.abs(mean).max() < 0.18, (
            "600 matrices: some entries are not 0 on average. The signs of a QR factorisation"
            " are not random: make the diagonal of R positive, column by column; and a"
            " rotation near the identity is not uniform (chapter 6, Remedies for vanishing,"
            " one by one)"
        )
        assert np.abs(square - 1 / n).max() < 0.09, (
            "600 matrices: squared entries are not 1 / n on average: some directions are"
            " preferred. Use the QR factorisation of a Gaussian matrix (chapter 6, Remedies"
            " for vanishing, one by one)"
        )
        trace = np.trace(drawn, axis1=1, axis2=2)
        wanted = 2.0 if n == 2 else 1.0
        assert abs((trace**2).mean() - wanted) < 0.35, (
            "600 matrices: the traces do not spread as those of uniform rotations (chapter 6,"
            " Remedies for vanishing, one by one)"
        )
    # uniform: .0857, over 1,000 draws +- .0005; QR of uniform entries .077, of signs .074
    fourth = np.mean([(np.asarray(rotation(5, seed)) ** 4).mean() for seed in range(1_000)])
    assert abs(fourth - 3 / 35) < 0.004, (
        "1,000 matrices, n = 5: the fourth powers of the entries are not 3 / (n (n + 2)) on average."
        " Of all entries that you can draw for the QR factorisation only GAUSSIAN ones have no"
        " preferred direction (chapter 6, Remedies for vanishing, one by one)"
    )


hidden_ortho()
### END HIDDEN TESTS

# %% [markdown]
# ## 7. One loud sequence (`ps3-clip`, 12 points, medium)
#
# Chapter 6 clips the gradient of a batch. By then it is too late for the other sequences: if one of 64
# explodes, the clipped gradient is that one's direction, and what the 63 had to say is gone. So clip
# earlier: **each sequence's gradient by its own global norm**, then take the mean. (The price: one gradient
# for each sequence has to be held. And the mean of clipped gradients no longer points where the
# gradient of the mean loss does.)
#
# Write `clip_each(grads, limit)`:
#
# - `grads`, a dict of one or more arrays `(B, ...)` with $B \ge 1$, `float32` or `float64`, of different
#   shapes: `grads[name][b]` is the gradient of sequence b by the weight `name` (whose shape may be `()`).
#   `limit` $c > 0$, tiny or huge, and it may be `np.inf`.
# - The gradient $G_b$ of a sequence is *all* its arrays side by side, and becomes $G_b \min(1, c /
#   \|G_b\|)$. A sequence whose gradient holds NaN or infinity, anywhere, is left out altogether, and
#   the mean is over the others.
# - Returns the tuple `(mean, norms)`: `mean`, a dict with the names of `grads`, each array without its
#   first axis, in the dtype that it came in, 0 if no sequence is left; and `norms` `(B,)`, `float64`, each
#   sequence's $\|G_b\|$ *before* clipping, `np.inf` for those left out.
# - Entries may be as large as `1e30` and as small as `1e-30`, in `float32` too. Compared to a relative error
#   of `1e-5`.
#
# Worked example: one sequence with `grads = {"W": [[3, 4]]}` and limit 1: the norm is 5, the mean
# `{"W": [.6, .8]}`.
#
# <details><summary>Hint</summary>
#
# What is the square of `1e30` in `float32`? (Chapter 6, Clipping, has a norm that does not overflow.)
# And what is `limit / norm` for a sequence whose gradient is 0?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-clip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clip_each(grads, limit):
    """Clip each sequence's gradient by its own global norm; return the mean and the old norms.

    grads: dict of arrays (B, ...). Sequences that are not finite are left out. Returns a dict of
    arrays without the first axis, and norms (B,), inf for those left out.
    """
    ### BEGIN SOLUTION
    flat = [g.reshape(len(g), -1).astype(np.float64) for g in grads.values()]
    everything = np.concatenate(flat, axis=1)  # (B, number of weights)
    fine = np.isfinite(everything).all(axis=1)
    norms = np.full(len(everything), np.inf)
    norms[fine] = np.linalg.norm(everything[fine], axis=1)
    factor = np.ones(len(norms))
    long = fine & (norms > limit)
    factor[long] = limit / norms[long]
    mean = {}
    for name, g in grads.items():
        kept = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (kept.sum(axis=0) / max(fine.sum(), 1)).astype(g.dtype)
    return mean, norms
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-clip-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_clip():
    mean, norms = clip_each({"W": np.array([[3.0, 4.0]])}, 1.0)
    assert set(mean) == {"W"}, "mean must have the names of grads, here W alone"
    assert same(norms, [5.0]), "worked example: norms [5] expected (chapter 6, Clipping)"
    assert getattr(norms, "dtype", None) == np.float64, "norms must be an array of float64"
    assert same(mean["W"], [0.6, 0.8]), (
        "worked example: mean [.6, .8] expected (chapter 6, Clipping)"
    )
    rng = np.random.default_rng(0)
    mean, norms = clip_each({"W": rng.normal(size=(4, 2, 3)), "b": rng.normal(size=(4, 3))}, 1.0)
    assert np.shape(mean["W"]) == (2, 3) and np.shape(mean["b"]) == (3,), (
        "each mean has the shape of the weight, without the axis of the sequences"
    )
    assert np.shape(norms) == (4,), "four sequences: norms must be (B,) = (4,)"


visible_clip()


### BEGIN HIDDEN TESTS
def clip_truth(grads, limit):
    """One sequence after the other, one entry after the other, in Python's own numbers."""
    B = len(next(iter(grads.values())))
    total = {name: np.zeros(g.shape[1:]) for name, g in grads.items()}
    norms, n = np.full(B, np.inf), 0
    for b in range(B):
        entries = [float(e) for g in grads.values() for e in np.ravel(g[b])]
        if not np.all(np.isfinite(entries)):
            continue
        n += 1
        norms[b] = np.hypot.reduce(entries)
        factor = limit / norms[b] if norms[b] > limit else 1.0
        for name, g in grads.items():
            total[name] = total[name] + factor * g[b].astype(np.float64)
    return {name: a / max(n, 1) for name, a in total.items()}, norms


def clip_case(B, seed, dtype=np.float64, sizes=1.0):
    rng = np.random.default_rng(seed)
    shapes = {"W_xh": (3, 4), "W_hh": (4, 4), "b_h": (4,), "z": ()}
    sizes = np.broadcast_to(sizes, (B,))
    return {
        name: np.asarray(rng.normal(size=(B, *s)) * sizes.reshape(-1, *[1] * len(s)), dtype=dtype)
        for name, s in shapes.items()
    }


def hidden_clip():
    def right(grads, limit):
        given = copy.deepcopy(grads)
        mean, norms = clip_each(given, limit)
        want, lengths = clip_truth(grads, limit)
        assert getattr(norms, "dtype", None) == np.float64, (
            "norms must be an array of float64, whatever the dtype of the gradients (task 7, what it"
            " returns)"
        )
        norms = np.asarray(norms)
        assert norms.shape == lengths.shape, "norms: one number for each sequence, (B,)"
        assert unchanged([given], [grads]), "do not change the arguments: work on a copy"
        assert all([np.asarray(mean[name]).dtype == g.dtype for name, g in grads.items()]), (
            "each array of the mean has the dtype that it came in (chapter 6, Clipping)"
        )
        finite = np.isfinite(lengths)
        if not np.array_equal(np.isposinf(norms), ~finite):
            return False
        means = all([same(mean[name], want[name], rtol=1e-5) for name in want])
        return means and same(norms[finite], lengths[finite], rtol=1e-5)

    one = clip_case(1, 70)
    assert right(one, 0.1), (
        "one sequence, several arrays: the norm of ALL its entries together, and one factor"
        " for all of them, so that the direction stays (chapter 6, Clipping: for the explosion"
        " only)"
    )
    assert right(one, 1e3), (
        "a gradient shorter than the limit stays as it is: the factor is at most 1 (chapter"
        " 6, Clipping: for the explosion only)"
    )
    assert right(one, np.inf), (
        "limit = inf: nothing is clipped (chapter 6, Clipping: for the explosion only)"
    )
    assert right(clip_case(5, 71), 1e3), (
        "nothing to clip: the plain mean over the sequences (chapter 6, Clipping: for the"
        " explosion only)"
    )
    assert right(clip_case(5, 72, sizes=[0.1, 1, 0.2, 30, 1e6]), 2.0), (
        "five sequences, two of them loud: each is clipped by its OWN norm before the mean;"
        " not the mean, not all by the norm of the batch (chapter 6, Clipping: for the"
        " explosion only)"
    )
    quiet = clip_case(3, 73)
    for g in quiet.values():
        g[1] = 0
    assert right(quiet, 0.5), (
        "a sequence whose gradient is 0 has norm 0 and stays 0: no 0 / 0 (chapter 6,"
        " Clipping: for the explosion only)"
    )
    for g in quiet.values():
        g[:] = 0
    assert right(quiet, 0.5), "all gradients 0 (chapter 6, Clipping: for the explosion only)"
    mixed = clip_case(4, 74, sizes=[1, 10, 100, 0.01])
    mixed["W_hh"] = mixed["W_hh"].astype(np.float32)
    mixed["z"] = mixed["z"].astype(np.float32)
    assert right(mixed, 1.0), (
        "float32 and float64 in one gradient: one norm for both, each dtype kept (chapter 6,"
        " Clipping: for the explosion only)"
    )
    assert right({"W": np.array([[3e-8, 4e-8]])}, 1e-8), (
        "norm 5e-8, limit 1e-8: (6e-9, 8e-9) is wanted. The factor is c / norm, not PyTorch's"
        " c / (norm + 1e-6) (chapter 6, Clipping: for the explosion only)"
    )
    for size in (1e30, 1e-30):
        assert right(clip_case(3, 75, np.float32, size), 1.0), (
            "float32 entries of 1e30 or 1e-30: their squares are inf or 0 in float32; take"
            " the norm in float64 (chapter 6, Clipping: for the explosion only)"
        )
        assert right(clip_case(3, 75, np.float32, size), 0.5 * size), (
            "float32 entries and a limit of 1e30 or 1e-30: gradients this small or large are clipped"
            " like others. The factor is c / norm: no 1e-6 is added to the norm, and none is taken"
            " for 0 (chapter 6, Clipping: for the explosion only)"
        )
    for bad in (np.nan, np.inf, -np.inf):
        broken = clip_case(4, 76, sizes=[1, 1, 50, 1])
        broken["b_h"][1, 2] = bad
        assert right(broken, 1.5), (
            "one entry is NaN or infinite: the whole sequence is left out, its norm is inf,"
            " and the mean is over the three others, not divided by four (chapter 6, Clipping:"
            " for the explosion only)"
        )
        broken["z"][[0, 2, 3]] = bad
        assert right(broken, 1.5), (
            "no sequence is left: the mean is 0 and all norms inf (chapter 6, Clipping: for"
            " the explosion only)"
        )
    for B, limit, seed in [(1, 0.3, 77), (2, 1.0, 78), (9, 3.0, 79), (16, 6.0, 80)]:
        sizes = np.random.default_rng(seed).lognormal(0, 2, B)
        assert right(clip_case(B, seed, sizes=sizes), limit), (
            "several sequences of very different size: each sequence by its own global norm,"
            " then the mean (chapter 6, Clipping: for the explosion only)"
        )


hidden_clip()
### END HIDDEN TESTS

# %% [markdown]
# ## 8. What truncation does to the direction (`ps3-angle`, 10 points, medium)
#
# Chapter 6 measures how *much* of a gradient is missed if only the last k copies of $W_{hh}$ count, and by
# how many degrees clipping turns a gradient. Put the two together: by what angle does *truncation* turn it?
#
# Copy t of $W_{hh}$ contributes $h_{t-1}^\top \bar a_t$ (in code `h[t - 1]` and `da[t - 1]`), summed over
# the sequences (chapter 5, The derivation, The weights; chapter 6, How far away does the loss lie?). The
# full gradient is the sum over all T copies; with a loss at the end, truncation to k steps leaves the
# **last k**.
#
# Write `cut_angles(h, da)`:
#
# - `h` `(T + 1, B, H)`, the states; `da` `(T, B, H)`, the pre-activation deltas: `da[t]` belongs to the
#   step from `h[t]` to `h[t + 1]`. $T \ge 1$.
# - Returns `(T,)`, **radians** in $[0, \pi]$: entry k - 1 is the angle between the sum of the last k copies
#   and the full gradient, each taken as *one* vector of $H^2$ numbers.
# - A gradient of length 0 has no direction and is no help: where one of the two is exactly 0, the angle is
#   $\pi / 2$.
# - Vanished gradients are tiny and exploded ones huge: `da` may be of size `1e-200` or `1e200`, where
#   squares are 0 or infinite, for all steps or for some of them beside others of size 1. Compared is
#   the largest difference, which must stay below `1e-6` radians.
#
# Worked example: one unit, one sequence, `h = (.2, .5, .4)`, `da = (1, -.1)`. The full gradient is
# $.2 \cdot 1 - .5 \cdot .1 = .15$, the last copy alone $-.05$: it points the other way. So
# the angles are $(\pi, 0)$.
#
# <details><summary>Hint</summary>
#
# Divide each gradient by its largest entry before you take a norm. The cosine of two equal vectors may
# come out as 1.0000000000000002: what does `arccos` say to that? (Chapter 6, Clipping, has a better formula.)
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-angle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cut_angles(h, da):
    """Return the angle between the last k copies' gradient of W_hh and the full one, (T,), radians.

    h: (T + 1, B, H), the states. da: (T, B, H), the deltas of the steps. Entry k - 1 is for k copies.
    """
    ### BEGIN SOLUTION
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(len(da), -1)  # (T, H * H)
    near = copies[::-1].cumsum(axis=0)  # [k - 1]: the last k
    largest = np.abs(near).max(axis=1, keepdims=True)
    u = near / np.where(largest == 0, 1, largest)
    length = np.linalg.norm(u, axis=1, keepdims=True)
    u = u / np.where(length == 0, 1, length)
    full = u[-1]
    angles = 2 * np.arctan2(np.linalg.norm(u - full, axis=1), np.linalg.norm(u + full, axis=1))
    lost = (largest[:, 0] == 0) | (largest[-1, 0] == 0)
    return np.where(lost, np.pi / 2, angles)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-angle-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_angle():
    h, da = np.array([0.2, 0.5, 0.4]).reshape(3, 1, 1), np.array([1.0, -0.1]).reshape(2, 1, 1)
    angles = np.asarray(cut_angles(h, da))
    assert angles.shape == (2,), "T = 2: k = 1 and 2, (T,) = (2,) expected"
    assert np.abs(angles - [np.pi, 0]).max() < 1e-6, (
        "worked example: [pi, 0] expected (chapter 6, How far away does the loss lie?)"
    )
    rng = np.random.default_rng(0)
    angles = np.asarray(cut_angles(rng.normal(size=(6, 3, 4)), rng.normal(size=(5, 3, 4))))
    assert angles.shape == (5,), "T = 5: one angle for each k, (T,) = (5,)"


visible_angle()


### BEGIN HIDDEN TESTS
def angle_truth(h, da):
    """In exact whole numbers and one square root: h and da are integers here, of any size."""
    T, B, H = da.shape
    near, found = np.zeros((H, H), dtype=object), []
    steps = []
    for t in reversed(range(T)):
        for b in range(B):
            near = near + np.array([[int(p) * int(q) for q in da[t, b]] for p in h[t, b]], object)
        steps.append(near)
    full = steps[-1]
    for near in steps:
        a, b = int((near * near).sum()), int((full * full).sum())
        if a == 0 or b == 0:
            found.append(np.pi / 2)
            continue
        dot = int((near * full).sum())
        rest = a * b - dot * dot  # |near|^2 |full|^2 sin^2, exactly
        sine, cosine = math.isqrt(rest << 200), dot << 100
        largest = max(sine, abs(cosine))
        found.append(math.atan2(sine / largest, cosine / largest))
    return np.array(found)


def hidden_angle():
    def close(got, want):
        got = np.asarray(got)
        return got.shape == want.shape and bool(np.all(np.abs(got - want) < 1e-6))

    rng = np.random.default_rng(81)
    h, da = rng.integers(-9, 10, (2, 1, 3)) * 1.0, rng.integers(-9, 10, (1, 1, 3)) * 1.0
    assert close(cut_angles(h, da), np.zeros(1)), (
        "T = 1: nothing is cut, the angle is 0. NaN? The cosine of equal vectors may exceed 1"
        " by rounding (chapter 6, Clipping)"
    )
    h, da = rng.integers(-9, 10, (6, 1, 3)) * 1.0, rng.integers(-9, 10, (5, 1, 3)) * 1.0
    got, want = np.asarray(cut_angles(h, da)), angle_truth(h, da)
    assert not close(got * np.pi / 180, want), "radians, not degrees"
    assert not close(got[::-1], want), (
        "entry 0 belongs to k = 1, the last copy alone (chapter 6, How far away does the loss lie?)"
    )
    assert close(got, want), (
        "one sequence, H = 3: copy t is the outer product of h[t], the state BEFORE the step,"
        " with da[t]; the LAST k of them, summed, against the sum of all (chapter 6, How far"
        " away does the loss lie?)"
    )
    for T, B, H, seed in [
        (5, 4, 3, 82),
        (9, 2, 5, 83),
        (3, 6, 1, 84),
        (12, 3, 2, 85),
        (1, 1, 1, 86),
    ]:
        rng = np.random.default_rng(seed)
        h, da = rng.integers(-9, 10, (T + 1, B, H)) * 1.0, rng.integers(-9, 10, (T, B, H)) * 1.0
        given = [h.copy(), da.copy()]
        assert close(cut_angles(*given), angle_truth(h, da)), (
            "several sequences: sum over the sequences first, then take the whole matrix as"
            " one vector; no mean of cosines of rows, units or sequences (chapter 6, How far"
            " away does the loss lie?)"
        )
        assert unchanged(given, [h, da]), "do not change the arguments: work on a copy"
        for size in (2.0**-664, 2.0**664):  # powers of two, so that zeros stay zeros
            assert close(cut_angles(h, da * size), angle_truth(h, da)), (
                "da of size 1e-200 or 1e200: squares underflow or overflow; scale each"
                " gradient before its norm (chapter 6, Clipping, global_norm)"
            )
    h, da = (
        np.full((6, 1, 2), 2.0),
        np.array([9.0, -1, -2, 1, -3]).reshape(5, 1, 1) * [[[1.0, 3.0]]],
    )
    h[0] = 2, 3
    assert close(cut_angles(h, da), angle_truth(h, da)), (
        "the last copies point against the full gradient: an angle above pi / 2; keep the"
        " sign of the cosine (chapter 6, Clipping, angle)"
    )
    # whole numbers of size 1e200 beside some of size 1, divided by 1e200 or not
    huge, tiny = 2.0**664, 2.0**-664
    for T, B, H, loud in [(2, 1, 2, [0]), (2, 3, 2, [1]), (6, 2, 3, [0, 1]), (6, 2, 3, [2, 3])]:
        h, da = rng.integers(1, 9, (T + 1, B, H)) * 1.0, rng.integers(1, 9, (T, B, H)) * 1.0
        da[loud] *= huge
        for size in (1.0, tiny):
            assert close(cut_angles(h, da * size), angle_truth(h, da)), (
                "some steps of size 1 and some of size 1e-200, or 1e200: one scale for all does not"
                " do; divide EACH sum of copies by its own largest entry before its norm (task 8,"
                " hint)"
            )
    h, da = rng.integers(1, 9, (7, 2, 3)) * 1.0, rng.integers(-9, 10, (6, 2, 3)) * 1.0
    da[3:] = 0
    assert close(cut_angles(h, da), angle_truth(h, da)), (
        "the last three copies are 0: no direction, pi / 2 for k = 1, 2, 3 (chapter 6, How"
        " far away does the loss lie?)"
    )
    assert close(cut_angles(h, 0 * da), np.full(6, np.pi / 2)), (
        "the full gradient is 0: pi / 2 everywhere, no 0 / 0 (chapter 6, How far away does"
        " the loss lie?)"
    )
    h, da = np.array([0.5, 0.5, 0.4]).reshape(3, 1, 1), np.array([1.0, -1.0]).reshape(2, 1, 1)
    assert close(cut_angles(h, da), np.full(2, np.pi / 2)), (
        "two copies that cancel exactly: the full gradient is 0 although neither copy is, so all"
        " angles are pi / 2, the last too (task 8, what it returns)"
    )
    for seed in range(20):  # equal up to a factor: cosines that rounding lifts above 1
        rng = np.random.default_rng(seed)
        h = np.tile(rng.normal(size=(1, 1, 4)), (9, 1, 1))
        da = rng.normal(size=(1, 1, 4)) * rng.uniform(0.1, 1, (8, 1, 1))
        assert close(cut_angles(h, da), np.zeros(8)), (
            "all copies point the same way: 0 for all k. NaN? The cosine may exceed 1 by"
            " rounding (chapter 6, Clipping)"
        )


hidden_angle()
### END HIDDEN TESTS

# %% [markdown]
# ## 9. How far does a leak carry? (`ps3-reach`, `ps3-figure`, `ps3-what`; 6 + 4 + 6 points)
#
# The experiment. A leaky unit is a remedy for vanishing. How good a one? Call the **reach** of a
# network the distance over which a typical gradient loses a factor of a thousand. Chapter 6 *promises*
# a reach: $\|v J_t\| \ge f\, \|v\|$ with $f = z - (1 - z)\, \sigma_{\max}(W_{hh})$, the floor of the
# corridor there (Remedies for vanishing, one by one); so k steps leave at least $f^k$, if $f$ is positive. A
# promise for the worst case need not be a good prediction. First the numbers, then the picture, then you say what
# it shows. The networks are in a locked cell: 24 leaky units, one z for all of them, Gaussian
# $W_{hh}$ of a given spectral radius, random inputs.


# %% nbgrader={"grade": false, "grade_id": "ps3-networks", "locked": true, "schema_version": 3, "solution": false, "task": false}
def network(z, radius, seed, T=600, B=4, D=4, H=24):
    """Return x, w, h, g: a leaky network that has settled, its T steps, a gradient at the end."""
    rng = np.random.default_rng(seed)
    W_hh = rng.normal(size=(H, H))
    W_hh *= radius / np.abs(np.linalg.eigvals(W_hh)).max()
    w = {"W_xh": 0.3 * rng.normal(size=(D, H)), "W_hh": W_hh, "b_h": np.zeros(H)}
    w["z"] = np.full(H, float(z))
    x = rng.normal(size=(T + 100, B, D))
    h = leaky_states(x, w, 0.3 * rng.normal(size=(B, H)))
    return x[100:], w, h[100:], rng.normal(size=(B, H))


# %% [markdown]
# Write `reach(zs, radius, seeds)`:
#
# - `zs`, a list of leaks from 0 to **1**; `radius`; `seeds`, a list of integers. Use the networks
#   `network(z, radius, seed)`.
# - Returns the tuple `(measured, promised)`, both `(len(zs), len(seeds))`, floats. `measured`: the
#   **smallest** distance k at which the gradient of task 2 (the mean of the logarithms) is a thousandth
#   or less, `decades[k] <= -3`; `np.inf` if that does not happen within T steps. Take your `decades` if
#   you trust it; the hint says how to do without.
# - `promised`: the smallest k with $f^k \le 10^{-3}$, a whole number; 0 where $f \le 0$ (nothing is
#   promised), `np.inf` where $f \ge 1$.
#
# Worked example: $z = 1$ never changes anything: `np.inf`, twice. With $z = .967$ and
# $\sigma_{\max} = 1$ (chapter 6, exercise 6) f would be .934. $f^{101}$ is .00101, $f^{102}$ is .00095, so
# the promise would be 102 steps.
#
# <details><summary>Hint</summary>
#
# $f^k \le 10^{-3}$ means $k \ge \log 10^{-3} / \log f$: round up. `decades` of task 2 does the rest. If
# you skipped that task, let `sent_back` take the gradient one step further back, again and again, and
# look at its norms: begin with `gk = g`, then `gk = sent_back(x, w, h, gk, T - k, T - k + 1)` for k = 1, 2,
# and so on. (From T back to T - k afresh for each k comes to the same and takes a hundred times as long:
# too long.) At a thousandth nothing has underflowed yet.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps3-reach", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reach(zs, radius, seeds):
    """Return at which distance the gradient is a thousandth, measured and promised.

    Both (len(zs), len(seeds)), floats; inf where that is never.
    """
    ### BEGIN SOLUTION
    measured = np.full((len(zs), len(seeds)), np.inf)
    promised = np.full((len(zs), len(seeds)), np.inf)
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            lost = decades(x, w, h, g) <= -3
            if lost.any():
                measured[i, j] = lost.argmax()
            floor = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if floor <= 0:
                promised[i, j] = 0
            elif floor < 1:
                promised[i, j] = np.ceil(np.log(1e-3) / np.log(floor))
    return measured, promised
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps3-reach-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
def visible_reach():
    measured, promised = reach([1.0], 0.9, [0, 1])
    assert np.shape(measured) == (1, 2), "measured must be (len(zs), len(seeds)) = (1, 2)"
    assert np.shape(promised) == (1, 2), "promised must be (len(zs), len(seeds)) = (1, 2)"
    assert np.all(np.asarray(measured) == np.inf), (
        "worked example: z = 1 never changes anything, so measured is +inf, np.inf (chapter 6,"
        " Remedies for vanishing)"
    )
    assert np.all(np.asarray(promised) == np.inf), (
        "worked example: z = 1 has f = 1, so promised is +inf, np.inf. -inf or NaN? log f is 0:"
        " treat f >= 1 by itself (chapter 6, Remedies for vanishing)"
    )


visible_reach()


### BEGIN HIDDEN TESTS
def reach_truth(z, radius, seed):
    """Row by row with the Jacobian of each step, written out; no function of the student's."""
    x, w, h, g = network(z, radius, seed)
    row, total, measured = g.copy(), np.zeros(len(g)), np.inf
    for k in range(1, len(x) + 1):
        t = len(x) - k
        slopes = 1 - np.tanh(x[t] @ w["W_xh"] + h[t] @ w["W_hh"]) ** 2
        before = np.linalg.norm(row, axis=1)
        row = row * z + np.einsum("bj,bj,ij->bi", row, (1 - z) * slopes, w["W_hh"])
        after = np.linalg.norm(row, axis=1)
        total += np.log10(after / before)
        row = row / after[:, None]
        if total.mean() <= -3:
            measured = k
            break
    floor = z - (1 - z) * np.sqrt(np.linalg.eigvalsh(w["W_hh"] @ w["W_hh"].T).max())
    return measured, promise(floor)


def promise(f):
    """Count steps until less than a thousandth of a row is promised."""
    if f >= 1:
        return np.inf
    steps, left = 0.0, 1.0
    while f > 0 and left > 1e-3:
        steps, left = steps + 1, left * f
    return steps


def hidden_reach():
    sigma = np.linalg.norm(network(0.9, 0.5, 2)[1]["W_hh"], 2)
    got = float(np.asarray(reach([0.9], 0.5, [2])[1]).item())
    assert got != promise(0.9 + 0.1 * sigma), (
        "promised: this is the ceiling, f = z + (1 - z) sigma: what a step leaves at MOST. A promise is"
        " the floor, f = z MINUS (1 - z) sigma (chapter 6, Remedies for vanishing, one by one)"
    )
    assert got != promise(0.9 * sigma), (
        "promised: this is f = z sigma. The two ways through a leaky unit are added, not multiplied:"
        " z of a row stays, and at worst (1 - z) sigma of it points the other way, f = z - (1 - z)"
        " sigma (chapter 6, Remedies for vanishing, one by one)"
    )
    assert got != promise(0.9 - 0.1 * 0.5), (
        "promised: this is f with the spectral RADIUS; a radius bounds no single step, the largest"
        " singular value does (chapter 6, Three numbers that are not the same)"
    )
    assert got == promise(0.9 - 0.1 * sigma), (
        "promised: the smallest k with f^k <= 1e-3, f = z - (1 - z) sigma with the largest singular"
        " value of W_hh; round up (chapter 6, Remedies for vanishing, one by one)"
    )
    for zs, radius, seeds in [
        ([0.0, 0.9], 0.9, [0, 1]),
        ([0.3], 2.0, [4]),  # below a thousandth at 68, above it at 74, below it again
        ([0.5, 0.98, 1.0], 1.1, [0]),
        ([0.8], 0.5, [3, 4, 5]),
        ([0.99], 0.6, [6]),
    ]:
        measured, promised = (np.asarray(a, dtype=float) for a in reach(zs, radius, seeds))
        truth = np.array([[reach_truth(z, radius, seed) for seed in seeds] for z in zs])
        assert measured.shape == promised.shape == (len(zs), len(seeds)), (
            "both results must be (len(zs), len(seeds))"
        )
        never = np.isinf(truth[:, :, 0])
        assert np.array_equal(measured == np.inf, never), (
            "np.inf exactly where a thousandth is not reached within T steps (chapter 6,"
            " Remedies for vanishing, and How far away does the loss lie?)"
        )
        assert np.all(np.abs(measured[~never] - truth[:, :, 0][~never]) < 0.5), (
            "measured: the FIRST distance from the end with -3 powers of ten or less, of the"
            " mean of the logarithms; a gradient may recover and be lost again (chapter 6,"
            " Remedies for vanishing, and How far away does the loss lie?)"
        )
        assert np.array_equal(promised == np.inf, np.isinf(truth[:, :, 1])), (
            "promised is inf where f >= 1 and 0 where f <= 0 (chapter 6, Remedies for"
            " vanishing, and How far away does the loss lie?)"
        )
        finite = np.isfinite(truth[:, :, 1])
        assert np.all(np.abs(promised[finite] - truth[:, :, 1][finite]) < 0.5), (
            "promised: f = z - (1 - z) sigma with the largest SINGULAR VALUE, not the radius;"
            " round up; 0 where f <= 0 (chapter 6, Remedies for vanishing, and How far away"
            " does the loss lie?)"
        )
        assert np.all(measured >= promised), (
            "a promise was broken: measured is below promised (chapter 6, Remedies for"
            " vanishing, and How far away does the loss lie?)"
        )


hidden_reach()
### END HIDDEN TESTS

# %% [markdown]
# **The figure** (4 points, read by a person). In the next cell draw the reach over $1 / (1 - z)$, the number
# of steps in which a leaky unit forgets by itself:
#
# - for at least six leaks from 0 to .98 and **two radii**, .6 and 1.1, three or more seeds each;
# - every seed visible (a dot each, say), not only a mean;
# - what is promised in the same axes, told apart from what is measured, and a line of slope 1
#   to compare with;
# - axes of a kind in which a power law is a straight line, with labels and units; a legend; what cannot
#   be drawn (a promise of 0, a reach of infinity) left out or marked, and said so. Mind what a measured
#   `np.inf` means for z < 1: not *never*, only *more than the T = 600 steps* that were made.
#
# `zs = [0, .5, .8, .9, .95, .98]` and `seeds = [0, 1, 2]` take a second or two.

# %% nbgrader={"grade": true, "grade_id": "ps3-figure", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
zs, seeds = np.array([0, 0.5, 0.8, 0.9, 0.95, 0.98]), [0, 1, 2]
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for radius, colour in [(0.6, "#0072B2"), (1.1, "#D55E00")]:
    measured, promised = reach(list(zs), radius, seeds)
    for j in range(len(seeds)):
        name = f"measured, radius {radius}" if j == 0 else None
        ax.loglog(1 / (1 - zs), measured[:, j], "o", ms=4, color=colour, alpha=0.7, label=name)
        name = f"promised, radius {radius}" if j == 0 else None
        shown = np.where(promised[:, j] > 0, promised[:, j], np.nan)
        ax.loglog(1 / (1 - zs), shown, "x", ms=5, color=colour, alpha=0.7, label=name)
line = 1 / (1 - zs)
ax.loglog(line, np.log(1000) * line, color="0.6", lw=1, label="a unit left alone, slope 1")
ax.set(xlabel="1 / (1 - z), steps", ylabel="steps to a thousandth (0, > 600 left out)")
ax.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# **What it shows** (6 points, read by a person). Answer from *your* figure, with numbers read from it,
# in some 120 to 250 words:
#
# 1. How does the reach grow with $1 / (1 - z)$ for large z, and why should it? Where does the rule fail? (2 points)
# 2. Compare what is promised with what is measured, for small z and for large z and for both radii.
#    Is the promise wrong? What is it good for? (2 points)
# 3. "With z = .98 our network reaches back hundreds of steps; the vanishing gradient is solved." Name two
#    things that this figure does *not* show, and what one would have to measure. (2 points)

# %% [markdown] nbgrader={"grade": true, "grade_id": "ps3-what", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# 1. For z from .8 on, the points lie on lines of slope 1: with radius .6 about 45 to 53 steps at
#    $1 / (1 - z) = 5$, 91 to 109 at 10, 183 to 221 at 20, some 460 to 550 at 50. The Jacobian is
#    $I - (1 - z)(I - W_{hh} D)$: $1 - z$ is the length of a step, so k steps do what $(1 - z)\,k$ steps of
#    a slower clock do. All points lie above the grey line, $\log(1000) / (1 - z)$, of a unit that only leaks:
#    the recurrent weights refresh what leaks. The reason asks for small steps; with radius .6 the rule happens to
#    hold nearly down to z = 0, 8 steps. With radius 1.1 it is hidden by the seeds, which differ by a factor of up
#    to three, and by the edge at 600 steps: a reach beyond it is left out.
# 2. No promise is broken, and for small z there is next to none: 0, once 3, at z = .5, where 16 to 68 steps are
#    measured. For large z it has slope 1 as well, but lies lower: at z = .98 165 steps for 554 with radius .6, and
#    only 114 where more than 600 are measured with radius 1.1. The larger radius is promised *less* and gets
#    *more*. The promise is right and pessimistic: it assumes that the recurrent part always points
#    against the leak, at full singular value. It is good for choosing z without measuring.
# 3. These networks are untrained and see noise. (a) That a gradient arrives does not mean that something is
#    learned: train on a task with varied pauses, beside a baseline, several seeds. (b) Nothing here has to
#    be forgotten: a unit with z = .98 moves by 2 percent a step, so measure a task in which the memory is
#    overwritten. The gradient after training would be a third thing.
#
# ### BEGIN MARK SCHEME
# Figure (`ps3-figure`), 4 points, one each: (1) six leaks or more, both radii, three seeds or more, each seed
# visible; (2) promised and measured in the same axes and told apart, and a line of slope 1; (3) logarithmic on
# both axes, labels with units, a legend; (4) promises of 0 and reaches of infinity left out or marked, and said
# so, not drawn as 0, 600 or 601 (an arrow at 600 that says "more than" is fine). Judge the picture, not its code.
#
# Text (`ps3-what`), 6 points. Give half points where the claim is right and no number from the figure is named.
#
# - Part 1, 2 points: proportional to $1 / (1 - z)$ for large z (0.5), because $1 - z$ is the size of a step
#   or z is kept at each step, so that k counts as $(1 - z)\,k$ (1); a limit: small z, spread over seeds with
#   radius 1.1, or the edge of T steps (0.5). "It is linear" without a reason earns 0.5 in all.
# - Part 2, 2 points: never broken, nothing for small z, too low by a factor for large z (1); it is a bound
#   for the worst direction at every step, and the singular value is not what governs in the end (0.5); a use,
#   or the remark that the larger radius is promised less and measured more (0.5).
# - Part 3, 2 points, one for each of two: half for what is not shown, half for what one would measure.
#   Accepted: learning; overwriting and forgetting; gradients after training; other inputs, sizes or gates
#   beside it; far gradients that are small beside near ones. "More seeds" alone earns nothing.
# ### END MARK SCHEME
