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
# # Problem set 1: hidden Markov models
#
# In chapter 2 you met the forward algorithm, the backward algorithm and Viterbi. Here you take
# each of them one step further than the page did. Nothing below can be answered by copying the
# chapter; everything below can be answered by someone who understood it.
#
# | | task | you write | points | what it teaches |
# |---|---|---|---:|---|
# | 1 | `ps1-k-step` | `forecast` | 8 | prediction is a matrix power and one emission |
# | 2 | `ps1-order2` | `fold` | 10 | a longer memory is a larger state |
# | 3 | `ps1-missing` | `coarse` | 12 | what you did not see, you sum over |
# | 4 | `ps1-ragged-filter` | `log_filter` | 14 | padding is not data, and why logs beat scaling |
# | 5 | `ps1-mpm` | `decode` | 12 | the best path depends on what a mistake costs |
# | 6 | `ps1-ffbs` | `sample_paths` | 12 | uncertainty about whole paths |
# | 7 | `ps1-mstep` | `mstep` | 12 | from posteriors to parameters |
# | 8 | `ps1-keypad` | `keypad` | 6 + 6 | all of it, on something real |
# | 9 | `ps1-which` | a short text | 8 | which answer for which question |
# | | | | **100** | |
#
# **How to work.** Write your answer where the cell says `YOUR CODE HERE` and delete the line that
# raises `NotImplementedError`. Below each answer stands a test cell. Its visible tests look at
# shapes and at one worked example; more tests are added when your work is marked: other sizes,
# edge cases and the mistakes that people really make. So a pass here is a good start, not yet a
# proof: try your function on small cases of your own against `all_paths` below, which has no
# cleverness in it. You may add cells. Do not edit the test cells or the toolbox; changes there are
# undone before marking.
#
# **Before you hand in:** Kernel > Restart and run all. Every visible test must pass.
#
# **What counts.** The answer, not the route: loops or arrays, probabilities or logs, NumPy or
# PyTorch inside, as long as the function keeps its promise. You may use NumPy, PyTorch, matplotlib
# and the standard library. The tasks do not depend on each other, so you may skip one. No test
# needs an answer that takes more than a few seconds; none minds a warning from NumPy about the
# logarithm of zero.

# %% [markdown]
# ## Conventions, once for all tasks
#
# - `pi` is `(K,)`, `A` is `(K, K)` with `A[i, j]` $= p(z_t = j \mid z_{t-1} = i)$, and `E` is
#   `(K, V)` with `E[j, v]` $= p(x_t = v \mid z_t = j)$. Rows sum to 1. Entries may be exactly 0.
# - Time comes first: one sequence is `x` of shape `(T,)`, a batch is `(T, B)`; symbols are
#   integers from 0 to V - 1. $T \ge 1$, $B \ge 1$, $K \ge 1$, $V \ge 1$.
# - Arrays that come in are NumPy arrays; arrays that go out are NumPy arrays too. Real numbers are
#   `float64`, states are any integer type.
# - **Never change an argument.** Work on a copy.
# - Results are compared within `1e-9` (absolute), unless the task says otherwise. Logs are
#   natural.
# - Only task 4 needs logs. In the others scaling is enough: no state that matters in a test has a
#   probability that a `float64` would call 0.
# - You need not check arguments: the tests keep to what is stated here.

# %% [markdown]
# ## Toolbox
#
# Locked cells. You have seen what is in them, here for one sequence `x` `(T,)` and without checks;
# use it wherever you like.

# %% nbgrader={"grade": false, "grade_id": "ps1-toolbox", "locked": true, "schema_version": 3, "solution": false, "task": false}
import itertools

import matplotlib.pyplot as plt
import numpy as np


def ice_cream():
    """Return pi, A and E of the ice-cream HMM, new arrays at each call.

    State 0 is hot, 1 is cold; symbol 0 is one ice cream, 2 is three.
    """
    pi, A = np.array([0.8, 0.2]), np.array([[0.6, 0.4], [0.5, 0.5]])
    return pi, A, np.array([[0.2, 0.4, 0.4], [0.5, 0.4, 0.1]])


def all_paths(x, pi, A, E):
    """List all K**T paths and the joint probability of each with x: the slow witness.

    x: (T,). Returns paths (K**T, T), ints, and p (K**T,) with p[n] = p(x, z = paths[n]).
    """
    paths = np.array(list(itertools.product(range(len(pi)), repeat=len(x))))
    p = pi[paths[:, 0]] * E[paths[:, 0], x[0]]
    for t in range(1, len(x)):
        p = p * A[paths[:, t - 1], paths[:, t]] * E[paths[:, t], x[t]]
    return paths, p


def forward_backward(x, pi, A, E):
    """Run the scaled forward-backward algorithm of chapter 2 on one sequence that can occur.

    x: (T,). Returns filtered (T, K) with p(z_t | x_1..x_t), smoothed (T, K) with
    p(z_t | x_1..x_T), and log p(x) in nats.
    """
    T, K = len(x), len(pi)
    filtered, beta, scale = np.empty((T, K)), np.ones((T, K)), np.empty(T)
    predicted = pi
    for t in range(T):
        filtered[t] = predicted * E[:, x[t]]
        scale[t] = filtered[t].sum()
        filtered[t] /= scale[t]
        predicted = filtered[t] @ A
    for t in range(T - 2, -1, -1):
        beta[t] = A @ (E[:, x[t + 1]] * beta[t + 1]) / scale[t + 1]
    return filtered, filtered * beta, np.log(scale).sum()


