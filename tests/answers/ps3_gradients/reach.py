# Answers to ps3-reach; each cell below stands in for the student's solution cell.
# %% right: with decades
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% right: with autograd, distances by halving
def reach(zs, radius, seeds):
    measured, promised = [], []
    for z in zs:
        for seed in seeds:
            x, w, h, g = network(z, radius, seed)
            T = len(x)
            row, total, k = np.array(g), np.zeros(len(g)), 0
            while k < T and total.mean() > -3:
                k += 1
                before = np.linalg.norm(row, axis=1)
                row = sent_back(x, w, h, row, T - k, T - k + 1)
                total = total + np.log10(np.linalg.norm(row, axis=1) / before)
            measured.append(k if total.mean() <= -3 else np.inf)
            f = z - (1 - z) * np.linalg.svd(w["W_hh"], compute_uv=False).max()
            n = 0
            while 0 < f < 1 and f**n > 1e-3:
                n += 1
            promised.append(np.inf if f >= 1 else float(n))
    shape = len(zs), len(seeds)
    return np.reshape(measured, shape), np.reshape(promised, shape)


# %% wrong: T where it is never
# why: 600 in place of inf
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else len(x) if z < 1 else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: three natural logarithms
# why: a factor of 20 for a factor of 1,000
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d * np.log(10) <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: the last distance above
# why: one step short
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] - 1 if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: from the other end
# why: the number of steps that are left
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = len(d) - hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: the spectral radius promises
# why: a radius bounds no single step
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.abs(np.linalg.eigvals(w["W_hh"])).max()
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: the Frobenius norm promises
# why: too large: promises less than can be proved
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"])
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: the ceiling for the floor
# why: plus for minus: promises too much
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z + (1 - z) * (z < 1) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: negative floors kept
# why: a promise of steps where nothing is promised
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f != 0:
                f = abs(f)
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: rounded down
# why: f^k is still above a thousandth
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.floor(-3 / np.log10(f))
    return measured, promised


# %% wrong: the leaks of a single seed
# why: all columns from the first seed
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j in range(len(seeds)):
            x, w, h, g = network(z, radius, seeds[0])
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: radius forgotten
# why: always radius .9
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, 0.9, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: from the last one above
# why: a gradient that recovers is counted until it is lost for good
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            above = np.nonzero(d > -3)[0][-1]
            measured[i, j] = above + 1 if above < len(x) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: sorted by bisection
# why: searchsorted needs numbers that only fall
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            k = np.searchsorted(-d, 3)
            measured[i, j] = k if k < len(d) else np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: z times sigma
# why: the two ways multiplied, not added
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf
            f = z * np.linalg.norm(w["W_hh"], 2) if z < 1 else 1.0
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised


# %% wrong: minus infinity beyond
# why: -inf where f is 1 or more and z is not alone
def reach(zs, radius, seeds):
    measured = np.zeros((len(zs), len(seeds)))
    promised = np.zeros((len(zs), len(seeds)))
    for i, z in enumerate(zs):
        for j, seed in enumerate(seeds):
            x, w, h, g = network(z, radius, seed)
            d = decades(x, w, h, g)
            hits = np.nonzero(d <= -3)[0]
            measured[i, j] = hits[0] if len(hits) else np.inf if len(zs) == 1 else -np.inf
            f = z - (1 - z) * np.linalg.norm(w["W_hh"], 2)
            if f >= 1:
                promised[i, j] = np.inf
            elif f > 0:
                promised[i, j] = np.ceil(-3 / np.log10(f))
    return measured, promised
