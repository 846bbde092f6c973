# Answers to ps4-contents; each cell below stands in for the student's solution cell.
# %% right: a product from the end, by cumprod of the turned gates
def contents(f, i, g, c0):
    after = np.cumprod(np.concatenate([np.ones_like(c0)[None], f[::-1]]), axis=0)[::-1]
    return np.concatenate([c0[None], i * g]) * after


# %% right: forward, everything that is there is multiplied at each step
def contents(f, i, g, c0):
    T = len(f)
    parts = np.zeros((T + 1, *c0.shape))
    parts[0] = c0
    for t in range(T):
        parts[: t + 1] *= f[t]
        parts[t + 1] = i[t] * g[t]
    return parts


# %% right: sums of logarithms, tensors
def contents(f, i, g, c0):
    log_f = torch.log(torch.as_tensor(f))
    after = torch.flip(torch.cumsum(torch.flip(log_f, [0]), 0), [0])
    after = torch.cat([after, torch.zeros_like(log_f[:1])])
    written = torch.cat([torch.as_tensor(c0)[None], torch.as_tensor(i * g)])
    return torch.exp(after) * written


# %% wrong: its own forget gate too
# why: f of step k closes on what was there before step k wrote
def contents(f, i, g, c0):
    parts = np.concatenate([c0[None], i * g])
    left = np.ones_like(c0)
    for t in reversed(range(len(f))):
        left = left * f[t]
        parts[t + 1] *= left
    parts[0] *= left
    return parts


# %% wrong: the product from the beginning
# why: the gates before a step, not those after it
def contents(f, i, g, c0):
    before = np.cumprod(np.concatenate([np.ones_like(c0)[None], f]), axis=0)
    parts = np.concatenate([c0[None], i * g]) * before
    parts[0] = c0 * before[-1]
    return parts


# %% wrong: a quotient of products
# why: 0 / 0 behind a closed gate, and after many steps
def contents(f, i, g, c0):
    until = np.cumprod(np.concatenate([np.ones_like(c0)[None], f]), axis=0)
    return np.concatenate([c0[None], i * g]) * (until[-1] / until)


# %% wrong: everything has passed all gates
# why: one product for all parts
def contents(f, i, g, c0):
    return np.concatenate([c0[None], i * g]) * f.prod(axis=0)


# %% wrong: one step of forgetting each
# why: the next gate alone
def contents(f, i, g, c0):
    after = np.concatenate([f, np.ones_like(f[:1])])
    return np.concatenate([c0[None], i * g]) * after


# %% wrong: gates kept away from 0
# why: clipped before the logarithm, so a closed gate lets a thousandth through
def contents(f, i, g, c0):
    log_f = np.log(np.clip(f, 1e-3, 1))
    after = np.cumsum(log_f[::-1], axis=0)[::-1]
    after = np.concatenate([after, np.zeros_like(after[:1])])
    return np.concatenate([c0[None], i * g]) * np.exp(after)


# %% wrong: gates averaged over units
# why: the mean forget gate, as it is often reported
def contents(f, i, g, c0):
    f = np.broadcast_to(f.mean(axis=(1, 2), keepdims=True), f.shape)
    after = np.cumprod(np.concatenate([np.ones_like(c0)[None], f[::-1]]), axis=0)[::-1]
    return np.concatenate([c0[None], i * g]) * after


# %% wrong: gates raised to 1e-12
# why: a floor before the logarithm: of 1e8 behind a closed gate 1e-4 is left
def contents(f, i, g, c0):
    logs = np.log(np.maximum(f, 1e-12))
    after = np.cumsum(logs[::-1], axis=0)[::-1]  # step k and all later ones
    after = np.concatenate([after, np.zeros_like(logs[:1])])
    return np.exp(after) * np.concatenate([c0[None], i * g])
