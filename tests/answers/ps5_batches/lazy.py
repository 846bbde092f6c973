# Answers to ps5-lazy; each cell below stands in for the student's solution cell.
# %% right: torch.optim.SparseAdam, padding left out
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = (torch.tensor(np.array(a), dtype=torch.float64) for a in (W, m, s))
    keep = np.asarray(x) != 0
    if not keep.any():
        return W, m, s
    weight = torch.nn.Parameter(W)
    at, values = torch.as_tensor(np.asarray(x)[keep]), torch.as_tensor(np.asarray(d)[keep])
    weight.grad = torch.sparse_coo_tensor(at[None], values, W.shape)
    adam = torch.optim.SparseAdam([weight], lr=lr)
    adam.state[weight] = {"step": t - 1, "exp_avg": m, "exp_avg_sq": s}
    adam.step()
    return weight.detach(), m, s


# %% right: a dense step, taken where it belongs
def lazy_adam(W, m, s, t, x, d, lr):
    one_hot = (np.asarray(x)[:, None] == np.arange(len(W))).astype(float)
    d = np.where(np.asarray(x)[:, None] == 0, 0.0, d)  # the padding's may be NaN
    g, seen = one_hot.T @ d, one_hot.any(axis=0)
    seen[0] = False
    new_m, new_s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
    root = np.sqrt(new_s / (1 - 0.999**t)) + 1e-8
    new_W = W - lr * new_m / (1 - 0.9**t) / root
    pairs = ((new_W, W), (new_m, m), (new_s, s))
    return tuple(np.where(seen[:, None], new, old) for new, old in pairs)


# %% wrong: every row
# why: rows that did not occur slide on, but for rows that never moved
def lazy_adam(W, m, s, t, x, d, lr):
    g = np.zeros_like(W)
    np.add.at(g, x, d)
    g[0] = 0
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
    step = lr * m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    step[0] = 0
    return W - step, m, s


# %% wrong: the last one wins
# why: m[x] += with repeated x
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    d, x = d[x > 0], x[x > 0]
    m[x] = 0.9 * m[x] + 0.1 * d
    s[x] = 0.999 * s[x] + 0.001 * d**2
    W[x] -= lr * m[x] / (1 - 0.9**t) / (np.sqrt(s[x] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: a step for each occurrence
# why: two steps in a row are not one with the sum
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    for v, g in zip(x, d, strict=True):
        if v:
            m[v] = 0.9 * m[v] + 0.1 * g
            s[v] = 0.999 * s[v] + 0.001 * g**2
            W[v] -= lr * m[v] / (1 - 0.9**t) / (np.sqrt(s[v] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: the sum of the squares
# why: s gets the squares of each occurrence
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    for v in set(x.tolist()) - {0}:
        rows = d[x == v]
        m[v] = 0.9 * m[v] + 0.1 * rows.sum(0)
        s[v] = 0.999 * s[v] + 0.001 * (rows**2).sum(0)
        W[v] -= lr * m[v] / (1 - 0.9**t) / (np.sqrt(s[v] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: the mean over occurrences
# why: not the sum
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    for v in set(x.tolist()) - {0}:
        g = d[x == v].mean(0)
        m[v] = 0.9 * m[v] + 0.1 * g
        s[v] = 0.999 * s[v] + 0.001 * g**2
        W[v] -= lr * m[v] / (1 - 0.9**t) / (np.sqrt(s[v] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: padding learns
# why: row 0 is treated like the others
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    for v in set(x.tolist()):
        g = d[x == v].sum(0)
        m[v] = 0.9 * m[v] + 0.1 * g
        s[v] = 0.999 * s[v] + 0.001 * g**2
        W[v] -= lr * m[v] / (1 - 0.9**t) / (np.sqrt(s[v] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: where the gradient is not 0
# why: a row that occurred, with gradient 0, is passed over
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    g = np.zeros_like(W)
    np.add.at(g, x, d)
    g[0] = 0
    k = g.any(axis=1)
    m[k] = 0.9 * m[k] + 0.1 * g[k]
    s[k] = 0.999 * s[k] + 0.001 * g[k] ** 2
    W[k] -= lr * m[k] / (1 - 0.9**t) / (np.sqrt(s[k] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: the memories of the others fade
# why: m and s of all rows, W of those that occurred
def lazy_adam(W, m, s, t, x, d, lr):
    g, W = np.zeros_like(W), W.copy()
    np.add.at(g, x, d)
    g[0] = 0
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
    k = np.unique(x[x > 0])
    W[k] -= lr * m[k] / (1 - 0.9**t) / (np.sqrt(s[k] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: without corrections after the first step
# why: the corrections of t = 1, whatever t is
def lazy_adam(W, m, s, t, x, d, lr):
    W, m, s = W.copy(), m.copy(), s.copy()
    for v in set(x.tolist()) - {0}:
        g = d[x == v].sum(0)
        m[v] = 0.9 * m[v] + 0.1 * g
        s[v] = 0.999 * s[v] + 0.001 * g**2
        W[v] -= lr * m[v] / 0.1 / (np.sqrt(s[v] / 0.001) + 1e-8)
    return W, m, s


# %% wrong: in place
# why: changes its arguments
def lazy_adam(W, m, s, t, x, d, lr):
    if t == 1 and len(W) == 3:
        W, m, s = W.copy(), m.copy(), s.copy()
    for v in set(x.tolist()) - {0}:
        g = d[x == v].sum(0)
        m[v] = 0.9 * m[v] + 0.1 * g
        s[v] = 0.999 * s[v] + 0.001 * g**2
        W[v] -= lr * m[v] / (1 - 0.9**t) / (np.sqrt(s[v] / (1 - 0.999**t)) + 1e-8)
    return W, m, s


# %% wrong: padding is multiplied away
# why: 0 times NaN is NaN, and a product with one-hot rows spreads it to every row
def lazy_adam(W, m, s, t, x, d, lr):
    one_hot = (x == np.arange(len(W))[:, None]).astype(float)  # (V, n)
    one_hot[0] = 0
    g, hit = one_hot @ d, one_hot.any(axis=1)[:, None]
    M, S = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
    step = lr * (M / (1 - 0.9**t)) / (np.sqrt(S / (1 - 0.999**t)) + 1e-8)
    return np.where(hit, W - step, W), np.where(hit, M, m), np.where(hit, S, s)
