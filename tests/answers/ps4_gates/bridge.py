# Answers to ps4-bridge; each cell below stands in for the student's solution cell.
# %% right: reshape, move the batch forward, reshape
def bridge(h_n, layers):
    L, (N, B, H) = layers, h_n.shape
    return h_n.reshape(L, N // L, B, H).transpose(0, 2, 1, 3).reshape(L, B, -1)


# %% right: every second one
def bridge(h_n, layers):
    if len(h_n) == layers:
        return np.array(h_n)
    return np.concatenate([h_n[0::2], h_n[1::2]], axis=-1)


# %% right: a loop, tensors
def bridge(h_n, layers):
    h_n = torch.as_tensor(h_n)
    per = len(h_n) // layers
    rows = [torch.cat(list(h_n[k * per : (k + 1) * per]), dim=1) for k in range(layers)]
    return torch.stack(rows)


# %% wrong: view
# why: the popular bug: the states of other sequences
def bridge(h_n, layers):
    return h_n.reshape(layers, h_n.shape[1], -1)


# %% wrong: first half forward, second half backward
# why: directions taken for the outer axis
def bridge(h_n, layers):
    if len(h_n) == layers:
        return h_n
    return np.concatenate([h_n[:layers], h_n[layers:]], axis=2)


# %% wrong: always two directions
# why: one direction is not thought of
def bridge(h_n, layers):
    return np.concatenate([h_n[0::2], h_n[1::2]], axis=2)


# %% wrong: the last layer for all
# why: h_n[-2], h_n[-1] as in so many classifiers
def bridge(h_n, layers):
    if len(h_n) == layers:
        return h_n
    last = np.concatenate([h_n[-2], h_n[-1]], axis=1)
    return np.stack([last] * layers)


# %% wrong: transposed on the wrong axis
# why: batch first, then everything in a row
def bridge(h_n, layers):
    B = h_n.shape[1]
    return h_n.transpose(1, 0, 2).reshape(layers, B, -1)
