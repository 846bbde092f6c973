# Answers to ps4-peep-fwd; each cell below stands in for the student's solution cell.
# %% right: the inputs of all steps at once, arrays filled
def peep_forward(x, w, h0, c0):
    T, B, _ = x.shape
    H = len(w["p_i"])
    h, c = np.empty((T + 1, B, H)), np.empty((T + 1, B, H))
    h[0], c[0] = h0, c0
    from_x = x @ w["W_x"] + w["b"]
    for t in range(T):
        a = (from_x[t] + h[t] @ w["W_h"]).reshape(B, 4, H)
        i = sigmoid(a[:, 0] + w["p_i"] * c[t])
        f = sigmoid(a[:, 1] + w["p_f"] * c[t])
        c[t + 1] = f * c[t] + i * np.tanh(a[:, 2])
        h[t + 1] = sigmoid(a[:, 3] + w["p_o"] * c[t + 1]) * np.tanh(c[t + 1])
    return h, c


# %% right: tensors, peepholes as diagonal matrices
def peep_forward(x, w, h0, c0):
    w = {name: torch.tensor(a) for name, a in w.items()}
    P = {name: torch.diag(w[name]) for name in ("p_i", "p_f", "p_o")}
    h, c = torch.tensor(h0), torch.tensor(c0)
    all_h, all_c = [h], [c]
    for x_t in torch.tensor(x):
        i, f, g, o = (x_t @ w["W_x"] + h @ w["W_h"] + w["b"]).chunk(4, dim=1)
        i, f = torch.sigmoid(i + c @ P["p_i"]), torch.sigmoid(f + c @ P["p_f"])
        c = f * c + i * torch.tanh(g)
        h = torch.sigmoid(o + c @ P["p_o"]) * torch.tanh(c)
        all_h.append(h)
        all_c.append(c)
    return [torch.stack(all_h), torch.stack(all_c)]


# %% wrong: the output gate looks at the previous cell
# why: all three peepholes at c_{t-1}
def peep_forward(x, w, h0, c0):
    h, c = [h0], [c0]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        o = sigmoid(a_o + w["p_o"] * c[-1])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append(o * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)


# %% wrong: the peephole outside the sigmoid
# why: p_o times c_t multiplies the gate in place of shifting it; none where p_o is 0
def peep_forward(x, w, h0, c0):
    h, c = [h0], [c0]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append((sigmoid(a_o) + w["p_o"] * c[-1]) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)


# %% wrong: the candidate looks too
# why: p_i is added to two blocks
def peep_forward(x, w, h0, c0):
    h, c = [h0], [c0]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        look = w["p_o"] * c[-1]
        c.append(f * c[-1] + i * np.tanh(a_g + look))
        h.append(sigmoid(a_o + w["p_o"] * c[-1]) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)


# %% wrong: a look at tanh of the cell
# why: the output gate sees what it lets out
def peep_forward(x, w, h0, c0):
    h, c = [h0], [c0]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append(sigmoid(a_o + w["p_o"] * np.tanh(c[-1])) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)


# %% wrong: begins at h = 0
# why: h0 is ignored
def peep_forward(x, w, h0, c0):
    h, c = [np.zeros_like(h0)], [c0]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append(sigmoid(a_o + w["p_o"] * c[-1]) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)


# %% wrong: f and i swapped
# why: blocks taken as f, i, g, o
def peep_forward(x, w, h0, c0):
    h, c = [h0], [c0]
    for x_t in x:
        a_f, a_i, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i, f = sigmoid(a_i + w["p_i"] * c[-1]), sigmoid(a_f + w["p_f"] * c[-1])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append(sigmoid(a_o + w["p_o"] * c[-1]) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)


# %% wrong: peepholes as one sum over units
# why: every unit sees the sum of all cells: a full matrix of equal rows
def peep_forward(x, w, h0, c0):
    h, c = [h0], [c0]
    for x_t in x:
        a_i, a_f, a_g, a_o = np.split(x_t @ w["W_x"] + h[-1] @ w["W_h"] + w["b"], 4, axis=1)
        i = sigmoid(a_i + (c[-1] @ w["p_i"])[:, None])
        f = sigmoid(a_f + (c[-1] @ w["p_f"])[:, None])
        c.append(f * c[-1] + i * np.tanh(a_g))
        h.append(sigmoid(a_o + (c[-1] @ w["p_o"])[:, None]) * np.tanh(c[-1]))
    return np.stack(h), np.stack(c)
