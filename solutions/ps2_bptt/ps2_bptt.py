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
# # Problem set 2: backpropagation through time
#
# A wrong gradient rarely crashes. It has the right shape, the loss falls, the curve looks as it
# should; and weeks later somebody wonders why the network never learned what happened three steps
# ago. So this set is about gradients that are *right*, and about telling when they are not. The
# networks are cousins of the one in chapters 4 and 5: none of the tasks is printed there, each is
# one step away from something that is.
#
# | | task | you write | points | difficulty | what it teaches |
# |---|---|---|---:|---|---|
# | 1 | `ps2-leaky-fwd` | `leaky_forward` | 6 | easy | a state that changes only in part |
# | 2 | `ps2-leaky-bwd` | `leaky_backward` | 12 | hard | count the listeners of every number |
# | 3 | `ps2-masked-loss` | `ragged_loss` | 12 | medium | the one place where the loss comes in |
# | 4 | `ps2-check` | `suspects` | 10 | medium | a check that can fail, and is cheap |
# | 5 | `ps2-fix-bug` | `mended` | 12 | medium | read a backward pass as a detective |
# | 6 | `ps2-mult-bwd` | `mult_backward` | 14 | hard | when inputs multiply |
# | 7 | `ps2-tbptt` | `truncated` | 14 | hard | what truncation cuts, to the term |
# | 8 | `ps2-floor` | `learn` | 6 + 6 | medium | a model, beside the best there can be |
# | 9 | `ps2-seems` | a short text | 8 | medium | what a falling loss does not prove |
# | | | | **100** | | |
#
# **How to work.** Write your answer where the cell says `YOUR CODE HERE` and delete the line that
# raises `NotImplementedError`. Below each answer stands a test cell. Its visible tests look at
# shapes and at one worked example, mostly one so small that you can follow it with a pencil. That
# is on purpose: many wrong gradients are right for one unit, one sequence or a first state of
# zero. More tests are added when your work is marked: other sizes, edge cases and the mistakes
# that people really make. You have the means to find them first: `numerical` and `by_autograd`
# below know nothing of your derivation. Use them on sizes that are all different. You may add
# cells. Do not edit the test cells or the toolbox; changes there are undone before marking.
#
# **Before you hand in:** Kernel > Restart and run all. Every visible test must pass.
#
# **What counts.** The answer, not the route: loops, `einsum`, one matrix product for all steps, in
# any order, as long as the function keeps its promise. Write the gradients of tasks 2 to 7
# yourself, in NumPy: PyTorch's autograd is the witness there, and a witness who is also the
# accused is worth little. In task 8 you may use what you like. You may import NumPy, PyTorch,
# matplotlib and the standard library. The tasks do not depend on each other, so you may skip one.

# %% [markdown]
# ## Conventions, once for all tasks
#
# - Those of the chapters: time first, rows are sequences, so `x` is `(T, B, D)` or, for symbols,
#   `(T, B)`; layers multiply from the right, `h @ W_hh`. There are T inputs and T + 1 states:
#   `x[t]` leads from `h[t]` to `h[t + 1]`. $T, B, D, H, V \ge 1$.
# - Weights come as a dict of arrays, `w["W_hh"]`. A gradient goes out as a dict, each entry with
#   the shape of what it belongs to.
# - The first state `w["h0"]` is `(H,)`, learned, one for all sequences of the batch, and not zero.
# - Numbers are `float64` in tasks 1 to 7. Compared is the relative error of whole arrays, as in
#   chapter 5, $|a - b| / |b|$, which must stay below `1e-6`; where the truth is 0, $|a|$ below
#   `1e-10`.
# - **Never change an argument**, nor an array inside one. Work on a copy.
# - A target `MISSING` $= -1$ is no target: it costs nothing and is not counted.
# - You need not check arguments: the tests keep to what is stated here. No test needs an answer
#   that takes more than a few seconds (task 8: see there).

# %% [markdown]
# ## Toolbox
#
# Locked cells. The plain network of chapters 4 and 5 is in them, shortened and without checks; use
# it wherever you like.

# %% nbgrader={"grade": false, "grade_id": "ps2-toolbox", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: a second thread only waits

import matplotlib.pyplot as plt
import numpy as np
import torch

MISSING = -1
torch.set_num_threads(1)


def draw(shapes, seed, scale=1.0):
    """Return a dict of normal random arrays; shapes maps names to shapes."""
    rng = np.random.default_rng(seed)
    return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}


def plain_shapes(D, H, V):
    """Name the weights of the plain network, with their shapes."""
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}
    return {**shapes, "W_hy": (H, V), "b_y": (V,), "h0": (H,)}


def forward(x, w, h0=None):
    """Run the plain network on symbols x (T, B); return h (T + 1, B, H), logits (T + 1, B, V).

    h0: (B, H), where to start in place of w["h0"].
    """
    h = np.empty((len(x) + 1, x.shape[1], len(w["b_h"])), dtype=w["W_hh"].dtype)
    h[0] = w["h0"] if h0 is None else h0
    from_x = w["W_xh"][x] + w["b_h"]  # (T, B, H)
    for t in range(len(x)):
        h[t + 1] = np.tanh(from_x[t] + h[t] @ w["W_hh"])
    return h, h @ w["W_hy"] + w["b_y"]


