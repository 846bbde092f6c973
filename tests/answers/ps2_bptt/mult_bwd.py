# Answers to ps2-mult-bwd; each cell below stands in for the student's solution cell.
# %% right: one pass over time
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% right: through the matrix that the input chooses
def mult_backward(x, w, h, dh):
    T, B, D = x.shape
    d = {name: np.zeros(np.shape(value)) for name, value in {**w, "x": x}.items()}
    for b in range(B):
        g = np.array(dh[T, b])
        for t in range(T - 1, -1, -1):
            chosen = w["W_hm"] * (x[t, b] @ w["W_xm"]) @ w["W_mh"]  # (H, H)
            a_bar = g * (1 - h[t + 1, b] ** 2)
            d_chosen = np.outer(h[t, b], a_bar)
            # chosen[i, j] = sum over m of W_hm[i, m] s[m] W_mh[m, j]
            s = x[t, b] @ w["W_xm"]
            d["W_hm"] += d_chosen @ w["W_mh"].T * s
            d["W_mh"] += s[:, None] * (w["W_hm"].T @ d_chosen)
            ds = np.einsum("ij,im,mj->m", d_chosen, w["W_hm"], w["W_mh"])
            d["W_xm"] += np.outer(x[t, b], ds)
            d["W_xh"] += np.outer(x[t, b], a_bar)
            d["b_h"] += a_bar
            d["x"][t, b] = w["W_xm"] @ ds + w["W_xh"] @ a_bar
            g = dh[t, b] + chosen @ a_bar
        d["h0"] += g
    return d


# %% right: einsum, batch first inside
def mult_backward(x, w, h, dh):
    x, h, g = (np.moveaxis(np.array(z), 1, 0) for z in (x, h, dh))  # (B, T, .)
    p, q = x @ w["W_xm"], h[:, :-1] @ w["W_hm"]
    slope = 1 - h[:, 1:] ** 2
    for t in range(x.shape[1], 0, -1):
        back = np.einsum("bh,mh->bm", g[:, t] * slope[:, t - 1], w["W_mh"]) * p[:, t - 1]
        g[:, t - 1] += np.einsum("bm,hm->bh", back, w["W_hm"])
    a = g[:, 1:] * slope
    m = np.einsum("bth,mh->btm", a, w["W_mh"])
    return {
        "W_xm": np.einsum("btd,btm->dm", x, m * q),
        "W_hm": np.einsum("bth,btm->hm", h[:, :-1], m * p),
        "W_mh": np.einsum("btm,bth->mh", p * q, a),
        "W_xh": np.einsum("btd,bth->dh", x, a),
        "b_h": np.einsum("bth->h", a),
        "h0": np.einsum("bh->h", g[:, 0]),
        "x": np.moveaxis(m * q @ w["W_xm"].T + a @ w["W_xh"].T, 0, 1),
    }


# %% wrong: the multiplicative path only
# why: dx forgets W_xh; in the worked example W_xh is 0
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: no recursion
# why: each step for itself: what comes back from the next is dropped
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = dh[t + 1] * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: the recursion replaces the direct part
# why: dh of earlier states is overwritten
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (carry if carry.any() else dh[t + 1]) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: each factor gets itself
# why: dp times p, dq times q; right where both are 1
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * p, dm * q
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: the factors exchanged on the way back
# why: carry takes dp in place of dq, where M and H allow
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dp @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: W_hm untransposed by its shape
# why: reshape in place of a transpose
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].reshape(w["W_hm"].shape[::-1])
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: W_mh untransposed by its shape
# why: reshape makes the shapes fit, the numbers wrong
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].reshape(w["W_mh"].shape[::-1])
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: gradients overwritten
# why: = in place of +=: only the first step is left
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] = h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d


# %% wrong: direct derivative of h0 dropped
# why: dh[0] never added
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = carry.sum(axis=0)
    return d


# %% wrong: mean for h0
# why: one h0 for all sequences: sum
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).mean(axis=0)
    return d


# %% wrong: adds to the caller's dh
# why: dh[t] += changes the argument
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = dh[t + 1] * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += (p * q).T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        dh[t] += dq @ w["W_hm"].T
    d["h0"] = dh[0].sum(axis=0)
    return d


# %% wrong: W_mh meets one factor alone
# why: q.T @ da, without the input's factor
def mult_backward(x, w, h, dh):
    d = {name: np.zeros_like(value) for name, value in w.items()}
    d["x"] = np.zeros_like(x)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        p, q = x[t] @ w["W_xm"], h[t] @ w["W_hm"]
        da = (dh[t + 1] + carry) * (1 - h[t + 1] ** 2)
        dm = da @ w["W_mh"].T
        dp, dq = dm * q, dm * p
        d["W_xm"] += x[t].T @ dp
        d["W_hm"] += h[t].T @ dq
        d["W_mh"] += q.T @ da
        d["W_xh"] += x[t].T @ da
        d["b_h"] += da.sum(axis=0)
        d["x"][t] = dp @ w["W_xm"].T + da @ w["W_xh"].T
        carry = dq @ w["W_hm"].T
    d["h0"] = (carry + dh[0]).sum(axis=0)
    return d
