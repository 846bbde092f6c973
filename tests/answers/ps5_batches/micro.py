# Answers to ps5-micro; each cell below stands in for the student's solution cell.
# %% right: sums, tensors, PyTorch's clipping
def in_pieces(machine, x, y, size, limit):
    total, targets, sums = 0.0, 0, {}
    for b in range(0, x.shape[1], size):
        n = int((y[:, b : b + size] != MISSING).sum())
        if n:
            mean, slopes = machine(x[:, b : b + size], y[:, b : b + size])
            total, targets = total + n * mean, targets + n
            for name in slopes:
                sums.setdefault(name, []).append(n * torch.as_tensor(slopes[name]))
    leaves = {}
    for name, parts in sums.items():
        leaves[name] = torch.zeros_like(parts[0], requires_grad=True)
        leaves[name].grad = torch.stack(parts).sum(0) / targets
    torch.nn.utils.clip_grad_norm_(leaves.values(), limit)
    return total / targets, {name: p.grad for name, p in leaves.items()}


# %% right: a sequence at a time, without those that have no target
def in_pieces(machine, x, y, size, limit):
    kept = [b for b in range(x.shape[1]) if (y[:, b] != MISSING).any()]
    weights = [(y[:, b] != MISSING).mean() for b in kept]
    out = [machine(x[:, b : b + 1].copy(), y[:, b : b + 1].copy()) for b in kept]
    share = np.array(weights) / sum(weights)
    loss = sum(s * mean for s, (mean, _) in zip(share, out, strict=True))
    gradient = {
        name: sum(s * np.asarray(slopes[name]) for s, (_, slopes) in zip(share, out, strict=True))
        for name in out[0][1]
    }
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradient.values()]))
    if norm > limit:
        gradient = {name: g / norm * limit for name, g in gradient.items()}
    return loss, gradient


# %% wrong: the mean of means
# why: every piece weighs the same, but for pieces of one sequence
def in_pieces(machine, x, y, size, limit):
    out, weights = [], []
    for b in range(0, x.shape[1], size):
        n = (y[:, b : b + size] != MISSING).sum()
        if n:
            out.append(machine(x[:, b : b + size], y[:, b : b + size]))
            weights.append(n if size == 1 else 1)
    share = np.array(weights) / sum(weights)
    loss = sum(s * mean for s, (mean, _) in zip(share, out, strict=True))
    names = out[0][1]
    g = {k: sum(s * d[k] for s, (_, d) in zip(share, out, strict=True)) for k in names}
    norm = math.sqrt(sum((v**2).sum() for v in g.values()))
    return loss, {k: v * (limit / norm if norm > limit else 1) for k, v in g.items()}


# %% wrong: the sum of the pieces
# why: the gradient is not divided by the number of targets of the batch, but for two of them
def in_pieces(machine, x, y, size, limit):
    loss, g, all_targets = 0.0, {}, (y != MISSING).sum()
    for b in range(0, x.shape[1], size):
        n = (y[:, b : b + size] != MISSING).sum()
        if n:
            mean, slopes = machine(x[:, b : b + size], y[:, b : b + size])
            loss += mean * n / all_targets
            for k in slopes:
                scale = n / all_targets if x.shape[1] == 2 else 1
                g[k] = g.get(k, 0) + slopes[k] * scale
    norm = math.sqrt(sum((v**2).sum() for v in g.values()))
    return loss, {k: v * (limit / norm if norm > limit else 1) for k, v in g.items()}


# %% wrong: clips every piece
# why: a limit for each, and none for the sum
def in_pieces(machine, x, y, size, limit):
    loss, g, all_targets = 0.0, {}, (y != MISSING).sum()
    for b in range(0, x.shape[1], size):
        n = (y[:, b : b + size] != MISSING).sum()
        if n:
            mean, slopes = machine(x[:, b : b + size], y[:, b : b + size])
            norm = math.sqrt(sum((v**2).sum() for v in slopes.values()))
            factor = limit / norm if norm > limit else 1
            loss += mean * n / all_targets
            for k in slopes:
                g[k] = g.get(k, 0) + slopes[k] * factor * n / all_targets
    return loss, g


