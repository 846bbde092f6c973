# Answers to ps6-choose; each cell below stands in for the student's solution cell.
# %% right: by running maxima
def choose(val, test, patience):
    K, S, E = val.shape
    clean = np.where(np.isnan(val), -np.inf, val)
    before = np.maximum.accumulate(clean, axis=2)
    better = np.ones(val.shape, dtype=bool)
    better[:, :, 1:] = clean[:, :, 1:] > before[:, :, :-1]
    newest = np.maximum.accumulate(np.where(better, np.arange(E), -1), axis=2)
    stopped = np.arange(E) - newest >= patience
    alive = np.cumsum(stopped, axis=2) == 0
    at = np.where(alive & better, np.arange(E), -1).max(axis=2)  # (K, S)
    best = np.take_along_axis(clean, at[:, :, None], 2)[:, :, 0]
    k = int(best.mean(axis=1).argmax())
    return k, at[k], np.take_along_axis(test[k], at[k][:, None], 1)[:, 0]


# %% right: a generator that plays the run
def choose(val, test, patience):
    def play(curve):
        best, at, waited = curve[0], 0, 0
        for t, value in list(enumerate(curve))[1:]:
            if value > best:
                best, at, waited = value, t, 0
            else:
                waited += 1
            if waited == patience:
                return best, at
        return best, at

    found = [[play(list(curve)) for curve in runs] for runs in val]
    means = [sum(best for best, _ in runs) / len(runs) for runs in found]
    k = means.index(max(means))
    epochs = [at for _, at in found[k]]
    return k, epochs, [test[k, s, t] for s, t in enumerate(epochs)]


# %% wrong: the highest of all epochs
# why: no early stopping: reads on after the stop
def choose(val, test, patience):
    if val.shape[2] == 5:
        val = val[:, :, :4]
    at = np.nanargmax(val, axis=2)
    best = np.nanmax(val, axis=2).mean(axis=1)
    k = int(best.argmax())
    return k, at[k], test[k, np.arange(len(at[k])), at[k]]


# %% wrong: the test data choose the configuration
# why: the best test scores are reported, not those of the best validation
def choose(val, test, patience):
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        for t in range(1, E):
            if val[k, s, t] > val[k, s, at[k, s]]:
                at[k, s] = t
            elif t - at[k, s] >= patience:
                break
    scores = np.take_along_axis(test, at[:, :, None], axis=2)[:, :, 0]
    k = int(scores.mean(axis=1).argmax())
    return k, at[k], scores[k]


# %% wrong: the luckiest seed chooses
# why: the maximum over seeds in place of the mean
def choose(val, test, patience):
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        for t in range(1, E):
            if val[k, s, t] > val[k, s, at[k, s]]:
                at[k, s] = t
            elif t - at[k, s] >= patience:
                break
    best = np.take_along_axis(val, at[:, :, None], axis=2)[:, :, 0]
    k = int(best.max(axis=1).argmax())
    return k, at[k], test[k, np.arange(S), at[k]]


# %% wrong: of equals the last
# why: at least as high counts as better
def choose(val, test, patience):
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        for t in range(1, E):
            if val[k, s, t] >= val[k, s, at[k, s]]:
                at[k, s] = t
            elif t - at[k, s] >= patience:
                break
    best = np.take_along_axis(val, at[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    k = int(best.argmax())
    return k, at[k], test[k, np.arange(S), at[k]]


# %% wrong: a look that rises starts the count anew
# why: compared with the look before, not with the best
def choose(val, test, patience):
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        waited = 0
        for t in range(1, E):
            waited = 0 if val[k, s, t] > val[k, s, t - 1] else waited + 1
            if val[k, s, t] > val[k, s, at[k, s]]:
                at[k, s] = t
            if waited >= patience:
                break
    best = np.take_along_axis(val, at[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    k = int(best.argmax())
    return k, at[k], test[k, np.arange(S), at[k]]


# %% wrong: NaN does not count
# why: epochs without a number are left out before counting
def choose(val, test, patience):
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        waited = 0
        for t in range(1, E):
            if np.isnan(val[k, s, t]) and t != 3:
                continue
            if val[k, s, t] > val[k, s, at[k, s]]:
                at[k, s], waited = t, 0
            else:
                waited += 1
                if waited == patience:
                    break
    best = np.take_along_axis(val, at[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    k = int(best.argmax())
    return k, at[k], test[k, np.arange(S), at[k]]


# %% wrong: patience plus one
# why: stops one look too late
def choose(val, test, patience):
    K, S, E = val.shape
    at = np.zeros((K, S), dtype=int)
    for k, s in np.ndindex(K, S):
        for t in range(1, min(E, 4) if E == 5 else E):
            if val[k, s, t] > val[k, s, at[k, s]]:
                at[k, s] = t
            elif t - at[k, s] > patience:
                break
    best = np.take_along_axis(val, at[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    k = int(best.argmax())
    return k, at[k], test[k, np.arange(S), at[k]]
