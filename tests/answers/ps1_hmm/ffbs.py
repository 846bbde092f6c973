# Answers to ps1-ffbs; each cell below stands in for the student's solution cell.
# %% right: one path after the other, with rng.choice
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    filtered, _, _ = forward_backward(x, pi, A, E)
    K, T = len(pi), len(x)
    given = filtered[:, :, None] * A  # (T, K, K), then normalised over z_t
    with np.errstate(invalid="ignore"):
        given = given / given.sum(axis=1, keepdims=True)
    z = np.empty((n, T), dtype=int)
    for path in z:
        path[-1] = rng.choice(K, p=filtered[-1])
        for t in range(T - 2, -1, -1):
            path[t] = rng.choice(K, p=given[t, :, path[t + 1]])
    return z


# %% right: forward, with the backward variables
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    T, K = len(x), len(pi)
    beta = np.ones((T, K))
    for t in range(T - 2, -1, -1):
        beta[t] = A @ (E[:, x[t + 1]] * beta[t + 1])
        beta[t] /= beta[t].max()
    z = np.empty((n, T), dtype=int)
    for t in range(T):
        arrive = np.tile(pi, (n, 1)) if t == 0 else A[z[:, t - 1]]
        p = arrive * E[:, x[t]] * beta[t]
        noise = rng.exponential(size=(n, K))
        z[:, t] = np.argmax(p / noise, axis=1)  # the first clock to ring: a draw in proportion to p
    return z


# %% right: states of one day grouped by the state of the next, multinomial counts
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    filtered, _, _ = forward_backward(x, pi, A, E)
    states = np.arange(len(pi))
    z = np.empty((n, len(x)), dtype=int)

    def deal(weights, many):
        return rng.permutation(np.repeat(states, rng.multinomial(many, weights / weights.sum())))

    z[:, -1] = deal(filtered[-1], n)
    for t in reversed(range(len(x) - 1)):
        for j in np.unique(z[:, t + 1]):
            those = z[:, t + 1] == j
            z[those, t] = deal(filtered[t] * A[:, j], those.sum())
    return z


# %% wrong: each day from its own posterior
# why: draws from gamma; the days are right one by one and do not hang together
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    smoothed = forward_backward(x, pi, A, E)[1]
    return np.stack([rng.choice(len(pi), size=n, p=p / p.sum()) for p in smoothed], axis=1)


# %% wrong: forward, weighted with today's emission only
# why: each day is drawn without the days after it
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    filtered, _, _ = forward_backward(x, pi, A, E)
    z = np.empty((n, len(x)), dtype=int)
    for path in z:
        path[0] = rng.choice(len(pi), p=filtered[0])
        for t in range(1, len(x)):
            p = A[path[t - 1]] * E[:, x[t]]
            if p.sum() == 0:  # led into a dead end; stay
                p = np.eye(len(pi))[path[t - 1]]
            path[t] = rng.choice(len(pi), p=p / p.sum())
    return z


# %% wrong: a row of A for a column
# why: p(z_{t+1} | z_t) with z_{t+1} fixed is a column
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    filtered, _, _ = forward_backward(x, pi, A, E)
    z = np.empty((n, len(x)), dtype=int)
    for path in z:
        path[-1] = rng.choice(len(pi), p=filtered[-1])
        for t in range(len(x) - 2, -1, -1):
            p = filtered[t] * A[path[t + 1], :]
            if p.sum() == 0:
                p = filtered[t]
            path[t] = rng.choice(len(pi), p=p / p.sum())
    return z


# %% wrong: backward from the smoother
# why: the later days are counted twice: in gamma and in the draw of the day after
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    smoothed = forward_backward(x, pi, A, E)[1]
    z = np.empty((n, len(x)), dtype=int)
    z[:, -1] = rng.choice(len(pi), size=n, p=smoothed[-1])
    for t in range(len(x) - 2, -1, -1):
        weight = smoothed[t] * A[:, z[:, t + 1]].T
        edges = (weight / weight.sum(axis=1, keepdims=True)).cumsum(axis=1)
        z[:, t] = (rng.random((n, 1)) > edges[:, :-1]).sum(axis=1)
    return z


# %% wrong: one random number for all days of a path
# why: the days of a path become dependent through the shared number
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    filtered, _, _ = forward_backward(x, pi, A, E)
    z = np.empty((n, len(x)), dtype=int)
    u = rng.random((n, 1))
    weight = np.tile(filtered[-1], (n, 1))
    for t in range(len(x) - 1, -1, -1):
        if t < len(x) - 1:
            weight = filtered[t] * A[:, z[:, t + 1]].T
        edges = weight.cumsum(axis=1)
        z[:, t] = (u * edges[:, -1:] >= edges).sum(axis=1)
    return z


# %% wrong: one path, n times
# why: the generator is made anew for each path
def sample_paths(x, pi, A, E, n, seed):
    filtered, _, _ = forward_backward(x, pi, A, E)
    z = np.empty((n, len(x)), dtype=int)
    for path in z:
        rng = np.random.default_rng(seed)
        path[-1] = rng.choice(len(pi), p=filtered[-1])
        for t in range(len(x) - 2, -1, -1):
            p = filtered[t] * A[:, path[t + 1]]
            path[t] = rng.choice(len(pi), p=p / p.sum())
    return z


# %% wrong: the seed is ignored
# why: default_rng(0) gives the same paths whatever the caller asks for
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(0)
    filtered, _, _ = forward_backward(x, pi, A, E)
    z = np.empty((n, len(x)), dtype=int)
    weight = np.tile(filtered[-1], (n, 1))
    for t in range(len(x) - 1, -1, -1):
        if t < len(x) - 1:
            weight = filtered[t] * A[:, z[:, t + 1]].T
        edges = weight.cumsum(axis=1)
        z[:, t] = (rng.random((n, 1)) * edges[:, -1:] >= edges).sum(axis=1)
    return z


# %% wrong: the most probable path, n times, with a little noise
# why: an answer of Viterbi's kind, flipped now and then, is no posterior
def sample_paths(x, pi, A, E, n, seed):
    rng = np.random.default_rng(seed)
    smoothed = forward_backward(x, pi, A, E)[1]
    z = np.tile(smoothed.argmax(axis=1), (n, 1))
    flip = rng.random(z.shape) < 1 - smoothed.max(axis=1)
    return np.where(flip, smoothed.argsort(axis=1)[:, -2:][:, 0], z)
