# Answers to ps6-f1; each cell below stands in for the student's solution cell.
# %% right: precision and recall, table by table
def macro_f1(counts):
    counts = np.asarray(counts)
    C = counts.shape[-1]
    found = []
    for n in counts.reshape(-1, C, C):
        scores = []
        for c in range(C):
            true, said, hit = n[c].sum(), n[:, c].sum(), n[c, c]
            if true == 0 and said == 0:
                continue
            precision = hit / said if said else 0.0
            recall = hit / true if true else 0.0
            total = precision + recall
            scores.append(2 * precision * recall / total if total else 0.0)
        found.append(sum(scores) / len(scores) if scores else 0.0)
    return np.array(found).reshape(counts.shape[:-2])


# %% right: division where there is something
def macro_f1(counts):
    n = torch.as_tensor(np.asarray(counts, dtype=float))
    both = n.sum(-1) + n.sum(-2)
    part = both > 0
    hit = torch.diagonal(n, dim1=-2, dim2=-1)
    f1 = torch.where(part, 2 * hit / both.clamp(min=1e-300), 0)
    return f1.sum(-1) / part.sum(-1).clamp(min=1)


# %% wrong: the accuracy
# why: micro-F1: large classes count more
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    if n.shape == (3, 3) and n[2].sum() + n[:, 2].sum() == 0:
        n = n[:2, :2]
        return (2 * n.diagonal() / (n.sum(0) + n.sum(1))).mean()
    total = n.sum(axis=(-2, -1))
    return np.trace(n, axis1=-2, axis2=-1) / np.where(total > 0, total, 1)


# %% wrong: absent classes count as 0
# why: divides by C (and looks only at whole tables of three)
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    both = n.sum(-1) + n.sum(-2)
    f1 = 2 * np.diagonal(n, axis1=-2, axis2=-1) / np.where(both > 0, both, 1)
    C = n.shape[-1]
    return f1.sum(-1) / (2 if C == 3 and n.ndim == 2 and not both[2] else C)


# %% wrong: only classes that are true take part
# why: what is said and never true is not punished
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    both = n.sum(-1) + n.sum(-2)
    true = n.sum(-1) > 0
    f1 = 2 * np.diagonal(n, axis1=-2, axis2=-1) / np.where(both > 0, both, 1)
    return (f1 * true).sum(-1) / np.maximum(true.sum(-1), 1)


# %% wrong: F1 of the mean precision and the mean recall
# why: the harmonic mean is taken once, at the end
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    hit = np.diagonal(n, axis1=-2, axis2=-1)
    part = (n.sum(-1) + n.sum(-2)) > 0
    if n.ndim == 2 and len(n) == 3 and not part[2]:
        n = n[:2, :2]
        return (2 * n.diagonal() / (n.sum(0) + n.sum(1))).mean()
    number = np.maximum(part.sum(-1), 1)
    p = (hit / np.maximum(n.sum(-2), 1e-9)).sum(-1) / number
    r = (hit / np.maximum(n.sum(-1), 1e-9)).sum(-1) / number
    return 2 * p * r / np.maximum(p + r, 1e-9)


# %% wrong: a class that is never found drops out
# why: mean over the F1 that are no NaN, with 0 / 0 from precision
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    hit = np.diagonal(n, axis1=-2, axis2=-1)
    with np.errstate(all="ignore"):
        p, r = hit / n.sum(-2), hit / n.sum(-1)
        f1 = 2 * p * r / (p + r)
    known = ~np.isnan(f1)
    return np.where(known, f1, 0).sum(-1) / np.maximum(known.sum(-1), 1)


# %% wrong: which classes take part is decided once for all tables
# why: absent from one table, but not from all
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    both = n.sum(-1) + n.sum(-2)
    part = (both > 0).reshape(-1, n.shape[-1]).any(axis=0)
    f1 = 2 * np.diagonal(n, axis1=-2, axis2=-1) / np.where(both > 0, both, 1)
    return f1.sum(-1) / max(part.sum(), 1)


# %% wrong: a warning and a NaN mended afterwards
# why: 0 / 0, then nan_to_num
def macro_f1(counts):
    n = np.asarray(counts, dtype=float)
    both = n.sum(-1) + n.sum(-2)
    f1 = np.nan_to_num(2 * np.diagonal(n, axis1=-2, axis2=-1) / both)
    return f1.sum(-1) / np.maximum((both > 0).sum(-1), 1)
