# Answers to ps4-which; each cell below stands in for the student's solution cell.
# %% right: eight free runs from the first state
import itertools


def which_gru(x, h, w):
    H = h.shape[2]
    found, best = None, 1e-3
    kinds = itertools.product(("rzn", "zrn"), ("before", "after"), ("keeps", "takes"))
    for order, reset, update in kinds:
        s = [np.array(h[0], dtype=float)]
        for x_t in np.asarray(x, dtype=float):
            a, b = x_t @ w["W_x"] + w["b_x"], s[-1] @ w["W_h"] + w["b_h"]
            p, q = sigmoid((a + b)[:, :H]), sigmoid((a + b)[:, H : 2 * H])
            r, z = (p, q) if order == "rzn" else (q, p)
            inner = r * b[:, 2 * H :]
            if reset == "before":
                inner = (r * s[-1]) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a[:, 2 * H :] + inner)
            u = z if update == "keeps" else 1 - z
            s.append(n + u * (s[-1] - n))
        error = np.linalg.norm(np.stack(s) - h) / np.linalg.norm(h)
        if error < best:
            found, best = (order, reset, update), error
    return found


# %% right: one step at a time, the first that is close enough
def which_gru(x, h, w):
    x, h = torch.as_tensor(x).double(), torch.as_tensor(h).double()
    w = {name: torch.as_tensor(a) for name, a in w.items()}
    H = h.shape[2]
    W_n, b_n = w["W_h"][:, 2 * H :], w["b_h"][2 * H :]
    a, old, new = x @ w["W_x"] + w["b_x"], h[:-1], h[1:]
    b = old @ w["W_h"] + w["b_h"]
    gates = torch.sigmoid((a + b)[..., : 2 * H]).chunk(2, dim=-1)
    for order, (r, z) in {"rzn": gates, "zrn": gates[::-1]}.items():
        inner = {"before": (r * old) @ W_n + b_n, "after": r * (old @ W_n + b_n)}
        for reset, part in inner.items():
            n = torch.tanh(a[..., 2 * H :] + part)
            for update, u in {"keeps": z, "takes": 1 - z}.items():
                if (u * old + (1 - u) * n - new).norm() < 1e-3 * new.norm():
                    return [order, reset, update]
    return None


# %% wrong: always PyTorch's
# why: works for the visible example alone
def which_gru(x, h, w):
    return "rzn", "after", "keeps"


# %% wrong: the first step alone
# why: with h = 0 the reset gate does nothing there
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float)[:1], np.asarray(h, dtype=float)[:2]
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 1e-3
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z), ("takes", 1 - z)):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: never None
# why: takes the least bad one
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, np.inf
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z), ("takes", 1 - z)):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: equal to the last bits or nothing
# why: a run written down in float32 is taken for none
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 1e-9
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z), ("takes", 1 - z)):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: z is always what keeps
# why: four of the eight are tried
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 1e-3
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z),):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: keeps and takes exchanged in Keras's order
# why: an idea of what z means goes with the order
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 1e-3
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (
                (("keeps", z), ("takes", 1 - z))
                if order == "rzn"
                else (("takes", z), ("keeps", 1 - z))
            ):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: the bias of n stays outside
# why: after the product, but the reset gate does not act on b_h
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 0.3
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * (a_h[..., 2 * H :] - w["b_h"][2 * H :]) + w["b_h"][2 * H :]
            if reset == "before" and found is None:
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z), ("takes", 1 - z)):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: r acts on the input
# why: r times x W in place of r times h W
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 1e-3
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q), ("zrn", q, p)):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = a_h[..., 2 * H :]
            n = np.tanh((r if reset == "before" else 1) * a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z), ("takes", 1 - z)):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: one order of the blocks
# why: all GRUs are taken for r, z, n
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    a_x, a_h, old, H = x @ w["W_x"] + w["b_x"], h[:-1] @ w["W_h"] + w["b_h"], h[:-1], h.shape[2]
    p, q = sigmoid((a_x + a_h)[..., :H]), sigmoid((a_x + a_h)[..., H : 2 * H])
    found, best = None, 1e-3
    for reset in ("after", "before"):
        for order, r, z in (("rzn", p, q),):
            inner = r * a_h[..., 2 * H :]
            if reset == "before":
                inner = (r * old) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
            n = np.tanh(a_x[..., 2 * H :] + inner)
            for update, u in (("keeps", z), ("takes", 1 - z)):
                error = np.linalg.norm(u * old + (1 - u) * n - h[1:]) / np.linalg.norm(h[1:])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: a limit of 1e-6
