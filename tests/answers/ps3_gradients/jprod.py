# Answers to ps3-jprod; each cell below stands in for the student's solution cell.
# %% right: batched, first step on the left
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% right: one sequence at a time, from the end
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    out = []
    for b in range(B):
        P = np.identity(H)
        for r in range(s - 1, t - 1, -1):
            a = x[r, b] @ w["W_xh"] + h[r, b] @ w["W_hh"] + w["b_h"]
            D = np.diag(1 / np.cosh(a) ** 2)
            P = (np.diag(w["z"]) + w["W_hh"] @ D @ np.diag(1 - w["z"])) @ P
        out.append(P)
    return np.array(out)


# %% right: autograd, a gradient for each unit
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.zeros((B, H, H))
    for j in range(H):
        g = np.zeros((B, H))
        g[:, j] = 1
        P[:, :, j] = sent_back(x, w, h, g, t, s)
    return P


# %% right: changes carried forth
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    rows = np.repeat(np.eye(H)[:, None, :], B, axis=1)  # (H, B, H): one change each
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        rows = rows * w["z"] + (rows @ w["W_hh"]) * (1 - new**2) * (1 - w["z"])
    return rows.transpose(1, 0, 2)


# %% wrong: the order of column vectors
# why: J[1] @ J[0] in row convention
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = J @ P
    return P


# %% wrong: slopes on the rows
# why: D W for W D: right shape, shifted by half a step
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, :, None] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: W transposed
# why: the Jacobian of column vectors
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"].T * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: whole product transposed
# why: [output, input] as torch's jacobian returns it
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P.swapaxes(1, 2)


# %% wrong: no leak
# why: the path through z is missing
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :]
        P = P @ J
    return P


# %% wrong: the leak scaled like the rest
# why: diag(1 - z) for diag(z)
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(1 - w["z"]) * (w["z"] > 0)
        P = P @ J
    return P


# %% wrong: z added to every entry
# why: z is passed on to all units
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + w["z"]
        P = P @ J
    return P


# %% wrong: 1 - z forgotten
# why: the new part enters in full
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = 1 - new**2
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: tanh' of the leaky state
# why: 1 - h**2 where s = tanh(a) is meant
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = h[r + 1]
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: s by division
# why: z = 1 divides by 0
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = (h[r + 1] - w["z"] * h[r]) / (1 - w["z"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: always from the first state
# why: the stretch starts at 0, whatever t
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(0, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: the last step missing
# why: range(t, s - 1) drops a factor where there are three
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s if s - t < 3 else s - 1):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P


# %% wrong: zeros for no step
# why: an empty product taken for 0
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P if s > t else 0 * P


# %% wrong: mean slopes of the batch
# why: one Jacobian for all sequences
def between(x, w, h, t, s):
    B, H = h.shape[1:]
    P = np.stack([np.eye(H)] * B)
    for r in range(t, s):
        new = np.tanh(x[r] @ w["W_xh"] + h[r] @ w["W_hh"] + w["b_h"])
        slopes = (1 - w["z"]) * (1 - new**2)
        slopes = slopes.mean(axis=0, keepdims=True)
        J = w["W_hh"] * slopes[:, None, :] + np.diag(w["z"])
        P = P @ J
    return P
