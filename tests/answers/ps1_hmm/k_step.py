# Answers to ps1-k-step; each cell below stands in for the student's solution cell.
# %% right: one matrix power for each diary, by einsum
def forecast(filtered, k, A, E):
    powers = np.stack([np.linalg.matrix_power(A, int(steps)) for steps in k])  # (B, K, K)
    return np.einsum("bi,bij,jv->bv", filtered, powers, E)


# %% right: walk all diaries together and stop each at its own horizon
def forecast(filtered, k, A, E):
    states = filtered.copy()
    for step in range(k.max()):
        states = np.where((step < k)[:, None], states @ A, states)
    return states @ E


# %% right: plain loops, backwards from the symbol
def forecast(filtered, k, A, E):
    out = np.zeros((len(filtered), E.shape[1]))
    for b in range(len(k)):
        message = E  # p(symbol | state) seen from 0, 1, ... steps before
        for _ in range(k[b]):
            message = A @ message
        out[b] = filtered[b] @ message
    return out


# %% right: repeated squaring, in PyTorch
import torch


def forecast(filtered, k, A, E):
    states = torch.tensor(filtered)
    power, left = torch.tensor(A), torch.tensor(k)
    while left.any():
        states = torch.where((left % 2 == 1)[:, None], states @ power, states)
        power, left = power @ power, left // 2
    return (states @ torch.tensor(E)).numpy()


# %% wrong: one step only
# why: the prediction of the chapter, whatever k is
def forecast(filtered, k, A, E):
    tomorrow = np.where((k > 0)[:, None], filtered @ A, filtered)
    return tomorrow @ E


# %% wrong: k = 0 taken for one step
# why: the loop steps first and looks at k afterwards
def forecast(filtered, k, A, E):
    out = []
    for row, steps in zip(filtered, k, strict=True):
        state = row @ A
        for _ in range(1, steps):
            state = state @ A
        out.append(state @ E)
    return np.array(out)


# %% wrong: each entry of A to the power k
# why: A ** k is not the matrix power; dividing by the row sums hides it
def forecast(filtered, k, A, E):
    out = []
    for row, steps in zip(filtered, k, strict=True):
        power = A**steps if steps > 0 else np.eye(len(A))
        power = power / power.sum(axis=1, keepdims=True)
        out.append(row @ power @ E)
    return np.array(out)


# %% wrong: the longest horizon for everybody
# why: the batch is sent through one loop with no mask
def forecast(filtered, k, A, E):
    states = filtered
    for _ in range(max(k)):
        states = states @ A
    return states @ E


# %% wrong: stationary distribution when k is large
# why: a periodic chain never settles, and a sticky one not within 100 steps
def forecast(filtered, k, A, E):
    limit = np.linalg.matrix_power(A, 1000)
    out = []
    for row, steps in zip(filtered, k, strict=True):
        power = limit if steps >= 100 else np.linalg.matrix_power(A, steps)
        out.append(row @ power @ E)
    return np.array(out)


# %% wrong: works in place on its argument
# why: the caller's filter is overwritten with forecasts
def forecast(filtered, k, A, E):
    for b, steps in enumerate(k):
        filtered[b] = filtered[b] @ np.linalg.matrix_power(A, steps)
    return filtered @ E


# %% wrong: the most probable state, then its emission, beyond the first step
# why: a decision in between throws the uncertainty away
def forecast(filtered, k, A, E):
    out = []
    for row, steps in zip(filtered, k, strict=True):
        state = row
        for _ in range(steps - 1):
            state = A[state.argmax()]
        out.append((state @ A if steps else state) @ E)
    return np.array(out)