def log_softmax(logits):
    """Return log of the softmax over the last axis, nats; no overflow."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def total_gradient(x, target, w, h0=None):
    """Return the sum of the losses of the plain network, and the gradient of that SUM.

    x: (T, B) symbols. target: (T + 1, B), target[t] is what logits[t] should say, or MISSING.
    h0: (B, H), where to start in place of w["h0"]; then w["h0"] took no part, its gradient is 0.
    The gradient is a dict with the names of w.
    """
    h, logits = forward(x, w, h0)
    log_p, wanted = log_softmax(logits), np.nonzero(target != MISSING)
    picked = (*wanted, target[wanted])
    dy = np.zeros_like(logits)  # (T + 1, B, V): the output deltas
    dy[wanted] = np.exp(log_p[wanted])
    dy[picked] -= 1
    dh = dy @ w["W_hy"].T
    da = 1 - h[1:] ** 2  # (T, B, H)
    for t in reversed(range(len(x))):
        da[t] *= dh[t + 1]
        dh[t] += da[t] @ w["W_hh"].T

    def over_time(a, b):  # the sum over all steps and sequences of a' b
        return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])

    one_hot = np.eye(len(w["W_xh"]), dtype=da.dtype)[x]  # (T, B, D)
    d = {"W_xh": over_time(one_hot, da), "W_hh": over_time(h[:-1], da), "b_h": da.sum(axis=(0, 1))}
    d |= {"W_hy": over_time(h, dy), "b_y": dy.sum(axis=(0, 1))}
    d["h0"] = dh[0].sum(axis=0) if h0 is None else np.zeros_like(w["h0"])
    return -log_p[picked].sum(), d


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
    torch.tanh, torch.stack and so on. What takes no part in the loss has gradient 0.
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
# How the two witnesses are used, on the plain network with a sum of squared states as loss. The
# same formula is written twice, for NumPy and for torch; neither knows what a delta is.


# %% nbgrader={"grade": false, "grade_id": "ps2-witnesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
def two_witnesses():
    x, w = np.array([[0, 2], [1, 0], [2, 2]]), draw(plain_shapes(3, 4, 5), seed=0, scale=0.5)

    def loss(w):  # for numbers
        return (forward(x, w)[0] ** 2).sum()

    def torch_loss(w):  # the same for tensors
        h = w["h0"].expand(2, -1)
        total = (h**2).sum()
        for t in range(3):
            h = torch.tanh(w["W_xh"][x[t]] + h @ w["W_hh"] + w["b_h"])
            total = total + (h**2).sum()
        return total

    slow, exact = numerical(loss, w), by_autograd(torch_loss, w)
    for name in w:
        size = np.sqrt(np.sum(exact[name] ** 2))
        error = np.sqrt(np.sum((slow[name] - exact[name]) ** 2)) / size if size else 0.0
        print(f"{name:5s} |gradient| {size:6.3f}, relative error {error:.0e}")


two_witnesses()

# %% [markdown]
# ## 1. A unit that takes its time (`ps2-leaky-fwd`, 6 points, easy)
#
# A plain unit is overwritten at each step. A **leaky** unit moves only a part of the way to its
# new value, and each unit has its own part, $\alpha_j$ between 0 and 1:
#
# $$ s_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \qquad
#    h_t = (1 - \alpha) \odot h_{t-1} + \alpha \odot s_t . $$
#
# With $\alpha_j = 1$ it is the plain unit; with $\alpha_j = 0.01$ it is a clock hand that needs a
# hundred steps to come round. Networks of fast and slow units remember on several time scales,
# and the step is one line. Why begin here? Because the next task asks for its gradient.
#
# Write `leaky_forward(x, w)`:
#
# - `x` `(T, B, D)`, floats; `w` has `W_xh` `(D, H)`, `W_hh` `(H, H)`, `b_h` `(H,)`, `alpha`
#   `(H,)`, each entry in [0, 1], and `h0` `(H,)`.
# - Returns `h` `(T + 1, B, H)`; `h[0]` is the first state.
#
# Worked example, one unit: `W_xh = .5`, `W_hh = .8`, `b_h = 0`, `alpha = .5`, `h0 = 0` and
# `x = (1, 0)` give $h_1 = \frac12 \tanh .5 = .231059$ and
# $h_2 = \frac12 h_1 + \frac12 \tanh(.8\, h_1) = .206914$.
#
# <details><summary>Hint</summary>
#
# What does $W_{hh}$ multiply: $s_{t-1}$ or $h_{t-1}$? Compare with `forward` in the toolbox, and
# with the forward pass of chapter 4.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-leaky-fwd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaky_forward(x, w):
    """Run a leaky network over a batch.

    x: (T, B, D). w: W_xh (D, H), W_hh (H, H), b_h, alpha, h0 (H,). Returns h (T + 1, B, H).
    """
    ### BEGIN SOLUTION
    h = np.empty((len(x) + 1, x.shape[1], len(w["h0"])))
    h[0] = w["h0"]
    for t in range(len(x)):
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ w["W_hh"] + w["b_h"])  # (B, H)
        h[t + 1] = (1 - w["alpha"]) * h[t] + w["alpha"] * s
    return h
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-leaky-fwd-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
def visible_leaky_fwd():
    w = {"W_xh": np.array([[0.5]]), "W_hh": np.array([[0.8]]), "b_h": np.zeros(1)}
    w |= {"alpha": np.array([0.5]), "h0": np.zeros(1)}
    h = np.asarray(leaky_forward(np.array([[[1.0]], [[0.0]]]), w))
    assert h.shape == (3, 1, 1), f"two inputs, three states: (3, 1, 1) expected; got {h.shape}"
    assert same(h.ravel(), [0, 0.231059, 0.206914], rtol=1e-5), f"worked example: {h.ravel()}"
    shapes = {"W_xh": (3, 4), "W_hh": (4, 4), "b_h": (4,), "h0": (4,), "alpha": (4,)}
    w = draw(shapes, seed=1) | {"alpha": np.full(4, 0.3)}
    h = np.asarray(leaky_forward(np.ones((5, 2, 3)), w))
    assert h.shape == (6, 2, 4), f"h must be (T + 1, B, H) = (6, 2, 4); got {h.shape}"


visible_leaky_fwd()


### BEGIN HIDDEN TESTS
def leaky_case(T, B, D, H, seed, alpha=None):
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "h0": (H,)}
    rng = np.random.default_rng(seed)
    w = draw(shapes, seed, scale=0.7)
    w["alpha"] = rng.uniform(0.1, 0.9, H) if alpha is None else np.array(alpha, dtype=float)
    return rng.normal(size=(T, B, D)), w


def leaky_witness(x, w):
    """One sequence, one unit after the other."""
    T, B, D = x.shape
    H = len(w["h0"])
    h = np.zeros((T + 1, B, H))
    for b in range(B):
        h[0, b] = w["h0"]
        for t in range(T):
            for j in range(H):
                a = w["b_h"][j]
                a += sum([x[t, b, d] * w["W_xh"][d, j] for d in range(D)])
                a += sum([h[t, b, i] * w["W_hh"][i, j] for i in range(H)])
                h[t + 1, b, j] = h[t, b, j] + w["alpha"][j] * (np.tanh(a) - h[t, b, j])
    return h


def hidden_leaky_fwd():
    x, w = leaky_case(6, 3, 2, 4, seed=1, alpha=[1, 1, 1, 1])
    net = torch.nn.RNN(2, 4).double()
    with torch.no_grad():
        parts = {"weight_ih_l0": w["W_xh"].T, "weight_hh_l0": w["W_hh"].T}
        parts |= {"bias_ih_l0": w["b_h"], "bias_hh_l0": np.zeros(4)}
        net.load_state_dict({name: torch.tensor(value) for name, value in parts.items()})
        first = torch.tensor(w["h0"]).expand(1, 3, 4).contiguous()
        want = net(torch.tensor(x), first)[0].numpy()
    h = np.asarray(leaky_forward(x, copy.deepcopy(w)))
    assert h.shape == (7, 3, 4), "T inputs, T + 1 states; see chapter 4, The forward pass in NumPy"
    assert same(h[0], np.tile(w["h0"], (3, 1))), (
        "h[0] is w['h0'] for every sequence, not zero: it is a parameter (chapter 4, The forward"
        " pass in NumPy)"
    )
    assert same(h[1:], want), (
        "alpha = 1 everywhere is a plain network and must equal nn.RNN: h @ W_hh, rows are sequences"
        " (chapter 4, The same in PyTorch)"
    )
    x, w = leaky_case(5, 2, 3, 4, seed=2, alpha=[0, 0, 0, 0])
    assert same(leaky_forward(x, copy.deepcopy(w)), np.broadcast_to(w["h0"], (6, 2, 4))), (
        "alpha = 0: the unit keeps its old state for ever. alpha weighs the new value, 1 - alpha"
        " the old one (chapter 4, The forward pass in NumPy, has the plain step)"
    )
    for T, B, D, H, seed in [(4, 3, 2, 5, 3), (1, 1, 3, 2, 4), (9, 2, 4, 1, 5), (7, 1, 1, 3, 6)]:
        x, w = leaky_case(T, B, D, H, seed)
        given = [x.copy(), copy.deepcopy(w)]
        h = np.asarray(leaky_forward(*given))
        want = leaky_witness(x, w)
        assert same(h[1], want[1]), (
            "the first step: each unit has its own alpha[j], and h0 counts (chapter 4, The forward"
            " pass in NumPy)"
        )
        assert same(h, want), (
            "W_hh reads the leaky state h_{t-1}, which is also what leaks: carry h from step to"
            " step, not tanh(a) (chapter 4, The forward pass in NumPy)"
        )
        assert unchanged(given, [x, w]), "do not change the arguments: work on a copy"


hidden_leaky_fwd()
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Two ways back (`ps2-leaky-bwd`, 12 points, hard)
#
# In the plain network a state is heard by its own scores and by the next pre-activation, and by
# nobody else. In the leaky network there is one listener more. Draw three steps with all arrows,
# as in the first figure of chapter 5, before you write anything: for each number, who reads it? The
# gradient is then a matter of adding one term for each arrow.
#
# Write `leaky_backward(x, w, h, dh)`:
#
# - `x`, `w` as in task 1; `h` `(T + 1, B, H)`, what the forward pass gave.
# - `dh` `(T + 1, B, H)`: the derivative of the loss by each state, *directly*: `dh[t]` says how the
#   loss changes if `h[t]` changes and all other states stay. (For a language model it is
#   $\bar y_t W_{hy}^\top$. Any loss of the states comes in this way.) `dh[0]` need not be 0.
# - Returns a dict with `W_xh`, `W_hh`, `b_h`, `alpha`, `h0`, each of the shape that it has in `w`,
#   and `x` `(T, B, D)`: the derivatives of the loss by these, through all paths.
#
# Worked example: the network of one unit that chapter 5 works by hand, with `alpha = 1`:
# `W_xh = .5`, `W_hh = .8`, `h0 = .2`, `x = (1, 0)`, and `dh = (0, 0, -.567725)` gives
# `W_hh` $-.316150$, `W_xh` and `b_h` $-.245775$ and $-.707415$, `h0` $-.196620$.
#
# <details><summary>Hint 1</summary>
#
# $h_{t}$ is read by the loss, by $a_{t+1}$, and by $h_{t+1}$ itself, which keeps $1 - \alpha$ of it.
# And $\alpha$ is read at every step: what is $\partial h_{t,j} / \partial \alpha_j$?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\tanh'$ needs $s_t$, and $s_t$ is not $h_t$. Where $\alpha_j = 0$ you cannot get it from $h$ either:
# compute it again.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-leaky-bwd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaky_backward(x, w, h, dh):
    """Return the gradient of a loss of the states of a leaky network.

    x: (T, B, D). w: as for leaky_forward. h, dh: (T + 1, B, H). Returns a dict with W_xh, W_hh,
    b_h, alpha, h0 and x, each of the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    alpha = w["alpha"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ w["W_hh"] + w["b_h"])  # (T, B, H)
    total, da = np.array(dh), np.empty_like(s)  # total[t]: by h[t] along all paths
    for t in reversed(range(len(x))):
        da[t] = total[t + 1] * alpha * (1 - s[t] ** 2)
        total[t] += (1 - alpha) * total[t + 1] + da[t] @ w["W_hh"].T  # two ways back
    return {
        "W_xh": np.einsum("tbi,tbj->ij", x, da),
        "W_hh": np.einsum("tbi,tbj->ij", h[:-1], da),
        "b_h": da.sum(axis=(0, 1)),
        "alpha": (total[1:] * (s - h[:-1])).sum(axis=(0, 1)),
        "h0": total[0].sum(axis=0),
        "x": da @ w["W_xh"].T,
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-leaky-bwd-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_leaky_bwd():
    w = {"W_xh": np.array([[0.5]]), "W_hh": np.array([[0.8]]), "b_h": np.zeros(1)}
    w |= {"alpha": np.ones(1), "h0": np.array([0.2])}
    x = np.array([[[1.0]], [[0.0]]])
    h = np.array([0.2, 0.5783634, 0.4322747]).reshape(3, 1, 1)
    dh = np.array([0, 0, -0.5677253]).reshape(3, 1, 1)
    d = leaky_backward(x, w, h, dh)
    show_shapes(d, {**w, "x": x})
    for name, want in {"W_hh": -0.316150, "W_xh": -0.245775, "b_h": -0.707415}.items():
        got = np.sum(d[name])
        assert same(got, want, rtol=1e-5), f"worked example, {name}: expected {want}; got {got}"
    assert same(d["h0"], [-0.196620], rtol=1e-5), f"worked example, h0: {d['h0']}"


visible_leaky_bwd()


### BEGIN HIDDEN TESTS
def leaky_states(x, w):
    h = [w["h0"] * torch.ones(x.shape[1], 1, dtype=torch.float64)]
    for t in range(len(x)):
        s = torch.tanh(x[t] @ w["W_xh"] + h[-1] @ w["W_hh"] + w["b_h"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return torch.stack(h)


def leaky_truth(x, w, dh):
    """The states, and the gradient by autograd of the loss sum(dh * h)."""
    dh = torch.tensor(dh)
    truth = by_autograd(lambda v: (dh * leaky_states(v["x"], v)).sum(), {**w, "x": x})
    tensors = {name: torch.tensor(a) for name, a in w.items()}
    return leaky_states(torch.tensor(x), tensors).numpy(), truth


def hidden_leaky_bwd():
    rng = np.random.default_rng(20)
    # one step from a plain network: matrices that are not symmetric, alpha = 1
    x, w = leaky_case(4, 1, 2, 3, seed=21, alpha=[1, 1, 1])
    dh = rng.normal(size=(5, 1, 3))
    dh[0] = 0
    h, truth = leaky_truth(x, w, dh)
    d = leaky_backward(x, w, h, dh)
    show_shapes(d, truth)
    assert same(d["b_h"], truth["b_h"]), (
        "alpha = 1, H = 3: what goes back through W_hh is da @ W_hh.T, and it is added to dh[t]"
        " (chapter 5, The derivation)"
    )
    assert same(d["W_hh"], truth["W_hh"]), (
        "dW_hh: the state before the step meets the delta after it, h[t].T @ da[t], summed over"
        " all steps; at the first step that is h0 (chapter 5, The derivation, The weights)"
    )
    assert same(d["x"], truth["x"]), (
        "dx_t = da_t @ W_xh.T (chapter 5, The first state and the inputs)"
    )
    # a loss that looks at h0 too, and several sequences
    dh = rng.normal(size=(5, 1, 3))
    h, truth = leaky_truth(x, w, dh)
    d = leaky_backward(x, w, h, dh)
    assert same(d["h0"], truth["h0"]), (
        "the loss may look at h[0] directly: dh[0] belongs to the gradient of h0 (chapter 5, The"
        " first state and the inputs)"
    )
    x, w = leaky_case(4, 5, 2, 3, seed=22, alpha=[1, 1, 1])
    dh = rng.normal(size=(5, 5, 3))
    h, truth = leaky_truth(x, w, dh)
    d = leaky_backward(x, w, h, dh)
    assert same(d["h0"], truth["h0"]), (
        "one h0 for all B sequences is a shared parameter: its gradient is the sum over the batch,"
        " not the mean, not one row (chapter 5, The first state and the inputs)"
    )
    # the leak, in one step: no path is long yet
    x, w = leaky_case(1, 2, 2, 3, seed=23)
    dh = rng.normal(size=(2, 2, 3))
    h, truth = leaky_truth(x, w, dh)
    d = leaky_backward(x, w, h, dh)
    assert same(d["b_h"], truth["b_h"]), (
        "one step, alpha < 1: da = alpha * (1 - s**2) * dh with s = tanh(a), not the leaky h, and"
        " not without alpha (chapter 5, The derivation, the pre-activation delta)"
    )
    assert same(d["alpha"], truth["alpha"]), (
        "dalpha: h_t = h_{t-1} + alpha (s_t - h_{t-1}), so its derivative by alpha is s_t - h_{t-1},"
        " summed over its uses (chapter 5, The derivation, The weights)"
    )
    assert same(d["h0"], truth["h0"]), (
        "two ways back: h_{t-1} reaches h_t through W_hh and through the leak, 1 - alpha; add both"
        " (chapter 5, Who listens to whom)"
    )
    for T, B, D, H, seed in [
        (6, 3, 2, 4, 24),
        (1, 1, 1, 1, 25),
        (12, 2, 5, 3, 26),
        (3, 4, 1, 6, 27),
    ]:
        x, w = leaky_case(T, B, D, H, seed)
        dh = rng.normal(size=(T + 1, B, H))
        h, truth = leaky_truth(x, w, dh)
        given = [x.copy(), copy.deepcopy(w), h.copy(), dh.copy()]
        d = leaky_backward(*given)
        assert same(d["b_h"], truth["b_h"]), (
            "several steps: the delta of a state is its own dh[t] plus what comes back from t + 1,"
            " (1 - alpha) of it by the leak and the rest through tanh and W_hh"
        )
        for name in truth:
            assert same(d[name], truth[name]), (
                f"the gradient by {name} is wrong on sizes that are all different: compare with"
                " by_autograd, and draw who reads it (chapter 5, Who listens to whom)"
            )
        assert unchanged(given, [x, w, h, dh]), (
            "do not change the arguments, dh included: accumulate in a copy"
        )
    x, w = leaky_case(5, 2, 3, 4, seed=28, alpha=[0, 1, 0.5, 0])
    dh = rng.normal(size=(6, 2, 4))
    h, truth = leaky_truth(x, w, dh)
    d = leaky_backward(x, w, h, dh)
    assert all([same(d[name], truth[name]) for name in truth]), (
        "alpha may be exactly 0: then s cannot be had from h by a division; compute tanh(a) again"
    )
    # finite differences know neither torch nor deltas
    slow = numerical(lambda v: (dh * leaky_witness(v["x"], v)).sum(), {**w, "x": x})
    assert all([same(d[name], slow[name]) for name in slow]), (
        "finite differences do not agree (chapter 5)"
    )


def leaky_witness(x, w):
    h = np.zeros((len(x) + 1, x.shape[1], len(w["h0"])))
    h[0] = w["h0"]
    for t in range(len(x)):
        new = np.tanh(np.dot(x[t], w["W_xh"]) + np.dot(h[t], w["W_hh"]) + w["b_h"])
        h[t + 1] = h[t] + w["alpha"] * (new - h[t])
    return h


def leaky_case(T, B, D, H, seed, alpha=None):
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "h0": (H,)}
    rng = np.random.default_rng(seed)
    w = draw(shapes, seed, scale=0.7)
    w["alpha"] = rng.uniform(0.1, 0.9, H) if alpha is None else np.array(alpha, dtype=float)
    return rng.normal(size=(T, B, D)), w


hidden_leaky_bwd()
### END HIDDEN TESTS

# %% [markdown]
# See what you made. A loss looks at the last of a hundred states; how much of it arrives at the
# input of step t? Slow units hold a door open for news from long ago. They pay for it at the right
# end of the picture: the newest input has little say.


# %%
def reach():
    fig, ax = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    for alpha, colour in [(1.0, "#D55E00"), (0.3, "#0072B2"), (0.05, "#009E73")]:
        w = draw({"W_xh": (2, 16), "W_hh": (16, 16), "b_h": (16,), "h0": (16,)}, seed=3, scale=0.15)
        w["alpha"] = np.full(16, alpha)
        x = np.random.default_rng(4).normal(size=(100, 8, 2))
        h = leaky_forward(x, w)
        dh = np.zeros_like(h)
        dh[-1] = 1
        size = np.linalg.norm(leaky_backward(x, w, h, dh)["x"], axis=(1, 2))
        ax.semilogy(np.arange(1, 101), size, color=colour, label=f"alpha = {alpha}")
    ax.set(xlabel="input at step t", ylabel="gradient that arrives", ylim=(1e-12, None))
    ax.legend(frameon=False)
    plt.show()


reach()

# %% [markdown]
# ## 3. Where the loss comes in (`ps2-masked-loss`, 12 points, medium)
#
# In chapter 5 all of the loss enters the backward pass at one place, the output delta
# $\bar y_t$. Get it right and the rest does not care which loss it was; get it wrong and everything
# after it is wrong by the same amount, which no picture of a falling loss will show.
#
# Here the sequences have different lengths, and the scores are divided by a **temperature** $\tau$
# before the softmax (chapter 5, Sampling with a temperature). There you chose it. Here it is
# learned like a weight, as people do who find their network too sure of itself: so its derivative
# is wanted too. With $N$ the number of real tokens of the batch,
#
# $$ \mathcal L = -\frac 1N \sum_{b} \sum_{t < \mathtt{lengths}[b]}
#    \log \mathrm{softmax}(y_{t,b} / \tau)_{s_{t,b}} . $$
#
# Write `ragged_loss(logits, target, lengths, tau)`:
#
# - `logits` `(T, B, V)`, floats, $y_{t,b}$; scores may be as large as $10^5$. `target` `(T, B)`,
#   integers, $s_{t,b}$. `lengths` `(B,)`, integers from **0** to T, not all 0. `tau` $> 0$, a
#   number.
# - In column b the first `lengths[b]` rows are real. All others are **padding and may hold
#   anything**: in `target` any integer, in `logits` also NaN and infinity.
# - Returns the tuple `(loss, dlogits, dtau)`: the number $\mathcal L$ in nats; its derivatives by the
#   scores, `(T, B, V)`, exactly 0 in the padding; its derivative by $\tau$, a number.
#
# Worked example: one token, V = 2, `logits = [[[2, 0]]]`, target 1, `tau = 1`: the loss is
# $\log(1 + e^2) = 2.126928$, `dlogits` is `[[[.880797, -.880797]]]`, and `dtau` is $-1.761594$: the
# network was wrong and sure of it, so a higher temperature helps.
#
# <details><summary>Hint 1</summary>
#
# Chapter 5 gives the derivative by $u = y / \tau$. The chain rule does the rest: for each score
# $\partial u / \partial y$, and for $\tau$, which all scores share, a sum over its uses.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Pick the real tokens with a mask, `logits[real]` is `(N, V)`, and put the result back. Multiplying
# by 0 is no cure: what is NaN times 0?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-masked-loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ragged_loss(logits, target, lengths, tau):
    """Return the mean loss per real token at a temperature, with its derivatives.

    logits: (T, B, V). target: (T, B). lengths: (B,) ints from 0. tau: a number > 0. Anything may
    stand in the padding. Returns loss (nats), dlogits (T, B, V) and dtau.
    """
    ### BEGIN SOLUTION
    real = np.arange(len(logits))[:, None] < lengths  # (T, B)
    y, s = logits[real], target[real]  # (N, V), (N,)
    N, each = len(y), np.arange(len(y))
    log_p = log_softmax(y / tau)
    du = np.exp(log_p)  # by u = y / tau
    du[each, s] -= 1
    du /= N
    dlogits = np.zeros(logits.shape)
    dlogits[real] = du / tau
    return -log_p[each, s].sum() / N, dlogits, -(du * y).sum() / tau**2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-masked-loss-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_masked_loss():
    one = np.array([1])
    loss, dlogits, dtau = ragged_loss(np.array([[[2.0, 0.0]]]), np.array([[1]]), one, 1.0)
    assert np.shape(loss) == () and np.shape(dtau) == (), "loss and dtau are numbers"
    assert same(loss, np.log1p(np.exp(2))), f"the worked example gives the loss {loss}"
    assert same(dlogits, [[[0.880797, -0.880797]]], rtol=1e-5), f"and dlogits {dlogits}"
    assert same(dtau, -1.761594, rtol=1e-5), f"and dtau {dtau}"
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(4, 3, 5)), rng.integers(0, 5, (4, 3))
    loss, dlogits, dtau = ragged_loss(logits, target, np.array([4, 2, 1]), 1.0)
    assert np.shape(dlogits) == (4, 3, 5), "dlogits has the shape of logits"


visible_masked_loss()


### BEGIN HIDDEN TESTS
def loss_truth(logits, target, lengths, tau):
    """The three numbers by torch's cross-entropy, real tokens put side by side."""
    keep = [(t, b) for b, n in enumerate(lengths) for t in range(n)]
    steps, columns = (list(axis) for axis in zip(*keep, strict=True))
    picked = {"y": logits[steps, columns], "tau": np.array(tau)}
    wanted = torch.tensor(target[steps, columns])
    found = by_autograd(
        lambda v: torch.nn.functional.cross_entropy(v["y"] / v["tau"], wanted), picked
    )
    loss = torch.nn.functional.cross_entropy(torch.tensor(picked["y"]) / tau, wanted).item()
    dlogits = np.zeros(logits.shape)
    dlogits[steps, columns] = found["y"]
    return loss, dlogits, found["tau"]


def loss_case(T, B, V, lengths, seed):
    rng = np.random.default_rng(seed)
    logits, target = 2 * rng.normal(size=(T, B, V)), rng.integers(0, V, (T, B))
    return logits, target, np.array(lengths)


def hidden_masked_loss():
    logits, target, lengths = loss_case(4, 3, 5, [4, 4, 4], seed=30)
    want = loss_truth(logits, target, lengths, 1.0)
    loss, dlogits, dtau = ragged_loss(logits, target, lengths, 1.0)
    assert same(loss, want[0]), "no padding, tau = 1: the mean over all T * B tokens, in nats"
    assert same(dlogits, want[1]), (
        "the loss is a mean, so its gradient is divided by N too, once (chapter 5, Sum, mean, mean"
        " of means)"
    )
    for tau in (0.5, 3.0):
        want = loss_truth(logits, target, lengths, tau)
        loss, dlogits, dtau = ragged_loss(logits, target, lengths, tau)
        assert same(loss, want[0]), (
            "tau divides the scores before the softmax: it does not multiply, and does not divide"
            " probabilities or the loss (chapter 5, Sampling with a temperature)"
        )
        assert same(dlogits, want[1]), (
            "the chain rule through y / tau: dlogits has another factor 1 / tau; softmax is taken of"
            " y / tau, not of y"
        )
        assert same(dtau, want[2]), (
            "dtau: every score of every token goes through tau; d(y / tau) / dtau = -y / tau**2,"
            " summed over all uses (chapter 5, The derivation, The weights)"
        )
    # lengths: first with harmless padding, then with nasty padding
    for pad, junk in [(0, 0.5), (-1, 0.5), (99, 1e300), (7, np.nan), (2, -np.inf)]:
        for lengths in ([5, 1, 3, 2], [0, 4, 0, 1], [2, 2, 2, 2]):
            logits, target, lengths = loss_case(5, 4, 3, lengths, seed=31)
            want = loss_truth(logits, target, lengths, 1.7)
            padding = np.arange(5)[:, None] >= lengths
            logits[padding], target[padding] = junk, pad
            given = [logits.copy(), target.copy(), lengths.copy()]
            crashed = False
            try:
                loss, dlogits, dtau = ragged_loss(*[*given, 1.7])
            except IndexError:
                crashed = True
            assert not crashed, "a target in the padding may be any integer: do not look it up"
            assert np.all(np.isfinite(dlogits)) and np.isfinite(loss) and np.isfinite(dtau), (
                "NaN or infinity leaked out of the padding (0 * NaN is NaN): pick the real tokens"
            )
            assert same(loss, want[0]), (
                "the mean is over the N real tokens of the batch: not over T * B, not the mean of"
                " the sequences' means (chapter 5, Sum, mean, mean of means)"
            )
            assert np.all(np.asarray(dlogits)[padding] == 0), (
                "padding has no target: its output delta is exactly 0 (chapter 5, The derivation)"
            )
            assert same(dlogits, want[1]), "dlogits: divide by N, the number of real tokens"
            assert same(dtau, want[2]), "dtau: real tokens only, divided by N"
            assert unchanged(given, [logits, target, lengths]), (
                "do not change the arguments, not even the padding: work on a copy"
            )
    logits, target = np.array([[[1e5, 0.0, -1e5]], [[0.0, 1e5, 1e5]]]), np.array([[2], [1]])
    loss, dlogits, dtau = ragged_loss(logits, target, np.array([2]), 2.0)
    assert same(loss, (1e5 + np.log(2)) / 2), (
        "scores of 1e5: subtract the largest first, or exp overflows (chapter 4, The loss)"
    )
    assert same(dlogits, [[[0.25, 0, -0.25]], [[0, -0.125, 0.125]]]), "dlogits of large scores"


hidden_masked_loss()
### END HIDDEN TESTS

# %% [markdown]
# ## 4. A cheap check that can fail (`ps2-check`, 10 points, medium)
#
# `numerical` needs two losses for each weight. A network with a million weights would need two
# million: so people check two or three entries, or nothing. There is a better way. Move *all*
# entries of one array at once, along a random direction $r$; the loss then changes with the slope
#
# $$ \frac{\mathcal L(w + \epsilon r) - \mathcal L(w - \epsilon r)}{2 \epsilon}
#    = \sum_i r_i \frac{\partial \mathcal L}{\partial w_i} + O(\epsilon^2) , $$
#
# and a claimed gradient must predict it. If it is wrong anywhere, a random direction will nearly
# always notice: the error would have to be orthogonal to it.
#
# Write `suspects(loss, w, claimed, seed)`:
#
# - `loss`, a function: `loss(v)` takes a dict of arrays like `w` and returns a number; `w`, a dict
#   of float64 arrays, whose entries are of size about 1 and which may have 20,000 of them;
#   `claimed`, a dict with the same names and shapes, somebody's gradient of `loss` at `w`; `seed`
#   for your generator.
# - Returns a sorted list of the names whose claimed gradient is wrong; `[]` if all are right.
# - In the tests a claimed array is either right, to a relative error of `1e-6`, or wrong with a
#   relative error of at least `0.05` (both as in chapter 5, of the whole array). The true
#   gradient of an array may have any size from `1e-4` to `1e4`, or be exactly 0. The loss is smooth
#   and lies between -100 and 100; at `w` its second derivatives may be 10,000 times as large as
#   its first.
# - You may call `loss` at most **40 times for each array** in `w`. Do not change `w`: hand `loss` a
#   dict of your own.
#
# Worked example: for `loss(v)` $= \sum v_a^2 + \sum v_b$ with `a = [1, 2]`, `b = [3, 5]` the
# claim `{a: [2, 4], b: [2, 1]}` has the suspects `["b"]`.
#
# <details><summary>Hint 1</summary>
#
# Compare the slope with the prediction, relative to what? The size of the claimed array *and* what
# you measured: one of the two may be 0. With a normal $r$ the slope is about as large as the
# gradient's norm.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Use several directions: a single one may be nearly orthogonal to the error. Chapter 5, Do not
# believe it, says which step and why the difference must be central.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-check", "locked": false, "schema_version": 3, "solution": true, "task": false}
def suspects(loss, w, claimed, seed):
    """Name the arrays whose claimed gradient is wrong, by slopes along random directions.

    loss: takes a dict like w, returns a number. w, claimed: dicts of float64 arrays. Returns a
    sorted list of names. At most 40 calls of loss for each array.
    """
    ### BEGIN SOLUTION
    rng, step, found = np.random.default_rng(seed), 1e-5, []
    for name, value in w.items():
        slope, predicted = np.empty(12), np.empty(12)
        for i in range(12):
            r = rng.normal(size=value.shape)
            ends = [loss({**w, name: value + sign * step * r}) for sign in (1, -1)]
            slope[i] = (ends[0] - ends[1]) / (2 * step)
            predicted[i] = (claimed[name] * r).sum()
        size = max(np.linalg.norm(slope), np.linalg.norm(predicted))
        if np.linalg.norm(slope - predicted) > 0.01 * size + 1e-6:
            found.append(name)
    return sorted(found)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-check-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_check():
    def loss(v):
        return (v["a"] ** 2).sum() + v["b"].sum()

    w = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 5.0])}
    got = suspects(loss, w, {"a": np.array([2.0, 4.0]), "b": np.array([2.0, 1.0])}, 0)
    assert list(got) == ["b"], f"the worked example has the suspects ['b']; got {got}"
    got = suspects(loss, w, {"a": np.array([2.0, 4.0]), "b": np.array([1.0, 1.0])}, 0)
    assert list(got) == [], f"here all is right; got {got}"