def random_hmm(K, V, seed):
    """Draw pi (K,), A (K, K) and E (K, V) with rows uniform on the simplex."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K), rng.dirichlet(np.ones(V), K)


def same(got, want, atol=1e-9):
    """Tell whether got has the shape of want and its values within atol."""
    got, want = np.asarray(got), np.asarray(want)
    return got.shape == want.shape and bool(np.allclose(got, want, rtol=0, atol=atol))


def show_shape(name, got, shape, dtype):
    """Fail, and say what came, if got is not an array of this shape and kind of number."""
    got = np.asarray(got)
    assert got.shape == shape, f"{name} must have shape {shape}; got {got.shape}"
    assert np.issubdtype(got.dtype, dtype), f"{name} must be {dtype.__name__}; got {got.dtype}"


# %% [markdown]
# And a picture to have in mind. The filter answers "what do I know *today*?", the smoother "what
# do I know *in hindsight*?". Watch the places where the filter is late or jumps at a false alarm;
# most of this problem set is about telling such questions apart.


# %% nbgrader={"grade": false, "grade_id": "ps1-picture", "locked": true, "schema_version": 3, "solution": false, "task": false}
def sample_one(T, pi, A, E, seed):
    """Sample states z (T,) and symbols x (T,) from an HMM."""
    rng = np.random.default_rng(seed)
    z, x = np.empty(T, dtype=int), np.empty(T, dtype=int)
    for t in range(T):
        z[t] = rng.choice(len(pi), p=pi if t == 0 else A[z[t - 1]])
        x[t] = rng.choice(E.shape[1], p=E[z[t]])
    return z, x


def picture():
    sticky = np.array([[0.95, 0.05], [0.05, 0.95]])
    noisy = np.array([[0.7, 0.3], [0.3, 0.7]])
    z, x = sample_one(100, np.array([0.5, 0.5]), sticky, noisy, seed=5)
    filtered, smoothed, _ = forward_backward(x, np.array([0.5, 0.5]), sticky, noisy)
    fig, ax = plt.subplots(figsize=(9, 2.6), layout="constrained")
    ax.fill_between(range(100), z, step="mid", color="0.85", label="true state")
    ax.plot(filtered[:, 1], color="#0072B2", label="filter")
    ax.plot(smoothed[:, 1], color="#D55E00", label="smoother")
    ax.plot(np.flatnonzero(x), np.full(x.sum(), 1.06), "|", color="0.4", label="symbol 1")
    ax.set(xlabel="step t", ylabel="p(state 1)", title="The smoother has seen the future")
    ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.25), frameon=False)
    plt.show()


picture()

# %% [markdown]
# ## 1. How many ice creams in k days? (`ps1-k-step`, 8 points)
#
# The filter tells where each of B diaries stands today. The shop that serves these people must
# order now: for diary b it looks $k_b$ days ahead. Forecast the *symbol*, not the state.
#
# Write `forecast(filtered, k, A, E)`:
#
# - `filtered` `(B, K)`, row b is $p(z_t \mid x_{1:t})$ of diary b; `k` `(B,)`, integers from 0 to
#   10,000; `A` and `E` as above.
# - Returns `(B, V)`: entry `[b, v]` is $p(x_{t+k_b} = v \mid x_{1:t})$ of diary b.
# - For $k_b = 0$ it is the distribution of *another, independent* symbol drawn from today's state:
#   one more scoop on the same day.
#
# Worked example, on the ice-cream HMM: `filtered = [[0.5, 0.5], [1, 0]]` and `k = [1, 1]` give
# `[[0.335, 0.4, 0.265], [0.32, 0.4, 0.28]]`.
#
# <details><summary>Hint</summary>
#
# One day ahead the states are distributed as `filtered[b] @ A`. What are they after two days, and
# after none? The emission comes in exactly once, at the end. `np.linalg.matrix_power` exists, and
# so do loops.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-k-step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forecast(filtered, k, A, E):
    """Forecast the symbol of each sequence, k[b] steps ahead.

    filtered: (B, K). k: (B,) ints >= 0. A: (K, K). E: (K, V). Returns (B, V), rows sum to 1.
    """
    ### BEGIN SOLUTION
    states = [p @ np.linalg.matrix_power(A, steps) for p, steps in zip(filtered, k, strict=True)]
    return np.array(states) @ E  # (B, V)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-k-step-tests", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def visible_k_step():
    filtered = np.array([[0.5, 0.5], [1.0, 0.0]])
    _, A, E = ice_cream()
    got = forecast(filtered, np.array([1, 1]), A, E)
    show_shape("forecast", got, (2, 3), np.float64)
    assert same(got, [[0.335, 0.4, 0.265], [0.32, 0.4, 0.28]]), f"the worked example gives {got}"
    _, A, E = ice_cream()
    got = forecast(np.full((3, 2), 0.5), np.array([3, 0, 1]), A, E)
    show_shape("forecast", got, (3, 3), np.float64)
    assert same(np.sum(got, axis=1), np.ones(3)), "every row is a distribution over symbols"


visible_k_step()


### BEGIN HIDDEN TESTS
def hidden_k_step():
    _, A, E = random_hmm(3, 4, seed=1)
    filtered = np.random.default_rng(2).dirichlet(np.ones(3), 4)
    k = np.array([0, 3, 1, 2])
    want = np.zeros((4, 4))
    for b in range(4):  # the witness: every walk of k steps, one by one
        for walk in itertools.product(range(3), repeat=k[b] + 1):
            p = filtered[b, walk[0]]
            for i, j in itertools.pairwise(walk):
                p = p * A[i, j]
            want[b] += p * E[walk[-1]]
    before = [filtered, k, A, E]
    given = [a.copy() for a in before]
    got = forecast(*given)
    assert all([np.array_equal(a, b) for a, b in zip(given, before, strict=True)]), (
        "do not change the arguments: work on a copy"
    )
    assert np.shape(got) == (4, 4), "forecast symbols, shape (B, V): the emission comes at the end"
    alone = [forecast(filtered[b : b + 1], k[b : b + 1], A, E) for b in range(4)]
    assert same(alone[2], want[2:3]), "one step must follow A[i, j] = p(j | i): row vector times A"
    assert same(alone[0], want[:1]), "k = 0 takes no transition: the emission of today's state"
    assert same(alone[3], want[3:]), "two steps are the matrix product A @ A, then the emission"
    assert same(alone[1], want[1:2]), "k steps are the k-th matrix power of A"
    assert same(got, want), "each diary has its own horizon k[b]"

    turn = np.roll(np.eye(3), 1, axis=1)  # 0 -> 1 -> 2 -> 0: this chain never settles down
    got = forecast(np.eye(3), np.array([9_999, 10_000, 301]), turn, np.eye(3))
    assert same(got, np.eye(3)[[0, 2, 0]]), (
        "far ahead is not always the stationary distribution: a periodic chain keeps turning"
    )
    slow = np.array([[0.999, 0.001], [0.004, 0.996]])
    lam = 0.995**500  # for two states: p_k = stationary + (1 - a - b)^k (p_0 - stationary)
    got = forecast(np.array([[0.0, 1.0]]), np.array([500]), slow, np.eye(2))
    assert same(got, [[0.8 - 0.8 * lam, 0.2 + 0.8 * lam]]), (
        "a sticky chain remembers for hundreds of steps: use all k of them"
    )
    stages = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1.0]])  # has no basis of eigenvectors
    got = forecast(np.eye(3)[[0, 0]], np.array([3, 1]), stages, np.eye(3))
    assert same(got, [[0.125, 0.375, 0.5], [0.5, 0.5, 0]]), (
        "not every A has a basis of eigenvectors, and every call brings its own A: multiply by A"
    )
    got = forecast(np.ones((2, 1)), np.array([0, 5]), np.ones((1, 1)), np.array([[0.3, 0.7]]))
    assert same(got, [[0.3, 0.7], [0.3, 0.7]]), "one state (K = 1) must work too"


hidden_k_step()
### END HIDDEN TESTS

# %% [markdown]
# ## 2. A memory of two days (`ps1-order2`, 10 points)
#
# "Hot after cold" may say something else about tomorrow than "hot after hot". In a second-order
# chain the next state looks at the last *two*. No new algorithm is needed: a pair of days is a
# state.
#
# Given are
#
# - `pi2` `(K, K)`: `pi2[h, i]` $= p(z_0 = h, z_1 = i)$. Day 0 is the day before the diary begins:
#   it had weather, but nobody wrote anything down. `pi2` sums to 1.
# - `A2` `(K, K, K)`: `A2[h, i, j]` $= p(z_t = j \mid z_{t-2} = h, z_{t-1} = i)$.
# - `E` `(K, V)`: the symbol of day t depends on $z_t$ alone.
#
# Write `fold(pi2, A2, E)`. It returns a first-order HMM `(pi_pair, A_pair, E_pair)` of shapes
# `(K*K,)`, `(K*K, K*K)` and `(K*K, V)` that gives every diary the same probability. Its state
# number `h * K + i` means $(z_{t-1}, z_t) = (h, i)$: the older day first.
#
# Worked example with K = 2: if `A2[0, 0] = [0.9, 0.1]`, row 0 of `A_pair` is `[0.9, 0.1, 0, 0]`:
# from (0, 0) you can go to (0, 0) and to (0, 1), and to no pair that forgets that today is 0. In
# the same way `A2[1, 1] = [0.2, 0.8]` makes row 3 `[0, 0, 0.2, 0.8]`.
#
# <details><summary>Hint</summary>
#
# Think of `A_pair` as four axes, `(h, i, h', j)`. It is zero unless `h' == i`; then what is it?
# Write that with loops first if you like. For `E_pair`: of the two days in a pair, whose ice cream
# do you see on day t?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-order2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fold(pi2, A2, E):
    """Fold a second-order HMM into a first-order HMM over pairs of states.

    pi2: (K, K). A2: (K, K, K). E: (K, V). Returns pi_pair (K*K,), A_pair (K*K, K*K) and
    E_pair (K*K, V); pair state h * K + i is (z_{t-1}, z_t) = (h, i).
    """
    ### BEGIN SOLUTION
    K = len(E)
    A_pair = np.zeros((K, K, K, K))  # (h, i, h', j)
    for i in range(K):
        A_pair[:, i, i, :] = A2[:, i, :]  # the new older day is the day that was today
    return pi2.ravel(), A_pair.reshape(K * K, K * K), np.tile(E, (K, 1))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-order2-tests", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def visible_order2():
    pi2 = np.array([[0.5, 0.1], [0.1, 0.3]])
    A2 = np.array([[[0.9, 0.1], [0.4, 0.6]], [[0.7, 0.3], [0.2, 0.8]]])
    pi_pair, A_pair, E_pair = fold(pi2, A2, ice_cream()[2])
    show_shape("pi_pair", pi_pair, (4,), np.float64)
    show_shape("A_pair", A_pair, (4, 4), np.float64)
    show_shape("E_pair", E_pair, (4, 3), np.float64)
    assert same(np.sum(pi_pair), 1.0), "pi_pair must sum to 1"
    assert same(np.sum(A_pair, axis=1), np.ones(4)), "the rows of A_pair must sum to 1"
    assert same(A_pair[0], [0.9, 0.1, 0, 0]), f"row 0 of A_pair is {A_pair[0]}"
    assert same(A_pair[3], [0, 0, 0.2, 0.8]), f"row 3 of A_pair is {A_pair[3]}"
    assert same(E_pair[0], ice_cream()[2][0]), "in pair (0, 0) today is state 0"
    assert same(E_pair[3], ice_cream()[2][1]), "in pair (1, 1) today is state 1"


visible_order2()


### BEGIN HIDDEN TESTS
def hidden_order2():
    K, V = 3, 4
    rng = np.random.default_rng(3)
    pi2 = rng.dirichlet(np.ones(K * K)).reshape(K, K)
    A2, E = rng.dirichlet(np.ones(K), (K, K)), rng.dirichlet(np.ones(V), K)
    A2[0, 1] = [0, 1, 0]  # forbidden: after 0, 1 there is no way but 1
    pi2[2, 0] = 0
    pi2 /= pi2.sum()
    before = [pi2, A2, E]
    given = [a.copy() for a in before]
    fits = True
    try:
        pi_pair, A_pair, E_pair = fold(*given)
    except (ValueError, IndexError):
        fits = False
    assert fits, "K = 3, V = 4 raises: do not write the sizes of the worked example into the code"
    assert np.shape(A_pair) == (9, 9), "with K = 3 there are K * K = 9 pairs, not 4"
    assert np.shape(pi_pair) == (9,) and np.shape(E_pair) == (9, 4), "pi_pair (9,), E_pair (9, 4)"
    for h, i in itertools.product(range(K), repeat=2):
        row = np.asarray(A_pair)[h * K + i].reshape(K, K)
        assert same(row[i].sum(), 1.0), (
            "from (h, i) only pairs that begin with i can follow: today becomes the older day"
        )
        assert same(row[i], A2[h, i]), "A2[h, i]: h is the older day, i is the newer one"
        assert same(E_pair[h * K + i], E[i]), "a pair shows the symbol of its newer day i, not of h"
        assert same(pi_pair[h * K + i], pi2[h, i]), (
            "the start is pi2[h, i] itself: the days are not independent, and h is the older one"
        )
    assert all([np.array_equal(a, b) for a, b in zip(given, before, strict=True)]), (
        "do not change the arguments: work on a copy"
    )

    for x in ([2], [3, 0], [1, 1, 0, 3]):  # the witness: every walk of the second-order chain
        want = 0.0
        for walk in itertools.product(range(K), repeat=len(x) + 1):
            p = pi2[walk[0], walk[1]] * E[walk[1], x[0]]
            for t in range(1, len(x)):
                p = p * A2[walk[t - 1], walk[t], walk[t + 1]] * E[walk[t + 1], x[t]]
            want += p
        _, _, log_lik = forward_backward(x, *(np.asarray(a) for a in (pi_pair, A_pair, E_pair)))
        assert same(log_lik, np.log(want)), "the folded HMM must give each diary its probability"

    one = fold(np.ones((1, 1)), np.ones((1, 1, 1)), np.array([[0.25, 0.75]]))
    assert same(one[0], [1.0]) and same(one[1], [[1.0]]) and same(one[2], [[0.25, 0.75]]), (
        "one state (K = 1) must work too: one pair"
    )


hidden_order2()
### END HIDDEN TESTS

# %% [markdown]
# ## 3. "Two or three, I don't remember" (`ps1-missing`, 12 points)
#
# In chapter 2 an observation was there or it was missing. Real diaries are in between: the page
# has a stain, and all you can say is "at least two". So each day comes as a *set* of symbols that
# are still possible. A set of one is an ordinary observation; the set of all symbols is a missing
# one.
#
# Write `coarse(seen, pi, A, E)`:
#
# - `seen` `(T, V)`, bool: `seen[t, v]` is True if symbol v is possible on day t. Each row has at
#   least one True, and the diary as a whole can occur. Days do not drop out: T rows in, T rows
#   out. T may be in the thousands.
# - Returns the tuple `(filtered, smoothed, log_lik)`. With $S_t$ the set of day t, `filtered[t]`
#   is $p(z_t \mid x_1 \in S_1, \dots, x_t \in S_t)$, `smoothed[t]` is
#   $p(z_t \mid x_1 \in S_1, \dots, x_T \in S_T)$, both `(T, K)`, and `log_lik` is the scalar
#   $\log p(x_1 \in S_1, \dots, x_T \in S_T)$.
# - Tolerance `1e-8`.
#
# The stain itself carries no message: whether it is there depends neither on the weather nor on
# how many ice creams there were.
#
# Worked example: the diary 3, 1, 3, all seen exactly, on the ice-cream HMM. `log_lik` is
# $\log 0.028562 = -3.555678$, and `filtered[:, 0]` (hot) is `[0.941176, 0.369287, 0.822632]`;
# `smoothed[:, 0]` is `[0.936629, 0.396051, 0.822632]`.
#
# <details><summary>Hint</summary>
#
# The forward recursion multiplies by $p(x_t = v \mid z_t = j)$. What is
# $p(x_t \in \{v, w\} \mid z_t = j)$? What does it become when the set holds every symbol, and what
# must the probability of a diary be in which nothing at all was seen?
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-missing", "locked": false, "schema_version": 3, "solution": true, "task": false}
def coarse(seen, pi, A, E):
    """Filter and smooth a sequence of which only sets of possible symbols are known.

    seen: (T, V) bool. pi: (K,). A: (K, K). E: (K, V). Returns filtered (T, K), smoothed (T, K)
    and log_lik, the log probability in nats that each symbol lies in its set.
    """
    ### BEGIN SOLUTION
    T, K = len(seen), len(pi)
    lik = seen @ E.T  # (T, K), p(x_t in S_t | z_t): the events "v" and "w" exclude each other
    filtered, beta, scale = np.empty((T, K)), np.ones((T, K)), np.empty(T)
    predicted = pi
    for t in range(T):
        joint = predicted * lik[t]
        scale[t] = joint.sum()
        filtered[t] = joint / scale[t]
        predicted = filtered[t] @ A
    for t in range(T - 2, -1, -1):
        beta[t] = A @ (lik[t + 1] * beta[t + 1]) / scale[t + 1]
    return filtered, filtered * beta, np.log(scale).sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-missing-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_missing():
    seen = np.eye(3, dtype=bool)[[2, 0, 2]]
    pi, A, E = ice_cream()
    filtered, smoothed, log_lik = coarse(seen, pi, A, E)
    show_shape("filtered", filtered, (3, 2), np.float64)
    show_shape("smoothed", smoothed, (3, 2), np.float64)
    show_shape("log_lik", log_lik, (), np.float64)
    assert same(log_lik, np.log(0.028562), atol=1e-8), f"the worked example gives {log_lik}"
    want = [0.941176, 0.369287, 0.822632]
    assert same(filtered[:, 0], want, atol=1e-6), f"filtered, hot: {filtered[:, 0]}"
    want = [0.936629, 0.396051, 0.822632]
    assert same(smoothed[:, 0], want, atol=1e-6), f"smoothed, hot: {smoothed[:, 0]}"


visible_missing()


### BEGIN HIDDEN TESTS
def coarse_witness(seen, pi, A, E):
    """Add up p(x, z) over all paths z and all diaries x that the sets allow."""
    T, K = len(seen), len(pi)
    joint = np.zeros((T, T, K))  # (last day seen, day, state)
    total = np.zeros(T)
    for last in range(T):
        sets = [np.flatnonzero(row) for row in seen[: last + 1]]
        for x in itertools.product(*sets):
            paths, p = all_paths(x, pi, A, E)
            total[last] += p.sum()
            for t in range(last + 1):
                joint[last, t] += np.bincount(paths[:, t], weights=p, minlength=K)
    filtered = np.array([joint[t, t] / total[t] for t in range(T)])
    return filtered, joint[-1] / total[-1], np.log(total[-1])


def hidden_missing():
    pi, A, E = random_hmm(3, 4, seed=4)
    nothing = np.ones((3, 4), dtype=bool)
    filtered, smoothed, log_lik = coarse(nothing, pi, A, E)
    assert np.shape(filtered) == (3, 3), "a missing day still counts as a day: keep all T rows"
    assert not np.any(np.isnan(filtered)), "a missing day has emission 1, not 0: no NaN may appear"
    assert not same(filtered, np.full((3, 3), 1 / 3)), (
        "a missing day does not make the states uniform: the chain still knows pi and A"
    )
    assert same(filtered, [pi, pi @ A, pi @ A @ A]), "where nothing is seen, the filter is pi A^t"
    assert same(smoothed, filtered), "with nothing seen, hindsight adds nothing"
    assert same(log_lik, 0.0), (
        "to see nothing has probability 1: add the emissions of the set, do not average them"
    )

    rng = np.random.default_rng(5)
    for T, K, V in [(1, 2, 3), (4, 3, 3), (5, 2, 4), (4, 1, 2), (3, 2, 6)]:
        pi, A, E = random_hmm(K, V, seed=T)
        seen = rng.random((T, V)) < (0.5 if V < 6 else 0.7)
        seen[np.arange(T), rng.integers(V, size=T)] = True
        if T == 5:
            seen[1] = True  # a stained page in the middle
        if T == 4:
            seen[-1] = True  # and one at the end
        before = [seen, pi, A, E]
        given = [a.copy() for a in before]
        filtered, smoothed, log_lik = coarse(*given)
        want = coarse_witness(seen, pi, A, E)
        assert same(filtered, want[0], atol=1e-8), (
            "filtered must use the sum of the emissions of all symbols in the set, up to day t only"
        )
        assert same(smoothed, want[1], atol=1e-8), (
            "smoothed must use the sets of all days, later ones too, also where a day is missing"
        )
        assert same(log_lik, want[2], atol=1e-8), "log_lik is the log probability of all the sets"
        assert all([np.array_equal(a, b) for a, b in zip(given, before, strict=True)]), (
            "do not change the arguments: work on a copy"
        )

    pi, A = np.array([1.0, 0.0, 0.0]), np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]])
    seen = np.array([[1, 1], [1, 1], [0, 1]], dtype=bool)  # only state 2 shows symbol 1
    filtered, smoothed, log_lik = coarse(seen, pi, A, np.array([[1.0, 0], [1, 0], [0, 1]]))
    assert same(smoothed, [[1, 0, 0], [0, 1, 0], [0, 0, 1]], atol=1e-8), (
        "zeros in A and E are facts: here only the path 0, 1, 2 is possible"
    )
    assert same(log_lik, np.log(0.25), atol=1e-8), "the probability of the only path is 0.5 * 0.5"

    # who cannot go back must not, however surprising the symbols
    pi, A = np.array([1.0, 0.0]), np.array([[0.5, 0.5], [0.0, 1.0]])
    seen = np.eye(2, dtype=bool)[[1] * 4 + [0] * 8]
    rare = np.array([[0.999, 0.001], [0.001, 0.999]])
    want = coarse_witness(seen, pi, A, rare)
    assert same(coarse(seen, pi, A, rare)[1], want[1], atol=1e-8), (
        "a tiny number in place of a 0 makes forbidden steps possible: keep the zeros"
    )

    once = np.array([[0.01, 0.99], [1.0, 0.0]])  # state 1 never shows symbol 1
    seen = np.eye(2, dtype=bool)[[1] + [0] * 10]
    filtered = coarse(seen, np.array([0.5, 0.5]), np.eye(2), once)[0]
    assert same(filtered, np.tile([1.0, 0.0], (11, 1)), atol=1e-8), (
        "a tiny number in place of an emission of 0 revives a state that was ruled out"
    )

    x = rng.integers(3, size=3000)
    pi, A, E = ice_cream()
    want = forward_backward(x, pi, A, E)
    filtered, smoothed, log_lik = coarse(np.eye(3, dtype=bool)[x], pi, A, E)
    assert np.isfinite(log_lik), "3,000 days underflow to 0: scale each step or work with logs"
    assert same(log_lik, want[2], atol=1e-6), "log_lik of a long diary: scale or work with logs"
    assert same(smoothed, want[1], atol=1e-8), "smoothed of a long diary: scale or work with logs"


hidden_missing()
### END HIDDEN TESTS

# %% [markdown]
# See what you made. A sensor on a slow machine is switched off for a while. What the filter
# believes in the gap drifts back to what it knew before it saw anything; the smoother holds on to
# both ends.


# %%
def gap():
    sticky = np.array([[0.97, 0.03], [0.03, 0.97]])
    noisy = np.array([[0.8, 0.2], [0.2, 0.8]])
    z, x = sample_one(120, np.array([0.5, 0.5]), sticky, noisy, seed=1)
    seen = np.eye(2, dtype=bool)[x]
    seen[45:80] = True
    filtered, smoothed, _ = coarse(seen, np.array([0.5, 0.5]), sticky, noisy)
    fig, ax = plt.subplots(figsize=(9, 2.6), layout="constrained")
    ax.axvspan(44.5, 79.5, color="0.93")
    ax.text(62, 1.04, "switched off", ha="center", color="0.4")
    ax.step(range(120), z, where="mid", color="0.7", label="true state")
    ax.plot(filtered[:, 1], color="#0072B2", label="filter")
    ax.plot(smoothed[:, 1], color="#D55E00", label="smoother")
    ax.set(xlabel="step t", ylabel="p(state 1)", ylim=(-0.05, 1.15))
    ax.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.25), frameon=False)
    plt.show()


gap()

# %% [markdown]
# ## 4. A ragged batch, in logs (`ps1-ragged-filter`, 14 points)
#
# Diaries have different lengths. To go through them together you stack them into one array and
# fill the short ones up. The filling is not data, and it must leave no trace in any answer.
#
# And this time scaling is not enough. Of two coins one shows heads nine times in ten, the other
# tails nine times in ten, and one of them is in your hand for good. After 1,500 heads the
# tails-coin has a probability near $10^{-1431}$, which a float64 can only call 0. Then 1,600 tails
# come. With logs, the coin comes back. With a 0, it never does.
#
# Write `log_filter(x, lengths, pi, A, E)`:
#
# - `x` `(T, B)`, integers, T up to 4,000; column b is a diary in its first `lengths[b]` rows, and
#   **padding** below. Padding may be *any* integer, also one that is no symbol, such as -1 or 99.
#   `lengths` `(B,)`, integers from 1 to T (no diary need be as long as T).
# - Returns the tuple `(log_filtered, log_lik)`. `log_filtered` `(T, B, K)` holds
#   $\log p(z_t = j \mid x_{1:t})$; what you put at padded positions is yours, tests do not look.
#   `log_lik` `(B,)` holds $\log p(x_{1:\ell})$ with $\ell$ the length of that diary.
# - A state with probability 0 has log `-inf`, never NaN. A state that is possible has a finite
#   log, though it may be -345,000.
# - A diary that cannot occur has `log_lik` `-inf`; its `log_filtered` is not looked at from there
#   on. It must not disturb its neighbours, and it must raise nothing.
# - Tolerance `1e-6`.
#
# Worked example: the diary 3, 1, 3 alone (`T = 3`, `B = 1`): `log_lik` is `[-3.555678]` and
# `log_filtered[:, 0, 0]` is `[-0.060625, -0.996182, -0.195247]`.
#
# <details><summary>Hint</summary>
#
# In logs a product is a sum and a sum is a log-sum-exp: take the maximum out first. What happens
# to that trick when *all* terms are `-inf`? (`np.logaddexp.reduce` knows.) For the padding: a
# column that has ended needs no arithmetic at all; `np.where` with a mask `t < lengths` will do.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-ragged-filter", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_filter(x, lengths, pi, A, E):
    """Filter a padded batch of sequences of different lengths in log space.

    x: (T, B) ints, anything at t >= lengths[b]. lengths: (B,). pi: (K,). A: (K, K). E: (K, V).
    Returns log_filtered (T, B, K) and log_lik (B,), in nats; -inf for what is impossible.
    """
    ### BEGIN SOLUTION
    T, B = x.shape
    real = np.arange(T)[:, None] < lengths  # (T, B)
    with np.errstate(divide="ignore"):  # log 0 = -inf is what we mean
        log_pi, log_A, log_E = np.log(pi), np.log(A), np.log(E)
    log_emit = log_E.T[np.where(real, x, 0)]  # (T, B, K)
    log_filtered = np.empty((T, B, len(pi)))
    log_lik = np.zeros(B)
    log_predicted = np.broadcast_to(log_pi, (B, len(pi)))
    for t in range(T):
        log_joint = log_predicted + log_emit[t]  # (B, K)
        log_norm = np.logaddexp.reduce(log_joint, axis=1)  # log p(x_t | x_1..x_{t-1}), (B,)
        log_lik = np.where(real[t], log_lik + log_norm, log_lik)
        # an impossible diary has -inf everywhere; -inf minus -inf would be NaN
        log_filtered[t] = log_joint - np.where(np.isneginf(log_norm), 0, log_norm)[:, None]
        log_predicted = np.logaddexp.reduce(log_filtered[t][:, :, None] + log_A, axis=1)
    return log_filtered, log_lik
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-ragged-filter-tests", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
def visible_ragged_filter():
    x = np.array([[2], [0], [2]])
    pi, A, E = ice_cream()
    log_filtered, log_lik = log_filter(x, np.array([3]), pi, A, E)
    show_shape("log_filtered", log_filtered, (3, 1, 2), np.float64)
    show_shape("log_lik", log_lik, (1,), np.float64)
    assert same(log_lik, [np.log(0.028562)], atol=1e-6), f"the worked example gives {log_lik}"
    want = [-0.060625, -0.996182, -0.195247]
    got = log_filtered[:, 0, 0]
    assert same(got, want, atol=2e-6), f"log_filtered, hot: {got}"
    x = np.array([[2, 0, 1], [0, 1, 0], [2, 2, 0], [1, 0, 0]])
    pi, A, E = ice_cream()
    log_filtered, log_lik = log_filter(x, np.array([4, 3, 1]), pi, A, E)
    show_shape("log_filtered", log_filtered, (4, 3, 2), np.float64)
    show_shape("log_lik", log_lik, (3,), np.float64)
    assert np.all(np.asarray(log_lik) < 0), "log_lik is the log of a probability below 1"


visible_ragged_filter()


### BEGIN HIDDEN TESTS
def hidden_ragged_filter():
    rng = np.random.default_rng(6)
    T, B, K, V = 5, 6, 3, 4
    pi, A, E = random_hmm(K, V, seed=7)
    lengths = np.array([3, 1, 4, 2, 3, 4])  # none as long as T
    x = rng.integers(V, size=(T, B))
    for pad in (0, -1, 99):
        x = np.where(np.arange(T)[:, None] < lengths, x, pad)
        before = [x, lengths, pi, A, E]
        given = [a.copy() for a in before]
        crashed = False
        try:
            log_filtered, log_lik = log_filter(*given)
        except IndexError:
            crashed = True
        assert not crashed, "padding may be any integer: do not look it up in E"
        log_filtered, log_lik = np.asarray(log_filtered), np.asarray(log_lik)
        assert log_lik.shape == (B,), "log_lik has one entry for each diary, shape (B,)"
        assert log_filtered.shape == (T, B, K), (
            "log_filtered has T rows, also when no diary is that long"
        )
        for b in range(B):
            n = lengths[b]
            p = all_paths(x[:n, b], pi, A, E)[1]
            assert same(log_lik[b], np.log(p.sum()), atol=1e-6), (
                "log_lik must end with the last real symbol: the padding was filtered, or the last"
                " row was read instead of row lengths[b] - 1"
            )
            for t in range(n):
                paths, p = all_paths(x[: t + 1, b], pi, A, E)
                want = np.bincount(paths[:, t], weights=p, minlength=K) / p.sum()
                assert same(log_filtered[t, b], np.log(want), atol=1e-6), (
                    "log_filtered[t, b] is log p(z_t | x_1..x_t) of diary b: normalise every step"
                )
        assert all([np.array_equal(a, b) for a, b in zip(given, before, strict=True)]), (
            "do not change the arguments, not even the padding of x: work on a copy"
        )

    # a chain that moves right: states 1 and 2 cannot be reached at once
    pi, A = np.array([1.0, 0, 0]), np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1.0]])
    E = np.array([[0.5, 0.5, 0], [0.9, 0.1, 0], [0.2, 0.8, 0]])  # nobody shows symbol 2
    x, lengths = np.array([[0, 0, 1], [1, 2, 0], [0, 0, 2]]), np.array([3, 3, 2])
    log_filtered, log_lik = log_filter(x, lengths, pi, A, E)
    log_filtered, log_lik = np.asarray(log_filtered), np.asarray(log_lik)
    assert not np.any(np.isnan(log_filtered[:, 0])) and not np.isnan(log_lik[0]), (
        "NaN: the maximum of a log-sum-exp is -inf when every way is forbidden; -inf - -inf is NaN"
    )
    assert same(log_filtered[0, 0], [0, -np.inf, -np.inf], atol=1e-6), (
        "a forbidden state has log probability -inf, exactly: do not add an epsilon"
    )
    assert np.isneginf(log_lik[1]), "a diary that cannot occur has log_lik -inf, not NaN"
    for b in (0, 2):
        p = all_paths(x[: lengths[b], b], pi, A, E)[1].sum()
        assert same(log_lik[b], np.log(p), atol=1e-6), "its neighbours must not be disturbed"

    # two coins, one in the hand for good; 1,500 heads, then 1,600 tails; the other way; one symbol
    x = np.zeros((3100, 3), dtype=int)
    x[1500:, 0], x[:1500, 1] = 1, 1
    x[1:, 2] = 99
    lengths = np.array([3100, 3100, 1])
    coins = np.array([[0.9, 0.1], [0.1, 0.9]])
    log_filtered, log_lik = log_filter(x, lengths, np.array([0.5, 0.5]), np.eye(2), coins)
    log_filtered, log_lik = np.asarray(log_filtered), np.asarray(log_lik)
    lead = np.cumsum(np.where(x[:, 0] == 0, 1, -1)) * np.log(9)  # log odds of coin 0
    want = -np.logaddexp(0, np.stack([-lead, lead], axis=-1))
    assert np.all(np.isfinite(log_filtered[1499, 0])), (
        "a state with p = 1e-1431 is unlikely, not impossible: scaled probabilities underflow to 0"
    )
    assert same(log_filtered[:, 0], want, atol=1e-6), (
        "the tails-coin must come back: keep the filter in logs from the first step to the last"
    )
    assert same(log_filtered[:, 1], want[:, ::-1], atol=1e-6), "the two coins are alike: symmetric"
    many, few = 1600 * np.log(0.9) + 1500 * np.log(0.1), 1500 * np.log(0.9) + 1600 * np.log(0.1)
    want = np.logaddexp(many, few) + np.log(0.5)
    assert same(log_lik, [want, want, np.log(0.5)], atol=1e-6), "log_lik of a long diary underflows"

    rare = np.array([[1.0, 1e-100], [1e-100, 1.0]])
    log_filtered, _ = log_filter(x[:, :1], lengths[:1], np.array([0.5, 0.5]), np.eye(2), rare)
    lead = lead / np.log(9) * 100 * np.log(10)
    want = -np.logaddexp(0, np.stack([-lead, lead], axis=-1))
    assert same(np.asarray(log_filtered)[:, 0], want, atol=1e-5), (
        "no finite number can stand for log 0: a possible state may have a log of -345,000"
    )

    one = np.ones((1, 1))
    log_filtered, log_lik = log_filter(np.array([[1], [0]]), np.array([2]), one[0], one, coins[:1])
    assert same(log_filtered, np.zeros((2, 1, 1)), atol=1e-6), "one state (K = 1) must work too"
    assert same(log_lik, [np.log(0.09)], atol=1e-6), "one state (K = 1) must work too"


hidden_ragged_filter()
### END HIDDEN TESTS

# %% [markdown]
# ## 5. What does a mistake cost? (`ps1-mpm`, 12 points)
#
# Viterbi finds the most probable *whole* path. But if you are paid by the day, you want each day
# right on its own; and if calling a sick patient healthy is ten times as bad as the reverse, you
# want neither. With `cost[i, j]` the price of *saying* j when the *truth* is i, the best thing to
# say on day t is
#
# $$ \hat z_t = \arg\min_j \sum_i p(z_t = i \mid x_{1:T})\; \mathtt{cost}[i, j]. $$
#
# With cost 0 for right and 1 for wrong this is **posterior decoding** (the maximal posterior
# marginals).
#
# Write `decode(x, pi, A, E, cost)`:
#
# - `x` `(T,)`, a diary that can occur, T up to 2,000; `cost` `(K, K)`, numbers from 0 up, the
#   diagonal too.
# - Returns the tuple `(path, expected, log_joint)`: `path` `(T,)`, integers, the $\hat z_t$ above;
#   `expected`, a scalar, the expected total cost of that path over all T days, given the whole
#   diary; `log_joint`, a scalar, $\log p(x, z = \mathtt{path})$. The days were decided one by one,
#   so the path as a whole may be impossible: then `log_joint` is `-inf`, and nothing is raised.
# - There are no ties in the tests. Tolerance `1e-7`.
#
# Worked example: the diary 3, 1, 3 with `cost = [[0, 1], [1, 0]]` gives the path `[0, 1, 0]` and
# `log_joint` $= \log 0.0128 = -4.358310$. The diary of the single day 2 gives the path `[0]` and
# `expected` $= 0.2$, since that day was hot with probability 0.8.
#
# <details><summary>Hint</summary>
#
# The formula uses one of the three results of `forward_backward`: which? All T decisions are one
# matrix product and one `argmin`. Mind which index of `cost` is summed. For `log_joint`, add logs;
# do not take the log of a product.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-mpm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def decode(x, pi, A, E, cost):
    """Decide each state so that the expected cost is least.

    x: (T,). pi: (K,). A: (K, K). E: (K, V). cost: (K, K), cost[truth, said]. Returns path (T,)
    ints, its expected total cost, and log p(x, path) in nats, -inf if the path is impossible.
    """
    ### BEGIN SOLUTION
    _, smoothed, _ = forward_backward(x, pi, A, E)
    risk = smoothed @ cost  # (T, K), expected cost of saying j at t
    path = risk.argmin(axis=1)
    with np.errstate(divide="ignore"):  # an impossible path has log 0 = -inf
        log_joint = np.log(pi[path[0]]) + np.log(E[path, x]).sum()
        log_joint += np.log(A[path[:-1], path[1:]]).sum()
    return path, risk.min(axis=1).sum(), log_joint
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-mpm-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_mpm():
    x, cost = np.array([2, 0, 2]), np.array([[0.0, 1.0], [1.0, 0.0]])
    pi, A, E = ice_cream()
    path, expected, log_joint = decode(x, pi, A, E, cost)
    show_shape("path", path, (3,), np.integer)
    show_shape("expected", expected, (), np.float64)
    show_shape("log_joint", log_joint, (), np.float64)
    assert same(path, [0, 1, 0]), f"the worked example gives the path {path}"
    assert same(log_joint, np.log(0.0128), atol=1e-7), f"and the log joint {log_joint}"
    assert 0 <= expected <= 3, "with costs of 0 and 1, three days cost between 0 and 3"
    pi, A, E = ice_cream()
    path, expected, _ = decode(np.array([1]), pi, A, E, cost)
    assert same(path, [0]), f"the diary of one day gives the path {path}"
    assert same(expected, 0.2, atol=1e-7), f"and the expected cost {expected}"


visible_mpm()


### BEGIN HIDDEN TESTS
def hidden_mpm():
    # the days one by one say 0, 0; but 0 never follows 0
    pi, A = np.array([0.4, 0.3, 0.3]), np.array([[0, 0.5, 0.5], [1.0, 0, 0], [1.0, 0, 0]])
    E, cost = np.ones((3, 1)), 1.0 - np.eye(3)
    crashed = False
    try:
        path, expected, log_joint = decode(np.array([0, 0]), pi, A, E, cost)
    except ValueError:
        crashed = True
    assert not crashed, (
        "an impossible path has log joint -inf: math.log(0) raises, np.log(0) does not"
    )
    assert same(path, [0, 0]), (
        "decide each day by its own posterior: Viterbi's best whole path is another answer"
    )
    assert np.isneginf(log_joint), "this path is impossible: its log joint is -inf, never NaN"
    assert same(expected, 0.6 + 0.4, atol=1e-7), (
        "expected cost of 0, 0: wrong on day 1 with .6, on day 2 with .4"
    )

    rng = np.random.default_rng(8)
    cases = []
    for K, V, T in [(2, 3, 6), (3, 3, 5), (4, 2, 4), (3, 4, 1), (1, 2, 3), (3, 2, 6), (2, 2, 7)]:
        pi, A, E = random_hmm(K, V, seed=10 + T + K)
        x = rng.integers(V, size=T)
        paths, joint = all_paths(x, pi, A, E)
        p = joint / joint.sum()
        for cost in (1.0 - np.eye(K), rng.random((K, K)) * 10):
            # the witness: the price of every thing said, averaged over every true path
            said = [[(p * cost[paths[:, t], j]).sum() for j in range(K)] for t in range(T)]
            risk = np.sort(said, axis=1)
            assert K == 1 or (risk[:, 1] - risk[:, 0]).min() > 1e-4, "a tie in the test itself"
            want = np.argmin(said, axis=1)
            log_want = np.log(joint[(paths == want).all(axis=1)][0])
            before = [x, pi, A, E, cost]
            given = [a.copy() for a in before]
            got = decode(*given)
            assert all([np.array_equal(a, b) for a, b in zip(given, before, strict=True)]), (
                "do not change the arguments: work on a copy"
            )
            cases.append((cost[0, 0] == 0, got, want, risk[:, 0].sum(), log_want))
    assert all([same(got[0], want) for plain_cost, got, want, _, _ in cases if plain_cost]), (
        "use the smoothed posterior of each day: neither the filter nor Viterbi"
    )
    assert all([same(got[0], want) for _, got, want, _, _ in cases]), (
        "weigh the posterior with cost[truth, said]: sum over the truth, axis 0"
    )
    assert all([same(got[1], want, atol=1e-7) for _, got, _, want, _ in cases]), (
        "expected is the sum over days of the least expected cost, not of 1 - max posterior"
    )
    assert all([same(got[2], want, atol=1e-7) for _, got, _, _, want in cases]), (
        "log_joint is log p(x, path) along the chain: not a product of the marginals"
    )

    z = np.repeat([0, 1, 0, 1], 500)  # nearly frozen, and symbols 0-4 and 5-9 tell the states apart
    x = 5 * z + rng.integers(5, size=2000)
    A = np.array([[0.99, 0.01], [0.01, 0.99]])
    E = np.repeat([[0.18, 0.02], [0.02, 0.18]], 5, axis=1)
    path, expected, log_joint = decode(x, np.array([0.5, 0.5]), A, E, 1.0 - np.eye(2))
    assert same(path, z), "2,000 days: the path is plain to see, unless something underflowed"
    want = np.log(0.5) + 2000 * np.log(0.18) + 1996 * np.log(0.99) + 3 * np.log(0.01)
    assert same(log_joint, want, atol=1e-7), "add logs: a product of 4,000 factors underflows"


hidden_mpm()
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Diaries that might have been (`ps1-ffbs`, 12 points)
#
# "How long was the longest hot spell?" No list of daily probabilities can answer that: it is a
# question about whole paths. But if you can *draw* whole paths from $p(z_{1:T} \mid x_{1:T})$, you
# answer it by looking at a thousand of them. The trick is to filter forward and then to draw
# backward, the last day first:
#
# $$ p(z_t \mid z_{t+1}, x_{1:T}) \;\propto\; p(z_t \mid x_{1:t})\; p(z_{t+1} \mid z_t). $$
#
# (Why does the right side need nothing after day t but $z_{t+1}$? Try to say it in one sentence.)
#
# Write `sample_paths(x, pi, A, E, n, seed)`:
#
# - `x` `(T,)`, a diary that can occur, T up to 1,000; `n` $\ge 1$, how many paths; `seed`, an
#   integer.
# - Returns `(n, T)`, integers: each row is an independent draw from $p(z_{1:T} \mid x_{1:T})$.
# - Make your generator inside: `rng = np.random.default_rng(seed)`. The same seed gives the same
#   paths, another seed other ones. In which order you use the random numbers is up to you: the
#   tests look at frequencies, with a band of five standard deviations, at n = 5,000.
#
# Worked example: if the symbols give the states away, there is nothing to draw. With
# `pi = [0.5, 0.5]`, `A = [[0.5, 0.5], [0.5, 0.5]]` and `E` the identity, the diary `[0, 1, 1]`
# gives `[0, 1, 1]` in each row.
#
# <details><summary>Hint</summary>
#
# The toolbox filters for you. Fix $z_{t+1} = j$: as a function of $z_t$, is
# $p(z_{t+1} = j \mid z_t)$ a row of `A` or a column? To draw for all n paths at once, compare one
# uniform number for each path with the cumulative sums of its distribution.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-ffbs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_paths(x, pi, A, E, n, seed):
    """Draw n state paths from their posterior: filter forward, sample backward.

    x: (T,). pi: (K,). A: (K, K). E: (K, V). Returns (n, T) ints, one independent path a row.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    filtered, _, _ = forward_backward(x, pi, A, E)
    z = np.empty((n, len(x)), dtype=int)
    weight = np.broadcast_to(filtered[-1], (n, len(pi)))
    for t in range(len(x) - 1, -1, -1):
        if t < len(x) - 1:
            weight = filtered[t] * A[:, z[:, t + 1]].T  # (n, K), a column of A for each path
        edges = weight.cumsum(axis=1)
        u = rng.random((n, 1)) * edges[:, -1:]
        z[:, t] = (u >= edges).sum(axis=1)  # >=: a state of weight 0 is never hit
    return z
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-ffbs-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_ffbs():
    half = np.full((2, 2), 0.5)
    got = sample_paths(np.array([0, 1, 1]), half[0], half, np.eye(2), 5, 0)
    show_shape("sample_paths", got, (5, 3), np.integer)
    assert same(got, np.tile([0, 1, 1], (5, 1))), f"the worked example gives {got}"
    x = np.array([2, 0, 2, 1])
    pi, A, E = ice_cream()
    got = sample_paths(x, pi, A, E, 50, 1)
    show_shape("sample_paths", got, (50, 4), np.integer)
    pi, A, E = ice_cream()
    again = sample_paths(x, pi, A, E, 50, 1)
    assert same(got, again), "same seed, same paths"
    assert np.min(got) >= 0 and np.max(got) <= 1, "states are 0 and 1"


