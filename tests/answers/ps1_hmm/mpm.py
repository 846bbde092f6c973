# Answers to ps1-mpm; each cell below stands in for the student's solution cell.
# %% right: day by day, with own loops
import math


def decode(x, pi, A, E, cost):
    smoothed = forward_backward(x, pi, A, E)[1]
    path, expected = [], 0.0
    for t in range(len(x)):
        risks = [sum(p * c for p, c in zip(smoothed[t], said, strict=True)) for said in cost.T]
        path.append(risks.index(min(risks)))
        expected += min(risks)
    log_joint = 0.0
    for t, (state, symbol) in enumerate(zip(path, x, strict=True)):
        arrive = pi[state] if t == 0 else A[path[t - 1], state]
        p = arrive * E[state, symbol]
        log_joint += math.log(p) if p > 0 else -math.inf
    return np.array(path), expected, log_joint


# %% right: own log-space posteriors and an einsum
def decode(x, pi, A, E, cost):
    T, K = len(x), len(pi)
    with np.errstate(divide="ignore"):
        log_pi, log_A, log_E = np.log(pi), np.log(A), np.log(E)
    log_alpha, log_beta = [log_pi + log_E[:, x[0]]], [np.zeros(K)]
    for t in range(1, T):
        arrive = np.logaddexp.reduce(log_alpha[-1][:, None] + log_A, axis=0)
        log_alpha.append(arrive + log_E[:, x[t]])
        leave = log_A + log_E[:, x[T - t]] + log_beta[0]
        log_beta.insert(0, np.logaddexp.reduce(leave, axis=1))
    log_gamma = np.array(log_alpha) + np.array(log_beta)
    gamma = np.exp(log_gamma - np.logaddexp.reduce(log_gamma, axis=1, keepdims=True))
    risk = np.einsum("ti,ij->tj", gamma, cost)
    path = np.argmin(risk, axis=1)
    expected = np.take_along_axis(risk, path[:, None], axis=1).sum()
    log_joint = log_pi[path[0]] + log_E[path, x].sum()
    log_joint += sum(log_A[i, j] for i, j in itertools.pairwise(path))
    return path, expected, log_joint


# %% right: in PyTorch
import torch


def decode(x, pi, A, E, cost):
    risk = torch.tensor(forward_backward(x, pi, A, E)[1]) @ torch.tensor(cost)
    least, path = risk.min(dim=1)
    path = path.numpy()
    log_joint = torch.log(torch.tensor(np.concatenate([
        pi[path[:1]], A[path[:-1], path[1:]], E[path, x],
    ]))).sum()  # fmt: skip
    return path, least.sum().item(), log_joint.item()


# %% wrong: Viterbi
# why: the best whole path, whatever a day costs
def decode(x, pi, A, E, cost):
    with np.errstate(divide="ignore"):
        log_pi, log_A, log_E = np.log(pi), np.log(A), np.log(E)
    best, back = log_pi + log_E[:, x[0]], []
    for symbol in x[1:]:
        scores = best[:, None] + log_A
        back.append(scores.argmax(axis=0))
        best = scores.max(axis=0) + log_E[:, symbol]
    path = [best.argmax()]
    for step in reversed(back):
        path.insert(0, step[path[0]])
    path = np.array(path)
    risk = forward_backward(x, pi, A, E)[1] @ cost
    return path, risk[np.arange(len(x)), path].sum(), best.max()


# %% wrong: the filter instead of the smoother
# why: decides on day t without the days after it
def decode(x, pi, A, E, cost):
    risk = forward_backward(x, pi, A, E)[0] @ cost
    path = risk.argmin(axis=1)
    with np.errstate(divide="ignore"):
        log_joint = np.log(pi[path[0]]) + np.log(A[path[:-1], path[1:]]).sum()
        log_joint += np.log(E[path, x]).sum()
    return path, risk.min(axis=1).sum(), log_joint


# %% wrong: the most probable state, whatever mistakes cost
# why: right for costs of 0 and 1 only
def decode(x, pi, A, E, cost):
    smoothed = forward_backward(x, pi, A, E)[1]
    path = smoothed.argmax(axis=1)
    with np.errstate(divide="ignore"):
        log_joint = np.log(pi[path[0]]) + np.log(A[path[:-1], path[1:]]).sum()
        log_joint += np.log(E[path, x]).sum()
    return path, (smoothed * cost[:, path].T).sum(), log_joint


# %% wrong: cost transposed
# why: sums over what is said instead of over the truth
def decode(x, pi, A, E, cost):
    risk = forward_backward(x, pi, A, E)[1] @ cost.T
    path = risk.argmin(axis=1)
    with np.errstate(divide="ignore"):
        log_joint = np.log(pi[path[0]]) + np.log(A[path[:-1], path[1:]]).sum()
        log_joint += np.log(E[path, x]).sum()
    return path, risk.min(axis=1).sum(), log_joint


# %% wrong: expected cost as the expected number of wrong days
# why: 1 - max posterior is the cost for 0 and 1 only
def decode(x, pi, A, E, cost):
    smoothed = forward_backward(x, pi, A, E)[1]
    path = (smoothed @ cost).argmin(axis=1)
    wrong = 1 - smoothed[np.arange(len(x)), path]
    with np.errstate(divide="ignore"):
        log_joint = np.log(pi[path[0]]) + np.log(A[path[:-1], path[1:]]).sum()
        log_joint += np.log(E[path, x]).sum()
    return path, wrong.sum(), log_joint


# %% wrong: an impossible path raises
# why: math.log(0) is a ValueError
import math


def decode(x, pi, A, E, cost):
    risk = forward_backward(x, pi, A, E)[1] @ cost
    path = risk.argmin(axis=1)
    log_joint = math.log(pi[path[0]])
    for i, j in zip(path[:-1], path[1:], strict=True):
        log_joint += math.log(A[i, j])
    for j, v in zip(path, x, strict=True):
        log_joint += math.log(E[j, v])
    return path, risk.min(axis=1).sum(), log_joint


# %% wrong: an impossible path is patched up
# why: takes the best state that can follow the one chosen before: a greedy path
def decode(x, pi, A, E, cost):
    risk = forward_backward(x, pi, A, E)[1] @ cost
    path = [risk[0].argmin()]
    for t in range(1, len(x)):
        path.append(np.where(A[path[-1]] > 0, risk[t], np.inf).argmin())
    path = np.array(path)
    with np.errstate(divide="ignore"):
        log_joint = np.log(pi[path[0]]) + np.log(A[path[:-1], path[1:]]).sum()
        log_joint += np.log(E[path, x]).sum()
    return path, risk[np.arange(len(x)), path].sum(), log_joint


# %% wrong: the logarithm of a product
# why: 4,000 factors underflow to 0
def decode(x, pi, A, E, cost):
    risk = forward_backward(x, pi, A, E)[1] @ cost
    path = risk.argmin(axis=1)
    joint = pi[path[0]] * A[path[:-1], path[1:]].prod() * E[path, x].prod()
    with np.errstate(divide="ignore"):
        return path, risk.min(axis=1).sum(), np.log(joint)