visible_check()


### BEGIN HIDDEN TESTS
def hidden_check():
    x = np.random.default_rng(40).integers(0, 4, (6, 3))
    target = np.concatenate([x, np.full((1, 3), MISSING)])
    w = draw(plain_shapes(4, 9, 4), seed=41, scale=0.5)
    calls = []

    def loss(v):
        calls.append(1)
        return total_gradient(x, target, v)[0] / 18

    right = {name: g / 18 for name, g in total_gradient(x, target, w)[1].items()}
    given = [copy.deepcopy(w), copy.deepcopy(right)]
    for seed in range(3):
        calls.clear()
        assert list(suspects(loss, given[0], given[1], seed)) == [], (
            "a right gradient was accused: central differences with a step near 1e-5 agree with it"
            " to many digits (chapter 5, Do not believe it)"
        )
        assert len(calls) <= 40 * len(w), "at most 40 calls of loss for each array"
        assert unchanged(given, [w, right]), (
            "w must be as it was: hand loss a copy with one array moved; += moves the caller's"
        )

    def wrong(name, array, why):
        got = list(suspects(loss, w, {**right, name: array}, next(seeds)))
        assert name in got, why
        assert got == [name], "only the array that is wrong: move one array at a time"

    seeds = iter(range(1_000))
    wrong(
        "W_hh", right["W_hh"].T, "a transposed gradient has the same size and entries: not noticed"
    )
    wrong(
        "W_hy",
        18 * right["W_hy"],
        "the sum for the mean: not noticed; direction alone is not enough",
    )
    wrong("b_h", -right["b_h"], "a wrong sign was not noticed: compare signed numbers")
    wrong("W_xh", 0 * right["W_xh"], "all zeros were not noticed: a claim of 0 is a claim too")
    wrong("b_y", right["b_y"] * 1.06, "6 % too long was not noticed: right ones agree far better")
    wrong("h0", np.roll(right["h0"], 1), "entries in the wrong order: not noticed")
    for name in w:
        for i in (0, -1):  # all of the error in a single entry
            spoiled = right[name].copy()
            spoiled.flat[i] += 0.07 * np.linalg.norm(right[name])
            wrong(
                name, spoiled, "an error in one single entry: move all entries, not a few of them"
            )
    rng = np.random.default_rng(42)
    for name in w:  # an error that the claimed direction itself cannot see
        g = right[name]
        side = rng.normal(size=g.shape)
        side -= g * (side * g).sum() / (g * g).sum()
        spoiled = g + 0.3 * side * np.linalg.norm(g) / np.linalg.norm(side)
        wrong(name, spoiled, (
            "an error at right angles to the true gradient: use random directions, not the claimed"
            " gradient itself or all ones"
        ))  # fmt: skip
        even = side - side.mean()
        spoiled = g + 0.3 * even * np.linalg.norm(g) / np.linalg.norm(even)
        wrong(name, spoiled, "an error whose entries sum to 0: use random directions, not all ones")
    both = {**right, "W_hh": right["W_hh"].T, "b_y": -right["b_y"]}
    assert list(suspects(loss, w, both, 3)) == ["W_hh", "b_y"], "two wrong ones: name both, sorted"

    # sizes: a gradient of 1e-4, one of 1e4, and one that is exactly zero
    w = draw({"small": (6,), "large": (6,), "unused": (6,)}, seed=43)

    def sizes(v):
        shift = v["unused"]  # moves two scores alike, so its gradient is 0 but for rounding
        flat = (np.log(np.exp(w["small"] + shift) + np.exp(1 + shift)) - shift).sum()
        return flat + 1e-4 * np.sin(v["small"]).sum() / 2 + 50 * np.sin(200 * v["large"][0])

    right = {"small": 5e-5 * np.cos(w["small"]), "unused": np.zeros(6)}
    right["large"] = np.array([1e4 * np.cos(200 * w["large"][0]), 0, 0, 0, 0, 0])
    assert list(suspects(sizes, w, right, 1)) == [], (
        "right gradients of very different size were accused: compare relative to the size, and"
        " allow for rounding where the gradient is exactly 0"
    )
    got = suspects(sizes, w, {**right, "small": 1.1 * right["small"]}, 1)
    assert list(got) == ["small"], (
        "10 % off in a gradient of size 1e-4: an absolute bound misses it"
    )
    got = suspects(sizes, w, {**right, "large": 1.1 * right["large"]}, 1)
    assert list(got) == ["large"], "10 % off in a gradient of size 1e4: not noticed"
    got = suspects(sizes, w, {**right, "unused": np.full(6, 1e-3)}, 1)
    assert list(got) == ["unused"], "the true gradient is 0 and the claim is not: not noticed"

    # near the bottom of a valley: first derivatives small, second ones large
    centre = draw({"v": (30,)}, seed=44)["v"]
    w = {"v": centre + 1e-4 * draw({"v": (30,)}, seed=45)["v"]}

    def valley(v):
        return 50 * ((v["v"] - centre) ** 2).sum()

    right = {"v": 100 * (w["v"] - centre)}
    for seed in range(3):
        assert list(suspects(valley, w, right, seed)) == [], (
            "a right gradient near a minimum was accused: a one-sided difference or a large step sees"
            " the curvature; use a central one (chapter 5, Do not believe it)"
        )
        assert list(suspects(valley, w, {"v": 1.1 * right["v"]}, seed)) == ["v"], (
            "10 % off near a minimum was not noticed (chapter 5, Do not believe it)"
        )

    w = draw({"many": (200, 100), "few": (3,)}, seed=46)
    calls = []

    def big(v):
        calls.append(1)
        return np.tanh(v["many"]).mean() + v["few"].prod()

    right = {"many": (1 - np.tanh(w["many"]) ** 2) / 20_000}
    right["few"] = w["few"].prod() / w["few"]
    assert list(suspects(big, w, right, 5)) == [], "20,000 entries, all right: accused"
    spoiled = right["many"].copy()
    spoiled[150:] *= 1.2
    assert list(suspects(big, w, {**right, "many": spoiled}, 5)) == ["many"], (
        "a quarter of 20,000 entries is wrong: not noticed"
    )
    assert len(calls) <= 160, "at most 40 calls of loss for each array, however large it is"


