# Answers to ps6-reader; each cell below stands in for the student's solution cell.
# %% right: one line and one text at a time
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed = nn.Embedding(V, D)
        self.inner = nn.LSTM(D, H, bidirectional=True)
        self.outer = nn.LSTM(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)
        self.drop, self.H = drop, H

    def forward(self, x, lines, texts):
        vectors, at = [], 0
        for n in lines.tolist():
            vector = torch.zeros(2 * self.H)
            if n:
                letters = self.embed(x[at : at + n])
                letters = nn.functional.dropout(letters, self.drop, self.training)
                vector = self.inner(letters)[1][0].flatten()
            vectors.append(vector)
            at += n
        scores, at = [], 0
        for n in texts.tolist():
            rows = torch.stack(vectors[at : at + n])
            scores.append(self.top(self.outer(rows)[1][0].flatten()))
            at += n
        return torch.stack(scores)


# %% right: padded tables, each direction by itself
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.ModuleList([nn.GRU(D, H), nn.GRU(D, H)])
        self.outer = nn.ModuleList([nn.GRU(2 * H, H), nn.GRU(2 * H, H)])
        self.top = nn.Linear(2 * H, C)

    def both(self, layers, rows, lengths):
        parts = rows.split(lengths.tolist())
        at, found = torch.arange(len(lengths)), []
        for layer, turn in zip(layers, (False, True), strict=True):
            table = nn.utils.rnn.pad_sequence([p.flip(0) if turn else p for p in parts])
            states = layer(table)[0]
            found.append(states[(lengths - 1).clamp(min=0), at])
        z = torch.cat(found, dim=1)
        return torch.where((lengths > 0)[:, None], z, torch.zeros_like(z))

    def forward(self, x, lines, texts):
        vectors = self.both(self.inner, self.embed(x), lines)
        return self.top(self.drop(self.both(self.outer, vectors, texts)))


# %% wrong: the mean of the letters of a line
# why: a line without order
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.outer = nn.GRU(D, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        letters = self.drop(self.embed(x))
        parts = letters.split(lines.tolist())
        z = torch.stack([p.mean(0) if len(p) else letters.new_zeros(p.shape[1]) for p in parts])
        packed = nn.utils.rnn.pack_sequence(z.split(texts.tolist()), enforce_sorted=False)
        h = self.outer(packed)[1]
        return self.top(torch.cat([h[0], h[1]], dim=1))


# %% wrong: the mean of the lines of a text
# why: lines in any order are the same text
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        some = lines > 0
        parts = self.drop(self.embed(x)).split(lines[some].tolist())
        h = self.inner(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))[1]
        h = torch.cat([h[0], h[1]], dim=1)
        z = h.new_zeros(len(lines), h.shape[1])
        z[some] = h
        return self.top(torch.stack([p.mean(0) for p in z.split(texts.tolist())]))


# %% wrong: everything is one sequence
# why: states run on from line to line and from text to text
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.outer = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        states = self.inner(self.drop(self.embed(x)))[0]
        ends = lines.cumsum(0)
        z = states[(ends - 1).clamp(min=0)] * (lines > 0)[:, None]
        packed = nn.utils.rnn.pack_sequence(z.split(texts.tolist()), enforce_sorted=False)
        h = self.outer(packed)[1]
        return self.top(torch.cat([h[0], h[1]], dim=1))


# %% wrong: padded, and the last state after the padding
# why: a text depends on the longest beside it
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.outer = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        parts = self.drop(self.embed(x)).split(lines.tolist())
        h = self.inner(nn.utils.rnn.pad_sequence(parts))[1]
        z = torch.cat([h[0], h[1]], dim=1) * (lines > 0)[:, None]
        h = self.outer(nn.utils.rnn.pad_sequence(z.split(texts.tolist())))[1]
        return self.top(torch.cat([h[0], h[1]], dim=1))


# %% wrong: empty lines are skipped
# why: an empty line is no step
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.outer = nn.GRU(2 * H, H, bidirectional=True)
        self.top, self.H = nn.Linear(2 * H, C), H

    def ends(self, layer, parts):
        h = layer(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))[1]
        return torch.cat([h[0], h[1]], dim=1)

    def forward(self, x, lines, texts):
        letters = self.drop(self.embed(x))
        some = lines > 0
        z = self.ends(self.inner, letters.split(lines[some].tolist()))
        left = [int(s.sum()) for s in some.split(texts.tolist())]
        parts = [p if len(p) else letters.new_zeros(1, 2 * self.H) for p in z.split(left)]
        return self.top(self.ends(self.outer, parts))


