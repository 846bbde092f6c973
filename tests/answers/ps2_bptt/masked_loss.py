# Answers to ps2-masked-loss; each cell below stands in for the student's solution cell.
# %% right: blank the padding first, one-hot targets
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% right: token by token
def ragged_loss(logits, target, lengths, tau):
    N = int(np.sum(lengths))
    loss, dtau, dlogits = 0.0, 0.0, np.zeros(logits.shape)
    for b, n in enumerate(lengths):
        for t in range(n):
            u = logits[t, b] / tau
            top = u.max()
            p = np.exp(u - top)
            total = p.sum()
            p = p / total
            v = target[t, b]
            loss += top + np.log(total) - u[v]
            p[v] -= 1
            dlogits[t, b] = p / (N * tau)
            dtau -= p @ u / (N * tau)
    return loss / N, dlogits, dtau


# %% right: sequence by sequence, weights 1 / N at the end, logaddexp
def ragged_loss(logits, target, lengths, tau):
    loss, dtau, dlogits = [], 0.0, np.zeros_like(logits)
    for b in np.flatnonzero(lengths):
        rows = np.arange(lengths[b])
        u = logits[rows, b] / tau
        s = target[rows, b]
        log_z = np.logaddexp.reduce(u, axis=1)
        loss.extend(log_z - u[rows, s])
        g = np.exp(u - log_z[:, None])
        g[rows, s] -= 1
        dlogits[rows, b] = g / tau
        dtau -= np.einsum("tv,tv->", g, u) / tau
    return np.mean(loss), dlogits / len(loss), dtau / len(loss)


# %% wrong: divides by T B
# why: padding counts in the mean
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = T * B
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: the mean of the sequences' means
# why: short sequences weigh more
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    weight = real / np.maximum(lengths, 1) / (lengths > 0).sum()
    loss = -(weight[:, :, None] * np.where(real[:, :, None], hit * log_p, 0)).sum()
    du = weight[:, :, None] * (np.exp(log_p) - hit)
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: mean loss, gradient of the sum
# why: divided by N for the log, not for the delta
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0)
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: gradient divided by N twice
# why: once in the weights, once again at the end
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau / N, -(du * y).sum() / tau**2 / N


# %% wrong: multiplies by the temperature
# why: scores times tau, with the derivatives of scores over tau
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y * tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: temperature after the softmax
# why: divides log p by tau
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -1 / tau * (np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum()


# %% wrong: the gradient by the scores lacks 1 / tau
# why: derivative by y / tau handed out as derivative by y
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du, -(du * y).sum() / tau**2


# %% wrong: softmax of the delta without temperature
# why: loss at tau, delta at 1
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    u = y - y.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: dtau lacks a factor
# why: -y / tau in place of -y / tau**2
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau


# %% wrong: dtau is the mean over the scores
# why: a shared parameter sums over its uses
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum(axis=2).mean() / tau**2


# %% wrong: multiplies the padding by 0
# why: 0 * NaN is NaN
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = logits * real[:, :, None]
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = real[:, :, None] * (np.exp(log_p) - hit) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: looks up the targets of the padding
# why: 99 is an IndexError
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = target
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: padding only where the target is negative
# why: takes the mask from the targets, not from lengths
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = (target >= 0) & (target < V)
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: lengths off by one
# why: the token after the end counts
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] <= lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: no shift before exp
# why: scores of 1e5 overflow
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: a small number inside the logarithm
# why: log(p + 1e-12) bounds the loss
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    y = np.where(real[:, :, None], logits, 0.0)
    s = np.where(real, target, 0)
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    p = np.exp(u) / np.exp(u).sum(axis=2, keepdims=True)
    log_p = np.log(p + 1e-12)
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2


# %% wrong: cleans the padding in place
# why: the caller's logits and targets change
def ragged_loss(logits, target, lengths, tau):
    T, B, V = logits.shape
    real = np.arange(T)[:, None] < lengths[None, :]
    logits[~real] = 0
    y = logits
    target[~real] = 0
    s = target
    N = real.sum()
    u = y / tau
    u = u - u.max(axis=2, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(axis=2, keepdims=True))
    hit = np.eye(V)[s]
    loss = -(np.where(real[:, :, None], hit * log_p, 0)).sum() / N
    du = np.where(real[:, :, None], np.exp(log_p) - hit, 0) / N
    return loss, du / tau, -(du * y).sum() / tau**2