hidden_check()
### END HIDDEN TESTS

# %% [markdown]
# ## 5. A colleague's backward pass (`ps2-fix-bug`, 12 points, medium)
#
# A colleague has a network with **rectified** units, $h_t = \max(0, a_t)$, which read numbers and
# predict numbers. "It trains," he says, "only not very well." Chapter 5 has the published program
# with its faults. This one has others: **six of them, all in the gradient**; the forward pass and
# the loss are right, and they are
#
# $$ a_t = x_t W_{xh} + h_{t-1} W_{hh} + b_h, \quad h_t = \max(0, a_t), \quad
#    y_t = h_t W_{hy} + b_y, \quad
#    \mathcal L = \frac{1}{2\,T B} \sum_{t=1}^{T} \sum_b \lVert y_{t,b} - \mathtt{target}_{t,b} \rVert^2 . $$
#
# (No scores are read from $h_0$ here.) His code:


# %% nbgrader={"grade": false, "grade_id": "ps2-colleague", "locked": true, "schema_version": 3, "solution": false, "task": false}
def colleague(x, target, w):
    """Return the loss, and something like its gradient. x: (T, B, D). target: (T, B, C)."""
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, 0, -1):
        dy = y[t] - target[t]
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] >= 0)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t - 1].T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"]
    d["h0"] = carry[0]
    return loss, d


