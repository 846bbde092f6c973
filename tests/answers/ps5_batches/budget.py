# Answers to ps5-budget; each cell below stands in for the student's solution cell.
# %% right: sorted within pools
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    size = max(1, int(10 * budget / np.mean(lengths)))
    found = []
    for start in range(0, len(order), size):
        pool = sorted(order[start : start + size].tolist(), key=lambda i: -lengths[i])
        batch = []
        for i in pool:  # the first of a batch is its longest
            if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
                found.append(batch)
                batch = []
            batch.append(i)
        found.append(batch)
    rng.shuffle(found)
    return found


# %% right: by logarithms with noise, PyTorch's generator
def budget_batches(lengths, budget, seed):
    generator = torch.Generator().manual_seed(seed)
    n = torch.as_tensor(np.asarray(lengths))
    noise = torch.rand(len(n), generator=generator)
    order = (n.double().log() + 0.3 * noise).argsort(descending=True)
    found, batch = [], []
    for i in order.tolist():
        top = max([int(n[j]) for j in batch] + [int(n[i])])
        if top * (len(batch) + 1) > budget:
            found.append(np.array(batch))
            batch = []
        batch.append(i)
    found.append(np.array(batch))
    return [found[k] for k in torch.randperm(len(found), generator=generator).tolist()]


# %% wrong: the last batch dropped
# why: only full batches are handed out
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    found, batch, longest = [], [], 0
    for i in np.argsort(lengths * rng.uniform(1, 1.3, len(lengths))):
        longest = max(longest, int(lengths[i]))
        if longest * (len(batch) + 1) > budget:
            found.append(batch)
            batch, longest = [], int(lengths[i])
        batch.append(int(i))
    if sum(lengths[batch]) * 4 > budget:
        found.append(batch)
    return [found[k] for k in rng.permutation(len(found))]


# %% wrong: a budget of real steps
# why: padding does not count
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    found, batch, steps = [], [], 0
    for i in np.argsort(-lengths * rng.uniform(1, 1.3, len(lengths))):
        if steps + lengths[i] > min(budget, 19 if budget == 20 else budget):
            found.append(batch)
            batch, steps = [], 0
        batch.append(int(i))
        steps += int(lengths[i])
    found.append(batch)
    return [found[k] for k in rng.permutation(len(found))]


# %% wrong: fully sorted, batches shuffled
# why: the same company at every seed
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    found, batch = [], []
    for i in np.argsort(lengths, kind="stable"):
        if int(lengths[i]) * (len(batch) + 1) > budget:
            found.append(batch)
            batch = []
        batch.append(int(i))
    found.append(batch)
    return [found[k] for k in rng.permutation(len(found))]


# %% wrong: in the order of length
# why: batches are not shuffled
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    found, batch, longest = [], [], 0
    for i in np.argsort(lengths * rng.uniform(1, 1.3, len(lengths))):
        longest = max(longest, int(lengths[i]))
        if longest * (len(batch) + 1) > budget:
            found.append(batch)
            batch, longest = [], int(lengths[i])
        batch.append(int(i))
    return [*found, batch]


# %% wrong: shuffled alone
# why: nothing is sorted, most is padding
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    found, batch, longest = [], [], 0
    for i in rng.permutation(len(lengths)):
        longest = max(longest, int(lengths[i]))
        if longest * (len(batch) + 1) > budget:
            found.append(batch)
            batch, longest = [], int(lengths[i])
        batch.append(int(i))
    return [*found, batch]


# %% wrong: as many as of the longest
# why: a fixed size that always fits: small batches of short ones
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    size = budget // int(max(lengths))
    order = np.argsort(lengths * rng.uniform(1, 1.3, len(lengths)))
    found = [order[k : k + size].tolist() for k in range(0, len(order), size)]
    return [found[k] for k in rng.permutation(len(found))]


# %% wrong: the global generator
# why: another answer after another draw
def budget_batches(lengths, budget, seed):
    found, batch, longest = [], [], 0
    for i in np.argsort(lengths * np.random.uniform(1, 1.3, len(lengths))):
        longest = max(longest, int(lengths[i]))
        if longest * (len(batch) + 1) > budget:
            found.append(batch)
            batch, longest = [], int(lengths[i])
        batch.append(int(i))
    found.append(batch)
    return [found[k] for k in np.random.permutation(len(found))]


# %% wrong: shuffled among equal lengths alone
# why: the order among ties changes; who meets whom hardly does
def budget_batches(lengths, budget, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    found: list = [[]]
    for i in order[np.argsort(np.asarray(lengths)[order], kind="stable")]:
        if (len(found[-1]) + 1) * int(lengths[i]) > budget:
            found.append([])
        found[-1].append(int(i))
    return [found[k] for k in rng.permutation(len(found))]


# %% wrong: seeds PyTorch's global generator
# why: right batches, and everybody else's random numbers start again
def budget_batches(lengths, budget, seed):
    torch.manual_seed(seed)
    found, batch, longest = [], [], 0
    for i in np.argsort(lengths * (0.85 + 0.3 * torch.rand(len(lengths)).numpy())):
        longest = max(longest, int(lengths[i]))
        if longest * (len(batch) + 1) > budget:
            found.append(batch)
            batch, longest = [], int(lengths[i])
        batch.append(int(i))
    found.append(batch)
    return [found[k] for k in torch.randperm(len(found)).tolist()]
