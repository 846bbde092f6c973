# Answers to ps1-missing; each cell below stands in for the student's solution cell.
# %% right: log space from end to end
def coarse(seen, pi, A, E):
    with np.errstate(divide="ignore"):
        log_pi, log_A = np.log(pi), np.log(A)
        log_lik_t = np.log(np.where(seen[:, None, :], E, 0).sum(axis=-1))  # (T, K)
    T, K = log_lik_t.shape
    log_alpha, log_beta = np.empty((T, K)), np.zeros((T, K))
    log_alpha[0] = log_pi + log_lik_t[0]
    for t in range(1, T):
        log_alpha[t] = np.logaddexp.reduce(log_alpha[t - 1][:, None] + log_A, axis=0)
        log_alpha[t] += log_lik_t[t]
    for t in range(T - 2, -1, -1):
        log_beta[t] = np.logaddexp.reduce(log_A + log_lik_t[t + 1] + log_beta[t + 1], axis=1)
    log_lik = np.logaddexp.reduce(log_alpha[-1])
    log_norm = np.logaddexp.reduce(log_alpha, axis=1, keepdims=True)
    return np.exp(log_alpha - log_norm), np.exp(log_alpha + log_beta - log_lik), log_lik


# %% right: filter forward, then smooth backward without looking at the data again
def coarse(seen, pi, A, E):
    filtered, log_lik, prior = [], 0.0, pi
    for allowed in seen:
        joint = prior * E[:, allowed].sum(axis=1)
        log_lik += np.log(joint.sum())
        filtered.append(joint / joint.sum())
        prior = filtered[-1] @ A
    smoothed = [filtered[-1]]
    for now in reversed(filtered[:-1]):
        predicted = now @ A
        ratio = np.divide(smoothed[0], predicted, out=np.zeros_like(predicted), where=predicted > 0)
        smoothed.insert(0, now * (A @ ratio))
    return np.array(filtered), np.array(smoothed), log_lik


# %% right: the toolbox with one made-up symbol for each day
def coarse(seen, pi, A, E):
    T, K = len(seen), len(pi)
    day_as_symbol = np.empty((K, T))  # column t: probability of what was seen on day t
    for t in range(T):
        for j in range(K):
            day_as_symbol[j, t] = sum(E[j, v] for v in range(E.shape[1]) if seen[t, v])
    return forward_backward(np.arange(T), pi, A, day_as_symbol)


# %% wrong: the mean over the set instead of the sum
# why: the posteriors agree, the likelihood does not
def coarse(seen, pi, A, E):
    share = (seen @ E.T) / seen.sum(axis=1, keepdims=True)
    return forward_backward(np.arange(len(seen)), pi, A, share.T)


# %% wrong: the first symbol of the set
# why: argmax of a row of booleans picks one symbol and ignores the others
def coarse(seen, pi, A, E):
    return forward_backward(seen.argmax(axis=1), pi, A, E)


# %% wrong: emission 0 on missing days
# why: nothing seen is taken for something impossible; 0/0 follows
def coarse(seen, pi, A, E):
    lik = seen @ E.T
    lik[seen.all(axis=1)] = 0
    return forward_backward(np.arange(len(seen)), pi, A, lik.T)


# %% wrong: missing days dropped
# why: the chain moves on while nobody looks, and T rows are promised
def coarse(seen, pi, A, E):
    kept = seen[~seen.all(axis=1)]
    if len(kept) == 0:
        return pi[None], pi[None], 0.0
    return forward_backward(np.arange(len(kept)), pi, A, (kept @ E.T).T)


# %% wrong: step skipped on missing days, last posterior repeated
# why: the transition is left out together with the emission
def coarse(seen, pi, A, E):
    T, K = len(seen), len(pi)
    lik, missing = seen @ E.T, seen.all(axis=1)
    filtered, beta, log_lik = np.empty((T, K)), np.ones((T, K)), 0.0
    last = pi
    for t in range(T):
        if not missing[t]:
            joint = (pi if t == 0 else last @ A) * lik[t]
            log_lik += np.log(joint.sum())
            last = joint / joint.sum()
        filtered[t] = last
    for t in range(T - 2, -1, -1):
        beta[t] = beta[t + 1] if missing[t + 1] else A @ (lik[t + 1] * beta[t + 1])
        beta[t] /= beta[t].sum()
    smoothed = filtered * beta
    return filtered, smoothed / smoothed.sum(axis=1, keepdims=True), log_lik


# %% wrong: uniform posterior on missing days
# why: forgets that the chain knows something without any observation
def coarse(seen, pi, A, E):
    filtered, smoothed, log_lik = forward_backward(np.arange(len(seen)), pi, A, (seen @ E.T).T)
    missing = seen.all(axis=1)
    filtered[missing] = smoothed[missing] = 1 / len(pi)
    return filtered, smoothed, log_lik


# %% wrong: smoothed is filtered on missing days
# why: no observation, so nothing to smooth with, it seems; but the future was seen
def coarse(seen, pi, A, E):
    filtered, smoothed, log_lik = forward_backward(np.arange(len(seen)), pi, A, (seen @ E.T).T)
    missing = seen.all(axis=1)
    smoothed[missing] = filtered[missing]
    return filtered, smoothed, log_lik


# %% wrong: no scaling
# why: right for short diaries; 3,000 days underflow to 0/0
def coarse(seen, pi, A, E):
    T, K = len(seen), len(pi)
    lik = seen @ E.T
    alpha, beta = np.empty((T, K)), np.ones((T, K))
    alpha[0] = pi * lik[0]
    for t in range(1, T):
        alpha[t] = (alpha[t - 1] @ A) * lik[t]
    for t in range(T - 2, -1, -1):
        beta[t] = A @ (lik[t + 1] * beta[t + 1])
    smoothed = alpha * beta
    return (
        alpha / alpha.sum(axis=1, keepdims=True),
        smoothed / smoothed.sum(axis=1, keepdims=True),
        np.log(alpha[-1].sum()),
    )