# %% [markdown]
# Write `mended(x, target, w)`, the same function with a right gradient:
#
# - `x` `(T, B, D)`, `target` `(T, B, C)`, floats; `w` has `W_xh` `(D, H)`, `W_hh` `(H, H)`, `b_h`
#   `(H,)`, `W_hy` `(H, C)`, `b_y` `(C,)`, `h0` `(H,)`.
# - Returns the tuple `(loss, d)`: a number, and a dict with the names and shapes of `w`. The
#   derivative of $\max(0, a)$ at $a = 0$ is taken to be 0.
#
# You may start from his code or from nothing. One fault hides behind another: mend that one, and
# this one shows.
#
# Worked example: with T = B = 1, one unit, `W_xh = W_hh = W_hy = x = 1`, `h0 = .5`, biases 0 and
# target 1 there is one step: $h_1 = 1.5$, and the loss is $.125$. What should the gradient be? You
# can do this one in your head, and `colleague` gets it wrong; so it is not printed.
#
# <details><summary>Hint</summary>
#
# First let a witness tell you *which* entries of the dict are wrong (task 4, or `numerical`). Then
# read with one question a line: which equation of chapter 5 is this, and for which t does it hold?
# Try T = 1 and T = 2, B = 1 and B = 2, and an $h_0$ that is not 0.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-fix-bug", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mended(x, target, w):
    """Return the loss of a network of rectified units, and its gradient.

    x: (T, B, D). target: (T, B, C). w: dict of weights. Returns a number and a dict like w.
    """
    ### BEGIN SOLUTION
    T, B = x.shape[:2]
    h = np.empty((T + 1, B, len(w["h0"])))  # with h_0, so that h[t] is the state before step t
    h[0] = w["h0"]
    for t in range(T):
        h[t + 1] = np.maximum(0, x[t] @ w["W_xh"] + h[t] @ w["W_hh"] + w["b_h"])
    error = h[1:] @ w["W_hy"] + w["b_y"] - target
    dy = error / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        d["W_hy"] += h[t + 1].T @ dy[t]
        d["b_y"] += dy[t].sum(axis=0)
        da = (dy[t] @ w["W_hy"].T + carry) * (h[t + 1] > 0)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return 0.5 * np.sum(error**2) / (T * B), d
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-fix-bug-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_fix_bug():
    one, none = np.ones((1, 1)), np.zeros(1)
    w = {"W_xh": one, "W_hh": one, "b_h": none, "W_hy": one, "b_y": none, "h0": np.array([0.5])}
    loss, d = mended(np.ones((1, 1, 1)), np.ones((1, 1, 1)), copy.deepcopy(w))
    assert same(loss, 0.125), f"the worked example has the loss .125; got {loss}"
    show_shapes(d, w)
    shapes = {"W_xh": (2, 3), "W_hh": (3, 3), "b_h": (3,), "W_hy": (3, 4), "b_y": (4,), "h0": (3,)}
    w = draw(shapes, seed=2)
    x, target = np.ones((5, 2, 2)), np.zeros((5, 2, 4))
    loss, d = mended(x, target, copy.deepcopy(w))
    show_shapes(d, w)
    assert same(loss, colleague(x, target, w)[0]), "the loss of the colleague is right; keep it"


visible_fix_bug()


### BEGIN HIDDEN TESTS
def relu_truth(x, target, w):
    def loss(v):
        h, total = v["h0"] * torch.ones(x.shape[1], 1, dtype=torch.float64), 0
        for t in range(len(x)):
            h = torch.relu(torch.tensor(x[t]) @ v["W_xh"] + h @ v["W_hh"] + v["b_h"])
            error = h @ v["W_hy"] + v["b_y"] - torch.tensor(target[t])
            total = total + (error**2).sum() / 2
        return total / (len(x) * x.shape[1])

    return by_autograd(loss, w)


def relu_case(T, B, D, H, C, seed):
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}
    w = draw({**shapes, "W_hy": (H, C), "b_y": (C,), "h0": (H,)}, seed, scale=0.6)
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, B, D)), rng.normal(size=(T, B, C)), w


def on_case(T, B, H, seed):
    """Weights and inputs above 0: no unit is ever off, so the rectifier changes nothing."""
    x, target, w = relu_case(T, B, 2, H, 3, seed)
    w |= {name: np.abs(w[name]) / 2 for name in ("W_xh", "W_hh", "b_h", "h0")}
    return np.abs(x), target, w


def hidden_fix_bug():
    # one sequence of three steps, no unit off, h0 = 0: read-out first
    x, target, w = on_case(3, 1, 4, seed=50)
    w["h0"] = np.zeros(4)
    truth = relu_truth(x, target, w)
    _, d = mended(x, target, copy.deepcopy(w))
    ratio = np.sum(d["b_y"]) / truth["b_y"].sum()
    assert not np.isclose(ratio, 3, rtol=1e-6, atol=0), (
        "the loss is a mean, the gradient is that of the sum: divide the output delta by T * B"
        " (chapter 5, Sum, mean, mean of means)"
    )
    assert same(d["b_y"], truth["b_y"]) and same(d["W_hy"], truth["W_hy"]), (
        "db_y, dW_hy: every step adds a term, the first one too (range(T - 1, 0, -1) never gets to"
        " 0), each divided by T * B (chapter 5, The derivation)"
    )
    assert same(d["b_h"], truth["b_h"]), (
        "no unit is off here, so only the recursion can be wrong: da @ W_hh.T goes back, not"
        " da @ W_hh, and it is added to what comes from y (chapter 5, The derivation)"
    )
    assert same(d["W_xh"], truth["W_xh"]), "dW_xh: x[t].T @ da, summed over all steps"
    assert same(d["W_hh"], truth["W_hh"]), (
        "dW_hh: the state before the first step is h_0, here 0. h[t - 1] at t = 0 is Python's h[-1],"
        " the last state (chapter 5, A published bug, rebuilt)"
    )
    x, target, w = on_case(3, 1, 4, seed=51)
    truth = relu_truth(x, target, w)
    _, d = mended(x, target, copy.deepcopy(w))
    assert same(d["W_hh"], truth["W_hh"]), (
        "dW_hh with an h_0 that is not 0: at the first step h_0 meets the delta; leaving the step"
        " out is not enough (chapter 5, The derivation, The weights)"
    )
    assert same(d["h0"], truth["h0"]), (
        "dh0 = da of the first step @ W_hh.T (chapter 5, The first state and the inputs)"
    )
    x, target, w = on_case(2, 5, 4, seed=52)
    truth = relu_truth(x, target, w)
    _, d = mended(x, target, copy.deepcopy(w))
    assert same(d["b_y"], truth["b_y"]), (
        "five sequences: the output delta is divided by T * B, not by T, and summed over the rows"
        " (chapter 5, Sum, mean, mean of means)"
    )
    assert same(d["h0"], truth["h0"]), (
        "five sequences share one h0: sum the rows; carry[0] is the first sequence alone (chapter"
        " 5, The first state and the inputs)"
    )
    sizes = [(1, 1, 1, 1, 1), (1, 3, 2, 4, 2), (6, 1, 3, 5, 2), (5, 4, 2, 6, 3), (2, 2, 4, 3, 1)]
    for seed, size in enumerate(sizes):
        x, target, w = relu_case(*size, seed=60 + seed)
        truth = relu_truth(x, target, w)
        given = [x.copy(), target.copy(), copy.deepcopy(w)]
        loss, d = mended(*given)
        assert same(loss, colleague(x, target, w)[0]), "the loss was right: leave it as it was"
        assert all([same(d[name], truth[name]) for name in ("b_h", "W_xh")]), (
            "some units are off here: max(0, a) has derivative 0 there, so ask h > 0. h >= 0 is"
            " always true (chapter 5, The derivation, the pre-activation delta)"
        )
        for name in truth:
            assert same(d[name], truth[name]), (
                f"the gradient by {name} is wrong with (T, B, D, H, C) = {size}: compare with"
                " numerical"
            )
        assert unchanged(given, [x, target, w]), "do not change the arguments: work on a copy"
    w["b_h"] = np.full(3, -100.0)  # every unit is off at every step
    _, d = mended(x, target, w)
    assert same(d["b_h"], np.zeros(3)) and same(d["h0"], np.zeros(3)), (
        "all units off: nothing goes back through them, all these gradients are 0"
    )


hidden_fix_bug()
### END HIDDEN TESTS

# %% [markdown]
# ## 6. When inputs multiply (`ps2-mult-bwd`, 14 points, hard)
#
# Chapter 4 showed the forward algorithm as a network in which the input does not add but
# *chooses the matrix* that moves the state. A plain network cannot do that. A **multiplicative**
# network can, and it does so with few weights: the matrix of a step is
# $W_{hm}\, \mathrm{diag}(x_t W_{xm})\, W_{mh}$. In two lines, with M numbers in the middle,
#
# $$ m_t = (x_t W_{xm}) \odot (h_{t-1} W_{hm}), \qquad
#    h_t = \tanh(a_t), \quad a_t = x_t W_{xh} + m_t W_{mh} + b_h . $$


# %% nbgrader={"grade": false, "grade_id": "ps2-mult-forward", "locked": true, "schema_version": 3, "solution": false, "task": false}
def mult_forward(x, w):
    """Run a multiplicative network. x: (T, B, D). Returns h (T + 1, B, H)."""
    h = np.empty((len(x) + 1, x.shape[1], len(w["h0"])))
    h[0] = w["h0"]
    for t in range(len(x)):
        m = (x[t] @ w["W_xm"]) * (h[t] @ w["W_hm"])  # (B, M)
        h[t + 1] = np.tanh(x[t] @ w["W_xh"] + m @ w["W_mh"] + w["b_h"])
    return h