visible_ffbs()


### BEGIN HIDDEN TESTS
def hidden_ffbs():
    n = 5_000
    models = [
        ("sticky", np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]),
         np.array([[0.6, 0.4], [0.4, 0.6]]), np.array([0, 1, 0, 1, 1])),
        ("future", np.array([0.5, 0.5, 0]), np.array([[0.5, 0, 0.5], [0, 1, 0], [0, 0, 1.0]]),
         np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0.2, 0.8]]), np.array([0, 1, 1, 0])),
        ("lopsided", *random_hmm(3, 2, seed=21), np.array([0, 1, 1, 0])),
        ("short", *random_hmm(4, 3, seed=22), np.array([1])),
    ]  # fmt: skip
    for name, pi, A, E, x in models:
        before = [x, pi, A, E]
        given = [a.copy() for a in before]
        got = np.asarray(sample_paths(*[*given, n, 123]))
        assert got.shape == (n, len(x)), "one path a row, one day a column: shape (n, T)"
        assert all([np.array_equal(a, b) for a, b in zip(given, before, strict=True)]), (
            "do not change the arguments: work on a copy"
        )
        assert len(np.unique(got, axis=0)) > 1, "one path n times: make the generator only once"
        paths, p = all_paths(x, pi, A, E)
        p = p / p.sum()
        count = np.array([(got == path).all(axis=1).sum() for path in paths])
        assert count.sum() == n, "states must lie between 0 and K - 1"
        assert np.all(count[p == 0] == 0), (
            "an impossible path was drawn: drawing each day from its own posterior forgets A"
        )
        for t in range(len(x)):
            shares = np.bincount(paths[:, t], weights=p, minlength=len(pi))
            alike = (shares**2).sum()  # how often two independent paths agree on day t
            band = 5 * np.sqrt(3 * alike * (1 - alike) / n) + 0.002
            for j, share in enumerate(shares):
                room = 5 * np.sqrt(n * share * (1 - share)) + 5
                assert abs((got[:, t] == j).sum() - n * share) < room, (
                    "the days one by one must have the smoothed posterior: draw backward from the"
                    " filter, with p(z_{t+1} | z_t) a column of A; forward forgets the future"
                )
            assert abs((got[1:, t] == got[:-1, t]).mean() - alike) < band, (
                "neighbouring rows are too much alike, or too different: each path needs random"
                " numbers of its own, and the paths come in no order"
            )
        if name != "short":
            band = 5 * np.sqrt(n * p * (1 - p)) + 5
            assert np.all(np.abs(count - n * p) < band), (
                "each day is right on its own, but the days do not hang together: draw z_t given"
                " the z_{t+1} that you drew, with fresh random numbers for each day and path"
            )

    x = np.array([0, 1, 0, 0, 1, 1, 0, 1])
    flat = (np.full(2, 0.5), np.full((2, 2), 0.5), np.full((2, 2), 0.5))
    one, two = sample_paths(x, *flat, 200, 1), sample_paths(x, *flat, 200, 2)
    assert not same(one, two), "another seed must give other paths: use the seed that you are given"
    half = np.asarray(one)[1:] == np.asarray(one)[:-1]
    assert abs(half.mean() - 0.5) < 0.1, "the n paths must be independent of each other"

    pi, A, E = ice_cream()
    _, x = sample_one(1000, pi, A, E, seed=9)
    got = np.asarray(sample_paths(x, pi, A, E, 200, 5))
    pi, A, E = ice_cream()
    smoothed = forward_backward(x, pi, A, E)[1]
    gap = got.mean(axis=0) - smoothed[:, 1]
    sd = np.sqrt(smoothed[:, 0] * smoothed[:, 1] / 200)
    assert np.mean(np.abs(gap) < 3 * sd + 0.01) > 0.95, "1,000 days: unscaled numbers underflow"
    got = sample_paths(np.array([0, 0]), np.ones(1), np.ones((1, 1)), np.ones((1, 1)), 3, 0)
    assert same(got, np.zeros((3, 2))), "one state (K = 1) must work too"


