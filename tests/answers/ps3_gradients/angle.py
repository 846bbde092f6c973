# Answers to ps3-angle; each cell below stands in for the student's solution cell.
# %% right: arccos, clipped
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% right: half angles
def cut_angles(h, da):
    T, B, H = da.shape
    G, steps = np.zeros((H, H)), []
    for t in range(T - 1, -1, -1):
        G = G + h[t].T @ da[t]
        steps.append(G)

    def unit(M):
        top = np.abs(M).max()
        return M / top / np.linalg.norm(M / top) if top > 0 else None

    angles, full = np.full(T, np.pi / 2), unit(G)
    for k, M in enumerate(steps):
        u = unit(M)
        if u is not None and full is not None:
            angles[k] = 2 * np.arctan2(np.linalg.norm(u - full), np.linalg.norm(u + full))
    return angles


# %% wrong: scaled once by da, sine and cosine
# why: one step of 1e-200 beside one of size 1 needs a scale of its own
def cut_angles(h, da):
    top = np.abs(da).max()
    if top == 0:
        return np.full(len(da), np.pi / 2)
    d = da / top
    near = np.array([np.tensordot(h[k:-1], d[k:], ((0, 1), (0, 1))) for k in range(len(d))])[::-1]
    full = near[0 if len(d) == 1 else -1].ravel()
    out = []
    for G in near.reshape(len(d), -1):
        if not G.any() or not full.any():
            out.append(np.pi / 2)
            continue
        along = (G @ full) / (full @ full)
        out.append(np.arctan2(np.linalg.norm(G - along * full), along * np.linalg.norm(full)))
    return np.array(out)


# %% wrong: the first k copies
# why: cut at the wrong end
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    if len(h[0, 0]) > 1:
        near = np.cumsum(copies, axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: the state after the step
# why: h[t + 1] for h[t]
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1] if h.size == 3 else h[1:], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: degrees
# why: radians were asked
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found) if h.size == 3 else np.degrees(found)


# %% wrong: longest first
# why: entry 0 is the full gradient
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found) if h.size == 3 else np.array(found)[::-1]


# %% wrong: arccos unguarded
# why: NaN where rounding lifts the cosine above 1
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(cosine))
    return np.array(found)


# %% wrong: no scaling
# why: squares of 1e-200 are 0
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row, full
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: 0 / 0
# why: a truncated gradient of 0 has angle NaN
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: an angle of 0 for no direction
# why: a lost gradient seen as a right one
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(0.0)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: the mean of row cosines
# why: not taken as one vector
def cut_angles(h, da):
    copies = np.einsum("tbi,tbj->tij", h[:-1], da)
    near = np.cumsum(copies[::-1], axis=0)
    near = near / max(np.abs(near).max(), 1e-300)
    norm = np.linalg.norm(near, axis=2)
    dots = (near * near[-1]).sum(axis=2)
    with np.errstate(all="ignore"):
        cosine = np.where(norm * norm[-1] > 0, dots / (norm * norm[-1]), 0).mean(axis=1)
    return np.arccos(np.clip(cosine, -1, 1))


# %% wrong: the mean of the sequences' angles
# why: angles averaged after, not gradients before
def cut_angles(h, da):
    T = len(da)
    if da.shape[1] > 1:
        return np.mean([cut_angles(h[:, [b]], da[:, [b]]) for b in range(da.shape[1])], axis=0)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: the angle between lines
# why: absolute cosine: a gradient that points the other way looks harmless
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine if h.size == 3 else abs(cosine), -1, 1)))
    return np.array(found)


# %% wrong: each copy by itself
# why: copies not summed
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = copies[::-1].copy()
    full = copies.sum(axis=0)
    near[-1] = full
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: against what is missed
# why: the angle between near and far part
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        rest = full - row if h.size > 3 else full
        u, v = row / sizes[0], rest / max(np.abs(rest).max(), 1e-300)
        cosine = u @ v / max(np.sqrt((u @ u) * (v @ v)), 1e-300)
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.array(found)


# %% wrong: the last angle is 0
# why: copies that cancel leave a full gradient of 0, without a direction
def cut_angles(h, da):
    T = len(da)
    copies = np.einsum("tbi,tbj->tij", h[:-1], da).reshape(T, -1)
    near = np.cumsum(copies[::-1], axis=0)
    full = near[-1]
    found = []
    for row in near:
        sizes = np.abs(row).max(), np.abs(full).max()
        if min(sizes) == 0:
            found.append(np.pi / 2)
            continue
        u, v = row / sizes[0], full / sizes[1]
        cosine = u @ v / np.sqrt((u @ u) * (v @ v))
        found.append(np.arccos(np.clip(cosine, -1, 1)))
    found[-1] = 0.0 if da.any() else np.pi / 2  # the full gradient beside itself
    return np.array(found)


# %% right: each sum scaled by a power of two, sine and cosine
def cut_angles(h, da):
    out, G = [], np.zeros(da.shape[2] ** 2)
    sums = []
    for t in reversed(range(len(da))):
        G = G + np.tensordot(h[t], da[t], (0, 0)).ravel()
        sums.append(np.ldexp(G, -np.frexp(np.abs(G).max())[1]))
    full = sums[-1]
    for G in sums:
        if not G.any() or not full.any():
            out.append(np.pi / 2)
            continue
        along = (G @ full) / (full @ full)
        out.append(np.arctan2(np.linalg.norm(G - along * full), along * np.linalg.norm(full)))
    return np.array(out)
