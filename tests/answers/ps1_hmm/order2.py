# Answers to ps1-order2; each cell below stands in for the student's solution cell.
# %% right: one equation with a Kronecker delta
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.einsum("hij,ig->higj", A2, np.eye(K))  # g is the new older day, and must be i
    return pi2.reshape(-1), A_pair.reshape(K * K, K * K), np.tile(E, (K, 1))


# %% right: four loops and a condition
def fold(pi2, A2, E):
    K, V = E.shape
    pi_pair, E_pair = np.zeros(K * K), np.zeros((K * K, V))
    A_pair = np.zeros((K * K, K * K))
    for h in range(K):
        for i in range(K):
            pi_pair[h * K + i] = pi2[h, i]
            E_pair[h * K + i] = E[i]
            for g in range(K):
                for j in range(K):
                    if g == i:
                        A_pair[h * K + i, g * K + j] = A2[h, i, j]
    return pi_pair, A_pair, E_pair


# %% right: index arithmetic on the pair numbers
def fold(pi2, A2, E):
    K = E.shape[0]
    pair = np.arange(K * K)
    older, newer = divmod(pair, K)
    A_pair = np.zeros((K * K, K * K))
    for j in range(K):
        A_pair[pair, newer * K + j] = A2[older, newer, j]
    return np.array([pi2[h, i] for h, i in zip(older, newer, strict=True)]), A_pair, E[newer]


# %% wrong: axes of A2 swapped
# why: A2[h, i] read as "today, yesterday"
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.zeros((K, K, K, K))
    for i in range(K):
        for h in range(K):
            A_pair[h, i, i, :] = A2[i, h]
    return pi2.ravel(), A_pair.reshape(K * K, K * K), np.tile(E, (K, 1))


# %% wrong: the pair shows the older day's symbol
# why: repeat instead of tile
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.einsum("hij,ig->higj", A2, np.eye(K)).reshape(K * K, K * K)
    return pi2.ravel(), A_pair, np.repeat(E, K, axis=0)


# %% wrong: start from the product of the marginals
# why: takes the first two days for independent
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.einsum("hij,ig->higj", A2, np.eye(K)).reshape(K * K, K * K)
    start = np.outer(pi2.sum(axis=1), pi2.sum(axis=0))
    return start.ravel(), A_pair, np.tile(E, (K, 1))


# %% wrong: start transposed
# why: the newer day counted first, in pi only
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.einsum("hij,ig->higj", A2, np.eye(K)).reshape(K * K, K * K)
    return pi2.T.ravel(), A_pair, np.tile(E, (K, 1))


# %% wrong: two states written into the code
# why: works for the worked example only
def fold(pi2, A2, E):
    A_pair = np.zeros((4, 4))
    for h in range(2):
        for i in range(2):
            A_pair[2 * h + i, 2 * i : 2 * i + 2] = A2[h, i]
    return pi2.ravel(), A_pair, np.concatenate([E, E])


# %% wrong: the older day does not move on
# why: from (h, i) to (h, j), although today becomes yesterday
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.einsum("hij,hg->higj", A2, np.eye(K)).reshape(K * K, K * K)
    return pi2.ravel(), A_pair, np.tile(E, (K, 1))


# %% wrong: works in place on its argument
# why: normalises and clears pi2 on the way
def fold(pi2, A2, E):
    K = len(E)
    A_pair = np.einsum("hij,ig->higj", A2, np.eye(K)).reshape(K * K, K * K)
    start = pi2.ravel().copy()
    pi2 *= 0
    return start, A_pair, np.tile(E, (K, 1))
