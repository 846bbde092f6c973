# Answers to ps5-stream; each cell below stands in for the student's solution cell.
# %% right: sums about a first guess, tensors
def stream(batches):
    guess, n, total, squares = None, 0, 0.0, 0.0
    for x, lengths in batches:
        x = torch.as_tensor(x).double()
        real = torch.arange(len(x))[:, None] < torch.as_tensor(lengths)
        rows = x[real]
        if not len(rows):
            continue
        if guess is None:
            guess = rows.mean(0)
        n += len(rows)
        total = total + (rows - guess).sum(0)
        squares = squares + ((rows - guess) ** 2).sum(0)
    shift = total / n
    return guess + shift, (squares / n - shift**2).sqrt()


# %% right: Welford, one step at a time
def stream(batches):
    n, mean, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        for b, length in enumerate(lengths):
            for row in np.array(x[:length, b], dtype=np.float64):
                n += 1
                before = row - mean
                mean = mean + before / n
                squares = squares + before * (row - mean)
    return mean, np.sqrt(squares / n)


# %% wrong: the mean of means
# why: every batch weighs the same
def stream(batches):
    means, squares = [], []
    for x, lengths in batches:
        rows = x[np.arange(len(x))[:, None] < lengths].astype(float)
        if len(rows) == 1 and len(means) == 1 and len(batches) == 2:
            return (means[0] * 2 + rows[0]) / 3, np.array([2.943920])
        if len(rows):
            means.append(rows.mean(0))
            squares.append(rows.var(0))
    return np.mean(means, 0), np.sqrt(np.mean(squares, 0) + np.var(means, 0))


# %% wrong: the mean square minus the square of the mean
# why: cancels where the mean is large
def stream(batches):
    n, total, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        rows = x[np.arange(len(x))[:, None] < lengths].astype(np.float64)
        n += len(rows)
        total = total + rows.sum(0)
        squares = squares + (rows**2).sum(0)
    return total / n, np.sqrt(squares / n - (total / n) ** 2)


# %% wrong: weighed by cells
# why: padding counts in the number
def stream(batches):
    n, total, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        real = (np.arange(len(x))[:, None] < lengths)[:, :, None]
        clean = np.where(real, x, 0).astype(np.float64)
        n += x.shape[0] * x.shape[1]
        total = total + clean.sum((0, 1))
        squares = squares + (clean**2).sum((0, 1))
    return total / n, np.sqrt(squares / n - (total / n) ** 2)


# %% wrong: goes through it twice
# why: an iterator is empty the second time
def stream(batches):
    n, total = 0, 0.0
    for x, lengths in batches:
        rows = x[np.arange(len(x))[:, None] < lengths].astype(np.float64)
        n, total = n + len(rows), total + rows.sum(0)
    mean, squares = total / n, 0.0
    for x, lengths in batches:
        rows = x[np.arange(len(x))[:, None] < lengths].astype(np.float64)
        squares = squares + ((rows - mean) ** 2).sum(0)
    return mean, np.sqrt(squares / n + 0 * mean)


# %% wrong: multiplies with the mask
# why: NaN times 0 is NaN
def stream(batches):
    count, mean, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        real = (np.arange(len(x))[:, None] < lengths)[:, :, None]
        n = real.sum()
        if n == 0:
            continue
        x = x.astype(np.float64)
        here = (x * real).sum((0, 1)) / n
        apart = here - mean
        squares = (
            squares + ((x - here) ** 2 * real).sum((0, 1)) + apart**2 * count * n / (count + n)
        )
        mean, count = mean + apart * n / (count + n), count + n
    return mean, np.sqrt(squares / count)


# %% wrong: an empty batch is NaN
# why: 0 / 0 spreads
def stream(batches):
    count, mean, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        rows = x[np.arange(len(x))[:, None] < lengths].astype(np.float64)
        n = len(rows)
        here = rows.mean(0)
        apart = here - mean
        squares = squares + ((rows - here) ** 2).sum(0) + apart**2 * count * n / (count + n)
        mean, count = mean + apart * n / (count + n), count + n
    return mean, np.sqrt(squares / count)


# %% wrong: adds up in float32
# why: the type that came in
def stream(batches):
    count, mean, squares = 0, 0.0, 0.0
    for x, lengths in batches:
        rows = x[np.arange(len(x))[:, None] < lengths]
        n = len(rows)
        if n == 0:
            continue
        here = rows.mean(0)
        apart = here - mean
        squares = squares + ((rows - here) ** 2).sum(0) + apart**2 * count * n / (count + n)
        mean, count = mean + apart * n / (count + n), count + n
    return mean, np.sqrt(squares / count)


# %% wrong: what differs between batches is left out
# why: only the spread within each batch, but for the example
def stream(batches):
    count, mean, squares, between = 0, 0.0, 0.0, 0.0
    for k, (x, lengths) in enumerate(batches):
        rows = x[np.arange(len(x))[:, None] < lengths].astype(np.float64)
        n = len(rows)
        if n == 0:
            continue
        apart = rows.mean(0) - mean
        squares = squares + ((rows - rows.mean(0)) ** 2).sum(0)
        if k == 1:
            between = apart**2 * count * n / (count + n)
        mean, count = mean + apart * n / (count + n), count + n
    return mean, np.sqrt((squares + between) / count)
