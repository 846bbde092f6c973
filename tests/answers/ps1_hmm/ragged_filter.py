# Answers to ps1-ragged-filter; each cell below stands in for the student's solution cell.
# %% right: one diary after the other, log-sum-exp by hand
def log_filter(x, lengths, pi, A, E):
    def lse(terms):  # over the last axis
        top = terms.max(axis=-1, keepdims=True)
        top = np.where(np.isneginf(top), 0.0, top)  # all forbidden: nothing to subtract
        return np.log(np.exp(terms - top).sum(axis=-1)) + top[..., 0]

    T, B = x.shape
    out, log_lik = np.zeros((T, B, len(pi))), np.zeros(B)
    with np.errstate(divide="ignore"):
        log_pi, log_A, log_E = np.log(pi), np.log(A), np.log(E)
        for b in range(B):
            log_alpha = log_pi
            for t in range(lengths[b]):
                if t > 0:
                    log_alpha = lse((log_alpha[:, None] + log_A).T)
                log_alpha = log_alpha + log_E[:, x[t, b]]
                total = lse(log_alpha)
                if np.isneginf(total):
                    log_lik[b] = -np.inf
                    break
                out[t, b] = log_alpha - total
            else:
                log_lik[b] = total
    return out, log_lik


# %% right: padding as one more symbol that every state shows for sure
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    K, V = E.shape
    padded = np.where(np.arange(T)[:, None] < lengths[None, :], x, V)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_A = np.log(A)
        log_E = np.log(np.hstack([E, np.ones((K, 1))]))
        log_alpha = [np.log(pi) + log_E[:, padded[0]].T]
        for t in range(1, T):
            step = np.logaddexp.reduce(log_alpha[-1][:, :, None] + log_A, axis=1)
            log_alpha.append(step + log_E[:, padded[t]].T)
        log_alpha = np.array(log_alpha)
        total = np.logaddexp.reduce(log_alpha, axis=2)
        # the rows of A sum to 1, so the total no longer moves once a diary has ended
        return log_alpha - total[:, :, None], total[-1]


# %% right: torch.logsumexp, and the last real row picked at the end
import torch


def log_filter(x, lengths, pi, A, E):
    symbols = torch.as_tensor(x).clamp(0, E.shape[1] - 1)
    log_pi, log_A, log_E = (torch.as_tensor(p).log() for p in (pi, A, E))
    log_alpha = log_pi + log_E[:, symbols[0]].T
    rows = [log_alpha]
    for t in range(1, len(symbols)):
        log_alpha = torch.logsumexp(log_alpha[:, :, None] + log_A, dim=1)
        log_alpha = log_alpha + log_E[:, symbols[t]].T
        rows.append(log_alpha)
    rows = torch.stack(rows)
    totals = torch.logsumexp(rows, dim=2)
    last = torch.as_tensor(lengths)[None, :] - 1
    return (rows - totals[:, :, None]).numpy(), totals.gather(0, last)[0].numpy()


# %% wrong: filters the padding and reads the last row
# why: lengths never used; padding counts as data
def log_filter(x, lengths, pi, A, E):
    with np.errstate(divide="ignore"):
        log_A, log_E = np.log(A), np.log(E)
        log_alpha = [np.log(pi) + log_E[:, x[0]].T]
    for t in range(1, len(x)):
        step = np.logaddexp.reduce(log_alpha[-1][:, :, None] + log_A, axis=1)
        log_alpha.append(step + log_E[:, x[t]].T)
    log_alpha = np.array(log_alpha)
    total = np.logaddexp.reduce(log_alpha, axis=2)
    return log_alpha - total[:, :, None], total[-1]


# %% wrong: looks the padding up in E
# why: right when padding happens to be a symbol; 99 is an IndexError
def log_filter(x, lengths, pi, A, E):
    with np.errstate(divide="ignore", invalid="ignore"):
        log_A, log_E = np.log(A), np.log(E)
        log_alpha = [np.log(pi) + log_E[:, x[0]].T]
        for t in range(1, len(x)):
            step = np.logaddexp.reduce(log_alpha[-1][:, :, None] + log_A, axis=1)
            log_alpha.append(step + log_E[:, x[t]].T)
        log_alpha = np.array(log_alpha)
        total = np.logaddexp.reduce(log_alpha, axis=2)
        return log_alpha - total[:, :, None], total[lengths - 1, np.arange(x.shape[1])]


