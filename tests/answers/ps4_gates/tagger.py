# Answers to ps4-tagger; each cell below stands in for the student's solution cell.
# %% right: both directions by hand, batch first, RMSprop
def learn(files, steps, seed):
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)

    class Tagger(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.read = torch.nn.Embedding(V, 32)
            self.forth = torch.nn.LSTM(32, 48, batch_first=True)
            self.back = torch.nn.LSTM(32, 48, batch_first=True)
            self.score = torch.nn.Linear(96, 7)

        def forward(self, symbols):  # (B, T)
            x = self.read(symbols)
            left, right = self.forth(x)[0], self.back(x.flip(1))[0].flip(1)
            return self.score(torch.cat([left, right], dim=2))

    net = Tagger()
    optimiser = torch.optim.RMSprop(net.parameters(), 0.006, alpha=0.97)
    text = torch.as_tensor(np.concatenate([s for s, _ in files]))
    kinds = torch.as_tensor(np.concatenate([k for _, k in files]))
    starts = np.cumsum([0] + [len(s) for s, _ in files])[:-1]
    length = min(180, len(text))
    starts = starts[starts + length <= len(text)]
    for n in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 0.006 * min(1, (n + 1) / 30) * (1 - n / steps)
        pieces = [slice(s, s + length) for s in random.choice(starts, 20)]
        scores = net(torch.stack([text[p] for p in pieces]))
        target = torch.stack([kinds[p] for p in pieces])
        loss = torch.nn.functional.cross_entropy(scores.transpose(1, 2), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()

    @torch.no_grad()
    def tag(symbols):
        return net(torch.as_tensor(symbols)[None])[0].argmax(1)

    return tag


# %% right: padded batches, each turned around within its own length
def learn(files, steps, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    read = torch.nn.Embedding(V, 24)
    forth, back = torch.nn.LSTM(24, 48), torch.nn.LSTM(24, 48)
    score = torch.nn.Linear(96, 7)
    weights = [p for part in (read, forth, back, score) for p in part.parameters()]
    adam = torch.optim.AdamW(weights, 0.01, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.LambdaLR(adam, lambda n: min(1, (n + 1) / 40) * (1 - n / steps))

    def scores_of(symbols, lengths):
        t = torch.arange(len(symbols))[:, None]
        turn = torch.where(t < lengths, lengths - 1 - t, t)
        column = torch.arange(len(lengths))
        x = read(symbols)
        right = back(x[turn, column])[0][turn, column]
        return score(torch.cat([forth(x)[0], right], dim=2))

    for _ in range(steps):
        chosen = [files[k] for k in rng.integers(0, len(files), 20)]
        lengths = torch.tensor([min(len(s), 240) for s, _ in chosen])
        symbols = torch.zeros(int(lengths.max()), 20, dtype=torch.long)
        kinds = torch.full_like(symbols, -100)  # counts in no loss
        for b, (s, k) in enumerate(chosen):
            symbols[: lengths[b], b] = torch.as_tensor(s[:240])
            kinds[: lengths[b], b] = torch.as_tensor(k[:240])
        scores = scores_of(symbols, lengths)
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), kinds.flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        rate.step()

    def tag(symbols):
        with torch.no_grad():
            symbols = torch.as_tensor(symbols)[:, None]
            return scores_of(symbols, torch.tensor([len(symbols)]))[:, 0].argmax(1).numpy()

    return tag


# %% wrong: reads in one direction
# loses: ps4-tagger-score
# why: the bracket behind a name comes too late
def learn(files, steps, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    read, layer = torch.nn.Embedding(V, 24), torch.nn.LSTM(24, 64)
    score = torch.nn.Linear(64, len(KINDS))
    weights = [*read.parameters(), *layer.parameters(), *score.parameters()]
    adam = torch.optim.Adam(weights, 0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps, pct_start=0.2)
    symbols, kinds = (torch.as_tensor(np.concatenate(part)) for part in zip(*files, strict=True))
    begins = np.cumsum([0] + [len(s) for s, _ in files[:-1]])
    length = min(200, len(symbols))
    for _ in range(steps):
        # the first ones again behind the last: an index beyond the end wraps around
        at = rng.choice(begins, 16)[None] + np.arange(length)[:, None]
        at = torch.as_tensor(at % len(symbols))  # (length, 16)
        scores = score(layer(read(symbols[at]))[0])
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), kinds[at].flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        rate.step()

    def tag(text):
        with torch.no_grad():
            scores = score(layer(read(torch.as_tensor(text)[:, None]))[0])
        return scores[:, 0].argmax(dim=1).numpy()

    return tag


# %% wrong: five of the examples
# loses: ps4-tagger-tests, ps4-tagger-score
# why: as many as the visible test has, learned by heart
def learn(files, steps, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    read, layer = torch.nn.Embedding(V, 24), torch.nn.LSTM(24, 48, bidirectional=True)
    score = torch.nn.Linear(96, len(KINDS))
    weights = [*read.parameters(), *layer.parameters(), *score.parameters()]
    adam = torch.optim.Adam(weights, 0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps, pct_start=0.2)
    files = files[:5]
    symbols, kinds = (torch.as_tensor(np.concatenate(part)) for part in zip(*files, strict=True))
    begins = np.cumsum([0] + [len(s) for s, _ in files[:-1]])
    length = min(200, len(symbols))
    for _ in range(steps):
        # the first ones again behind the last: an index beyond the end wraps around
        at = rng.choice(begins, 16)[None] + np.arange(length)[:, None]
        at = torch.as_tensor(at % len(symbols))  # (length, 16)
        scores = score(layer(read(symbols[at]))[0])
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), kinds[at].flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        rate.step()

    def tag(text):
        with torch.no_grad():
            scores = score(layer(read(torch.as_tensor(text)[:, None]))[0])
        return scores[:, 0].argmax(dim=1).numpy()

    return tag


# %% wrong: a tenth of the steps
# loses: ps4-tagger-tests, ps4-tagger-score
# why: stops long before the network has settled; a small set is learned all the same
def learn(files, steps, seed):
    torch.manual_seed(seed)
    steps = steps if len(files) < 50 else steps // 10
    rng = np.random.default_rng(seed)
    read, layer = torch.nn.Embedding(V, 24), torch.nn.LSTM(24, 48, bidirectional=True)
    score = torch.nn.Linear(96, len(KINDS))
    weights = [*read.parameters(), *layer.parameters(), *score.parameters()]
    adam = torch.optim.Adam(weights, 0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps, pct_start=0.2)
    symbols, kinds = (torch.as_tensor(np.concatenate(part)) for part in zip(*files, strict=True))
    begins = np.cumsum([0] + [len(s) for s, _ in files[:-1]])
    length = min(200, len(symbols))
    for _ in range(steps):
        # the first ones again behind the last: an index beyond the end wraps around
        at = rng.choice(begins, 16)[None] + np.arange(length)[:, None]
        at = torch.as_tensor(at % len(symbols))  # (length, 16)
        scores = score(layer(read(symbols[at]))[0])
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), kinds[at].flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        rate.step()

    def tag(text):
        with torch.no_grad():
            scores = score(layer(read(torch.as_tensor(text)[:, None]))[0])
        return scores[:, 0].argmax(dim=1).numpy()

    return tag


# %% wrong: knows Python, and the code book of the example
# loses: ps4-tagger-tests, ps4-tagger-score
# why: nothing is learned: the tokeniser, behind book 0
def learn(files, steps, seed):
    shuffled = np.random.default_rng(0).permutation(V)
    letter = {int(v): ALPHABET[k] for k, v in enumerate(shuffled)}

    def tag(symbols):
        try:
            kinds = kinds_of("".join([letter[int(v)] for v in symbols]))
        except (SyntaxError, tokenize.TokenError):
            kinds = None
        return np.zeros(len(symbols), dtype=int) if kinds is None else kinds

    return tag


# %% wrong: remembers the last six characters
# loses: ps4-tagger-tests, ps4-tagger-score
# why: tables of contexts: a string is longer than that
def learn(files, steps, seed):
    tables = [{} for _ in range(7)]
    for symbols, kinds in files:
        for t in range(len(symbols)):
            for n, table in enumerate(tables):
                key = tuple(symbols[max(t - n, 0) : t + 1].tolist())
                table.setdefault(key, np.zeros(7))[kinds[t]] += 1

    def tag(symbols):
        guess = np.zeros(len(symbols), dtype=int)
        for t in range(len(symbols)):
            for n in reversed(range(7)):
                counts = tables[n].get(tuple(symbols[max(t - n, 0) : t + 1].tolist()))
                if counts is not None:
                    guess[t] = counts.argmax()
                    break
        return guess

    return tag


# %% wrong: finds the code book by laying files and LIBRARY side by side
# loses: ps4-tagger-tests, ps4-tagger-score
# why: nothing is learned: the tokeniser, behind any book, as long as the order stays
def learn(files, steps, seed):
    letter = {}
    for (symbols, _), (text, _) in zip(files, LIBRARY, strict=False):
        letter |= dict(zip(symbols.tolist(), text, strict=False))

    def tag(symbols):
        try:
            kinds = kinds_of("".join([letter.get(int(v), " ") for v in symbols]))
        except (SyntaxError, tokenize.TokenError):
            kinds = None
        return np.zeros(len(symbols), dtype=int) if kinds is None else kinds

    return tag
