# Answers to ps2-leaky-bwd; each cell below stands in for the student's solution cell.
# %% right: one pass over time with running sums
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% right: einsum after the loop, deltas kept for all steps
def leaky_backward(x, w, h, dh):
    keep = 1 - w["alpha"]
    s = np.tanh(
        np.einsum("tbd,dh->tbh", x, w["W_xh"])
        + np.einsum("tbi,ij->tbj", h[:-1], w["W_hh"])
        + w["b_h"]
    )
    g = np.zeros_like(h)
    g[-1] = dh[-1]
    slope = w["alpha"] * (1 - s * s)
    for t in range(len(x), 0, -1):
        g[t - 1] = dh[t - 1] + keep * g[t] + np.einsum("bj,ij->bi", slope[t - 1] * g[t], w["W_hh"])
    da = slope * g[1:]
    return {
        "x": np.einsum("tbh,dh->tbd", da, w["W_xh"]),
        "W_xh": np.einsum("tbd,tbh->dh", x, da),
        "W_hh": np.einsum("tbi,tbj->ij", h[:-1], da),
        "b_h": np.einsum("tbh->h", da),
        "alpha": np.einsum("tbh,tbh->h", g[1:], s - h[:-1]),
        "h0": g[0].sum(0),
    }


# %% right: whole Jacobians, one sequence at a time
def leaky_backward(x, w, h, dh):
    T, B, D = x.shape
    len(w["h0"])
    d = {name: np.zeros(np.shape(value)) for name, value in w.items()}
    d["x"] = np.zeros((T, B, D))
    for b in range(B):
        g = dh[T, b].copy()
        for t in range(T - 1, -1, -1):
            s = np.tanh(x[t, b] @ w["W_xh"] + h[t, b] @ w["W_hh"] + w["b_h"])
            slope = w["alpha"] * (1 - s**2)
            jacobian = (
                np.diag(1 - w["alpha"]) + w["W_hh"] * slope[None, :]
            )  # [i, j]: dh_t,j / dh_t-1,i
            a_bar = g * slope
            d["W_hh"] += np.outer(h[t, b], a_bar)
            d["W_xh"] += np.outer(x[t, b], a_bar)
            d["b_h"] += a_bar
            d["alpha"] += g * (s - h[t, b])
            d["x"][t, b] = w["W_xh"] @ a_bar
            g = dh[t, b] + jacobian @ g
        d["h0"] += g
    return d


# %% wrong: the leak's way back is missing
# why: only the path through W_hh, as in a plain network
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: W_hh not transposed on the way back
# why: square, so no shape complains
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: tanh' at the leaky state
# why: 1 - h**2 in place of 1 - s**2
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - h[t + 1] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: alpha missing in the delta
# why: h_t takes only alpha of s_t
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: direct derivative of the first state dropped
# why: dh[0] never added
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = carry.sum(axis=0)
    return d


# %% wrong: gradient of h0 is the mean over the batch
# why: a shared parameter has B copies: sum
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).mean(axis=0)
    return d


# %% wrong: gradient of h0 from the first sequence
# why: carry[0] is one row of the batch
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry)[0]
    return d


# %% wrong: gradient of alpha without the old state
# why: s_t alone: forgets that alpha also takes away from h_{t-1}
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * s[t]).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: gradient of alpha with the new state
# why: s_t - h_t in place of s_t - h_{t-1}
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t + 1])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: gradient of alpha from the delta
# why: uses da, which has tanh' in it, in place of the state's delta
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (da * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: s from a division by alpha
# why: 0 / 0 for a unit with alpha = 0
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    with np.errstate(invalid="ignore"):
        s = (h[1:] - (1 - alpha) * h[:-1]) / alpha
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d


# %% wrong: accumulates into the caller's dh
# why: dh[t] += changes the argument
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1]
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += h[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        dh[t] += (1 - alpha) * g + da @ W_hh.T
    d["h0"] = dh[0].sum(axis=0)
    return d


# %% wrong: W_hh's gradient transposed
# why: da' h in place of h' da
def leaky_backward(x, w, h, dh):
    alpha, W_hh = w["alpha"], w["W_hh"]
    s = np.tanh(x @ w["W_xh"] + h[:-1] @ W_hh + w["b_h"])
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in range(len(x) - 1, -1, -1):
        g = dh[t + 1] + carry
        da = g * alpha * (1 - s[t] ** 2)
        d["W_xh"] += x[t].T @ da
        d["W_hh"] += da.T @ h[t]
        d["b_h"] += da.sum(axis=0)
        d["alpha"] += (g * (s[t] - h[t])).sum(axis=0)
        d["x"][t] = da @ w["W_xh"].T
        carry = (1 - alpha) * g + da @ W_hh.T
    d["h0"] = (dh[0] + carry).sum(axis=0)
    return d
