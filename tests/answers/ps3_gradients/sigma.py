# Answers to ps3-sigma; each cell below stands in for the student's solution cell.
# %% right: power iteration, rescaled on both ways
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma = 0.0
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% right: Rayleigh quotient of A A^T, stops when it stands
def stretch(forth, back, n, seed):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(n)
    v /= np.sqrt(v @ v)
    old = 0.0
    for i in range(290):
        there = np.asarray(forth(v))
        size = np.sqrt((there * there).sum())
        if size == 0.0:
            return 0.0
        w = np.asarray(back(there / size))
        v = w / np.sqrt(w @ w)
        if i > 100 and abs(size - old) < 1e-13 * size:
            break
        old = size
    return size


# %% right: a block of four rows and QR
def stretch(forth, back, n, seed):
    k = min(4, n)
    V = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, k)))[0].T
    for _ in range(60):
        U = np.array([forth(v) for v in V])
        size = np.linalg.svd(U, compute_uv=False)[0]
        if size == 0:
            return 0.0
        back_again = np.array([back(u / size) for u in U])
        V = np.linalg.qr(back_again.T)[0].T
    return float(np.linalg.svd(np.array([forth(v) for v in V]), compute_uv=False)[0])


# %% right: Lanczos with all rows kept
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    rows = [v / np.linalg.norm(v)]
    there = []
    for _ in range(min(n, 120)):
        there.append(np.asarray(forth(rows[-1])))
        size = np.linalg.norm(there[-1])
        if size == 0:
            break
        w = np.asarray(back(there[-1] / size))
        length = np.linalg.norm(w)
        for _ in range(2):
            for q in rows:
                w = w - (w @ q) * q
        if np.linalg.norm(w) <= 1e-13 * length:
            break
        rows.append(w / np.linalg.norm(w))
    M = np.array(there)
    scale = np.abs(M).max()
    return float(scale * np.linalg.svd(M / scale, compute_uv=False)[0]) if scale else 0.0


# %% wrong: forth again and again
# why: the largest eigenvalue in place of the singular value
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    size = 0.0
    if np.shape(forth(v)) != (n,):
        return 0.0
    for _ in range(200):
        v = v / np.linalg.norm(v)
        v = np.asarray(forth(v))
        size = np.linalg.norm(v)
        if size == 0:
            return 0.0
    return float(size)


# %% wrong: v A v^T
# why: a Rayleigh quotient of A itself: right for symmetric matrices only
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma = 0.0
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(v @ np.asarray(forth(v)) / (v @ v)) if len(forth(v)) == n else sigma


# %% wrong: sigma squared
# why: the eigenvalue of A A^T where its root is wanted
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma = 0.0
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(sigma**2)


# %% wrong: starts from ones
# why: a worst direction orthogonal to it is never seen
def stretch(forth, back, n, seed):
    v = np.ones(n)
    sigma = 0.0
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% wrong: starts from the first axis
# why: a fixed start may be orthogonal to the worst direction
def stretch(forth, back, n, seed):
    v = np.eye(n)[0]
    sigma = 0.0
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% wrong: a few rounds
# why: not settled yet
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma = 0.0
    for _ in range(8):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% wrong: Frobenius norm
# why: the root of the sum of all squares, from n calls
def stretch(forth, back, n, seed):
    return float(np.linalg.norm(np.array([forth(e) for e in np.eye(n)])))


# %% wrong: builds the matrix
# why: n calls: 400 where 300 are allowed
def stretch(forth, back, n, seed):
    A = np.array([forth(e) for e in np.eye(n)])
    return float(np.linalg.norm(A, 2))


# %% wrong: no rescaling
# why: overflows or underflows for entries of 1e60 and 1e-60
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    for _ in range(100):
        v = np.asarray(back(forth(v)))
    return float(np.linalg.norm(forth(v)) / np.linalg.norm(v))


# %% wrong: 0 / 0 for a zero matrix
# why: NaN where nothing is stretched
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma = 0.0
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% wrong: the average of the sizes so far
# why: the first rounds, not settled, stay in the mean
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma, sizes = 0.0, []
    for _ in range(140):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        sizes.append(sigma)
        v = np.asarray(back(u / sigma))
    return float(np.mean(sizes[1:]))


# %% wrong: stops when the number stands still
# why: a change of 1e-6 is not an error of 1e-6
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    old = 0.0
    for _ in range(290):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        if abs(sigma - old) < 1e-6 * sigma:
            break
        old = sigma
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% wrong: thirty rounds
# why: enough for a gap, not for .9
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    sigma = 0.0
    for _ in range(30):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0:
            return 0.0
        v = np.asarray(back(u / sigma))
    return float(sigma)


# %% right: stops where rounding begins
def stretch(forth, back, n, seed):
    v = np.random.default_rng(seed).normal(size=n)
    old, sigma = 0.0, 0.0
    for _ in range(300):
        v = v / np.linalg.norm(v)
        u = np.asarray(forth(v))
        sigma = np.linalg.norm(u)
        if sigma == 0 or abs(sigma - old) < 1e-9 * sigma:
            break
        old = sigma
        v = np.asarray(back(u / sigma))
    return float(sigma)
