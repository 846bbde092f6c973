# Answers to ps4-coupled; each cell below stands in for the student's solution cell.
# %% right: block by block, no fused product
def coupled(x, h, c, w, dh, dc):
    B, H = h.shape
    cut = [slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)]
    a = [x @ w["W_x"][:, k] + h @ w["W_h"][:, k] + w["b"][k] for k in cut]
    with np.errstate(over="ignore"):
        f, o = 1 / (1 + np.exp(-a[0])), 1 / (1 + np.exp(-a[2]))
    g, i = np.tanh(a[1]), 1 - 1 / (1 + np.exp(-np.clip(a[0], -700, 700)))
    c_new = f * c + i * g
    h_new = o * np.tanh(c_new)
    dcn = dc + dh * o * (1 - np.tanh(c_new) ** 2)
    df, di, dg, do = dcn * c, dcn * g, dcn * i, dh * np.tanh(c_new)
    delta = [(df - di) * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)]
    d = {"x": 0, "h": 0, "c": dcn * f, "W_x": np.zeros_like(w["W_x"])}
    d["W_h"], d["b"] = np.zeros_like(w["W_h"]), np.zeros_like(w["b"])
    for k, e in zip(cut, delta, strict=True):
        d["x"] = d["x"] + e @ w["W_x"][:, k].T
        d["h"] = d["h"] + e @ w["W_h"][:, k].T
        for b in range(B):
            d["W_x"][:, k] += np.outer(x[b], e[b])
            d["W_h"][:, k] += np.outer(h[b], e[b])
            d["b"][k] += e[b]
    return h_new, c_new, d


# %% right: written as c' = g + f (c - g), results as tensors and a list
def coupled(x, h, c, w, dh, dc):
    x, h, c, dh, dc = (torch.as_tensor(a) for a in (x, h, c, dh, dc))
    w = {name: torch.as_tensor(a) for name, a in w.items()}
    B, H = h.shape
    both, W = torch.cat([x, h], dim=1), torch.cat([w["W_x"], w["W_h"]])
    a = (both @ W + w["b"]).view(B, 3, H)
    f, g, o = torch.sigmoid(a[:, 0]), torch.tanh(a[:, 1]), torch.sigmoid(a[:, 2])
    c_new = g + f * (c - g)
    y = torch.tanh(c_new)
    up = dc + dh * o * (1 - y**2)
    delta = torch.stack(
        [up * (c - g) * f * (1 - f), up * (1 - f) * (1 - g**2), dh * y * o * (1 - o)], 1
    )
    delta = delta.view(B, 3 * H)
    dW, into = both.T @ delta, delta @ W.T
    D = x.shape[1]
    d = {
        "W_x": dW[:D],
        "W_h": dW[D:],
        "b": delta.sum(0),
        "x": into[:, :D],
        "h": into[:, D:],
        "c": up * f,
    }
    return [o * y, c_new, d]


# %% wrong: what is written has the gate of what is kept
# why: c' = f c + f g
def coupled(x, h, c, w, dh, dc):
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + f * g
    seen = np.tanh(c_new)
    total = dc + dh * o * (1 - seen**2)
    da = np.hstack([total * (c + g) * f * (1 - f), total * f * (1 - g**2), dh * seen * o * (1 - o)])
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d


# %% wrong: the minus is lost
# why: the derivative of 1 - f taken for +1
def coupled(x, h, c, w, dh, dc):
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    total = dc + dh * o * (1 - seen**2)
    da = np.hstack(
        [total * (c + g) * f * (1 - f), total * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)]
    )
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d


# %% wrong: the second listener of f is forgotten
# why: f is taken for a forget gate alone
def coupled(x, h, c, w, dh, dc):
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    total = dc + dh * o * (1 - seen**2)
    da = np.hstack([total * c * f * (1 - f), total * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)])
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d


# %% wrong: dc is ignored
# why: what later steps take from the cell is lost
def coupled(x, h, c, w, dh, dc):
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    total = dh * o * (1 - seen**2)
    da = np.hstack(
        [total * (c - g) * f * (1 - f), total * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)]
    )
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d


# %% wrong: the mean over the batch
# why: gradients of shared weights are sums
def coupled(x, h, c, w, dh, dc):
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    total = dc + dh * o * (1 - seen**2)
    da = np.hstack(
        [total * (c - g) * f * (1 - f), total * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)]
    )
    d = {"W_x": x.T @ da / len(x), "W_h": h.T @ da / len(x), "b": da.mean(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d


# %% wrong: adds into dc
# why: total is written into dc, which belongs to the caller
def coupled(x, h, c, w, dh, dc):
    a_f, a_g, a_o = np.split(x @ w["W_x"] + h @ w["W_h"] + w["b"], 3, axis=1)
    f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    dc += dh * o * (1 - seen**2)
    da = np.hstack([dc * (c - g) * f * (1 - f), dc * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)])
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": dc * f}
    return o * seen, c_new, d


# %% wrong: blocks in another order
# why: f, o, g as in some papers
def coupled(x, h, c, w, dh, dc):
    H = h.shape[1]
    a = x @ w["W_x"] + h @ w["W_h"] + w["b"]
    f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), np.tanh(a[:, 2 * H :])
    c_new = f * c + (1 - f) * g
    seen = np.tanh(c_new)
    total = dc + dh * o * (1 - seen**2)
    parts = [total * (c - g) * f * (1 - f), total * (1 - f) * (1 - g**2), dh * seen * o * (1 - o)]
    da = np.hstack(parts)
    d = {"W_x": x.T @ da, "W_h": h.T @ da, "b": da.sum(axis=0)}
    d |= {"x": da @ w["W_x"].T, "h": da @ w["W_h"].T, "c": total * f}
    return o * seen, c_new, d