# %% [markdown]
# Write `mult_backward(x, w, h, dh)`:
#
# - `x` `(T, B, D)`, floats; `w` has `W_xm` `(D, M)`, `W_hm` `(H, M)`, `W_mh` `(M, H)`, `W_xh`
#   `(D, H)`, `b_h` `(H,)`, `h0` `(H,)`; `h` `(T + 1, B, H)` is `mult_forward(x, w)`.
# - `dh` `(T + 1, B, H)`: the direct derivative of the loss by each state, as in task 2.
# - Returns a dict with the names and shapes of `w`, and `x` `(T, B, D)`.
#
# Worked example, all sizes 1, one step: `x = 1`, `h0 = 1`, `W_xm = W_hm = W_mh = 1`, `W_xh = 0`,
# `b_h = 0`: $m_1 = 1$, $h_1 = \tanh 1$. With `dh = (0, 1)` the delta is
# $\bar a_1 = 1 - \tanh^2 1 = .419974$, and since all that is multiplied with it is 1, so are all seven
# gradients. (Which is why a pass says little here. Take other numbers.)
#
# <details><summary>Hint 1</summary>
#
# The derivative of a product of two numbers has two terms: each factor gets the delta times the
# *other* factor. So $\bar m_t$, $(B, M)$, splits into two deltas of shape $(B, M)$; each then goes
# through its own matrix.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The input is read twice. The state before is read once, but by whom? There is no $W_{hh}$.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-mult-bwd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mult_backward(x, w, h, dh):
    """Return the gradient of a loss of the states of a multiplicative network.

    x: (T, B, D). w: as for mult_forward. h, dh: (T + 1, B, H). Returns a dict with the names of w
    and x, each of the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    from_x, from_h = x @ w["W_xm"], h[:-1] @ w["W_hm"]  # (T, B, M), the two factors
    total, da = np.array(dh), np.empty_like(h[1:])
    for t in reversed(range(len(x))):
        da[t] = total[t + 1] * (1 - h[t + 1] ** 2)
        dm = da[t] @ w["W_mh"].T  # (B, M)
        total[t] += (dm * from_x[t]) @ w["W_hm"].T
    dm = da @ w["W_mh"].T  # (T, B, M)
    d_x, d_h = dm * from_h, dm * from_x  # each factor gets the other one

    def over_time(a, b):
        return np.einsum("tbi,tbj->ij", a, b)

    return {
        "W_xm": over_time(x, d_x),
        "W_hm": over_time(h[:-1], d_h),
        "W_mh": over_time(from_x * from_h, da),
        "W_xh": over_time(x, da),
        "b_h": da.sum(axis=(0, 1)),
        "h0": total[0].sum(axis=0),
        "x": da @ w["W_xh"].T + d_x @ w["W_xm"].T,
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-mult-bwd-tests", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
def visible_mult_bwd():
    one = np.ones((1, 1))
    w = {"W_xm": one, "W_hm": one, "W_mh": one, "W_xh": 0 * one, "b_h": np.zeros(1)}
    w = copy.deepcopy(w) | {"h0": np.ones(1)}
    x, dh = np.ones((1, 1, 1)), np.array([0.0, 1.0]).reshape(2, 1, 1)
    d = mult_backward(x, w, mult_forward(x, w), dh)
    show_shapes(d, {**w, "x": x})
    for name in (*w, "x"):
        got = np.sum(d[name])
        assert same(got, 0.419974, rtol=1e-5), f"worked example, {name}: got {got}"


visible_mult_bwd()


### BEGIN HIDDEN TESTS
def mult_states(x, w):
    h = [w["h0"] * torch.ones(x.shape[1], 1, dtype=torch.float64)]
    for t in range(len(x)):
        m = (x[t] @ w["W_xm"]) * (h[-1] @ w["W_hm"])
        h.append(torch.tanh(x[t] @ w["W_xh"] + m @ w["W_mh"] + w["b_h"]))
    return torch.stack(h)


def mult_case(T, B, D, H, M, seed):
    shapes = {"W_xm": (D, M), "W_hm": (H, M), "W_mh": (M, H)}
    w = draw({**shapes, "W_xh": (D, H), "b_h": (H,), "h0": (H,)}, seed, scale=0.6)
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, B, D)), w, rng.normal(size=(T + 1, B, H))


def mult_truth(x, w, dh):
    dh = torch.tensor(dh)
    return by_autograd(lambda v: (dh * mult_states(v["x"], v)).sum(), {**w, "x": x})


def hidden_mult_bwd():
    # one step, one sequence, all sizes different: only transposes and factors
    x, w, dh = mult_case(1, 1, 3, 4, 5, seed=70)
    truth = mult_truth(x, w, dh)
    d = mult_backward(x, w, mult_forward(x, w), dh)
    show_shapes(d, truth)
    assert same(d["b_h"], truth["b_h"]), "da = dh * (1 - h**2), h after the step (chapter 5)"
    assert same(d["W_xh"], truth["W_xh"]), (
        "dW_xh is as in the plain network: x.T @ da (chapter 5, The derivation)"
    )
    assert same(d["W_mh"], truth["W_mh"]), (
        "dW_mh: the state of the middle, m.T @ da; m is a product"
    )
    assert same(d["W_xm"], truth["W_xm"]), (
        "dW_xm: its factor gets the delta of m times the OTHER factor, h_{t-1} @ W_hm, and the delta"
        " of m is da @ W_mh.T"
    )
    assert same(d["W_hm"], truth["W_hm"]), (
        "dW_hm: its factor gets the delta of m times the OTHER factor, x_t @ W_xm; the state is the"
        " one before the step"
    )
    assert same(d["x"], truth["x"]), (
        "the input is read twice: through W_xh and through W_xm; add both (chapter 5, Who listens"
        " to whom)"
    )
    assert same(d["h0"], truth["h0"]), (
        "dh0: what comes back through the product, (da @ W_mh.T * (x @ W_xm)) @ W_hm.T, plus dh[0],"
        " which the loss takes from h0 directly (chapter 5, The first state and the inputs)"
    )
    # several steps of one sequence
    x, w, dh = mult_case(5, 1, 2, 3, 4, seed=71)
    truth = mult_truth(x, w, dh)
    d = mult_backward(x, w, mult_forward(x, w), dh)
    assert same(d["b_h"], truth["b_h"]), (
        "several steps: the delta of a state is its own dh[t] plus what came back through the NEXT"
        " step's product; do not replace one by the other (chapter 5, The derivation)"
    )
    for name in ("W_xm", "W_hm", "W_mh", "W_xh"):
        assert same(d[name], truth[name]), (
            f"{name} is used at every step: add up all {len(x)} terms, do not overwrite (chapter 5,"
            " The derivation, The weights)"
        )
    assert same(d["x"], truth["x"]), "dx at each step, from both of its readers"
    # several sequences
    x, w, dh = mult_case(4, 3, 2, 3, 5, seed=72)
    truth = mult_truth(x, w, dh)
    d = mult_backward(x, w, mult_forward(x, w), dh)
    assert same(d["h0"], truth["h0"]), (
        "one h0 for all sequences: its gradient is the sum over the batch (chapter 5, The first"
        " state and the inputs)"
    )
    for seed, size in enumerate(
        [(7, 2, 5, 3, 2), (1, 4, 1, 2, 3), (3, 1, 2, 1, 4), (9, 3, 3, 3, 3)]
    ):
        x, w, dh = mult_case(*size, seed=73 + seed)
        truth = mult_truth(x, w, dh)
        h = mult_forward(x, w)
        given = [x.copy(), copy.deepcopy(w), h.copy(), dh.copy()]
        d = mult_backward(*given)
        for name in truth:
            assert same(d[name], truth[name]), (
                f"the gradient by {name} is wrong with (T, B, D, H, M) = {size}: compare with"
                " numerical"
            )
        assert unchanged(given, [x, w, h, dh]), (
            "do not change the arguments, dh included: accumulate in a copy"
        )


hidden_mult_bwd()
### END HIDDEN TESTS

# %% [markdown]
# ## 7. How far back, exactly? (`ps2-tbptt`, 14 points, hard)
#
# Chapter 5 cuts a stream into windows and lets no gradient cross a cut. A loss that stands just
# behind a cut then looks back over a single step, bad luck, while one at the end of its window
# looks back over all of it. Two numbers repair that. Every `stride` steps, take the losses of the
# last `stride` steps, and go back from there through `reach` steps, `reach >= stride`. With
# `reach == stride` these are the chapter's windows; with `stride == 1` every loss looks back
# exactly `reach` steps; with a large `reach` nothing is cut at all.
#
# Write `truncated(x, target, w, stride, reach)` for the plain network of the toolbox:
#
# - `x` `(T, B)`, symbols; `target` `(T + 1, B)`, `target[t]` is what the scores of state `h[t]`
#   should say, or `MISSING`; at least one is there. `w` as in the toolbox.
# - The states are those of one forward pass over the whole of `x` from `w["h0"]`: **the state goes
#   on, only the gradient stops.** No weight changes on the way.
# - **Blocks.** Block j = 0, 1, 2, ... holds the losses of the states `h[t]` with
#   `j * stride < t <= (j + 1) * stride`; the last block may be shorter; the loss of `h[0]` belongs
#   to block 0. Let e be the last state of a block. Its losses are differentiated with `h[s]`,
#   s = `max(e - reach, 0)`, **taken as a given number**: what lies before it gets no credit. Only
#   if s = 0 is `h[0]` the learned `w["h0"]`, and gets its gradient.
# - Returns the tuple `(loss, d)`: the mean of the losses over all targets that are there, in the
#   whole of `target`; and the sum of the blocks' gradients of that mean, a dict like `w`.
# - T may be 2,000 with stride 1 and reach 5; that should take a few seconds at most.
#
# Worked example: T = 7, `stride = 3`, `reach = 5`. Block 0 has the losses of states 0 to 3 and
# goes back to `h[0]`; block 1 has 4, 5, 6 and goes back to `h[1]`; block 2 has state 7 alone and goes
# back to `h[2]`. If only state 7 has a target, `d["h0"]` is 0, and so is row v of `d["W_xh"]` for a
# symbol v that occurs only in `x[0]` and `x[1]`. (The visible test has a single
# block; try this case yourself.)
#
# <details><summary>Hint 1</summary>
#
# `total_gradient` runs any stretch of `x` from any first state. What must its `target` be, so that
# only the block's own losses count? Mind that it starts with the target of the first state.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# It returns the gradient of a *sum*, and treats a first state that you hand over as given. When
# should you not hand one over?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-tbptt", "locked": false, "schema_version": 3, "solution": true, "task": false}
def truncated(x, target, w, stride, reach):
    """Return the mean loss and its gradient, each block's losses going back reach steps.

    x: (T, B) symbols. target: (T + 1, B). w: weights of the plain network. stride, reach: ints,
    1 <= stride <= reach. Returns the loss (nats) and a dict like w.
    """
    ### BEGIN SOLUTION
    h, _ = forward(x, w)
    total, d = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    for start in range(0, len(x), stride):
        end = min(start + stride, len(x))
        back = max(end - reach, 0)
        wanted = target[back : end + 1].copy()
        wanted[: start + (start > 0) - back] = MISSING  # counted by earlier blocks
        loss, part = total_gradient(x[back:end], wanted, w, h[back] if back else None)
        total += loss
        d = {name: d[name] + part[name] for name in d}
    n_targets = (target != MISSING).sum()
    return total / n_targets, {name: value / n_targets for name, value in d.items()}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-tbptt-tests", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
def visible_tbptt():
    w = draw(plain_shapes(4, 3, 2), seed=3, scale=0.7)
    x, target = np.array([[0], [1], [2]]), np.full((4, 1), MISSING)
    target[3] = 1
    loss, d = truncated(x, target, w, 3, 3)
    show_shapes(d, w)
    want = -log_softmax(forward(x, w)[1])[3, 0, 1]
    assert same(loss, want), f"one block, one target, at the end: its loss is {want}; got {loss}"
    assert np.all(d["W_xh"][3] == 0), "symbol 3 was never read: its row of dW_xh is 0"


visible_tbptt()


### BEGIN HIDDEN TESTS
def tbptt_truth(x, target, w, stride, reach):
    """Give every loss its own graph, cut where the statement says; by autograd."""
    T, B = x.shape

    def loss(v):
        total, n = 0, 0
        h, states = v["h0"] * torch.ones(B, 1, dtype=torch.float64), []
        for t in range(T + 1):
            states.append(h.detach())
            if t < T:
                h = torch.tanh(v["W_xh"][x[t]] + h @ v["W_hh"] + v["b_h"])
        for t in range(T + 1):
            end = min(-(-max(t, 1) // stride) * stride, T)
            back = max(end - reach, 0)
            h = states[back] if back else v["h0"] * torch.ones(B, 1, dtype=torch.float64)
            for s in range(back, t):
                h = torch.tanh(v["W_xh"][x[s]] + h @ v["W_hh"] + v["b_h"])
            log_p = torch.log_softmax(h @ v["W_hy"] + v["b_y"], dim=1)
            for b in range(B):
                if target[t, b] != MISSING:
                    total, n = total - log_p[b, target[t, b]], n + 1
        return total / n

    tensors = {name: torch.tensor(value) for name, value in w.items()}
    return loss(tensors).item(), by_autograd(loss, w)


def tbptt_case(T, B, D, H, V, seed, missing=0.0):
    rng = np.random.default_rng(seed)
    w = draw(plain_shapes(D, H, V), seed, scale=0.7)
    x, target = rng.integers(0, D, (T, B)), rng.integers(0, V, (T + 1, B))
    target[rng.random((T + 1, B)) < missing] = MISSING
    target[-1, 0] = 0
    return x, target, w


def agrees(d, truth, names=("W_xh", "W_hh", "b_h", "W_hy", "b_y", "h0")):
    return all([same(d[name], truth[name]) for name in names])


def hidden_tbptt():
    # nothing is cut: one block, then several that all reach the start
    x, target, w = tbptt_case(6, 2, 3, 4, 5, seed=80)
    loss_0, truth = tbptt_truth(x, target, w, 6, 6)
    loss, d = truncated(x, target, w, 6, 6)
    assert same(loss, loss_0), (
        "one block over everything: the loss is the mean over all targets, that of h[0] too (chapter"
        " 5, Sum, mean, mean of means)"
    )
    assert agrees(d, truth, ("b_y", "W_hy")), (
        "one block over everything: the gradient of the mean, so divide by the number of targets"
        " (total_gradient gives the gradient of the sum)"
    )
    assert same(d["h0"], truth["h0"]), (
        "a block that goes back to state 0 starts from the learned h0: it gets its gradient; do not"
        " hand h[0] over as a given number (chapter 5, Truncated)"
    )
    assert agrees(d, truth), "one block over everything is full backpropagation through time"
    loss, d = truncated(x, target, w, 2, 20)
    assert same(loss, loss_0), (
        "each loss must be counted once: overlapping blocks share steps, not losses"
    )
    assert agrees(d, truth), "reach >= T cuts nothing: the blocks add up to the full gradient"
    # the chapter's windows, T a multiple of them, then not
    for T, stride in [(6, 2), (6, 3), (7, 3), (8, 5), (5, 4)]:
        x, target, w = tbptt_case(T, 2, 3, 4, 5, seed=81 + T)
        loss_0, truth = tbptt_truth(x, target, w, stride, stride)
        loss, d = truncated(x, target, w, stride, stride)
        assert same(loss, loss_0), (
            "reach = stride: carry the state on from block to block (zeros or w['h0'] at each start"
            " give another loss), count each target once, and keep the short block at the end"
            " (chapter 5, Truncated)"
        )
        assert agrees(d, truth, ("b_y", "W_hy")), (
            "every target once, divided by all targets at once"
        )
        assert same(d["h0"], truth["h0"]), "only blocks that go back to state 0 give h0 a gradient"
        assert agrees(d, truth), (
            "reach = stride: a carried state is a given number; no gradient goes through it"
            " (chapter 5, Truncated)"
        )
    for T, stride, reach in [
        (7, 1, 1),
        (7, 1, 2),
        (7, 1, 3),
        (8, 2, 3),
        (9, 3, 5),
        (7, 3, 6),
        (10, 4, 5),
    ]:
        x, target, w = tbptt_case(T, 3, 4, 2, 3, seed=90 + T, missing=0.3)
        loss_0, truth = tbptt_truth(x, target, w, stride, reach)
        given = [x.copy(), target.copy(), copy.deepcopy(w)]
        loss, d = truncated(*[*given, stride, reach])
        assert same(loss, loss_0), (
            "reach > stride: stretches overlap, but each loss belongs to one block only; MISSING"
            " targets do not count in the mean"
        )
        assert same(d["h0"], truth["h0"]), "h0 is reached by a block exactly if its end e <= reach"
        assert agrees(d, truth), (
            f"T = {T}, stride = {stride}, reach = {reach}: go back reach steps from the END of the"
            " block, to h[e - reach], not from each loss and not from the block's start"
        )
        assert unchanged(given, [x, target, w]), (
            "do not change the arguments: blank the targets of a copy (a slice is no copy)"
        )
    x, target, w = tbptt_case(1, 2, 3, 4, 5, seed=99)
    loss_0, truth = tbptt_truth(x, target, w, 1, 1)
    loss, d = truncated(x, target, w, 4, 6)
    assert same(loss, loss_0) and agrees(d, truth), "T = 1, shorter than the stride, must work too"
    x, target, w = tbptt_case(2_000, 1, 3, 4, 5, seed=100)
    loss, d = truncated(x, target, w, 1, 5)
    log_p = log_softmax(forward(x, w)[1])
    want = -np.mean([log_p[t, 0, target[t, 0]] for t in range(2_001)])
    assert same(loss, want), "2,000 steps: the state must go on through all of them"


hidden_tbptt()
### END HIDDEN TESTS

# %% [markdown]
# ## 8. How close to the floor? (`ps2-floor`, 6 + 6 points, medium)
#
# A gradient is there to learn something. Here it is a language model, and for once we know how good
# one can be: the data come from an HMM whose tables we have, so the forward algorithm gives the
# exact **floor**, which no predictor can beat for long. The locked cell has two sources.
#
# - `sticky(4, 5, 0.96, 0.5)`: four hidden states in a ring, each lasts 25 steps on average, and
#   half of the time it shows its own symbol, else anything. Many weak hints, to be added up.
# - `promises()`: a symbol 0 or 1 is promised, then comes a pause of 2's of random length, then a 3, and
#   then, nearly always, the symbol that was promised. During the pause the promise is of no use at
#   all for the next symbol; a network that does not carry it through all the same cannot keep it.
#
# The cell after it prints what counting the last few symbols achieves.


# %% nbgrader={"grade": false, "grade_id": "ps2-floor-data", "locked": true, "schema_version": 3, "solution": false, "task": false}
def sticky(K, V, stay, own):
    """Return pi, A, E of K states in a ring; state k shows k with own + (1 - own) / V."""
    A = stay * np.eye(K) + (1 - stay) * np.roll(np.eye(K), 1, axis=1)
    return np.full(K, 1 / K), A, own * np.eye(K, V) + (1 - own) / V


def promises(pause=0.75, slip=0.05):
    """Return pi, A, E of the promises; states 4 k + (promise, pause, ask, answer), k = 0, 1."""
    pi, A, E = np.zeros(8), np.zeros((8, 8)), np.zeros((8, 4))
    for k in (0, 4):
        A[k, k + 1] = A[k + 2, k + 3] = 1
        A[k + 1, k + 1 : k + 3] = pause, 1 - pause
        A[k + 3, [0, 4]] = pi[k] = 0.5
        E[k + np.arange(4), [k // 4, 2, 3, k // 4]] = 1
    return pi, A, (1 - slip) * E + slip / 4


def sample(T, B, hmm, seed):
    """Draw B sequences of T symbols, (T, B), from hmm = pi, A, E."""
    pi, A, E = hmm
    rng, x = np.random.default_rng(seed), np.empty((T, B), dtype=int)
    z = (rng.random((B, 1)) > pi.cumsum()[:-1]).sum(axis=1)
    for t in range(T):
        x[t] = (rng.random((B, 1)) > E[z].cumsum(axis=1)[:, :-1]).sum(axis=1)
        z = (rng.random((B, 1)) > A[z].cumsum(axis=1)[:, :-1]).sum(axis=1)
    return x


def floor(x, hmm):
    """Return -log p(x_t | x_1..x_{t-1}) of each symbol by the forward algorithm, (T, B), nats."""
    pi, A, E = hmm
    predicted, loss = np.tile(pi, (x.shape[1], 1)), np.empty(x.shape)
    for t in range(len(x)):
        joint = predicted * E[:, x[t]].T  # (B, K)
        loss[t] = -np.log(joint.sum(axis=1))
        predicted = joint / joint.sum(axis=1, keepdims=True) @ A
    return loss


def nats(x, w):
    """Return the plain network's loss on each symbol of x, (T, B), the first one included."""
    log_p = log_softmax(forward(x, w)[1][:-1])  # h[t] predicts x[t]
    return -np.take_along_axis(log_p, x[:, :, None], axis=2)[:, :, 0]


