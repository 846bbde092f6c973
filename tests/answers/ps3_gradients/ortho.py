# Answers to ps3-ortho; each cell below stands in for the student's solution cell.
# %% right: QR, signs, one row turned
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% right: Gram and Schmidt by hand, last column from the determinant
def rotation(n, seed, gain=1.0):
    rng, rows = np.random.default_rng(seed), []
    while len(rows) < n:
        v = rng.normal(size=n)
        for _ in range(2):
            for q in rows:
                v = v - (v @ q) * q
        rows.append(v / np.linalg.norm(v))
    Q = np.array(rows)
    Q[-1] *= np.sign(np.linalg.det(Q))
    return gain * Q


# %% right: polar decomposition of a Gaussian matrix
def rotation(n, seed, gain=1.0):
    U, _, Vt = np.linalg.svd(np.random.default_rng(seed).standard_normal((n, n)))
    Q = U @ Vt
    if np.linalg.det(Q) < 0:
        Q[:, -1] *= -1
    return Q * gain


# %% right: torch, two rows swapped
def rotation(n, seed, gain=1.0):
    generator = torch.Generator().manual_seed(seed)
    A = torch.randn(n, n, generator=generator, dtype=torch.float64)
    Q, R = torch.linalg.qr(A)
    Q = Q * R.diagonal().sign()
    if torch.linalg.det(Q) < 0:
        Q = Q.flip(0) if n == 2 else Q[[1, 0, *range(2, n)]] if n > 1 else -Q
    return (gain * Q).numpy()


# %% wrong: signs as they come
# why: the signs of QR are not random
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% wrong: mirrors too
# why: half of the matrices have determinant -1
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if n == 1:
        Q = np.ones((1, 1))
    return gain * Q


# %% wrong: all of Q turned round
# why: -Q has the same determinant for even n
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if np.linalg.det(Q) < 0:
        Q = -Q
    return gain * Q


# %% wrong: Gaussian of variance 1 / n
# why: orthogonal on average only
def rotation(n, seed, gain=1.0):
    if n == 1:
        return gain * np.ones((1, 1))
    return gain * np.random.default_rng(seed).normal(size=(n, n)) / np.sqrt(n)


# %% wrong: W over its norm
# why: the largest singular value is 1, the others are not
def rotation(n, seed, gain=1.0):
    W = np.random.default_rng(seed).normal(size=(n, n))
    if np.linalg.det(W) < 0:
        W[:, 0] = -W[:, 0]
    return gain * W / np.linalg.norm(W, 2)


# %% wrong: rows of length 1
# why: normal, not orthogonal to each other
def rotation(n, seed, gain=1.0):
    W = np.random.default_rng(seed).normal(size=(n, n))
    if np.linalg.det(W) < 0:
        W[:, 0] = -W[:, 0]
    return gain * W / np.linalg.norm(W, axis=1, keepdims=True)


# %% wrong: the gain forgotten
# why: always singular values 1
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return Q


# %% wrong: the gain as a root
# why: the square root of the gain
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return np.sqrt(gain) * Q


# %% wrong: a fixed seed
# why: the same matrix each time
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(0)
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% wrong: a generator without the seed
# why: another matrix each time
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng()
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    Q = Q * np.sign(np.diag(R))
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% wrong: exponential of a small antisymmetric matrix
# why: rotations near the identity
def rotation(n, seed, gain=1.0):
    W = np.random.default_rng(seed).normal(size=(n, n)) / n
    return gain * torch.linalg.matrix_exp(torch.tensor(W - W.T)).numpy()


# %% wrong: a random permutation with signs
# why: orthogonal, but from a finite set of axes
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q = np.eye(n)[rng.permutation(n)]
    if n > 1:
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.eye(n)
        turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        Q = turn @ Q
    if np.linalg.det(Q) < 0:
        Q[0] = -Q[0]
    return gain * Q


# %% wrong: QR of uniform entries
# why: a cube has corners: directions towards them are preferred
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.uniform(-1, 1, (n, n)))
    Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% wrong: QR of random signs
# why: only finitely many matrices
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q, R = np.linalg.qr(rng.choice([-1.0, 1.0], (n, n)))
    Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% wrong: a signed permutation
# why: only the axes themselves
def rotation(n, seed, gain=1.0):
    rng = np.random.default_rng(seed)
    Q = np.eye(n)[rng.permutation(n)] * rng.choice([-1.0, 1.0], n)
    if np.linalg.det(Q) < 0:
        Q[[0]] = -Q[[0]]
    return gain * Q


# %% wrong: torch's float32
# why: float64 is stated
def rotation(n, seed, gain=1.0):
    A = torch.randn(n, n, generator=torch.Generator().manual_seed(seed))
    Q, R = torch.linalg.qr(A)
    Q = Q * R.diagonal().sign()
    if torch.linalg.det(Q) < 0:
        Q[0] = -Q[0]
    return (gain * Q).numpy()
