# Answers to ps2-leaky-fwd; each cell below stands in for the student's solution cell.
# %% right: a list of states, stacked at the end
def leaky_forward(x, w):
    h = [np.tile(w["h0"], (x.shape[1], 1))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"] + w["b_h"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return np.array(h)


# %% right: one sequence after the other, loops over units
def leaky_forward(x, w):
    T, B, D = x.shape
    H = len(w["h0"])
    h = np.zeros((T + 1, B, H))
    for b in range(B):
        h[0, b] = w["h0"]
        for t in range(T):
            for j in range(H):
                a = w["b_h"][j]
                for i in range(D):
                    a += x[t, b, i] * w["W_xh"][i, j]
                for i in range(H):
                    a += h[t, b, i] * w["W_hh"][i, j]
                h[t + 1, b, j] = h[t, b, j] + w["alpha"][j] * (np.tanh(a) - h[t, b, j])
    return h


# %% right: in torch, inputs for all steps at once, batch first inside
import torch


def leaky_forward(x, w):
    v = {name: torch.from_numpy(np.array(value)) for name, value in w.items()}
    from_x = torch.from_numpy(np.array(x)).transpose(0, 1) @ v["W_xh"] + v["b_h"]  # (B, T, H)
    h = [v["h0"].repeat(from_x.shape[0], 1)]
    for t in range(from_x.shape[1]):
        h.append(torch.lerp(h[-1], torch.tanh(from_x[:, t] + h[-1] @ v["W_hh"]), v["alpha"]))
    return torch.stack(h, dim=1).transpose(0, 1).numpy()


# %% wrong: alpha and 1 - alpha swapped
# why: alpha = 1 would keep the old state
def leaky_forward(x, w):
    h = [np.tile(w["h0"], (x.shape[1], 1))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"] + w["b_h"])
        h.append(w["alpha"] * h[-1] + (1 - w["alpha"]) * s)
    return np.array(h)


# %% wrong: starts from zeros
# why: the learned first state is ignored
def leaky_forward(x, w):
    h = [np.zeros((x.shape[1], len(w["h0"])))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"] + w["b_h"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return np.array(h)


# %% wrong: W_hh transposed
# why: column convention; square, so no shape complains
def leaky_forward(x, w):
    h = [np.tile(w["h0"], (x.shape[1], 1))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"].T + w["b_h"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return np.array(h)


# %% wrong: one alpha for all units
# why: the mean of alpha; right where all are equal
def leaky_forward(x, w):
    alpha = w["alpha"].mean()
    h = [np.tile(w["h0"], (x.shape[1], 1))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"] + w["b_h"])
        h.append((1 - alpha) * h[-1] + alpha * s)
    return np.array(h)


# %% wrong: the bias forgotten
# why: worked example has bias 0
def leaky_forward(x, w):
    h = [np.tile(w["h0"], (x.shape[1], 1))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return np.array(h)


# %% wrong: replaces h0 in the caller's dict
# why: w is the caller's dict: w['h0'] is another array afterwards
def leaky_forward(x, w):
    w["h0"] = np.tile(w["h0"], (x.shape[1], 1))
    h = [w["h0"]]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1] @ w["W_hh"] + w["b_h"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return np.array(h)


# %% wrong: only the first sequence's state goes on
# why: h[-1][:1]: all sequences continue from the first one
def leaky_forward(x, w):
    h = [np.tile(w["h0"], (x.shape[1], 1))]
    for x_t in x:
        s = np.tanh(x_t @ w["W_xh"] + h[-1][:1] @ w["W_hh"] + w["b_h"])
        h.append((1 - w["alpha"]) * h[-1] + w["alpha"] * s)
    return np.array(h)
