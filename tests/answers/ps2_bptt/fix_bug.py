# Answers to ps2-fix-bug; each cell below stands in for the student's solution cell.
# %% right: his code, six lines mended
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% right: arrays of T + 1 states, einsum after the loop
def mended(x, target, w):
    T, B, _ = x.shape
    h = np.zeros((T + 1, B, w["h0"].size))
    h[0] += w["h0"]
    on = np.zeros((T, B, w["h0"].size), dtype=bool)
    for t in range(T):
        a = x[t] @ w["W_xh"] + h[t] @ w["W_hh"] + w["b_h"]
        on[t] = a > 0
        h[t + 1] = np.where(on[t], a, 0)
    e = h[1:] @ w["W_hy"] + w["b_y"] - target
    dy = e / (T * B)
    da = dy @ w["W_hy"].T
    for t in range(T - 1, -1, -1):
        if t + 1 < T:
            da[t] += da[t + 1] @ w["W_hh"].T
        da[t] *= on[t]
    d = {
        "W_xh": np.einsum("tbi,tbj->ij", x, da),
        "W_hh": np.einsum("tbi,tbj->ij", h[:-1], da),
        "b_h": np.einsum("tbj->j", da),
        "W_hy": np.einsum("tbi,tbj->ij", h[1:], dy),
        "b_y": np.einsum("tbj->j", dy),
        "h0": np.einsum("bj,ij->i", da[0], w["W_hh"]),
    }
    return np.mean((e**2).sum(axis=2)) / 2, d


# %% right: sequence by sequence, a recursive function
def mended(x, target, w):
    T, B = x.shape[:2]
    d = {name: np.zeros_like(value) for name, value in w.items()}
    loss = 0.0
    for b in range(B):

        def step(t, h, b=b):
            """Return the loss from state h at step t on, and its derivative by h."""
            if t == T:
                return 0.0, np.zeros_like(h)
            a = x[t, b] @ w["W_xh"] + h @ w["W_hh"] + w["b_h"]
            new = np.maximum(a, 0)
            error = new @ w["W_hy"] + w["b_y"] - target[t, b]
            rest, later = step(t + 1, new)
            dy = error / (T * B)
            delta = (w["W_hy"] @ dy + later) * (a > 0)
            d["W_hy"] += np.outer(new, dy)
            d["b_y"] += dy
            d["W_xh"] += np.outer(x[t, b], delta)
            d["W_hh"] += np.outer(h, delta)
            d["b_h"] += delta
            return rest + 0.5 * error @ error / (T * B), w["W_hh"] @ delta

        part, dh0 = step(0, w["h0"])
        loss += part
        d["h0"] += dh0
    return loss, d


# %% wrong: nothing mended
# why: the colleague's gradient as it came
def mended(x, target, w):
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
        earlier = h[t - 1]
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"]
    d["h0"] = carry[0]
    return loss, d


# %% wrong: the mean left out of the gradient
# why: the loss is a mean, the gradient that of the sum
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = y[t] - target[t]
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: the first step skipped
# why: range stops at 1
def mended(x, target, w):
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
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: the rectifier always on
# why: h >= 0 is always true
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] >= 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: h[-1] at the first step
# why: the last state stands in for h0: shows only once the first step is mended
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1]
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: W_hh without its transpose
# why: square, so no shape complains
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"]
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: gradient of h0 from one sequence
# why: carry[0] is a row of the batch
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry[0]
    return loss, d


# %% wrong: gradient of h0 is the mean
# why: the batch shares one h0: sum
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.mean(axis=0)
    return loss, d


# %% wrong: the first step leaves out W_hh
# why: avoids h[-1] by skipping the term; right only for h0 = 0
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += (t > 0) * earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: zeros for the first state
# why: h0 is not 0
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.zeros_like(h[0])
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: no recursion
# why: what comes from the next step is dropped
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: the recursion without the rectifier
# why: the published bug: what is carried back is dh, not da @ W_hh.T
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = dh
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: mean over T alone
# why: divides by T where the loss divides by T B
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / T
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: tanh' for the rectifier
# why: the chapter's line 1 - h**2
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (1 - h[t] ** 2)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: the mean over everything in the loss
# why: np.mean divides by C too; right for C = 1
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / np.size(target)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    return loss, d


# %% wrong: clips the gradient quietly
# why: against explosion; then it is no gradient
def mended(x, target, w):
    T, B = x.shape[:2]
    before, h, y = np.tile(w["h0"], (B, 1)), [], []
    for t in range(T):
        before = np.maximum(0, x[t] @ w["W_xh"] + before @ w["W_hh"] + w["b_h"])
        h.append(before)
        y.append(before @ w["W_hy"] + w["b_y"])
    loss = 0.5 * np.sum((np.array(y) - target) ** 2) / (T * B)

    d = {name: np.zeros_like(value) for name, value in w.items()}
    carry = np.zeros((B, len(w["h0"])))
    for t in range(T - 1, -1, -1):
        dy = (y[t] - target[t]) / (T * B)
        d["W_hy"] += h[t].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ w["W_hy"].T + carry
        da = dh * (h[t] > 0)
        earlier = h[t - 1] if t > 0 else np.tile(w["h0"], (B, 1))
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += earlier.T @ da
        d["b_h"] += da.sum(axis=0)
        carry = da @ w["W_hh"].T
    d["h0"] = carry.sum(axis=0)
    for value in d.values():
        np.clip(value, -0.1, 0.1, out=value)
    return loss, d