# why: closer than the statement asks: float32 inputs cost more than that
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    H, found, best = h.shape[2], None, 1e-6
    for order in ("rzn", "zrn"):
        for reset in ("before", "after"):
            for update in ("keeps", "takes"):
                run = [h[0]]
                for x_t in x:
                    a_x, a_h = x_t @ w["W_x"] + w["b_x"], run[-1] @ w["W_h"] + w["b_h"]
                    r, z = np.split(sigmoid(a_x + a_h)[:, : 2 * H], 2, axis=1)
                    if order == "zrn":
                        r, z = z, r
                    inner = r * a_h[:, 2 * H :]
                    if reset == "before":
                        inner = (r * run[-1]) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
                    n = np.tanh(a_x[:, 2 * H :] + inner)
                    u = z if update == "keeps" else 1 - z
                    run.append(u * run[-1] + (1 - u) * n)
                error = np.linalg.norm(np.stack(run) - h) / np.linalg.norm(h)
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: the last state alone
# why: a state in the middle that does not fit is not seen
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    H, found, best = h.shape[2], None, 1e-3
    for order in ("rzn", "zrn"):
        for reset in ("before", "after"):
            for update in ("keeps", "takes"):
                run = [h[0]]
                for x_t in x:
                    a_x, a_h = x_t @ w["W_x"] + w["b_x"], run[-1] @ w["W_h"] + w["b_h"]
                    r, z = np.split(sigmoid(a_x + a_h)[:, : 2 * H], 2, axis=1)
                    if order == "zrn":
                        r, z = z, r
                    inner = r * a_h[:, 2 * H :]
                    if reset == "before":
                        inner = (r * run[-1]) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
                    n = np.tanh(a_x[:, 2 * H :] + inner)
                    u = z if update == "keeps" else 1 - z
                    run.append(u * run[-1] + (1 - u) * n)
                error = np.linalg.norm(run[-1] - h[-1]) / np.linalg.norm(h[-1])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: the first sequence alone
# why: the others are not compared
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    H, found, best = h.shape[2], None, 1e-3
    for order in ("rzn", "zrn"):
        for reset in ("before", "after"):
            for update in ("keeps", "takes"):
                run = [h[0]]
                for x_t in x:
                    a_x, a_h = x_t @ w["W_x"] + w["b_x"], run[-1] @ w["W_h"] + w["b_h"]
                    r, z = np.split(sigmoid(a_x + a_h)[:, : 2 * H], 2, axis=1)
                    if order == "zrn":
                        r, z = z, r
                    inner = r * a_h[:, 2 * H :]
                    if reset == "before":
                        inner = (r * run[-1]) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
                    n = np.tanh(a_x[:, 2 * H :] + inner)
                    u = z if update == "keeps" else 1 - z
                    run.append(u * run[-1] + (1 - u) * n)
                error = np.linalg.norm(np.stack(run)[:, 0] - h[:, 0]) / np.linalg.norm(h[:, 0])
                if error < best:
                    found, best = (order, reset, update), error
    return found


# %% wrong: an absolute error
# why: small states are close to every network
def which_gru(x, h, w):
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    H, found, best = h.shape[2], None, 1e-3
    for order in ("rzn", "zrn"):
        for reset in ("before", "after"):
            for update in ("keeps", "takes"):
                run = [h[0]]
                for x_t in x:
                    a_x, a_h = x_t @ w["W_x"] + w["b_x"], run[-1] @ w["W_h"] + w["b_h"]
                    r, z = np.split(sigmoid(a_x + a_h)[:, : 2 * H], 2, axis=1)
                    if order == "zrn":
                        r, z = z, r
                    inner = r * a_h[:, 2 * H :]
                    if reset == "before":
                        inner = (r * run[-1]) @ w["W_h"][:, 2 * H :] + w["b_h"][2 * H :]
                    n = np.tanh(a_x[:, 2 * H :] + inner)
                    u = z if update == "keeps" else 1 - z
                    run.append(u * run[-1] + (1 - u) * n)
                error = np.linalg.norm(np.stack(run) - h)
                if error < best:
                    found, best = (order, reset, update), error
    return found
