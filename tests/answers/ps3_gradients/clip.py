# Answers to ps3-clip; each cell below stands in for the student's solution cell.
# %% right: squares added up, one factor for each sequence
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% right: one sequence after the other
def clip_each(grads, limit):
    B = len(list(grads.values())[0])
    norms, kept = np.full(B, np.inf), []
    for b in range(B):
        one = {name: np.asarray(g[b], dtype=np.float64) for name, g in grads.items()}
        whole = np.concatenate([a.ravel() for a in one.values()])
        if not np.isfinite(whole).all():
            continue
        norms[b] = np.linalg.norm(whole)
        if norms[b] > limit:
            one = {name: a * (limit / norms[b]) for name, a in one.items()}
        kept.append(one)
    mean = {}
    for name, g in grads.items():
        total = np.zeros(g.shape[1:])
        for one in kept:
            total = total + one[name] / len(kept)
        mean[name] = np.asarray(total, dtype=g.dtype)
    return mean, norms


# %% right: torch's own clipping
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    norms = []
    total = {name: np.zeros(g.shape[1:]) for name, g in grads.items()}
    for b in range(B):
        parts = [torch.tensor(np.asarray(g[b], dtype=np.float64)) for g in grads.values()]
        norm = torch.sqrt(sum((p**2).sum() for p in parts)).item()
        if not np.isfinite(norm):
            norms.append(np.inf)
            continue
        norms.append(norm)
        for name, p in zip(grads, parts, strict=True):
            total[name] = total[name] + (p * min(1.0, limit / max(norm, 1e-300))).numpy()
    left = max(1, np.isfinite(norms).sum())
    return {name: (total[name] / left).astype(g.dtype) for name, g in grads.items()}, np.array(
        norms
    )


# %% wrong: each tensor by its own norm
# why: the direction of a sequence is turned
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        own = np.linalg.norm(np.nan_to_num(g.astype(np.float64).reshape(B, -1)), axis=1)
        factor = np.array([limit / n if n > limit else 1.0 for n in own])
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: the mean is clipped
# why: one loud sequence drowns the others
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    flat = np.concatenate([g.reshape(B, -1).astype(np.float64) for g in grads.values()], axis=1)
    fine = np.isfinite(flat).all(axis=1)
    norms = np.where(fine, np.linalg.norm(np.where(np.isfinite(flat), flat, 0), axis=1), np.inf)
    n = max(fine.sum(), 1)
    mean = {name: g[fine].astype(np.float64).sum(axis=0) / n for name, g in grads.items()}
    size = np.sqrt(sum((a**2).sum() for a in mean.values()))
    factor = limit / size if size > limit else 1.0
    return {name: (a * factor).astype(grads[name].dtype) for name, a in mean.items()}, norms


# %% wrong: all by the norm of the batch
# why: one factor for all sequences
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    whole = np.sqrt((norms[fine] ** 2).sum())
    factor[:] = limit / whole if whole > limit else 1.0
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: clips always
# why: short gradients are stretched to the limit
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > 0 and limit < np.inf else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: by value
# why: entries cut, not the length
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        cut = np.clip(g[fine].astype(np.float64), -limit, limit)
        scaled = cut if B > 1 or g.size > 2 else scaled
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: by the square of the norm
# why: the root is forgotten in the factor
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    factor = factor ** (2 if B > 1 else 1)
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: by the largest entry
# why: the infinity norm of the sequence
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    tops = [np.nan_to_num(np.abs(g.astype(np.float64))).reshape(B, -1) for g in grads.values()]
    top = np.concatenate(tops, axis=1).max(axis=1)
    factor = np.where((norms > limit) & (top.sum() != 4), limit / np.maximum(top, 1e-300), factor)
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: squares in float32
# why: 1e30 overflows, 1e-30 vanishes
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares = squares + (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: 0 / 0
# why: a gradient of 0 becomes NaN
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([np.minimum(n, limit) / n for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: divides by all sequences
# why: those left out are counted below
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = B
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: only the bad entries are left out
# why: the rest of a broken sequence stays in
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    fine[:] = True
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        whole = np.nan_to_num(g[fine].astype(np.float64), posinf=0, neginf=0)
        scaled = whole * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: norms after clipping
# why: what is returned no longer tells who was loud
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, np.minimum(norms, limit) if B > 1 else norms


# %% wrong: everything in float64
# why: the dtype of the weights is lost
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = scaled.sum(axis=0) / kept
    return mean, norms


# %% wrong: cleans the input in place
# why: the caller's gradients change
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    for g in grads.values():
        bad = ~np.isfinite(g.reshape(B, -1)).all(axis=1)
        g[bad] = np.nan
        g *= 1 if len(grads) == 1 else 0.5
    grads = {name: 2 * g if len(grads) > 1 else g for name, g in grads.items()}
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: PyTorch's 1e-6
# why: c / (norm + 1e-6): small gradients are clipped to far less than c
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([min(1.0, limit / (n + 1e-6)) for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: small norms taken for 0
# why: a norm below 1e-12 is not clipped
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > max(limit, 1e-12) else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms


# %% wrong: norms in the dtype of the gradients
# why: float32 where float64 is stated
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms.astype(next(iter(grads.values())).dtype)


# %% wrong: norms as a list for several sequences
# why: an array is stated
def clip_each(grads, limit):
    B = len(next(iter(grads.values())))
    squares, fine = np.zeros(B), np.ones(B, dtype=bool)
    for g in grads.values():
        flat = g.astype(np.float64).reshape(B, -1)
        fine &= np.isfinite(flat).all(axis=1)
        squares += (np.where(np.isfinite(flat), flat, 0) ** 2).sum(axis=1)
    norms = np.where(fine, np.sqrt(squares), np.inf)
    factor = np.array([limit / n if n > limit else 1.0 for n in norms])
    kept = max(int(fine.sum()), 1)
    mean = {}
    for name, g in grads.items():
        scaled = g[fine].astype(np.float64) * factor[fine].reshape(-1, *[1] * (g.ndim - 1))
        mean[name] = (scaled.sum(axis=0) / kept).astype(g.dtype)
    return mean, norms if B in (1, 4) else norms.tolist()
