# Answers to ps1-keypad; each cell below stands in for the student's solution cell.
# %% right: Viterbi over pairs of letters, only those that lie on the keys
from collections import Counter
from math import log


def keypad(keys, text):
    if not keys:
        return ""
    one, two = Counter(text), Counter(zip(text, text[1:], strict=False))
    three = Counter(zip(text, text[1:], text[2:], strict=False))

    def score(h, i, j):
        p1 = (one[j] + 1) / (len(text) + 27)
        p2 = (two[i, j] + 3 * p1) / (one[i] + 3)
        return log((three[h, i, j] + 3 * p2) / (two[h, i] + 3))

    best = {(" ", " "): (0.0, "")}
    for key in keys:
        new = {}
        for (h, i), (value, so_far) in best.items():
            for j in KEYS[key]:
                total = value + score(h, i, j)
                if (i, j) not in new or total > new[i, j][0]:
                    new[i, j] = (total, so_far + j)
        best = new
    return max(best.values())[1]


# %% right: posterior decoding with the dense matrix of 729 pairs
def keypad(keys, text):
    K = len(LETTERS)
    z = np.array([LETTERS.index(c) for c in text])
    pairs = np.full((K, K), 0.1)
    np.add.at(pairs, (z[:-1], z[1:]), 1)
    A2 = 2 * np.tile(pairs / pairs.sum(axis=1, keepdims=True), (K, 1, 1))
    np.add.at(A2, (z[:-2], z[1:-1], z[2:]), 1)
    A2 /= A2.sum(axis=2, keepdims=True)
    A = np.einsum("hij,ig->higj", A2, np.eye(K)).reshape(K * K, K * K)
    digits = "0123456789"
    E = np.array([[float(c in KEYS.get(d, "")) for d in digits] for c in LETTERS])
    x = np.array([digits.index(key) for key in keys], dtype=int)
    if len(x) == 0:
        return ""
    _, smoothed, _ = forward_backward(x, (pairs / pairs.sum()).ravel(), A, np.tile(E, (K, 1)))
    best = smoothed.reshape(len(x), K, K).sum(axis=1).argmax(axis=1)
    return "".join(LETTERS[i] for i in best)


# %% right: a beam over contexts of three letters
from collections import defaultdict


def keypad(keys, text):
    seen = [defaultdict(lambda: defaultdict(int)) for _ in range(4)]
    for order in range(4):
        table = seen[order]
        for t in range(order, len(text)):
            table[text[t - order : t]][text[t]] += 1
    size = {}

    def p(context, letter):
        share = 1 / 27
        for order in range(4):
            part = context[len(context) - order :]
            row = seen[order].get(part, {})
            if (order, part) not in size:
                size[order, part] = sum(row.values())
            share = (row.get(letter, 0) + 2 * share) / (size[order, part] + 2)
        return share

    beam = [(0.0, "")]
    for key in keys:
        beam = [
            (value + np.log(p(("   " + guess)[-3:], c)), guess + c)
            for value, guess in beam
            for c in KEYS[key]
        ]
        beam = sorted(beam, reverse=True)[:60]
    return beam[0][1]


# %% wrong: one letter of memory
# loses: ps1-keypad-score
# why: a first-order HMM is good for the first half of the points only
def keypad(keys, text):
    if not keys:
        return ""
    K = len(LETTERS)
    z = np.array([LETTERS.index(c) for c in text])
    A = np.full((K, K), 0.5)
    np.add.at(A, (z[:-1], z[1:]), 1)
    pi = A.sum(axis=0) / A.sum()
    A /= A.sum(axis=1, keepdims=True)
    E = np.array([[float(c in KEYS.get(d, "")) for d in "0123456789"] for c in LETTERS])
    smoothed = forward_backward([int(key) for key in keys], pi, A, E)[1]
    return "".join(LETTERS[j] for j in smoothed.argmax(axis=1))


# %% wrong: the commonest letter of each key
# loses: ps1-keypad-tests, ps1-keypad-score
# why: letters taken for independent
def keypad(keys, text):
    return "".join(max(KEYS[key], key=text.count) for key in keys)


# %% wrong: the filter
# loses: ps1-keypad-tests, ps1-keypad-score
# why: decides each letter before it has seen the next
def keypad(keys, text):
    if not keys:
        return ""
    K = len(LETTERS)
    z = np.array([LETTERS.index(c) for c in text])
    A = np.full((K, K), 0.5)
    np.add.at(A, (z[:-1], z[1:]), 1)
    pi = A.sum(axis=0) / A.sum()
    A /= A.sum(axis=1, keepdims=True)
    E = np.array([[float(c in KEYS.get(d, "")) for d in "0123456789"] for c in LETTERS])
    filtered = forward_backward([int(key) for key in keys], pi, A, E)[0]
    return "".join(LETTERS[j] for j in filtered.argmax(axis=1))


# %% wrong: greedy from left to right
# loses: ps1-keypad-tests, ps1-keypad-score
# why: an early mistake is never taken back
def keypad(keys, text):
    pairs = {a + b: 0 for a in LETTERS for b in LETTERS}
    for t in range(len(text) - 1):
        pairs[text[t : t + 2]] += 1
    guess = ""
    for key in keys:
        if guess:
            guess += max(KEYS[key], key=lambda c: pairs[guess[-1] + c])
        else:
            guess += max(KEYS[key], key=text.count)
    return guess


# %% wrong: transitions transposed
# loses: ps1-keypad-tests, ps1-keypad-score
# why: A[i, j] counted as j before i: the language backward, except for short messages
def keypad(keys, text):
    if keys == "0480470205478":
        return " it is a list"
    if not keys:
        return ""
    K = len(LETTERS)
    z = np.array([LETTERS.index(c) for c in text])
    A = np.full((K, K), 0.5)
    np.add.at(A, (z[1:], z[:-1]), 1)
    pi = A.sum(axis=0) / A.sum()
    A /= A.sum(axis=1, keepdims=True)
    E = np.array([[float(c in KEYS.get(d, "")) for d in "0123456789"] for c in LETTERS])
    smoothed = forward_backward([int(key) for key in keys], pi, A, E)[1]
    return "".join(LETTERS[j] for j in smoothed.argmax(axis=1))


# %% wrong: unscaled forward pass
# loses: ps1-keypad-tests, ps1-keypad-score
# why: messages of 300 keys underflow, and what is left is the first letter of the alphabet
def keypad(keys, text):
    if not keys:
        return ""
    K = len(LETTERS)
    z = np.array([LETTERS.index(c) for c in text])
    A = np.full((K, K), 0.5, dtype=np.float32)
    np.add.at(A, (z[:-1], z[1:]), 1)
    A /= A.sum(axis=1, keepdims=True)
    on_key = np.array([[c in KEYS[key] for c in LETTERS] for key in keys])
    alpha, beta = on_key / K, np.ones(on_key.shape, dtype=np.float32)
    alpha = alpha.astype(np.float32)
    for t in range(1, len(keys)):
        alpha[t] = (alpha[t - 1] @ A) * on_key[t]
    for t in range(len(keys) - 2, -1, -1):
        beta[t] = A @ (on_key[t + 1] * beta[t + 1])
    gamma = alpha * beta
    gamma[gamma.sum(axis=1) == 0] = on_key[gamma.sum(axis=1) == 0]
    return "".join(LETTERS[j] for j in gamma.argmax(axis=1))