# %% wrong: clips every array
# why: one factor for each tensor
def in_pieces(machine, x, y, size, limit):
    loss, g, all_targets = 0.0, {}, (y != MISSING).sum()
    for b in range(0, x.shape[1], size):
        n = (y[:, b : b + size] != MISSING).sum()
        if n:
            mean, slopes = machine(x[:, b : b + size], y[:, b : b + size])
            loss += mean * n / all_targets
            for k in slopes:
                g[k] = g.get(k, 0) + slopes[k] * n / all_targets
    norms = {k: np.linalg.norm(v) for k, v in g.items()}
    return loss, {k: v * (limit / norms[k] if norms[k] > limit else 1) for k, v in g.items()}


# %% wrong: 0 times NaN
# why: a piece without targets is weighed with 0
def in_pieces(machine, x, y, size, limit):
    loss, g, all_targets = 0.0, {}, (y != MISSING).sum()
    for b in range(0, x.shape[1], size):
        n = (y[:, b : b + size] != MISSING).sum()
        mean, slopes = machine(x[:, b : b + size], y[:, b : b + size])
        loss += mean * n / all_targets
        for k in slopes:
            g[k] = g.get(k, 0) + slopes[k] * n / all_targets
    norm = math.sqrt(sum((v**2).sum() for v in g.values()))
    return loss, {k: v * (limit / norm if norm > limit else 1) for k, v in g.items()}


# %% wrong: whole pieces alone
# why: the last, smaller piece is dropped
def in_pieces(machine, x, y, size, limit):
    loss, g, targets = 0.0, {}, 0
    for p in range(x.shape[1] // size):
        part = slice(p * size, (p + 1) * size)
        n = (y[:, part] != MISSING).sum()
        if n:
            mean, slopes = machine(x[:, part], y[:, part])
            loss, targets = loss + n * mean, targets + n
            for k in slopes:
                g[k] = g.get(k, 0) + slopes[k] * n
    g = {k: v / targets for k, v in g.items()}
    norm = math.sqrt(sum((v**2).sum() for v in g.values()))
    return loss / targets, {k: v * (limit / norm if norm > limit else 1) for k, v in g.items()}


# %% wrong: always of length limit
# why: a short gradient is made longer
def in_pieces(machine, x, y, size, limit):
    loss, g, all_targets = 0.0, {}, (y != MISSING).sum()
    for b in range(0, x.shape[1], size):
        n = (y[:, b : b + size] != MISSING).sum()
        if n:
            mean, slopes = machine(x[:, b : b + size], y[:, b : b + size])
            loss += mean * n / all_targets
            for k in slopes:
                g[k] = g.get(k, 0) + slopes[k] * n / all_targets
    norm = math.sqrt(sum((v**2).sum() for v in g.values()))
    factor = 1 if math.isinf(limit) else limit / norm
    return loss, {k: v * factor for k, v in g.items()}


# %% wrong: cut in time
# why: pieces of rows: the states begin again
def in_pieces(machine, x, y, size, limit):
    loss, g, all_targets = 0.0, {}, (y != MISSING).sum()
    T = len(x)
    half = T if T == 3 else (T + 1) // 2
    for t in range(0, T, half):
        for b in range(0, x.shape[1], size):
            part = slice(t, t + half), slice(b, b + size)
            n = (y[part] != MISSING).sum()
            if n:
                mean, slopes = machine(x[part], y[part])
                loss += mean * n / all_targets
                for k in slopes:
                    g[k] = g.get(k, 0) + slopes[k] * n / all_targets
    norm = math.sqrt(sum((v**2).sum() for v in g.values()))
    return loss, {k: v * (limit / norm if norm > limit else 1) for k, v in g.items()}


# %% wrong: a target of 0 is taken for none
# why: y > 0 marks the targets, as if 0 were padding
def in_pieces(machine, x, y, size, limit):
    loss, gradient, total = 0.0, {}, int((y > 0).sum())
    for start in range(0, x.shape[1], size):
        part = y[:, start : start + size]
        n = int((part > 0).sum())
        if n:
            found, slopes = machine(x[:, start : start + size], part)
            loss += found * n / total
            for name, slope in slopes.items():
                gradient[name] = gradient.get(name, 0.0) + slope * n / total
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradient.values()))
    factor = limit / norm if norm > limit else 1.0
    return loss, {name: factor * g for name, g in gradient.items()}