# %% wrong: dropout in use as well
# why: functional dropout is on unless it is told
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), drop
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.outer = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def ends(self, layer, rows, lengths):
        parts = rows.split(lengths.tolist())
        h = layer(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))[1]
        return nn.functional.dropout(torch.cat([h[0], h[1]], dim=1), self.drop)

    def forward(self, x, lines, texts):
        some = lines > 0
        h = self.ends(self.inner, self.embed(x), lines[some])
        z = h.new_zeros(len(lines), h.shape[1])
        z[some] = h
        return self.top(self.ends(self.outer, z, texts))


# %% wrong: the results stay in sorted order
# why: longest first for packing, and never back
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.outer = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def ends(self, layer, rows, lengths):
        parts = sorted(rows.split(lengths.tolist()), key=len, reverse=True)
        h = layer(nn.utils.rnn.pack_sequence(parts))[1]
        return torch.cat([h[0], h[1]], dim=1)

    def forward(self, x, lines, texts):
        some = lines > 0
        h = self.ends(self.inner, self.drop(self.embed(x)), lines[some])
        z = h.new_zeros(len(lines), h.shape[1])
        z[some] = h
        return self.top(self.ends(self.outer, z, texts))


# %% wrong: a vector cut off from its letters
# why: the vectors of lines are detached, so that the embedding learns nothing
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed, self.drop = nn.Embedding(V, D), nn.Dropout(drop)
        self.inner = nn.GRU(D, H, bidirectional=True)
        self.outer = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def ends(self, layer, rows, lengths):
        parts = rows.split(lengths.tolist())
        h = layer(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))[1]
        return self.drop(torch.cat([h[0], h[1]], dim=1))

    def forward(self, x, lines, texts):
        some = lines > 0
        h = self.ends(self.inner, self.embed(x), lines[some])
        z = torch.zeros(len(lines), h.shape[1])
        z[some] = h.data
        return self.top(self.ends(self.outer, z, texts))


# %% wrong: symbol 0 is padding
# why: padding_idx=0 from a tutorial: this symbol's vector never learns
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.embed = nn.Embedding(V, D, padding_idx=0)
        self.drop = nn.Dropout(drop)
        self.a = nn.GRU(D, H, bidirectional=True)
        self.b = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        parts = [p for p in self.drop(self.embed(x)).split(lines.tolist()) if len(p)]
        _, h = self.a(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))
        z = torch.zeros(len(lines), 2 * h.shape[2])
        z[lines > 0] = torch.cat([h[0], h[1]], 1)
        _, h = self.b(nn.utils.rnn.pack_sequence(z.split(texts.tolist()), enforce_sorted=False))
        return self.top(torch.cat([h[0], h[1]], 1))


# %% wrong: last output of the backward direction
# why: output[-1]: the backward direction has read one symbol, one line
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.H = H
        self.embed = nn.Embedding(V, D)
        self.drop = nn.Dropout(drop)
        self.a = nn.GRU(D, H, bidirectional=True)
        self.b = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        rows = []
        for p in self.drop(self.embed(x)).split(lines.tolist()):
            rows.append(self.a(p)[0][-1] if len(p) else torch.zeros(2 * self.H))
        z = torch.stack(rows)
        return self.top(torch.stack([self.b(p)[0][-1] for p in z.split(texts.tolist())]))


# %% wrong: a blank symbol for an empty line
# why: so that packing works; the first layer's biases make a vector of it
class Reader(nn.Module):
    def __init__(self, V, C, D=8, H=12, drop=0.0):
        super().__init__()
        self.H = H
        self.embed = nn.Embedding(V, D)
        self.drop = nn.Dropout(drop)
        self.a = nn.GRU(D, H, bidirectional=True)
        self.b = nn.GRU(2 * H, H, bidirectional=True)
        self.top = nn.Linear(2 * H, C)

    def forward(self, x, lines, texts):
        parts = self.drop(self.embed(x)).split(lines.tolist())
        parts = [p if len(p) else torch.zeros(1, p.shape[1]) for p in parts]
        _, h = self.a(nn.utils.rnn.pack_sequence(parts, enforce_sorted=False))
        z = torch.cat([h[0], h[1]], 1)
        _, h = self.b(nn.utils.rnn.pack_sequence(z.split(texts.tolist()), enforce_sorted=False))
        return self.top(torch.cat([h[0], h[1]], 1))
