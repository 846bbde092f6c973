# Answers to ps2-floor; each cell below stands in for the student's solution cell.
# %% right: NumPy, Adam, the rate falls to 0
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% right: nn.RNN in float32, one-cycle rate
import torch


def learn(x, V, steps, seed):
    torch.manual_seed(seed)
    net, out = torch.nn.RNN(V, 40), torch.nn.Linear(40, V)
    h0 = torch.zeros(40, requires_grad=True)
    weights = [*net.parameters(), *out.parameters(), h0]
    adam = torch.optim.Adam(weights, 0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps)
    data = torch.as_tensor(x)
    for _ in range(steps):
        batch = data[:, torch.randint(data.shape[1], (50,))]
        first = h0.expand(1, 50, -1).contiguous()
        h, _ = net(torch.nn.functional.one_hot(batch, V).float(), first)
        scores = out(torch.cat([first, h[:-1]]))
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), batch.flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        schedule.step()
    named = {"W_xh": net.weight_ih_l0.T, "W_hh": net.weight_hh_l0.T, "W_hy": out.weight.T}
    named |= {"b_h": net.bias_ih_l0 + net.bias_hh_l0, "b_y": out.bias, "h0": h0}
    return {name: value.detach().numpy().copy() for name, value in named.items()}


# %% right: NumPy in float32, RMSProp, every batch goes through the data in order
def learn(x, V, steps, seed):
    H, rng, batch = 40, np.random.default_rng(seed), 48
    w = draw(plain_shapes(V, H, V), seed, scale=0.1)
    w = {name: a.astype(np.float32) for name, a in w.items()}
    w["W_hh"] += 0.5 * np.eye(H, dtype=np.float32)
    square = {name: np.zeros_like(a) for name, a in w.items()}
    order, at = rng.permutation(x.shape[1]), 0
    for n in range(steps):
        if at >= len(order):
            order, at = rng.permutation(x.shape[1]), 0
        part = x[:, order[at : at + batch]]
        at += batch
        target = np.concatenate([part, np.full_like(part[:1], MISSING)])
        _, d = total_gradient(part, target, w)
        norm = np.sqrt(sum(float((g**2).sum()) for g in d.values())) / part.size
        rate = 0.004 * min(1, (n + 1) / 20) * (1 - n / steps) ** 0.5
        for name, g in d.items():
            g = g.astype(np.float32) / part.size / max(norm, 1)
            square[name] += 0.05 * (g * g - square[name])
            w[name] -= np.float32(rate) * g / (np.sqrt(square[name]) + np.float32(1e-6))
    return w


# %% right: autograd through a loop of one's own
import torch


def learn(x, V, steps, seed):
    torch.manual_seed(seed)
    H = 24
    w = {name: torch.randn(s) * 0.15 for name, s in plain_shapes(V, H, V).items()}
    for value in w.values():
        value.requires_grad_(True)
    adam = torch.optim.AdamW(w.values(), 0.015, weight_decay=1e-5)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        part = torch.as_tensor(x[:, torch.randint(x.shape[1], (32,)).numpy()])
        h = w["h0"].expand(32, -1)
        states, from_x = [h], w["W_xh"][part] + w["b_h"]
        for row in from_x[:-1]:
            h = torch.tanh(torch.addmm(row, h, w["W_hh"]))
            states.append(h)
        scores = torch.stack(states) @ w["W_hy"] + w["b_y"]
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), part.flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        adam.step()
        rate.step()
    return {name: value.detach().numpy() for name, value in w.items()}


