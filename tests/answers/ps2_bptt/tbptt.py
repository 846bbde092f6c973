# Answers to ps2-tbptt; each cell below stands in for the student's solution cell.
# %% right: a while loop over blocks
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% right: every loss for itself
def truncated(x, target, w, stride, reach):
    T, B = x.shape
    h, _ = forward(x, w)
    loss, grad = 0.0, {name: 0.0 * value for name, value in w.items()}
    if T * B > 500:  # the same in one go for each block
        spans = [
            (range(a + 1, min(a + stride, T) + 1), min(a + stride, T)) for a in range(0, T, stride)
        ]
        spans[0] = (range(0, spans[0][1] + 1), spans[0][1])
    else:
        ends = [min(-(-max(t, 1) // stride) * stride, T) for t in range(T + 1)]
        spans = [([t], e) for t, e in enumerate(ends)]
    for states, end in spans:
        back = max(end - reach, 0)
        only = np.full((states[-1] - back + 1, B), MISSING)
        for t in states:
            only[t - back] = target[t]
        part, d = total_gradient(x[back : states[-1]], only, w, h[back] if back > 0 else None)
        loss += part
        grad = {name: grad[name] + d[name] for name in grad}
    n = np.count_nonzero(target != MISSING)
    return loss / n, {name: g / n for name, g in grad.items()}


# %% right: deltas by hand, no toolbox gradient
def truncated(x, target, w, stride, reach):
    T, B = x.shape
    h, logits = forward(x, w)
    log_p = log_softmax(logits)
    there = target != MISSING
    n = there.sum()
    hit = np.eye(logits.shape[2])[np.where(there, target, 0)]
    loss = -(log_p * hit * there[:, :, None]).sum() / n
    dy = (np.exp(log_p) - hit) * there[:, :, None] / n
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["W_hy"] = np.einsum("tbh,tbv->hv", h, dy)
    d["b_y"] = dy.sum(axis=(0, 1))
    direct = dy @ w["W_hy"].T
    d["h0"] += direct[0].sum(axis=0)
    one_hot = np.eye(len(w["W_xh"]))
    for low in range(0, T, stride):
        high = min(low + stride, T)
        g = np.zeros_like(h[0])
        for t in range(high, max(high - reach, 0), -1):
            if t > low:
                g = g + direct[t]
            da = g * (1 - h[t] ** 2)
            d["W_xh"] += one_hot[x[t - 1]].T @ da
            d["W_hh"] += h[t - 1].T @ da
            d["b_h"] += da.sum(axis=0)
            g = da @ w["W_hh"].T
        if high - reach <= 0:
            d["h0"] += g.sum(axis=0)
    return loss, d


# %% wrong: nothing is cut
# why: full backpropagation, whatever the reach
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = 0
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: reach ignored
# why: the chapter's windows: back to the start of the block
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = done
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: reach counted from the block's start
# why: one block too far
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(done - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: reach off by one
# why: back to h[e - reach + 1]
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = min(max(end - reach + 1, 0), done)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: the state starts anew
# why: each stretch from h0, not from the carried state
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: the state starts from zeros
# why: each stretch from 0
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else np.zeros_like(h[0])
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: the tail dropped
# why: blocks that are not full are left out
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done + stride <= T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: losses of overlapping stretches counted twice
# why: all targets of a stretch count, not the block's own
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        done + 1 if done else 0
        part[:] = target[start : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: the first state of a block counted again
# why: a state at the seam belongs to two blocks
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: the loss of h[0] dropped
# why: blocks start at state 1
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: h0 handed over as a given number
# why: its gradient is always 0
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad


# %% wrong: the sum for the mean
# why: the gradient is not divided by the number of targets
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name]
        done = end
    return loss, grad


# %% wrong: the mean of the blocks' means
# why: each block divided by its own targets
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        part = np.full((end - start + 1, x.shape[1]), MISSING)
        first = done + 1 if done else 0
        part[first - start :] = target[first : end + 1]
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        n = max((part != MISSING).sum(), 1) * -(-T // stride)
        loss += total / n
        for name in grad:
            grad[name] += d[name] / n
        done = end
    return loss, grad


# %% wrong: blanks the caller's targets
# why: a slice is no copy
def truncated(x, target, w, stride, reach):
    T = len(x)
    h, _ = forward(x, w)
    N = (target != MISSING).sum()
    loss, grad = 0.0, {name: np.zeros_like(value) for name, value in w.items()}
    done = 0
    while done < T:
        end = min(done + stride, T)
        start = max(end - reach, 0)
        first = done + 1 if done else 0
        part = target[start : end + 1]
        part[: first - start] = MISSING
        h0 = None if start == 0 else h[start]
        total, d = total_gradient(x[start:end], part, w, h0)
        loss += total / N
        for name in grad:
            grad[name] += d[name] / N
        done = end
    return loss, grad