hidden_ffbs()
### END HIDDEN TESTS

# %% [markdown]
# See what you made: the question that started this task, answered by a histogram. The truth is one
# draw from it, so it need not lie at the peak.


# %%
def spells():
    pi, sticky = np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.1, 0.9]])
    E = ice_cream()[2]
    z, x = sample_one(60, pi, sticky, E, seed=3)
    paths = sample_paths(x, pi, sticky, E, 1000, 0)

    def longest(path):
        return max(
            (len(list(run)) for state, run in itertools.groupby(path) if state == 0), default=0
        )

    fig, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
    ax.hist([longest(path) for path in paths], bins=range(62), align="left", color="#0072B2")
    ax.axvline(longest(z), color="#D55E00", label="what really happened")
    ax.set(xlabel="longest hot spell (days)", ylabel="sampled paths")
    ax.legend(frameon=False)
    plt.show()


spells()

# %% [markdown]
# ## 7. From posteriors to parameters (`ps1-mstep`, 12 points)
#
# If somebody tells you the states, you estimate the parameters by counting. If nobody does, you
# count with *expected* counts: state i on day t counts $\gamma_t(i)$ of a day, the step from i to
# j counts $\xi_t(i, j)$ of a step. (Repeat the two and you have the algorithm of chapter 3. Here
# you write one half.) Rare things will be missing from a small diary, so each count gets a
# **pseudo-count** $\kappa$ on top.
#
# Write `mstep(x, lengths, gamma, xi, V, kappa)`:
#
# - `x` `(T, B)`, integers, `lengths` `(B,)` from 1 to T: a ragged batch as in task 4. `gamma`
#   `(T, B, K)`: `gamma[t, b, i]` $= p(z_t = i \mid x)$ of diary b, for `t < lengths[b]`. `xi`
#   `(T - 1, B, K, K)`: `xi[t, b, i, j]` $= p(z_t = i, z_{t+1} = j \mid x)$ (t counted from 0), for
#   `t < lengths[b] - 1`. **Everything else in the three arrays is padding and may be anything**:
#   -1 or 99 in `x`, NaN in `gamma` and `xi`.
# - `V`, how many symbols there are (some may not occur in `x`); `kappa` $\ge 0$.
# - Returns the tuple `(pi, A, E)` of shapes `(K,)`, `(K, K)`, `(K, V)`. Add up the expected counts
#   of all diaries, **add `kappa` to each count** (of starts, of steps, of symbols), then divide
#   each row by its sum. A row whose sum is 0 (possible for `kappa = 0`) becomes uniform: nothing
#   is known about it.
#
# Worked example: one diary `x = [2, 2, 0, 0, 1]` whose states are known to be 0, 0, 1, 1, 0
# (`gamma` and `xi` are all zeros and ones), V = 3, `kappa = 0`: `pi = [1, 0]`,
# `A = [[0.5, 0.5], [0.5, 0.5]]`, `E = [[0, 1/3, 2/3], [1, 0, 0]]`.
#
# <details><summary>Hint</summary>
#
# A mask picks the real entries: `gamma[t < lengths]` with a boolean array of shape `(T, B)`.
# Picking is safer than multiplying by 0 (what is NaN times 0?). The last day of a diary starts no
# step: the mask of `xi` is another one. For `E`, `np.add.at` or a one-hot matrix of the symbols.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-mstep", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mstep(x, lengths, gamma, xi, V, kappa):
    """Estimate the parameters of an HMM from posteriors, with pseudo-counts.

    x: (T, B) ints. lengths: (B,). gamma: (T, B, K). xi: (T - 1, B, K, K). Padding holds anything.
    Returns pi (K,), A (K, K) and E (K, V); a row without any count is uniform.
    """
    ### BEGIN SOLUTION
    days = np.arange(len(x))[:, None]
    real = days < lengths  # (T, B)
    steps = days[:-1] < lengths - 1  # (T - 1, B)
    one_hot = np.eye(V)[x[real]]  # (N, V), N real days in all

    def normalise(count):
        count = count + kappa
        total = count.sum(axis=-1, keepdims=True)
        known = total > 0
        return np.where(known, count / np.where(known, total, 1), 1 / count.shape[-1])

    return (
        normalise(gamma[0].sum(axis=0)),
        normalise(xi[steps].sum(axis=0)),
        normalise(gamma[real].T @ one_hot),
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-mstep-tests", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
def visible_mstep():
    z, x = np.array([0, 0, 1, 1, 0]), np.array([[2], [2], [0], [0], [1]])
    gamma = np.eye(2)[z][:, None]  # (5, 1, 2)
    xi = gamma[:-1, :, :, None] * gamma[1:, :, None, :]  # (4, 1, 2, 2)
    pi, A, E = mstep(x, np.array([5]), gamma, xi, 3, 0.0)
    show_shape("pi", pi, (2,), np.float64)
    show_shape("A", A, (2, 2), np.float64)
    show_shape("E", E, (2, 3), np.float64)
    assert same(pi, [1, 0]), f"the worked example gives pi {pi}"
    assert same(A, [[0.5, 0.5], [0.5, 0.5]]), f"the worked example gives A {A}"
    assert same(E, [[0, 1 / 3, 2 / 3], [1, 0, 0]]), f"the worked example gives E {E}"


visible_mstep()


### BEGIN HIDDEN TESTS
def mstep_case(x, lengths, K, seed, pad, junk):
    """Draw posteriors that hang together (gamma is the margin of xi); fill up with junk."""
    rng = np.random.default_rng(seed)
    T, B = x.shape
    gamma, xi = np.full((T, B, K), junk), np.full((T - 1, B, K, K), junk)
    x = np.where(np.arange(T)[:, None] < lengths, x, pad)
    for b, n in enumerate(lengths):
        gamma[0, b] = rng.dirichlet(np.ones(K))
        for t in range(n - 1):
            xi[t, b] = gamma[t, b][:, None] * rng.dirichlet(np.ones(K), K)
            gamma[t + 1, b] = xi[t, b].sum(axis=0)
    return x, gamma, xi


def mstep_witness(x, lengths, gamma, xi, V, kappa):
    """Count one by one."""
    K = gamma.shape[2]
    pi, A, E = np.full(K, kappa), np.full((K, K), kappa), np.full((K, V), kappa)
    for b, n in enumerate(lengths):
        pi += gamma[0, b]
        for t in range(n):
            E[:, x[t, b]] += gamma[t, b]
            if t + 1 < n:
                A += xi[t, b]
    return pi / pi.sum(), A / A.sum(axis=1)[:, None], E / E.sum(axis=1)[:, None]


def hidden_mstep():
    rng = np.random.default_rng(30)
    # one full diary without a pseudo-count, then with one
    x, gamma, xi = mstep_case(rng.integers(4, size=(6, 1)), [6], 3, 31, 0, 0.0)
    want = mstep_witness(x, [6], gamma, xi, 4, 0.0)
    pi, A, E = mstep(x, np.array([6]), gamma, xi, 4, 0.0)
    assert same(pi, want[0]), "pi comes from the first day alone"
    assert same(A, want[1]), "A[i, j] counts steps from i to j: row i, not column i"
    assert same(E, want[2]), "E[i, v] counts the days with symbol v, each with weight gamma[t, i]"
    want = mstep_witness(x, [6], gamma, xi, 4, 0.5)
    pi, A, E = mstep(x, np.array([6]), gamma, xi, 4, 0.5)
    assert same(A, want[1]) and same(E, want[2]), (
        "kappa is added to the counts, before the division: not to the probabilities after it"
    )
    assert same(pi, want[0]), "the counts of pi get kappa too"

    # a ragged batch: first with harmless padding, then with nasty padding
    lengths = np.array([5, 1, 3, 2, 4])
    symbols = rng.integers(4, size=(6, 5))
    for pad, junk in [(0, 0.25), (-1, 0.25), (99, np.nan)]:
        for kappa in (0.0, 0.3):
            x, gamma, xi = mstep_case(symbols, lengths, 3, 32, pad, junk)
            want = mstep_witness(x, lengths, gamma, xi, 5, kappa)
            before = [x, lengths, gamma, xi]
            given = [a.copy() for a in before]
            crashed = False
            try:
                pi, A, E = mstep(*[*given, 5, kappa])
            except IndexError:
                crashed = True
            assert not crashed, "padding may be any integer: do not use it as an index"
            assert np.shape(E) == (3, 5), "V is given: a symbol that never occurs has a column too"
            assert not np.any(np.isnan(A)) and not np.any(np.isnan(E)), (
                "NaN leaked out of the padding (NaN * 0 is NaN): pick the real entries instead"
            )
            assert same(pi, want[0]), "pi: add up the first days of all diaries"
            assert same(A, want[1]), (
                "A: add up the steps inside each diary, t < lengths - 1; then divide once: no step"
                " leads out of a diary, and longer diaries weigh more"
            )
            assert same(E, want[2]), "E: add up the real days of all diaries; then divide once"
            assert all(
                [np.array_equal(a, b, equal_nan=True) for a, b in zip(given, before, strict=True)]
            ), "do not change the arguments, not even the padding: work on a copy"

    # a state that never occurs, and one that occurs on the last day only
    z, x = np.array([0, 0, 1]), np.array([[0], [1], [1]])
    gamma = np.eye(3)[z][:, None]
    xi = gamma[:-1, :, :, None] * gamma[1:, :, None, :]
    pi, A, E = mstep(x, np.array([3]), gamma, xi, 2, 0.0)
    third = np.full(3, 1 / 3)
    assert same(A, [[0.5, 0.5, 0], third, third]), (
        "a row without any count is uniform, not NaN, not 0: state 1 came on the last day only"
    )
    assert same(E, [[0.5, 0.5], [0, 1], [0.5, 0.5]]), "an unseen state has a uniform row of E"
    assert same(pi, [1, 0, 0]), "pi has counts here: zeros in it are honest"
    pi, A, E = mstep(x, np.array([3]), gamma, xi, 2, 1.0)
    assert same(A, [[0.4, 0.4, 0.2], third, third]), "kappa = 1: every count plus 1"
    assert same(E, [[0.5, 0.5], [1 / 3, 2 / 3], [0.5, 0.5]]), "kappa = 1: every count plus 1"

    # a state that is hardly ever visited has counts all the same
    gamma = np.array([[[1.0, 1e-10]], [[1.0, 3e-10]]])
    xi = np.array([[[[1.0, 2e-10], [0.75e-10, 0.25e-10]]]])
    _, A, E = mstep(np.array([[0], [1]]), np.array([2]), gamma, xi, 2, 0.0)
    assert same(A[1], [0.75, 0.25]), "small counts are counts: only a row of zeros is uniform"
    assert same(E[1], [0.25, 0.75]), "small counts are counts: only a row of zeros is uniform"

    # diaries of a single day: there is no step at all
    gamma = np.array([[[0.2, 0.8], [0.6, 0.4]]])
    pi, A, E = mstep(np.array([[0, 1]]), np.array([1, 1]), gamma, np.empty((0, 2, 2, 2)), 2, 0.0)
    assert same(pi, [0.4, 0.6]), "T = 1 must work: pi is the mean of the first days"
    assert same(A, np.full((2, 2), 0.5)), "T = 1 must work: without any step A is uniform"
    assert same(E, [[0.25, 0.75], [2 / 3, 1 / 3]]), "T = 1 must work: E counts the only day"


hidden_mstep()
### END HIDDEN TESTS

# %% [markdown]
# ## 8. What did they type? (`ps1-keypad`, 6 + 6 points)
#
# Old telephones wrote with nine keys. Whoever wanted `hello` pressed 4-3-5-5-6, and so did whoever
# wanted `gekko`. The key is the observation, the letter is the hidden state: an HMM whose
# emissions are certain, and all of whose work is done by what it knows about the language.
#
# The locked cell below makes a text from Python's own manual (some 375,000 letters; a little more
# or less with another version of Python) to learn from.

# %% nbgrader={"grade": false, "grade_id": "ps1-keypad-data", "locked": true, "schema_version": 3, "solution": false, "task": false}
from pydoc_data.topics import topics  # the reference manual that comes with Python

LETTERS = "abcdefghijklmnopqrstuvwxyz "
KEYS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno"}
KEYS |= {"7": "pqrs", "8": "tuv", "9": "wxyz", "0": " "}


def plain(text):
    """Keep the letters a to z, lower case, with one space for each run of anything else."""
    return " ".join("".join(c if c in LETTERS else " " for c in text.lower()).split())


def press(text):
    """Return the keys, a string of digits, that type a plain text."""
    key_of = {letter: key for key, letters in KEYS.items() for letter in letters}
    return "".join(key_of[c] for c in text)


MANUAL = plain(" ".join(topics[name] for name in sorted(topics)))
PRACTICE = plain("""
    A test that cannot fail tells you nothing. Write down what you expect before you run the
    program, run it, and look at the difference. When the two do not agree, do not change the
    expectation until you know why: sometimes the program is right and you have learned something.
""")  # not in the manual, and not in the tests
print(f"{len(MANUAL):,} letters: {MANUAL[:70]}...")
print("keys of 'hello world':", press("hello world"))

# %% [markdown]
# Write `keypad(keys, text)`:
#
# - `keys`, a string of the digits 0 and 2 to 9, possibly empty, up to 600 long; `text`, a plain
#   text to learn from (letters a to z and single spaces), such as `MANUAL`. `LETTERS`, `KEYS`,
#   `plain` and `press` are there for you; `MANUAL` is not the only text that tests learn from, so
#   learn from `text`, which may lack some letters.
# - Returns a string as long as `keys`: your guess of what was typed. Each letter must lie on the
#   key that was pressed, so `press(keypad(keys, text)) == keys`.
#
# How you do it is your choice: this is where you put things together. Two cells of tests look at
# the share of wrong characters (spaces count too; they are easy) in texts about computing that are
# *not* in the manual:
#
# - **6 points** for at most **0.24** wrong. The commonest letter of each key gets a third wrong; a
#   first-order HMM that looks at the past alone, a quarter; one that looks at past and future, a
#   fifth.
# - **6 more** for at most **0.16** wrong. A second-order HMM (task 2) gets a tenth wrong.
#
# `PRACTICE` is such a text; the cell below the first tests shows how you do on it.
#
# Worked example: `keypad("0480470205478", MANUAL)` is `" it is a list"`. A call with 300 keys
# should take at most 2 seconds, learning included (array code takes a fraction of one).
#
# <details><summary>Hint</summary>
#
# States are the 27 characters, or pairs of them, which makes 729. Count neighbours in `text`, add
# a pseudo-count so that nothing is impossible, divide: that is `A`. What is `E`? Then decode, with
# any decoder that looks at the whole message. With 729 states you need not build the 729 x 729
# matrix: most of it is 0, and an array `(27, 27, 27)` holds the rest; but it works with the large
# one too.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ps1-keypad", "locked": false, "schema_version": 3, "solution": true, "task": false}
def keypad(keys, text):
    """Guess the text behind the keys.

    keys: digits 0 and 2-9. text: plain text to learn from. Returns a plain string of equal length.
    """
    ### BEGIN SOLUTION
    if not keys:
        return ""
    K = len(LETTERS)
    z = np.array([LETTERS.index(c) for c in text])
    triples = np.zeros((K, K, K))
    np.add.at(triples, (z[:-2], z[1:-1], z[2:]), 1)
    pairs = triples.sum(axis=0) + 0.5  # (K, K), counts of the two newer letters
    A1 = pairs / pairs.sum(axis=1, keepdims=True)
    A2 = triples + 5 * A1  # pseudo-counts in the ratio that the shorter memory expects
    A2 /= A2.sum(axis=2, keepdims=True)  # (h, i, j)
    on_key = np.array([[c in KEYS[key] for c in LETTERS] for key in keys])  # (T, K)

    T = len(keys)
    filtered, beta = np.empty((T, K, K)), np.ones((T, K, K))  # (h, i): older letter, newer letter
    predicted = pairs / pairs.sum()
    for t in range(T):
        joint = predicted * on_key[t]
        filtered[t] = joint / joint.sum()
        predicted = np.einsum("hi,hij->ij", filtered[t], A2)
    for t in range(T - 2, -1, -1):
        back = np.einsum("hij,ij->hi", A2, on_key[t + 1] * beta[t + 1])
        beta[t] = back / back.max()  # any scale will do: only the best letter is asked for
    best = (filtered * beta).sum(axis=1).argmax(axis=1)
    return "".join(LETTERS[j] for j in best)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ps1-keypad-tests", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 60}
def visible_keypad():
    got = keypad("0480470205478", MANUAL)
    assert got == " it is a list", f"the worked example gives {got!r}"
    message = press("a language of its own")
    got = keypad(message, MANUAL)
    assert len(got) == len(message), f"{len(message)} keys need as many letters; got {len(got)}"
    assert press(got) == message, f"each letter must lie on its key; got {got!r}"


visible_keypad()


### BEGIN HIDDEN TESTS
KEYPAD_UNSEEN = [
    "a function is a name for a piece of work when you call it the machine puts your values in "
    "the places of the parameters runs the lines of the body one after the other and hands the "
    "result back to the line that asked if nothing is handed back the caller gets a value that "
    "means nothing",
    "most programs spend their time waiting they wait for the disk for the network or for "
    "somebody to press a key a good program does something useful in the meantime but it must "
    "never forget what it was waiting for or in which order the answers have to be put together",
    "every object in memory has a type and a value two names can point to the same object and "
    "then a change that is made through one of them is seen through the other beginners find this "
    "strange and when they copy a list they are surprised that the lists inside it are still "
    "shared",
    "before you make a program faster find out where it is slow guesses are nearly always wrong "
    "measure first change one thing then measure again keep the version that is easier to read "
    "unless the difference matters to the people who have to wait for it",
    "a loop does the same thing again and again until there is nothing left to do the hard "
    "part is to know when to stop one step too early and the last item is lost one step too "
    "late and you read what is not yours most of the mistakes that people make with lists are "
    "of this kind",
    "an error message is a letter from the past it was written by somebody who knew what "
    "could go wrong to somebody who does not know what went wrong good ones say what was "
    "found what was expected and what to do next bad ones give a number",
    "when a file is opened the system gives you a small number which stands for it until you "
    "close it again if you forget to close your files nothing happens at first then one day "
    "there are no numbers left and the program stops in a place that has nothing to do with "
    "the mistake",
]


def keypad_errors(texts, manual):
    wrong = total = 0
    for truth in texts:
        got = keypad(press(truth), manual)
        assert len(got) == len(truth), (
            "the guess must be as long as the keys, for long messages too"
        )
        assert press(got) == press(truth), "each letter must lie on the key that was pressed"
        wrong += sum([a != b for a, b in zip(got, truth, strict=True)])
        total += len(truth)
    return wrong / total


def hidden_keypad():
    assert keypad("", MANUAL) == "", "no keys, no letters: the empty string"
    assert keypad("0", MANUAL) == " ", "one key must work (T = 1)"
    share = keypad_errors(KEYPAD_UNSEEN, MANUAL)
    assert share < 0.5, "worse than the first letter of each key: is A the right way round?"
    assert share <= 0.32, "letters are not independent: use their neighbours, not frequencies alone"
    assert share <= 0.24, (
        "more than 0.24 wrong: use the whole message, what comes later too, not a filter"
    )
    long = " ".join(KEYPAD_UNSEEN)[:600]
    assert keypad_errors([long], MANUAL) <= 0.24, "600 keys: unscaled products underflow"
    assert press(keypad("0234567890", "a bad cab")) == "0234567890", (
        "a text to learn from may lack letters: every key must still get one of its own"
    )
    backward = [truth[::-1] for truth in KEYPAD_UNSEEN[:2]]
    assert keypad_errors(backward, MANUAL[::-1]) <= 0.28, (
        "learn from the text that is given: here it is in a language that is written backward"
    )


hidden_keypad()
### END HIDDEN TESTS

# %% [markdown]
# See what you made: capitals mark the letters that it guessed wrong.


# %%
def practice():
    guess = keypad(press(PRACTICE), MANUAL)
    wrong = [a != b for a, b in zip(guess, PRACTICE, strict=True)]
    print("".join(a.upper() if w else a for a, w in zip(guess, wrong, strict=True)))
    print(f"{np.mean(wrong):.3f} wrong")


practice()

# %% [markdown]
# And the second half, for a longer memory:


# %% nbgrader={"grade": true, "grade_id": "ps1-keypad-score", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} autograder={"timeout_s": 60}
def visible_keypad_score():
    message = press("the name of a class")
    got = keypad(message, MANUAL)
    assert press(got) == message, f"each letter must lie on its key; got {got!r}"


visible_keypad_score()


### BEGIN HIDDEN TESTS
def hidden_keypad_score():
    unseen = [
        "a loop does the same thing again and again until there is nothing left to do the hard "
        "part is to know when to stop one step too early and the last item is lost one step too "
        "late and you read what is not yours most of the mistakes that people make with lists are "
        "of this kind",
        "an error message is a letter from the past it was written by somebody who knew what "
        "could go wrong to somebody who does not know what went wrong good ones say what was "
        "found what was expected and what to do next bad ones give a number",
        "when a file is opened the system gives you a small number which stands for it until you "
        "close it again if you forget to close your files nothing happens at first then one day "
        "there are no numbers left and the program stops in a place that has nothing to do with "
        "the mistake",
    ]
    wrong = total = 0
    for truth in unseen:
        got = keypad(press(truth), MANUAL)
        assert press(got) == press(truth), "each letter must lie on the key that was pressed"
        wrong += sum([a != b for a, b in zip(got, truth, strict=True)])
        total += len(truth)
    assert wrong / total <= 0.16, (
        "more than 0.16 wrong: let a state remember two letters, and look at the whole message"
    )


hidden_keypad_score()
### END HIDDEN TESTS

# %% [markdown]
# ## 9. Which answer for which question? (`ps1-which`, 8 points, read by a person)
#
# On a ward, a monitor writes down one of four readings a minute. An HMM with the states *stable*,
# *worsening* and *critical* describes the readings well; its parameters are known. For each
# request say **which quantity you compute** (filter, smoother, forecast, Viterbi path, sampled
# paths; and, where you decide, with which costs) and **what goes wrong with one tempting
# alternative**:
#
# 1. An alarm that has to decide now, every minute. A missed alarm is far worse than a false one.
#    (2 points)
# 2. For the morning round: at which minutes of last night was the patient probably critical?
#    (1 point)
# 3. A lawyer asks: how long was the longest unbroken critical spell last night, and how sure are
#    you? (2 points)
# 4. For a lecture: one single course of the night, as a whole the most probable one, without
#    impossible jumps. (1 point)
#
# And a question (2 points):
#
# 5. A colleague has tested the alarm of request 1 on old recordings and reports that the smoother,
#    with the same threshold, finds 97 % of the critical minutes. Why will the alarm on the ward
#    not reach that figure, and how should she measure it?
#
# Some 150 to 250 words in all are enough.

# %% [markdown] nbgrader={"grade": true, "grade_id": "ps1-which", "locked": false, "points": 8, "schema_version": 3, "solution": true, "task": false}
# 1. The filter, $p(z_t \mid x_{1:t})$: only the past is there when the alarm must ring. Decide
#    with costs: ring if p(critical) times the cost of missing exceeds p(not critical) times the
#    cost of a false alarm, so well below 0.5. The smoother needs readings that do not exist yet;
#    "the most probable state" treats both mistakes alike and rings too late.
# 2. The smoother, minute by minute (posterior decoding): the night is over, so later readings
#    should count. The filter would be late at each change and would believe false alarms that the
#    next minutes refute; Viterbi gives one path and no probabilities.
# 3. Sampled paths: the longest spell in each of many draws from $p(z_{1:T} \mid x_{1:T})$ gives
#    its distribution, hence an interval. Minute-by-minute posteriors do not say how the minutes
#    hang together, and the Viterbi path gives one number with no doubt attached, often too smooth.
# 4. The Viterbi path: the most probable whole path. The best state of each minute, put in a row,
#    can contain a step of probability 0.
# 5. At each minute the smoother has seen what came afterwards. On the ward this does not exist, so
#    her figure is of another, better informed quantity. She must run the filter over the
#    recordings as if live: for each minute use only readings up to it. She should also report
#    false alarms, on patients that were not used to choose the threshold.
#
# ### BEGIN MARK SCHEME
# 8 points. Give half points where the choice is right and the reason is missing or wrong.
#
# - Request 1, 2 points: the filter (1), and a decision by cost or a lowered threshold, with a
#   tempting alternative refused (1). "Smoother" earns nothing here.
# - Request 2, 1 point: the smoother or posterior decoding with it (0.5); what the filter or
#   Viterbi would do wrong (0.5).
# - Request 3, 2 points: sampled paths from the posterior (1); says that single-minute posteriors
#   carry no joint information, or that Viterbi's one path carries no uncertainty (1). An exact
#   computation by a larger state space (a counter of the spell in the state) earns full points
#   too.
# - Request 4, 1 point: Viterbi (0.5); posterior decoding may join states by an impossible step
#   (0.5).
# - Question 5, 2 points: the smoother uses the future, which the alarm cannot have (1); measure
#   with the filter, causally, on unseen recordings, or the same in other words (1). A one-sided
#   remark about "overfitting" without the future earns at most 0.5 in all.
# ### END MARK SCHEME
