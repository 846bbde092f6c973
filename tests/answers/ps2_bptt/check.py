# Answers to ps2-check; each cell below stands in for the student's solution cell.
# %% right: any of fifteen directions objects
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% right: random signs, least squares of prediction on slope
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)

    def moved(name, by):
        other = {k: v.copy() for k, v in w.items()}
        other[name] += by
        return loss(other)

    found = set()
    for name, g in claimed.items():
        error, size = 0.0, 0.0
        for _ in range(20):
            r = rng.choice([-2e-5, 2e-5], size=g.shape)
            slope = (moved(name, r) - moved(name, -r)) / 4e-5
            told = (g * r).sum() / 2e-5
            error += (slope - told) ** 2
            size += slope**2 + told**2
        if error > 1e-4 * size + 1e-11:
            found.add(name)
    return sorted(found)


# %% right: unit directions, scaled back by the root of the size
def suspects(loss, w, claimed, seed):
    rng, found = np.random.default_rng(seed), []
    for name in sorted(w):
        got, told = [], []
        for _ in range(18):
            u = rng.normal(size=w[name].shape)
            u /= np.sqrt((u * u).sum())
            eps = 3e-5 * np.sqrt(u.size)
            high = loss({**w, name: w[name] + eps * u})
            low = loss({**w, name: w[name] - eps * u})
            got.append((high - low) / (2 * eps) * np.sqrt(u.size))
            told.append((claimed[name] * u).sum() * np.sqrt(u.size))
        got, told = np.array(got), np.array(told)
        if np.sqrt(((got - told) ** 2).mean()) > 0.01 * np.sqrt((got**2).mean()) + 3e-7:
            found.append(name)
    return found


# %% wrong: entry by entry, the first few
# why: an error elsewhere is not seen
def suspects(loss, w, claimed, seed):
    np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = np.zeros(w[name].shape)
            r.flat[min(_, r.size - 1)] = 1.0
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(abs(told), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: along the claimed gradient
# why: sees a wrong length, not an error at right angles
def suspects(loss, w, claimed, seed):
    np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = claimed[name] / max(np.linalg.norm(claimed[name]), 1e-12)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: along all ones
# why: errors that cancel in the sum are not seen
def suspects(loss, w, claimed, seed):
    np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = np.ones(w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: one direction only
# why: now and then nearly orthogonal to the error
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(1):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: an absolute tolerance
# why: misses errors in a small gradient
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 1e-3
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: relative tolerance without room for rounding
# why: a gradient that is exactly 0 has a slope of 1e-12
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: one-sided difference
# why: near a minimum the curvature is larger than the slope
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(w)) / step
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: a large step
# why: 1e-2 sees the curvature of a fast sine
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-2
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: a tiny step
# why: 1e-13 drowns in rounding
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-13
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: compares absolute values
# why: a wrong sign passes
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(abs(slope) - abs(told)) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: leaves w moved
# why: += and -= on the caller's array do not cancel to the last bit
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            w[name] += step * r
            high = loss(w)
            w[name] -= 2 * step * r
            slope = (high - loss(w)) / (2 * step)
            w[name] += step * r
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.01 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)


# %% wrong: every entry, one by one
# why: two calls for each entry
def suspects(loss, w, claimed, seed):
    slow, out = numerical(loss, w), []
    for name, g in slow.items():
        size = max(np.linalg.norm(g), np.linalg.norm(claimed[name]))
        if np.linalg.norm(g - claimed[name]) > 0.01 * size + 1e-6:
            out.append(name)
    return sorted(out)


# %% wrong: compares directions, not lengths
# why: correlation of slopes and predictions: a factor passes
def suspects(loss, w, claimed, seed):
    rng, step, out = np.random.default_rng(seed), 1e-5, []
    for name in w:
        slopes, told = [], []
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = {**w, name: w[name] + step * r}, {**w, name: w[name] - step * r}
            slopes.append((loss(up) - loss(down)) / (2 * step))
            told.append(np.sum(claimed[name] * r))
        a, b = np.array(slopes), np.array(told)
        if a @ b < 0.9999 * np.linalg.norm(a) * np.linalg.norm(b) - 1e-9:
            out.append(name)
    return sorted(out)


# %% wrong: a tolerance of thirty percent
# why: an error of 5 % passes
def suspects(loss, w, claimed, seed):
    rng = np.random.default_rng(seed)
    step = 1e-5
    out = []
    for name in w:
        bad = 0
        for _ in range(15):
            r = rng.normal(size=w[name].shape)
            up, down = dict(w), dict(w)
            up[name] = w[name] + step * r
            down[name] = w[name] - step * r
            slope = (loss(up) - loss(down)) / (2 * step)
            told = np.sum(claimed[name] * r)
            scale = max(np.linalg.norm(claimed[name]), abs(slope))
            bad += abs(slope - told) > 0.3 * scale + 1e-6
        if bad:
            out.append(name)
    return sorted(out)