def excess(x, w, hmm):
    """Return how far above the floor the network is, nats a symbol, on the same symbols."""
    return (nats(x, w) - floor(x, hmm)).mean()


def count_nats(train, x, V, order):
    """Return the loss on x, (T, B), of counts of the last `order` symbols, smoothed by shorter ones."""
    p = np.full((*x.shape, V), 1 / V)
    for n in range(order + 1):

        def contexts(s, n=n):
            """The n symbols before each one; V stands before the beginning."""
            padded = np.concatenate([np.full((n, s.shape[1]), V), s])
            return tuple(padded[i : i + len(s)] for i in range(n))

        table = np.zeros((V + 1,) * n + (V,))
        np.add.at(table, (*contexts(train), train), 1)
        hits = table[contexts(x)] if n else np.broadcast_to(table, p.shape)
        p = (hits + 5 * p) / (hits.sum(axis=2, keepdims=True) + 5)
    return -np.log(np.take_along_axis(p, x[:, :, None], axis=2)[:, :, 0])


SOURCES = {"sticky": (sticky(4, 5, 0.96, 0.5), 60, 5), "promises": (promises(), 40, 4)}


# %%
def counts():
    for name, (hmm, T, V) in SOURCES.items():
        train, unseen = sample(T, 800, hmm, seed=0), sample(T, 300, hmm, seed=1)
        lowest = floor(unseen, hmm).mean()
        above = [(count_nats(train, unseen, V, n).mean() - lowest) for n in range(6)]
        print(f"{name:8s} floor {lowest:.3f} nats; counts of order 0 to 5 lie above it by")
        print("        ", " ".join(f"{a:.3f}" for a in above))


counts()

