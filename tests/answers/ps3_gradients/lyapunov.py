# Answers to ps3-lyapunov; each cell below stands in for the student's solution cell.
# %% right: a second run put back at each step
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% right: two second runs, one on each side
def largest_exponent(step, h0, T, skip, seed):
    eps = 3e-6
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal(np.shape(h0))
    direction /= np.sqrt((direction**2).sum())
    h, total = h0, 0.0
    for t in range(T + skip):
        ahead = np.asarray(step(h + eps * direction, t))
        behind = np.asarray(step(h - eps * direction, t))
        h = np.asarray(step(h, t))
        slope = (ahead - behind) / (2 * eps)
        growth = np.sqrt((slope**2).sum())
        direction = slope / growth
        total += np.log(growth) if t >= skip else 0.0
    return float(total / T)


# %% right: both runs kept, second one replaced
import math


def largest_exponent(step, h0, T, skip, seed):
    near = 2e-8
    a = np.array(h0)
    b = a + near * np.random.default_rng(seed).uniform(0.5, 1, len(a)) * np.array(
        [(-1) ** i for i in range(len(a))]
    )
    near = math.sqrt(float(((b - a) ** 2).sum()))
    total = 0.0
    for t in range(skip + T):
        a, b = np.asarray(step(a, t)), np.asarray(step(b, t))
        ratio = math.sqrt(float(((b - a) ** 2).sum())) / near
        if t >= skip:
            total += math.log(ratio)
        b = a + (b - a) / ratio
    return total / T


# %% wrong: never put back
# why: the distance saturates in chaos, dies in rest
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    h = np.array(h0, dtype=float)
    other = h + eps * d / np.linalg.norm(d)
    first = eps
    for t in range(skip + T):
        h, other = np.asarray(step(h, t)), np.asarray(step(other, t))
        if t == skip - 1:
            first = np.linalg.norm(other - h)
    return np.log(np.linalg.norm(other - h) / first) / T


# %% wrong: the logarithm of the mean factor
# why: growth averaged before the logarithm
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(size / eps)
        d = d * eps / size
    return np.log(np.mean(logs))


# %% wrong: product first, logarithm afterwards
# why: overflows or underflows in some thousand steps
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(size / eps)
        d = d * eps / size
    return np.log(np.prod(logs)) / T


# %% wrong: not divided by T
# why: the growth of the whole run
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs)


# %% wrong: divided by all steps
# why: the skipped ones are counted below
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / (T + skip)


# %% wrong: the transient counted
# why: nothing is skipped
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= 0:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / (T + skip)


# %% wrong: skip ignored
# why: T steps from the start
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= 0:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: a new direction at each step
# why: the distance never turns to the one that grows
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = np.random.default_rng(t).normal(size=len(h0))
        d = d * eps / np.linalg.norm(d)
    return np.sum(logs) / T


# %% wrong: the same direction at each step
# why: one step's stretch along a fixed direction
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    first = d
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = first
    return np.sum(logs) / T


# %% wrong: along the first axis
# why: blind where the first axis does not grow
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.eye(len(h0))[0]
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: the second run one step late
# why: the two runs do not get the same input
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, max(t - 1, 0)))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: always step 0
# why: the number of the step is not passed on
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, 0))
        h = np.asarray(step(h, 0))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: far apart
# why: a distance of 1 measures curvature, not the derivative
def largest_exponent(step, h0, T, skip, seed):
    eps = 1.0
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: too near
# why: 1e-15 drowns in rounding
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-15
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(max(size, 1e-17) / eps))
        d = d * eps / size if size else d + eps
    return np.sum(logs) / T


# %% wrong: sizes of logarithms
# why: absolute values: shrinking counts as growth
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps) if T == 1 else np.abs(np.log(size / eps)))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: rescaled, and forgotten
# why: only the last step's growth
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return logs[-1]


# %% wrong: a hundredth apart
# why: curvature counts as growth
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-2
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: a ten thousandth apart
# why: still too far for a strongly curved step
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-4
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: 1e-12 apart
# why: one step nearer, and three digits are left of the distance
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-12
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: 1e-14 apart
# why: nothing but rounding
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-14
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: along the diagonal
# why: blind where (1, ..., 1) is not what grows
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.ones(len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% wrong: signs in turn
# why: blind where (1, -1) is not what grows
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-7
    d = np.array([(-1.0) ** i for i in range(len(h0))])
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% right: 1e-6 apart
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-6
    d = np.random.default_rng(seed).normal(size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T


# %% right: 1e-8 apart, from an even distribution
def largest_exponent(step, h0, T, skip, seed):
    eps = 1e-8
    d = np.random.default_rng(seed).uniform(-1, 1, size=len(h0))
    d = eps * d / np.linalg.norm(d)
    h, logs = np.array(h0, dtype=float), []
    for t in range(skip + T):
        moved = np.asarray(step(h + d, t))
        h = np.asarray(step(h, t))
        d = moved - h
        size = np.linalg.norm(d)
        if t >= skip:
            logs.append(np.log(size / eps))
        d = d * eps / size
    return np.sum(logs) / T