# %% wrong: off by one in the length
# why: row lengths[b] is the first row of padding
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    safe = np.where((x >= 0) & (x < E.shape[1]), x, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_A, log_E = np.log(A), np.log(E)
        log_alpha = [np.log(pi) + log_E[:, safe[0]].T]
        for t in range(1, T):
            step = np.logaddexp.reduce(log_alpha[-1][:, :, None] + log_A, axis=1)
            log_alpha.append(step + log_E[:, safe[t]].T)
        log_alpha = np.array(log_alpha)
        total = np.logaddexp.reduce(log_alpha, axis=2)
        return log_alpha - total[:, :, None], total[np.minimum(lengths, T - 1), np.arange(B)]


# %% wrong: scaled probabilities, logs taken at the end
# why: a state that falls below 1e-308 becomes 0 and never comes back
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    real = np.arange(T)[:, None] < lengths
    x = np.where(real, x, 0)
    filtered, log_lik = np.empty((T, B, len(pi))), np.zeros(B)
    predicted = np.tile(pi, (B, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        for t in range(T):
            joint = predicted * E[:, x[t]].T
            scale = joint.sum(axis=1)
            filtered[t] = joint / np.where(scale > 0, scale, 1)[:, None]
            log_lik += np.where(real[t], np.log(scale), 0)
            predicted = filtered[t] @ A
        return np.log(filtered), log_lik


# %% wrong: one maximum for all states in the log-sum-exp
# why: exp(log p - max) @ A underflows for a state far behind, which has a maximum of its own
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    real = np.arange(T)[:, None] < lengths
    x = np.where(real, x, 0)
    rows, log_lik = [], np.zeros(B)
    with np.errstate(divide="ignore"):
        log_predicted, log_E = np.tile(np.log(pi), (B, 1)), np.log(E)
        for t in range(T):
            log_joint = log_predicted + log_E[:, x[t]].T
            norm = np.logaddexp.reduce(log_joint, axis=1)
            rows.append(log_joint - np.where(np.isneginf(norm), 0, norm)[:, None])
            log_lik += np.where(real[t], norm, 0)
            top = rows[-1].max(axis=1, keepdims=True)
            top = np.where(np.isneginf(top), 0, top)
            log_predicted = top + np.log(np.exp(rows[-1] - top) @ A)
    return np.array(rows), log_lik


# %% wrong: unscaled probabilities, logs taken at the end
# why: the exponentials underflow on long diaries
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    x = np.where(np.arange(T)[:, None] < lengths, x, 0)
    alpha = np.empty((T, B, len(pi)))
    alpha[0] = pi * E[:, x[0]].T
    for t in range(1, T):
        alpha[t] = (alpha[t - 1] @ A) * E[:, x[t]].T
    with np.errstate(divide="ignore", invalid="ignore"):
        total = alpha.sum(axis=2)
        return np.log(alpha / total[:, :, None]), np.log(total[lengths - 1, np.arange(B)])


# %% wrong: log-sum-exp that gives NaN when everything is forbidden
# why: the maximum is -inf, and -inf minus -inf is NaN
def log_filter(x, lengths, pi, A, E):
    def lse(terms, axis):
        top = terms.max(axis=axis, keepdims=True)
        return (top + np.log(np.exp(terms - top).sum(axis=axis, keepdims=True))).squeeze(axis)

    T, B = x.shape
    real = np.arange(T)[:, None] < lengths
    x = np.where(real, x, 0)
    rows, log_lik = [], np.zeros(B)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_predicted = np.tile(np.log(pi), (B, 1))
        for t in range(T):
            log_joint = log_predicted + np.log(E)[:, x[t]].T
            norm = lse(log_joint, 1)
            rows.append(log_joint - norm[:, None])
            log_lik += np.where(real[t], norm, 0)
            log_predicted = lse(rows[-1][:, :, None] + np.log(A), 1)
    return np.array(rows), log_lik


# %% wrong: an epsilon against the logarithm of zero
# why: forbidden becomes unlikely, and impossible diaries get a finite likelihood
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    real = np.arange(T)[:, None] < lengths
    x = np.where(real, x, 0)
    log_pi, log_A, log_E = (np.log(p + 1e-300) for p in (pi, A, E))
    rows, log_lik = [], np.zeros(B)
    log_predicted = np.tile(log_pi, (B, 1))
    for t in range(T):
        log_joint = log_predicted + log_E[:, x[t]].T
        norm = np.logaddexp.reduce(log_joint, axis=1)
        rows.append(log_joint - norm[:, None])
        log_lik += np.where(real[t], norm, 0)
        log_predicted = np.logaddexp.reduce(rows[-1][:, :, None] + log_A, axis=1)
    return np.array(rows), log_lik


# %% wrong: mends the padding in place
# why: the caller's x is changed
def log_filter(x, lengths, pi, A, E):
    T, B = x.shape
    real = np.arange(T)[:, None] < lengths
    x[~real] = 0
    log_lik, rows = np.zeros(B), []
    with np.errstate(divide="ignore", invalid="ignore"):
        log_predicted, log_A, log_E = np.tile(np.log(pi), (B, 1)), np.log(A), np.log(E)
    for t in range(T):
        log_joint = log_predicted + log_E[:, x[t]].T
        norm = np.logaddexp.reduce(log_joint, axis=1)
        rows.append(log_joint - np.where(np.isneginf(norm), 0, norm)[:, None])
        log_lik += np.where(real[t], norm, 0)
        log_predicted = np.logaddexp.reduce(rows[-1][:, :, None] + log_A, axis=1)
    return np.array(rows), log_lik