# %% wrong: only the output weights are trained
# loses: ps2-floor-tests, ps2-floor-score
# why: an echo state network: a random memory, read out
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in ("W_hy", "b_y"):
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: the recurrent weights are not trained
# loses: ps2-floor-tests, ps2-floor-score
# why: W_hh keeps its random start
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in ("W_xh", "b_h", "W_hy", "b_y", "h0"):
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: no gradient through time
# loses: ps2-floor-score
# why: the recursion left out: windows of one step; good on the sticky source, not on promises
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        np.vstack([batch, np.full((1, size), MISSING)])
        h, logits = forward(batch, w)
        dy = np.exp(log_softmax(logits[:-1])) - np.eye(V)[batch]
        dh = dy[1:] @ w["W_hy"].T
        da = dh * (1 - h[1:-1] ** 2)
        g = {"W_xh": np.einsum("tbv,tbh->vh", np.eye(V)[batch[:-1]], da, optimize=True)}
        g["W_hh"] = np.einsum("tbi,tbj->ij", h[:-2], da, optimize=True)
        g |= {"b_h": da.sum((0, 1)), "b_y": dy.sum((0, 1)), "h0": (dy[0] @ w["W_hy"].T).sum(0)}
        g["W_hy"] = np.einsum("tbi,tbj->ij", h[:-1], dy, optimize=True)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: always the same 32 sequences
# loses: ps2-floor-tests, ps2-floor-score
# why: learns them by heart
def learn(x, V, steps, seed):
    np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, np.arange(size) % x.shape[1]]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: the loss of the last symbol alone
# loses: ps2-floor-tests, ps2-floor-score
# why: one target a sequence
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        target[:-2] = MISSING
        loss, g = total_gradient(batch, target, w)
        g = {name: a / size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: the batch read as time
# loses: ps2-floor-tests, ps2-floor-score
# why: rows are taken for sequences, as with batch_first
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[rng.choice(len(x), size), :60].T
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: stops after a tenth of the steps
# loses: ps2-floor-score
# why: 60 updates in all
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(max(steps // 10, 60)):
        batch = x[:, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * max(1 - 10 * n / steps, 0.1)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: two units
# loses: ps2-floor-tests, ps2-floor-score
# why: too few for what has to be carried
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 2, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: every step of the batch shuffled
# loses: ps2-floor-tests, ps2-floor-score
# why: order lost: frequencies are all that is left
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        batch = x[:, rng.choice(x.shape[1], size)]
        if x.shape[1] > 3:
            batch = rng.permuted(batch, axis=0)
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w


# %% wrong: counts pairs, by the output weights
# loses: ps2-floor-tests, ps2-floor-score
# why: a first-order Markov chain in the shape of a network
def learn(x, V, steps, seed):
    pairs = np.ones((V, V))
    np.add.at(pairs, (x[:-1], x[1:]), 1)
    starts = 1.0 + np.bincount(x[0], minlength=V)
    w = {name: np.zeros(s) for name, s in plain_shapes(V, V + 1, V).items()}
    w["W_xh"][:, :V] = 9 * np.eye(V)
    w["h0"][V] = 1.0
    w["W_hy"][:V] = np.log(pairs / pairs.sum(axis=1, keepdims=True))
    w["W_hy"][V] = np.log(starts / starts.sum())
    return w


# %% wrong: windows of eight steps, state not carried
# loses: ps2-floor-score
# why: reaches over short pauses only, and starts anew
def learn(x, V, steps, seed):
    rng = np.random.default_rng(seed)
    H, size = 32, 32
    w = draw(plain_shapes(V, H, V), seed, scale=0.5 / np.sqrt(H))
    m = {name: np.zeros_like(a) for name, a in w.items()}
    v = {name: np.zeros_like(a) for name, a in w.items()}
    for n in range(steps):
        t = rng.integers(max(len(x) - 7, 1))
        batch = x[t : t + 8, rng.choice(x.shape[1], size)]
        target = np.vstack([batch, np.full((1, size), MISSING)])
        loss, g = total_gradient(batch, target, w)
        g = {name: a / batch.size for name, a in g.items()}
        norm = np.sqrt(sum((a**2).sum() for a in g.values()))
        rate = 0.02 * (1 - n / steps)
        for name in w:
            step = g[name] * min(1, 1 / norm)
            m[name] = 0.9 * m[name] + 0.1 * step
            v[name] = 0.999 * v[name] + 0.001 * step**2
            m_hat, v_hat = m[name] / (1 - 0.9 ** (n + 1)), v[name] / (1 - 0.999 ** (n + 1))
            w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w
