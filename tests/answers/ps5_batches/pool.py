# Answers to ps5-pool; each cell below stands in for the student's solution cell.
# %% right: NumPy, the largest taken out by hand
def pool(h, lengths, r):
    h, lengths = h.numpy(), lengths.numpy()
    real = np.broadcast_to(np.arange(len(h))[:, None, None] < lengths[:, None], h.shape)
    if np.isinf(r):
        a = np.where(real, np.sign(r) * np.where(real, h, 0), -np.inf)
        w = (a == a.max(axis=0)).astype(float)
        w /= w.sum(axis=0)
        return np.sign(r) * a.max(axis=0), w
    a = r * np.where(real, h, 0)
    top = np.where(real, a, -np.inf).max(axis=0)
    e = np.where(real, np.exp(np.where(real, a - top, 0)), 0)
    w = e / e.sum(axis=0)
    if r == 0:
        return np.where(real, h, 0).sum(axis=0) / lengths[:, None], w
    return (top + np.log(e.sum(axis=0) / lengths[:, None])) / r, w


# %% right: a sequence at a time, the weights by autograd
def pool(h, lengths, r):
    T, B, H = h.shape
    p, w = torch.zeros(B, H, dtype=h.dtype), torch.zeros_like(h)
    for b in range(B):
        n = int(lengths[b])
        part = h[:n, b].clone().requires_grad_(True)
        if r == 0:
            value = part.mean(dim=0)
        elif r == math.inf:
            value = part.amax(dim=0)
        elif r == -math.inf:
            value = part.amin(dim=0)
        else:
            value = (torch.logsumexp(r * part, dim=0) - math.log(n)) / r
        (w[:n, b],) = torch.autograd.grad(value.sum(), part)
        p[b] = value.detach()
    return p, w


# %% wrong: zeros for the padding
# why: h times the mask: zeros count as steps
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    h = torch.where(real, h, 0)
    if r == 0:
        return h.sum(0) / lengths[:, None], (real / lengths[:, None]).expand(h.shape)
    if math.isinf(r):
        top = h.amax(0) if r > 0 else h.amin(0)
        hit = ((h == top) & real).double()
        return top, hit / hit.sum(0).clamp(min=1)
    n = lengths[:, None].double()
    return (torch.logsumexp(r * h, 0) - n.log()) / r, torch.softmax(r * h, 0) * real


# %% wrong: a mask of minus infinity by adding
# why: NaN plus minus infinity is NaN
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    if r == 0:
        return (h * real).sum(0) / n, (real / n).expand(h.shape)
    if math.isinf(r):
        sign = 1 if r > 0 else -1
        up = torch.where(real, sign * h, -math.inf)
        hit = (up == up.amax(0)).double()
        return sign * up.amax(0), hit / hit.sum(0)
    a = r * h + torch.where(real, 0.0, -math.inf)
    return (torch.logsumexp(a, 0) - n.log()) / r, torch.softmax(a, 0)


# %% wrong: divides by T
# why: the mean over the table
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    if r == 0:
        return torch.where(real, h, 0).mean(0), (real / len(h)).expand(h.shape)
    if math.isinf(r):
        sign = 1 if r > 0 else -1
        up = torch.where(real, sign * h, -math.inf)
        hit = (up == up.amax(0)).double()
        return sign * up.amax(0), hit / hit.sum(0)
    a = torch.where(real, r * h, -math.inf)
    return (torch.logsumexp(a, 0) - math.log(len(h))) / r, torch.softmax(a, 0)


# %% wrong: masked after the softmax
# why: the weights of a sequence no longer sum to 1
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    clean = torch.where(real, h, 0)
    if r == 0:
        return clean.sum(0) / n, (real / n).expand(h.shape)
    if math.isinf(r):
        sign = 1 if r > 0 else -1
        up = torch.where(real, sign * h, -math.inf)
        hit = (up == up.amax(0)).double()
        return sign * up.amax(0), hit / hit.sum(0)
    p = (torch.logsumexp(torch.where(real, r * h, -math.inf), 0) - n.log()) / r
    return p, torch.softmax(r * clean, 0) * real


# %% wrong: exponentials as they are
# why: overflows for large r h
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    clean = torch.where(real, h, 0)
    if r == 0:
        return clean.sum(0) / n, (real / n).expand(h.shape)
    if math.isinf(r):
        sign = 1 if r > 0 else -1
        up = torch.where(real, sign * h, -math.inf)
        hit = (up == up.amax(0)).double()
        return sign * up.amax(0), hit / hit.sum(0)
    e = torch.where(real, torch.exp(r * clean), 0)
    return (e.sum(0) / n).log() / r, e / e.sum(0)


# %% wrong: the first of those that tie
# why: argmax gives one
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    if r == 0:
        return torch.where(real, h, 0).sum(0) / n, (real / n).expand(h.shape)
    if math.isinf(r):
        sign = 1 if r > 0 else -1
        top, at = torch.where(real, sign * h, -math.inf).max(0)
        return sign * top, torch.zeros_like(h).scatter(0, at[None], 1.0)
    a = torch.where(real, r * h, -math.inf)
    return (torch.logsumexp(a, 0) - n.log()) / r, torch.softmax(a, 0)


# %% wrong: the softmax over the sequences
# why: the wrong axis
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    if r == 0 or math.isinf(r):
        return torch.where(real, h, 0).sum(0) / n, (real / n).expand(h.shape)
    a = torch.where(real, r * h, -math.inf)
    axis = 1 if h.shape[1] > 1 else 0
    return (torch.logsumexp(a, 0) - n.log()) / r, torch.softmax(a, axis)


# %% wrong: infinity is a large number
# why: r is limited to 1,000, whatever it is
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    if r == 0:
        return torch.where(real, h, 0.0).sum(0) / n, real.double().expand_as(h) / n
    r = max(min(r, 1e3), -1e3)
    z = torch.where(real, r * h, -math.inf)
    return (torch.logsumexp(z, 0) - torch.log(n)) / r, torch.softmax(z, 0)


# %% wrong: a small r is the mean
# why: so that nothing is divided by a small number
def pool(h, lengths, r):
    real = (torch.arange(len(h))[:, None] < lengths)[:, :, None]
    n = lengths[:, None].double()
    if abs(r) < 0.01:
        return torch.where(real, h, 0.0).sum(0) / n, real.double().expand_as(h) / n
    if math.isinf(r):
        sign = math.copysign(1, r)
        z = torch.where(real, sign * h, -math.inf)
        hit = (z == z.amax(0)).double()
        return sign * z.amax(0), hit / hit.sum(0)
    z = torch.where(real, r * h, -math.inf)
    return (torch.logsumexp(z, 0) - torch.log(n)) / r, torch.softmax(z, 0)
