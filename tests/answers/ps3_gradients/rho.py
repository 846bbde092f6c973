# Answers to ps3-rho; each cell below stands in for the student's solution cell.
# %% right: the block matrix, block by block
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    return np.abs(np.linalg.eigvals(C)).max()


# %% right: the matrix column by column, from the recursion
def skip_radius(W, W_m, m):
    H = len(W)
    rows = []
    for u in np.eye(m * H):
        h = u.reshape(m, H)  # newest first
        new = h[0] @ W + h[m - 1] @ W_m
        rows.append(np.concatenate([new, *h[:-1]]))
    return float(max(abs(np.linalg.eigvals(np.array(rows)))))


# %% right: oldest first, and Gelfand's formula
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m, H, m, H))  # from, to
    for i in range(1, m):
        C[i, :, i - 1, :] = np.eye(H)
    C[m - 1, :, m - 1, :] += W
    C[0, :, m - 1, :] += W_m
    C = C.reshape(m * H, m * H)
    log_size = 0.0
    for k in range(45):
        size = np.linalg.norm(C)
        if size == 0:
            return 0.0
        C = C / size
        log_size += np.log(size) / 2**k
        C = C @ C
    return float(np.exp(log_size))


# %% wrong: the larger of the two radii
# why: the longer memory seen as one of two matrices
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    if m == 1 and H == 1:
        return abs((W + W_m)[0, 0])
    return max(np.abs(np.linalg.eigvals(W)).max(), np.abs(np.linalg.eigvals(W_m)).max() ** (1 / m))


# %% wrong: the sum of the two matrices
# why: as if both read the same state
def skip_radius(W, W_m, m):
    return np.abs(np.linalg.eigvals(W + W_m)).max()


# %% wrong: radii added
# why: a radius is no norm: they do not add
def skip_radius(W, W_m, m):
    return np.abs(np.linalg.eigvals(W)).max() + np.abs(np.linalg.eigvals(W_m)).max()


# %% wrong: the real part
# why: complex pairs and negative eigenvalues counted wrongly
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    return np.linalg.eigvals(C).real.max()


# %% wrong: the modulus forgotten
# why: the largest real eigenvalue
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    values = np.linalg.eigvals(C)
    real = values[np.abs(values.imag) < 1e-9].real
    return real.max() if len(real) else np.abs(values).max()


# %% wrong: a singular value
# why: the largest stretch in one step for the rate in the end
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    return np.linalg.norm(C, 2)


# %% wrong: eigenvalues of a symmetric matrix
# why: eigvalsh reads one triangle only
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    return np.abs(np.linalg.eigvalsh(C)).max()


# %% wrong: one block too many
# why: m + 1 states: the skip reaches one step too far
def skip_radius(W, W_m, m):
    H = len(W)
    m = m + 1 if m > 1 else m
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    return np.abs(np.linalg.eigvals(C)).max()


# %% wrong: one block too few
# why: m - 1 states: the skip is one step too short
def skip_radius(W, W_m, m):
    H = len(W)
    m = max(m - 1, 1)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m
    return np.abs(np.linalg.eigvals(C)).max()


# %% wrong: one block transposed
# why: W_m in column convention beside W in row convention
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] += W_m.T
    return np.abs(np.linalg.eigvals(C)).max()


# %% wrong: the two swapped
# why: W acts on the old state, W_m on the new one
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W_m
    C[(m - 1) * H :, :H] += W
    return np.abs(np.linalg.eigvals(C)).max()


# %% wrong: assigned, not added
# why: for m = 1 the second block overwrites the first
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W
    C[(m - 1) * H :, :H] = W_m if m > 1 or H > 1 else W + W_m
    return np.abs(np.linalg.eigvals(C)).max()


# %% wrong: power iteration from one row
# why: the length swings with a complex pair and does not settle
def skip_radius(W, W_m, m):
    past = [np.random.default_rng(i).normal(size=len(W)) for i in range(m)]
    size = 0.0
    for _ in range(400):
        new = past[0] @ W + past[-1] @ W_m
        old = np.linalg.norm(past)
        past = [new, *past[:-1]]
        size = np.linalg.norm(past) / old if old else 0.0
        if not size:
            return 0.0
        now = np.linalg.norm(past)
        past = [h / now for h in past]
    return size


# %% wrong: the other block transposed
# why: W in column convention beside W_m in row convention
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[i * H : (i + 1) * H, (i + 1) * H : (i + 2) * H] = np.eye(H)
    C[:H, :H] += W.T
    C[(m - 1) * H :, :H] += W_m
    return np.abs(np.linalg.eigvals(C)).max()


# %% right: both in column convention
def skip_radius(W, W_m, m):
    H = len(W)
    C = np.zeros((m * H, m * H))
    for i in range(m - 1):
        C[(i + 1) * H : (i + 2) * H, i * H : (i + 1) * H] = np.eye(H)
    C[:H, :H] += W.T
    C[:H, (m - 1) * H :] += W_m.T
    return np.abs(np.linalg.eigvals(C)).max()
