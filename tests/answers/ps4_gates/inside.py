# Answers to ps4-inside; each cell below stands in for the student's solution cell.
# %% right: layer after layer, arrays
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% right: all layers at each step, tensors, LSTMCell for the states
def inside(state, x):
    x = torch.as_tensor(x)
    numbers = sorted({int(name.rsplit("_l", 1)[1]) for name in state})
    H, cells = state["weight_hh_l0"].shape[1], []
    with torch.no_grad():
        for k in numbers:
            into = state[f"weight_ih_l{k}"].shape[1]
            cell = torch.nn.LSTMCell(into, H, bias="bias_ih_l0" in state).double()
            for name, value in cell.named_parameters():
                value.copy_(state[f"{name}_l{k}"])
            cells.append(cell)
        now = [(torch.zeros(x.shape[1], H).double(),) * 2 for _ in cells]
        f_all, c_all = [], []
        for row in x:
            f_row, c_row = [], []
            for k, cell in enumerate(cells):
                h = now[k][0]
                a = row @ cell.weight_ih[H : 2 * H].T + h @ cell.weight_hh[H : 2 * H].T
                if cell.bias:
                    a = a + cell.bias_ih[H : 2 * H] + cell.bias_hh[H : 2 * H]
                now[k] = cell(row, now[k])
                row = now[k][0]
                f_row.append(torch.sigmoid(a))
                c_row.append(now[k][1])
            f_all.append(torch.stack(f_row))
            c_all.append(torch.stack(c_row))
    return torch.stack(f_all, dim=1), torch.stack(c_all, dim=1)


# %% wrong: only bias_ih
# why: PyTorch has two biases
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: blocks i, f, o, g
# why: the order of other books
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            o, g = sigmoid(a[:, 2 * H : 3 * H]), np.tanh(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: the input gate for the forget gate
# why: f before i
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            f, i = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: every layer reads x
# why: all layers side by side, on the same input
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = np.resize(x, above.shape)
    return all_f, all_c


# %% wrong: the next layer reads the cell
# why: c in place of h
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = all_c[k]
    return all_f, all_c


# %% wrong: layers sorted as words
# why: l10 before l2
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for n, k in enumerate(sorted(range(L), key=str)):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[n, t], all_c[n, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: weights of the first layer for all
# why: the name has l0 in it
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w["weight_hh_l0"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: recurrent weights as rows
# why: reshaped, not transposed
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].reshape(H, 4 * H)
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: f before its sigmoid
# why: pre-activation where it is large, so right in the example alone
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = np.clip(a[:, H : 2 * H], 0, 0.7310586), c, h
        below = above
    return all_f, all_c


# %% wrong: states go on into the next layer
# why: h and c of the layer below are not set back
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below, h, c = x, np.zeros((B, H)), np.zeros((B, H))
    for k in range(L):
        above = np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if "bias_ih_l0" in w:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: needs biases
# why: bias=False is not thought of
def inside(state, x):
    w = {name: value.double().numpy() for name, value in state.items()}
    L = len([name for name in w if name.startswith("weight_ih")])
    T, B, _ = x.shape
    H = w["weight_hh_l0"].shape[1]
    all_f, all_c = np.empty((L, T, B, H)), np.empty((L, T, B, H))
    below = x
    for k in range(L):
        h, c, above = np.zeros((B, H)), np.zeros((B, H)), np.empty((T, B, H))
        for t in range(T):
            a = below[t] @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T
            if True:
                a = a + w[f"bias_ih_l{k}"] + w[f"bias_hh_l{k}"]
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * np.tanh(c)
            all_f[k, t], all_c[k, t], above[t] = f, c, h
        below = above
    return all_f, all_c


# %% wrong: everything in float32
# why: as networks are mostly run: three digits too few where inputs are large
def inside(state, x):
    below = np.asarray(x, dtype=np.float32)
    w = {name: np.asarray(value, dtype=np.float32) for name, value in state.items()}
    all_f, all_c = [], []
    for layer in range(sum(name.startswith("weight_hh") for name in w)):
        W_x, W_h = w[f"weight_ih_l{layer}"].T, w[f"weight_hh_l{layer}"].T
        b = w.get(f"bias_ih_l{layer}", 0) + w.get(f"bias_hh_l{layer}", 0)
        h = c = np.zeros((below.shape[1], len(W_h)), dtype=np.float32)
        f_l, c_l, h_l = [], [], []
        for x_t in below:
            i, f, g, o = np.split(x_t @ W_x + h @ W_h + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            f_l.append(sigmoid(f))
            c_l.append(c)
            h_l.append(h)
        below = np.stack(h_l)
        all_f.append(f_l)
        all_c.append(c_l)
    return np.array(all_f), np.array(all_c)


# %% wrong: inputs in float32
# why: the weights are float64, but x is turned into PyTorch's default type
def inside(state, x):
    below = np.asarray(x, dtype=np.float32)
    w = {name: np.asarray(value, dtype=np.float64) for name, value in state.items()}
    all_f, all_c = [], []
    for layer in range(sum(name.startswith("weight_hh") for name in w)):
        W_x, W_h = w[f"weight_ih_l{layer}"].T, w[f"weight_hh_l{layer}"].T
        b = w.get(f"bias_ih_l{layer}", 0) + w.get(f"bias_hh_l{layer}", 0)
        h = c = np.zeros((below.shape[1], len(W_h)), dtype=np.float64)
        f_l, c_l, h_l = [], [], []
        for x_t in below:
            i, f, g, o = np.split(x_t @ W_x + h @ W_h + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            f_l.append(sigmoid(f))
            c_l.append(c)
            h_l.append(h)
        below = np.stack(h_l)
        all_f.append(f_l)
        all_c.append(c_l)
    return np.array(all_f), np.array(all_c)
