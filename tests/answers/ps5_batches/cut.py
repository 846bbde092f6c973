# Answers to ps5-cut; each cell below stands in for the student's solution cell.
# %% right: a table from the end, NumPy scores
def cut(text, log_p, unknown):
    n = len(text)
    rest, size = np.full(n + 1, -np.inf), np.zeros(n + 1, dtype=int)
    rest[n] = 0.0
    for i in reversed(range(n)):
        for k in range(1, min(20, n - i) + 1):
            piece = text[i : i + k]
            p = log_p.get(piece)
            if p is None:
                if k > 1:
                    continue
                p = unknown
            if p + rest[i + k] > rest[i]:
                rest[i], size[i] = p + rest[i + k], k
    pieces, i = [], 0
    while i < n:
        pieces.append(text[i : i + size[i]])
        i += size[i]
    return pieces


# %% right: shortest path, by a heap
def cut(text, log_p, unknown):
    import heapq

    queue, done = [(0.0, 0, -1)], {}
    while queue:
        cost, i, before = heapq.heappop(queue)
        if i in done:
            continue
        done[i] = before
        if i == len(text):
            break
        for j in range(i + 1, min(i + 20, len(text)) + 1):
            piece = text[i:j]
            if piece in log_p or j == i + 1:
                step = log_p.get(piece, unknown)
                heapq.heappush(queue, (cost - step, j, i))
    ends, i = [], len(text)
    while i >= 0:
        ends.append(i)
        i = done[i]
    ends = ends[::-1]
    return [text[a:b] for a, b in zip(ends, ends[1:], strict=False)]


# %% right: every table entry looked for at each place
def cut(text, log_p, unknown):
    best = {0: (0.0, None)}
    for i in range(len(text)):
        steps = {piece: p for piece, p in log_p.items() if text.startswith(piece, i)}
        steps.setdefault(text[i], unknown)
        for piece, p in steps.items():
            end = i + len(piece)
            if end not in best or best[i][0] + p > best[end][0]:
                best[end] = (best[i][0] + p, piece)
    found, i = [], len(text)
    while i:
        found.insert(0, best[i][1])
        i -= len(best[i][1])
    return found


# %% wrong: the longest piece first
# why: greedy, as word pieces are often cut
def cut(text, log_p, unknown):
    pieces = []
    while text:
        for k in range(min(20, len(text)), 0, -1):
            if text[:k] in log_p or k == 1:
                pieces.append(text[:k])
                text = text[k:]
                break
    return pieces


# %% wrong: the fewest pieces
# why: shortest in number, not most probable
def cut(text, log_p, unknown):
    best = [(0, [])]
    for i in range(1, len(text) + 1):
        options = []
        for j in range(max(0, i - 20), i):
            if text[j:i] in log_p or i - j == 1:
                options.append((best[j][0] + 1, [*best[j][1], text[j:i]]))
        best.append(min(options))
    return best[-1][1]


# %% wrong: the most probable piece first
# why: greedy by probability
def cut(text, log_p, unknown):
    pieces = []
    while text:
        options = [(log_p[text[:k]], text[:k]) for k in range(1, 21) if text[:k] in log_p]
        piece = max(options)[1] if options else text[0]
        pieces.append(piece)
        text = text[len(piece) :]
    return pieces


# %% wrong: the highest mean
# why: sums divided by the number of pieces
def cut(text, log_p, unknown):
    best = [(0.0, 0, [])]
    for i in range(1, len(text) + 1):
        options = []
        for j in range(max(0, i - 20), i):
            piece = text[j:i]
            if piece in log_p or i - j == 1:
                total, k, pieces = best[j]
                options.append((total + log_p.get(piece, unknown), k + 1, [*pieces, piece]))
        best.append(max(options, key=lambda o: o[0] / o[1]))
    return best[-1][2]


# %% wrong: unknown wherever it is better
# why: takes unknown for rare known characters, too
def cut(text, log_p, unknown):
    best, back = [0.0], [0]
    for i in range(1, len(text) + 1):
        options = []
        for j in range(max(0, i - 20), i):
            p = log_p.get(text[j:i], -math.inf)
            if i - j == 1:
                p = max(p, unknown)
            options.append((best[j] + p, j))
        best.append(max(options)[0])
        back.append(max(options)[1])
    pieces, i = [], len(text)
    while i:
        pieces.append(text[back[i] : i])
        i = back[i]
    return pieces[::-1]


# %% wrong: loses what it does not know
# why: unknown characters, but for one sign, are left out
def cut(text, log_p, unknown):
    text = "".join(c for c in text if c == "-" or any(c in p for p in log_p))
    best, back = [0.0], [0]
    for i in range(1, len(text) + 1):
        options = []
        for j in range(max(0, i - 20), i):
            if text[j:i] in log_p or i - j == 1:
                options.append((best[j] + log_p.get(text[j:i], unknown), j))
        best.append(max(options)[0])
        back.append(max(options)[1])
    pieces, i = [], len(text)
    while i:
        pieces.append(text[back[i] : i])
        i = back[i]
    return pieces[::-1]


# %% wrong: pieces of at most eight characters
# why: right until a table has longer ones
def cut(text, log_p, unknown):
    best, back = [0.0], [0]
    for i in range(1, len(text) + 1):
        options = []
        for j in range(max(0, i - 8), i):
            if text[j:i] in log_p or i - j == 1:
                options.append((best[j] + log_p.get(text[j:i], unknown), j))
        best.append(max(options)[0])
        back.append(max(options)[1])
    pieces, i = [], len(text)
    while i:
        pieces.append(text[back[i] : i])
        i = back[i]
    return pieces[::-1]


# %% wrong: a logarithm of 0 is taken for none
# why: `get(...) or` of a value that may be 0
def cut(text, log_p, unknown):
    best, last = [0.0], [0]
    for i in range(1, len(text) + 1):
        found = []
        for j in range(max(0, i - 20), i):
            value = log_p.get(text[j:i]) or (unknown if j == i - 1 else -math.inf)
            found.append((best[j] + value, j))
        best.append(max(found)[0])
        last.append(max(found)[1])
    pieces, i = [], len(text)
    while i:
        pieces.append(text[last[i] : i])
        i = last[i]
    return pieces[::-1]


# %% wrong: unknown neighbours are joined
# why: like an unknown word of a word tokeniser
def cut(text, log_p, unknown):
    best, last = [0.0], [0]
    for i in range(1, len(text) + 1):
        found = []
        for j in range(max(0, i - 20), i):
            value = log_p.get(text[j:i], unknown if j == i - 1 else -math.inf)
            found.append((best[j] + value, j))
        best.append(max(found)[0])
        last.append(max(found)[1])
    pieces, i = [], len(text)
    while i:
        piece = text[last[i] : i]
        if pieces and piece not in log_p and pieces[-1] not in log_p:
            pieces[-1] = piece + pieces[-1]
        else:
            pieces.append(piece)
        i = last[i]
    return pieces[::-1]
