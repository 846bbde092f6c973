# Answers to ps1-mstep; each cell below stands in for the student's solution cell.
# %% right: one count after the other
def mstep(x, lengths, gamma, xi, V, kappa):
    K = gamma.shape[-1]
    pi, A, E = (np.full(shape, float(kappa)) for shape in (K, (K, K), (K, V)))
    for b, n in enumerate(lengths):
        pi = pi + gamma[0, b]
        for t in range(n):
            E[:, x[t, b]] += gamma[t, b]
        for t in range(n - 1):
            A += xi[t, b]
    for rows in (pi[None], A, E):
        for row in rows:
            row[:] = row / row.sum() if row.sum() > 0 else 1 / len(row)
    return pi, A, E


# %% right: NaN and nonsense zeroed in copies, then einsum
def mstep(x, lengths, gamma, xi, V, kappa):
    T = len(x)
    real = np.arange(T)[:, None] < lengths[None, :]
    step = (real[:-1] & real[1:])[:, :, None, None]
    gamma = np.where(real[:, :, None], gamma, 0.0)
    xi = np.where(step, xi, 0.0)
    symbol = (x[:, :, None] == np.arange(V)).astype(float)
    counts = [
        gamma[0].sum(0) + kappa,
        xi.sum((0, 1)) + kappa,
        np.einsum("tbk,tbv->kv", gamma, symbol) + kappa,
    ]
    out = []
    for count in counts:
        total = count.sum(-1, keepdims=True)
        uniform = np.full_like(count, 1 / count.shape[-1])
        out.append(np.divide(count, total, out=uniform, where=total > 0))
    return tuple(out)


# %% right: diaries cut to length first, np.add.at
def mstep(x, lengths, gamma, xi, V, kappa):
    K = gamma.shape[2]
    symbols = np.concatenate([x[:n, b] for b, n in enumerate(lengths)])
    weights = np.concatenate([gamma[:n, b] for b, n in enumerate(lengths)])
    steps = np.concatenate([xi[: n - 1, b] for b, n in enumerate(lengths)])
    E = np.zeros((V, K))
    np.add.at(E, symbols, weights)
    pi, A, E = gamma[0].sum(axis=0) + kappa, steps.sum(axis=0) + kappa, E.T + kappa
    A[A.sum(axis=1) == 0] = 1
    E[E.sum(axis=1) == 0] = 1
    return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)


# %% wrong: a step out of each diary
# why: xi counted for t < lengths: the last day leads into the padding
def mstep(x, lengths, gamma, xi, V, kappa):
    real = np.arange(len(x))[:, None] < lengths
    pi = gamma[0].sum(axis=0) + kappa
    A = xi[real[:-1]].sum(axis=0) + kappa
    E = gamma[real].T @ np.eye(V)[x[real]] + kappa
    A[A.sum(axis=1) == 0] = 1
    E[E.sum(axis=1) == 0] = 1
    return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)


# %% wrong: rows without a count give 0/0
# why: NaN for a state that was never seen
def mstep(x, lengths, gamma, xi, V, kappa):
    days = np.arange(len(x))[:, None]
    real, steps = days < lengths, days[:-1] < lengths - 1
    pi = gamma[0].sum(axis=0) + kappa
    A = xi[steps].sum(axis=0) + kappa
    E = gamma[real].T @ np.eye(V)[x[real]] + kappa
    with np.errstate(invalid="ignore"):
        return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)


# %% wrong: smooths after normalising
# why: kappa added to probabilities weighs the same for rare and for common states
def mstep(x, lengths, gamma, xi, V, kappa):
    days = np.arange(len(x))[:, None]
    real, steps = days < lengths, days[:-1] < lengths - 1
    counts = gamma[0].sum(axis=0), xi[steps].sum(axis=0), gamma[real].T @ np.eye(V)[x[real]]
    out = []
    for count in counts:
        total = count.sum(axis=-1, keepdims=True)
        p = np.where(total > 0, count / np.where(total > 0, total, 1), 1 / count.shape[-1]) + kappa
        out.append(p / p.sum(axis=-1, keepdims=True))
    return tuple(out)


# %% wrong: the mean of one estimate for each diary
# why: a diary of one day weighs as much as a diary of a year
def mstep(x, lengths, gamma, xi, V, kappa):
    parts = []
    for b, n in enumerate(lengths):
        counts = gamma[0, b], xi[: n - 1, b].sum(axis=0), gamma[:n, b].T @ np.eye(V)[x[:n, b]]
        part = []
        for count in counts:
            count = count + kappa
            total = count.sum(axis=-1, keepdims=True)
            share = count / np.where(total > 0, total, 1)
            part.append(np.where(total > 0, share, 1 / count.shape[-1]))
        parts.append(part)
    return tuple(np.mean(p, axis=0) for p in zip(*parts, strict=True))


# %% wrong: padding multiplied away
# why: NaN times 0 is NaN
def mstep(x, lengths, gamma, xi, V, kappa):
    days = np.arange(len(x))[:, None]
    real, steps = days < lengths, days[:-1] < lengths - 1
    one_hot = np.eye(V)[np.where(real, x, 0)]
    pi = gamma[0].sum(axis=0) + kappa
    A = (xi * steps[:, :, None, None]).sum(axis=(0, 1)) + kappa
    E = np.einsum("tbk,tbv->kv", gamma * real[:, :, None], one_hot) + kappa
    A[A.sum(axis=1) == 0] = 1
    E[E.sum(axis=1) == 0] = 1
    return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)


# %% wrong: rows and columns of the steps swapped
# why: A[i, j] counts from i to j; the sums still come out as 1
def mstep(x, lengths, gamma, xi, V, kappa):
    days = np.arange(len(x))[:, None]
    real, steps = days < lengths, days[:-1] < lengths - 1
    pi = gamma[0].sum(axis=0) + kappa
    A = xi[steps].sum(axis=0).T + kappa
    E = gamma[real].T @ np.eye(V)[x[real]] + kappa
    A[A.sum(axis=1) == 0] = 1
    E[E.sum(axis=1) == 0] = 1
    return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)


# %% wrong: no pseudo-count for the start
# why: kappa goes to A and E only
def mstep(x, lengths, gamma, xi, V, kappa):
    days = np.arange(len(x))[:, None]
    real, steps = days < lengths, days[:-1] < lengths - 1
    pi = gamma[0].sum(axis=0)
    A = xi[steps].sum(axis=0) + kappa
    E = gamma[real].T @ np.eye(V)[x[real]] + kappa
    A[A.sum(axis=1) == 0] = 1
    E[E.sum(axis=1) == 0] = 1
    return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)


# %% wrong: clears the padding in place
# why: the caller's posteriors are changed
def mstep(x, lengths, gamma, xi, V, kappa):
    days = np.arange(len(x))[:, None]
    real, steps = days < lengths, days[:-1] < lengths - 1
    gamma[~real] = 0
    xi[~steps] = 0
    one_hot = np.eye(V)[np.where(real, x, 0)]
    pi = gamma[0].sum(axis=0) + kappa
    A = xi.sum(axis=(0, 1)) + kappa
    E = np.einsum("tbk,tbv->kv", gamma, one_hot) + kappa
    A[A.sum(axis=1) == 0] = 1
    E[E.sum(axis=1) == 0] = 1
    return pi / pi.sum(), A / A.sum(axis=1, keepdims=True), E / E.sum(axis=1, keepdims=True)
