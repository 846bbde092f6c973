# Answers to ps3-decades; each cell below stands in for the student's solution cell.
# %% right: rescaled at each step
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% right: one sequence after the other, natural logarithms divided by log 10
def decades(x, w, h, g):
    T, B = x.shape[:2]
    result = np.zeros(T + 1)
    for b in range(B):
        row = g[b] / np.linalg.norm(g[b])
        total = 0.0
        for k in range(1, T + 1):
            a = x[T - k, b] @ w["W_xh"] + h[T - k, b] @ w["W_hh"] + w["b_h"]
            J = np.diag(w["z"]) + w["W_hh"] * ((1 - w["z"]) / np.cosh(a) ** 2)
            row = J @ row  # the same as row @ J.T
            norm = np.sqrt(row @ row)
            total += np.log(norm) / np.log(10)
            row = row / norm
            result[k] += total / B
    return result


# %% right: powers of two, rescaled when needed
def decades(x, w, h, g):
    z, W = w["z"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W + w["b_h"])
    slope = (1 - z) * (1 - s**2)
    row, power = g.astype(float), np.zeros(len(g))
    first = np.log10(np.linalg.norm(g, axis=1))
    out = [0.0]
    for t in range(len(x) - 1, -1, -1):
        row = row * z + (row * slope[t]) @ W.T
        shift = np.frexp(np.abs(row).max(axis=1))[1]
        row = np.ldexp(row, -shift[:, None])
        power = power + shift * np.log10(2)
        out.append((np.log10(np.linalg.norm(row, axis=1)) + power - first).mean())
    return np.asarray(out)


# %% wrong: no rescaling
# why: underflows to 0 after some hundred steps
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g.copy()
    sizes = [np.linalg.norm(row, axis=1)]
    for t in reversed(range(T)):
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        sizes.append(np.linalg.norm(row, axis=1))
    sizes = np.array(sizes)
    return np.log10(sizes / sizes[0]).mean(axis=1)


# %% wrong: the logarithm of the mean
# why: the loudest sequence speaks for all
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    most = logs.max(axis=1)
    return most + np.log10((10 ** (logs - most[:, None])).mean(axis=1))


# %% wrong: the norm of the whole batch
# why: one norm over all sequences
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g)
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.full(len(g), np.linalg.norm(row))
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: not relative to g
# why: entry 0 is right, the others count from 1
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g.astype(float)
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: W not transposed
# why: g J for g J^T: sends a change back instead of a gradient
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: no leak
# why: the path through z is missing
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: z twice
# why: the leak is not complementary: new part in full
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: slopes of the leaky state
# why: 1 - h**2 where s = tanh(a) is meant
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = h[t + 1]
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: slopes after W
# why: D on the wrong side of the product
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row @ W.T) * (1 - z) * (1 - s * s)
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: only the last logarithm
# why: rescaled, but what was divided by is forgotten after 600 steps
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = (logs[k - 1] if k <= 600 else 0) + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% wrong: median of the sequences
# why: typical in another sense than asked
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return np.median(logs, axis=1)


# %% wrong: one scale for the whole batch
# why: beside a gradient that lives, one that vanishes underflows
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    first = np.log10(np.linalg.norm(g, axis=1))
    row, total, out = g.astype(float), 0.0, [0.0]
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        scale = np.abs(row).max()
        row, total = row / scale, total + np.log10(scale)
        out.append((np.log10(np.linalg.norm(row, axis=1)) + total - first).mean())
    return np.array(out)


# %% wrong: rescaled each 100 steps
# why: a hundred steps of a saturated unit underflow
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    first = np.log10(np.linalg.norm(g, axis=1))
    row, total, out = g.astype(float), np.zeros(len(g)), [0.0]
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        scale = np.abs(row).max(axis=1)
        out.append(
            (
                np.log10(np.linalg.norm(row / scale[:, None], axis=1))
                + np.log10(scale)
                + total
                - first
            ).mean()
        )
        if k % 100 == 0:
            row, total = row / scale[:, None], total + np.log10(scale)
    return np.array(out)


# %% wrong: nothing for T = 0
# why: distance 0 is forgotten where no step is made
def decades(x, w, h, g):
    z, W, T = w["z"], w["W_hh"], len(x)
    if T == 0:
        return np.zeros(0)
    row = g / np.linalg.norm(g, axis=1)[:, None]
    logs = np.zeros((T + 1, len(g)))
    for k in range(1, T + 1):
        t = T - k
        s = np.tanh(x[t] @ w["W_xh"] + h[t] @ W + w["b_h"])
        row = z * row + (row * (1 - z) * (1 - s * s)) @ W.T
        length = np.linalg.norm(row, axis=1)
        logs[k] = logs[k - 1] + np.log10(length)
        row = row / length[:, None]
    return logs.mean(axis=1)


# %% right: with the witness, one step at a time
def decades(x, w, h, g):
    T, row, total = len(x), g / np.linalg.norm(g, axis=1, keepdims=True), np.zeros(len(g))
    found = [0.0]
    for k in range(1, T + 1):
        row = sent_back(x, w, h, row, T - k, T - k + 1)
        length = np.linalg.norm(row, axis=1, keepdims=True)
        row, total = row / length, total + np.log10(length[:, 0])
        found.append(total.mean())
    return np.array(found)
