# Answers to ps4-peep-bwd; each cell below stands in for the student's solution cell.
# %% right: step by step, weights added up as it goes
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% right: by the Jacobian of one step, numbers of the forward pass kept as tensors
def peep_backward(x, w, h, c, dh, dc):
    x, h, c, dh, dc = (torch.as_tensor(a) for a in (x, h, c, dh, dc))
    w = {name: torch.as_tensor(a) for name, a in w.items()}
    T, B, H = len(x), h.shape[1], h.shape[2]
    a = (x @ w["W_x"] + h[:-1] @ w["W_h"] + w["b"]).view(T, B, 4, H)
    i, f = (
        torch.sigmoid(a[:, :, 0] + w["p_i"] * c[:-1]),
        torch.sigmoid(a[:, :, 1] + w["p_f"] * c[:-1]),
    )
    g, o = torch.tanh(a[:, :, 2]), torch.sigmoid(a[:, :, 3] + w["p_o"] * c[1:])
    y = torch.tanh(c[1:])
    out_by_c = o * (1 - y**2) + y * o * (1 - o) * w["p_o"]  # dh_t / dc_t
    c_by_c = f + g * i * (1 - i) * w["p_i"] + c[:-1] * f * (1 - f) * w["p_f"]
    slopes = torch.stack([g * i * (1 - i), c[:-1] * f * (1 - f), i * (1 - g**2)], dim=2)
    to_h, to_c = dh[T], dc[T]
    deltas = [None] * T
    for t in range(T - 1, -1, -1):
        by_cell = to_c + to_h * out_by_c[t]
        by_o = to_h * y[t] * o[t] * (1 - o[t])
        deltas[t] = torch.cat([by_cell[:, None] * slopes[t], by_o[:, None]], dim=1)
        to_h = dh[t] + deltas[t].reshape(B, 4 * H) @ w["W_h"].T
        to_c = dc[t] + by_cell * c_by_c[t]
    delta = torch.stack(deltas)  # (T, B, 4, H)
    flat = delta.reshape(T * B, 4 * H)
    return {
        "W_x": x.reshape(T * B, -1).T @ flat,
        "W_h": h[:-1].reshape(T * B, H).T @ flat,
        "b": flat.sum(0),
        "p_i": (delta[:, :, 0] * c[:-1]).sum((0, 1)),
        "p_f": (delta[:, :, 1] * c[:-1]).sum((0, 1)),
        "p_o": (delta[:, :, 3] * c[1:]).sum((0, 1)),
        "x": (flat @ w["W_x"].T).reshape(x.shape),
        "h0": to_h,
        "c0": to_c,
    }


# %% wrong: no way back through p_i and p_f
# why: the old cell is heard by two gates as well
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: no way back through p_o
# why: the new cell is heard by the output gate as well
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2)
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: dp_o meets the previous cell
# why: taken for a gate like the others
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: the output gate computed with the previous cell
# why: another network's o
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: dc is ignored
# why: a loss of the cells is lost
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.zeros_like(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: what the loss takes from the first states is lost
# why: dh[0] and dc[0] overwritten
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] = (dh[t] if t else 0) + da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: nothing goes back through W_h
# why: the recurrence is missing: only the cell carries
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    dh[0] += da @ w["W_h"].T
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: W_h meets the state after the step
# why: off by one
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t + 1].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: only the last term of each peephole
# why: overwritten, not added
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] = (da_i * c[t]).sum(axis=0)
        d["p_f"] = (da_f * c[t]).sum(axis=0)
        d["p_o"] = (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: peepholes averaged over the batch
# why: mean in place of sum
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).mean(axis=0)
        d["p_f"] += (da_f * c[t]).mean(axis=0)
        d["p_o"] += (da_o * c[t + 1]).mean(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: works in dh and dc themselves
# why: changes its arguments
def peep_backward(x, w, h, c, dh, dc):
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d


# %% wrong: the slope of the candidate at g, not 1 - g**2
# why: a sigmoid's slope for a tanh
def peep_backward(x, w, h, c, dh, dc):
    dh, dc = np.array(dh), np.array(dc)
    H = h.shape[2]
    d = {name: np.zeros_like(w[name]) for name in ("W_x", "W_h", "b", "p_i", "p_f", "p_o")}
    d["x"] = np.empty_like(x)
    for t in range(len(x) - 1, -1, -1):
        a = x[t] @ w["W_x"] + h[t] @ w["W_h"] + w["b"]
        i = sigmoid(a[:, :H] + w["p_i"] * c[t])
        f = sigmoid(a[:, H : 2 * H] + w["p_f"] * c[t])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :] + w["p_o"] * c[t + 1])
        y = np.tanh(c[t + 1])
        da_o = dh[t + 1] * y * o * (1 - o)
        now = dc[t + 1] + dh[t + 1] * o * (1 - y**2) + da_o * w["p_o"]
        da_i = now * g * i * (1 - i)
        da_f = now * c[t] * f * (1 - f)
        da_g = now * i * (1 - g) * (1 + 0 * g)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        d["W_x"] += x[t].T @ da
        d["W_h"] += h[t].T @ da
        d["b"] += da.sum(axis=0)
        d["p_i"] += (da_i * c[t]).sum(axis=0)
        d["p_f"] += (da_f * c[t]).sum(axis=0)
        d["p_o"] += (da_o * c[t + 1]).sum(axis=0)
        d["x"][t] = da @ w["W_x"].T
        dh[t] += da @ w["W_h"].T
        dc[t] += now * f + da_i * w["p_i"] + da_f * w["p_f"]
    d["h0"], d["c0"] = dh[0], dc[0]
    return d
