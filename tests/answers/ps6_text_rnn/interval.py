# Answers to ps6-interval; each cell below stands in for the student's solution cell.
# %% right: draws numbers of files and counts
def interval(y, a, b, files, C, draws, rng):
    names = sorted(set(files.tolist()))
    table = {name: np.zeros((2, C, C)) for name in names}
    for truth, one, two, name in zip(y, a, b, files, strict=True):
        table[name][0, truth, one] += 1
        table[name][1, truth, two] += 1
    stack = np.stack([table[name] for name in names])  # (G, 2, C, C)

    def gap(n):  # (..., 2, C, C)
        both = n.sum(-1) + n.sum(-2)
        f1 = 2 * np.diagonal(n, axis1=-2, axis2=-1) / np.maximum(both, 1)
        macro = f1.sum(-1) / (both > 0).sum(-1)
        return macro[..., 0] - macro[..., 1]

    G = len(names)
    drawn = rng.integers(0, G, (draws, G))
    gaps = np.concatenate([gap(stack[part].sum(axis=1)) for part in np.array_split(drawn, 20)])
    return gap(stack.sum(axis=0)), np.percentile(gaps, 2.5), np.percentile(gaps, 97.5)


# %% right: order statistics of multinomial weights
def interval(y, a, b, files, C, draws, rng):
    _, g = np.unique(files, return_inverse=True)
    G = int(g.max()) + 1
    code_a = np.bincount((g * C + y) * C + a, minlength=G * C * C).reshape(G, C * C)
    code_b = np.bincount((g * C + y) * C + b, minlength=G * C * C).reshape(G, C * C)
    often = rng.multinomial(G, [1 / G] * G, size=draws)
    one = macro_f1((often @ code_a).reshape(draws, C, C))
    two = macro_f1((often @ code_b).reshape(draws, C, C))
    gaps = np.sort(one - two)
    whole = [macro_f1(code.sum(0).reshape(C, C)) for code in (code_a, code_b)]
    low, high = gaps[int(0.025 * draws)], gaps[int(0.975 * draws)]
    return whole[0] - whole[1], low, high


# %% wrong: examples are drawn, not files
# why: takes examples of a file for independent
def interval(y, a, b, files, C, draws, rng):
    def score(i):
        one, two = np.zeros((2, C, C))
        np.add.at(one, (y[i], a[i]), 1)
        np.add.at(two, (y[i], b[i]), 1)
        return float(macro_f1(one)) - float(macro_f1(two))

    N = len(y)
    gaps = [score(rng.integers(0, N, N)) for _ in range(min(draws, 2_000))]
    low, high = np.quantile(gaps, [0.025, 0.975])
    return score(np.arange(N)), low, high


# %% wrong: A and B on different draws
# why: unpaired
def interval(y, a, b, files, C, draws, rng):
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    one, two = (
        macro_f1(np.tensordot(rng.multinomial(G, np.full(G, 1 / G), size=draws), t, axes=1))
        for t in tables
    )
    low, high = np.quantile(one - two, [0.025, 0.975])
    whole = [float(macro_f1(t.sum(0))) for t in tables]
    return whole[0] - whole[1], low, high


# %% wrong: the standard error in place of the interval
# why: one standard deviation on either side
def interval(y, a, b, files, C, draws, rng):
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    often = rng.multinomial(G, np.full(G, 1 / G), size=draws)
    one, two = (macro_f1(np.tensordot(often, t, axes=1)) for t in tables)
    whole = [float(macro_f1(t.sum(0))) for t in tables]
    difference, error = whole[0] - whole[1], (one - two).std()
    return difference, difference - error, difference + error


# %% wrong: the error of the mean of all draws
# why: divides by the root of the number of draws
def interval(y, a, b, files, C, draws, rng):
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    often = rng.multinomial(G, np.full(G, 1 / G), size=draws)
    one, two = (macro_f1(np.tensordot(often, t, axes=1)) for t in tables)
    whole = [float(macro_f1(t.sum(0))) for t in tables]
    difference, error = whole[0] - whole[1], (one - two).std() / np.sqrt(draws)
    return difference, difference - 1.96 * error, difference + 1.96 * error


# %% wrong: two standard deviations
# why: a normal distribution where there is none
def interval(y, a, b, files, C, draws, rng):
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    often = rng.multinomial(G, np.full(G, 1 / G), size=draws)
    one, two = (macro_f1(np.tensordot(often, t, axes=1)) for t in tables)
    whole = [float(macro_f1(t.sum(0))) for t in tables]
    difference, error = whole[0] - whole[1], (one - two).std()
    return difference, difference - 1.96 * error, difference + 1.96 * error


# %% wrong: the mean of the files' own scores
# why: macro-F1 of each file by itself
def interval(y, a, b, files, C, draws, rng):
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    gaps = macro_f1(tables[0]) - macro_f1(tables[1])  # (G,)
    drawn = gaps[rng.integers(0, G, (draws, G))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    whole = [float(macro_f1(t.sum(0))) for t in tables]
    return whole[0] - whole[1], low, high


# %% wrong: a generator of its own
# why: NumPy's global one
def interval(y, a, b, files, C, draws, rng):
    _, place = np.unique(files, return_inverse=True)
    G = place.max() + 1
    tables = np.zeros((2, G, C, C))
    for m, said in enumerate((a, b)):
        np.add.at(tables[m], (place, y, said), 1)
    often = np.random.default_rng().multinomial(G, np.full(G, 1 / G), size=draws)
    one, two = (macro_f1(np.tensordot(often, t, axes=1)) for t in tables)
    low, high = np.quantile(one - two, [0.025, 0.975])
    whole = [float(macro_f1(t.sum(0))) for t in tables]
    return whole[0] - whole[1], float(low), float(high)