# %% [markdown]
# Write `learn(x, V, steps, seed)`:
#
# - `x` `(T, B)`, symbols from 0 to V - 1, the sequences to learn from; B may be in the thousands, or
#   only 3. `steps`: make about so many updates, each on at most 64 of the sequences. `seed` for
#   your generator.
# - Returns the weights of a **plain network** that predicts the next symbol: a dict with `W_xh`
#   `(V, H)`, `W_hh` `(H, H)`, `b_h`, `W_hy` `(H, V)`, `b_y`, `h0`, any H up to 64, as `forward` in the
#   toolbox reads it (NumPy arrays, `float64` or `float32`). `logits[t]` predicts `x[t]`; `logits[0]`,
#   read from `h0`, predicts the first symbol.
# - Everything inside is yours: the toolbox's gradient or PyTorch's, size, optimiser, rate, clipping.
#
# The tests train with 1,500 sequences and `steps = 600` on sources like the two above (of the first
# kind also with other numbers of states and symbols), and look at 1,000 sequences that your function
# has never seen:
#
# - **6 points** for at most **0.020** nats a symbol above the floor on the sticky sources.
# - **6 more** for at most **0.030** above it on the promises.
#
# A call may compute for 30 seconds; a few are enough. Nearly everybody needs two or three tries: watch
# the loss as in chapter 5 (does it begin at $\log V$?) and change one thing at a time.
#
# The visible test is the oldest trick there is: before you learn something large, **overfit**
# something tiny. Three sequences that count 0 1 2 0 1 2 can be learned by heart in 300 steps.
#
# <details><summary>Hint 1</summary>
#
# Chapter 5 has Adam in ten lines; a rate of about 0.01 or a little more, falling to 0 at the end, and
# gradients cut to norm 1 do well with 32 units. Divide the gradient of the sum by the number of
# targets. Which target belongs to the last state?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Good on the first source and no better than counting on the second? Then something is learned
# with each symbol's *own* step alone. Which part of the gradient carries news over a pause?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps2-floor", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn(x, V, steps, seed):
    """Train a plain network to predict the next symbol; return its weights.

    x: (T, B) symbols from 0 to V - 1. steps: updates. Returns a dict as forward reads it.
    """
    ### BEGIN SOLUTION
    H, rng = 32, np.random.default_rng(seed)
    bound = 1 / np.sqrt(H)
    w = {name: rng.uniform(-bound, bound, s) for name, s in plain_shapes(V, H, V).items()}
    first, second = ({name: np.zeros_like(a) for name, a in w.items()} for _ in range(2))
    for n in range(1, steps + 1):
        batch = x[:, rng.integers(0, x.shape[1], 32)]
        target = np.concatenate([batch, np.full((1, 32), MISSING)])
        d = total_gradient(batch, target, w)[1]
        size = np.sqrt(sum((g**2).sum() for g in d.values())) / batch.size
        rate = 0.015 * (1 - (n - 1) / steps)
        for name in w:
            g = d[name] / batch.size / max(size, 1)
            first[name] += 0.1 * (g - first[name])
            second[name] += 0.01 * (g * g - second[name])
            m, v = first[name] / (1 - 0.9**n), second[name] / (1 - 0.99**n)
            w[name] -= rate * m / (np.sqrt(v) + 1e-8)
    return w
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps2-floor-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 120}
def plain(w, V):
    """Fail unless w is a plain network for V symbols; return it as arrays."""
    w = {name: np.asarray(value) for name, value in w.items()}
    H = len(w["b_h"])
    show_shapes(w, {name: np.empty(s) for name, s in plain_shapes(V, H, V).items()})
    assert H <= 64, f"at most 64 units; got {H}"
    for name, value in w.items():
        assert np.all(np.isfinite(value)), (
            f"{name} holds NaN or infinity: did the training explode?"
        )
    return w


def visible_floor():
    x = (
        np.arange(3) + np.arange(12)[:, None]
    ) % 3  # (12, 3): 0 1 2 0 ..., 1 2 0 1 ..., 2 0 1 2 ...
    w = plain(learn(x.copy(), 3, 300, 0), 3)
    loss = nats(x, w)[1:].mean()
    assert loss < 0.3, f"three counting sequences should be known by heart; loss {loss:.3f} nats"


visible_floor()


### BEGIN HIDDEN TESTS
def hidden_floor():
    for hmm, V, seed in [(sticky(4, 5, 0.96, 0.5), 5, 3), (sticky(3, 6, 0.97, 0.4), 6, 4)]:
        x, unseen = sample(60, 1_500, hmm, 10 + seed), sample(60, 1_000, hmm, 20 + seed)
        before = x.copy()
        w = plain(learn(x, V, 600, seed), V)
        above = excess(unseen, w, hmm)
        assert nats(unseen, w).mean() < np.log(V), (
            "worse than guessing, log V: h[t] must predict x[t], the symbol it has NOT read (chapter"
            " 4, A language model, measured against the floor)"
        )
        order_1 = (count_nats(before, unseen, V, 1) - floor(unseen, hmm)).mean()
        assert above < order_1, (
            f"{above:.3f} nats above the floor, no better than counting pairs: is the state carried,"
            " and are W_xh and W_hh trained (chapter 4, A language model)?"
        )
        assert above <= 0.020, (
            f"{above:.3f} nats above the floor, 0.020 wanted: more units, a rate that is large"
            " enough and falls, the mean not the sum, all steps of all sequences (chapter 5,"
            " Training, watched)"
        )
        assert np.array_equal(x, before), "do not change the arguments: work on a copy"


hidden_floor()
### END HIDDEN TESTS

# %% [markdown]
# See what you made, on the second source: how the distance to the floor shrinks with training. Three
# short trainings are shown, so that the cell is quick; put 600 into the list. The grey line is the
# best that counts of order 0 to 5 can do with the same sequences.


# %%
def beside_counts(trainings=(20, 60, 180)):
    hmm, T, V = SOURCES["promises"]
    x, unseen = sample(T, 800, hmm, seed=0), sample(T, 300, hmm, seed=1)
    lowest = floor(unseen, hmm).mean()
    best_counts = min(count_nats(x, unseen, V, n).mean() for n in range(6)) - lowest
    yours = [excess(unseen, learn(x, V, steps, 0), hmm) for steps in trainings]
    fig, ax = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    ax.loglog(trainings, yours, "o-", color="#D55E00", label="yours")
    ax.axhline(best_counts, color="0.6", label="best counts")
    ax.axhline(0.03, color="#009E73", ls="--", label="asked for, after 600")
    ax.set(xlabel="updates", ylabel="nats above the floor")
    ax.legend(frameon=False)
    plt.show()


beside_counts()

# %% [markdown]
# And the second half, for a memory that pays only later:


# %% nbgrader={"grade": true, "grade_id": "ps2-floor-score", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 120}
def visible_floor_score():
    w = learn(sample(10, 50, promises(), 5), 4, 20, 1)
    loss = nats(
        sample(10, 50, promises(), 6), {name: np.asarray(a) for name, a in w.items()}
    ).mean()
    assert loss < 3, f"20 steps cannot do much, but {loss:.2f} nats is far above log 4 = 1.39"


visible_floor_score()


### BEGIN HIDDEN TESTS
def hidden_floor_score():
    hmm = promises()
    x, unseen = sample(40, 1_500, hmm, 31), sample(40, 1_000, hmm, 32)
    w = {name: np.asarray(value) for name, value in learn(x.copy(), 4, 600, 2).items()}
    assert len(w["b_h"]) <= 64, "at most 64 units"
    above = excess(unseen, w, hmm)
    assert above <= 0.030, (
        f"{above:.3f} nats above the floor, 0.030 wanted; counts reach .05. The promise must be kept"
        " through the pause, where it helps nobody: that takes a gradient that goes back through W_hh"
        " over all steps (chapter 5, The derivation and Why it seemed to work), and enough units"
    )


hidden_floor_score()
### END HIDDEN TESTS

# %% [markdown]
# ## 9. It learns, so it is right? (`ps2-seems`, 8 points, read by a person)
#
# Five reports from five people who train recurrent networks. For each: **what is wrong, or what
# has not been shown, and which one cheap test or change would settle it?** One or two sentences
# each.
#
# 1. "My backward pass is right: I compared it with finite differences. H = D = V = 8, one sequence,
#    first state 0, float32, and everything agreed to within 2 percent." (2 points)
# 2. "My backward pass is right: the network learned to count 0 1 2 3 4 5 6 7 8 0 1 2 without a
#    mistake." (2 points)
# 3. "Data from an HMM whose exact floor is 1.35 nats. My network reaches 0.92 on unseen sequences.
#    It must have found structure that the HMM does not have." (1 point)
# 4. "We train on windows of 30 characters and carry the state. Our model of program text never
#    closes a bracket that was opened 100 characters before, although the state has been through it
#    all. We will double H." (2 points)
# 5. "Vocabulary of 96 characters. The very first loss, before any update, is 9.4 nats. It comes down
#    later, so why care?" ($\log 96 = 4.56$.) (1 point)
#
# Some 150 to 250 words in all are enough.

# %% [markdown] nbgrader={"grade": true, "grade_id": "ps2-seems", "locked": false, "points": 8, "schema_version": 3, "solution": true, "task": false}
# 1. This check can hardly fail: with equal sizes a transposed matrix has the right shape, with one
#    sequence a missing sum over the batch does not show, with $h_0 = 0$ the first step's term of
#    $\bar W_{hh}$ is 0 anyway, and 2 percent in float32 lets small missing terms through. Check in
#    float64 to $10^{-6}$ with sizes that are all different, several sequences and an $h_0$ that is
#    not 0; and break the code once on purpose to see that the check fails.
# 2. The next number depends on the present one alone, so the task needs no memory, and a gradient
#    without any path through time learns it too. Check the gradient, and train on a task that
#    fails without memory: name the symbol of three steps ago.
# 3. Nothing predicts better than the floor in expectation: this is a leak, most likely scores that
#    are compared with the symbol just read. Shift the targets by one, or look whether a change of
#    $x_t$ changes the prediction of $x_t$.
# 4. The state goes on, the gradient stops: no loss at a closing bracket ever gives credit to the
#    step that opened it 100 characters before. More units do not change that; windows of more than
#    100 steps (or a reach of more than 100) do, as an experiment with a window of 150 would show.
# 5. A network that knows nothing should start near $\log V$. 9.4 is one that is sure and wrong:
#    output weights too large, so that the first updates are wasted on unlearning, and units or
#    gradients may be damaged meanwhile. Start with smaller output weights and see 4.56.
#
# ### BEGIN MARK SCHEME
# 8 points. Give half points where the fault is named and the test is missing, or the reverse.
#
# - Report 1, 2 points: at least two of the four weaknesses (equal sizes, one sequence, zero first
#   state, float32 with a loose tolerance), each with what it would hide (1); float64, a tight
#   tolerance and sizes all different, or a deliberate mistake that must be found (1). "Use
#   autograd" without a word on the case tried earns 0.5 of the second point.
# - Report 2, 2 points: counting needs no memory, so a gradient with the recurrence missing learns it
#   too (1); a gradient check, or a task with a delay (1).
# - Report 3, 1 point: below the floor means a leak or a wrong measurement, not structure (0.5); a
#   concrete test: targets shifted, causality by changing $x_t$, evaluation on padding, sum and mean
#   (0.5). "A lucky sample" earns nothing: .43 nats a symbol is no luck.
# - Report 4, 2 points: truncation cuts the credit, although the state is carried (1); a window or
#   reach of more than 100 steps, or a test that varies the window (1). A gated cell earns 0.5 of the
#   second point, if it is said that the window must be longer all the same.
# - Report 5, 1 point: should be near $\log V$, the network starts sure and wrong (0.5); smaller
#   output weights, or look for a bug in loss or targets (0.5).
# ### END MARK SCHEME
