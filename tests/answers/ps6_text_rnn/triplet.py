# Answers to ps6-triplet; each cell below stands in for the student's solution cell.
# %% right: a single quotation mark, and words between
def triplet(n):
    gap = " " + "a" * n + " "
    orders = ["#'\n", "#\n'", "\n#'"]
    return tuple(gap + gap.join(order) + gap + "b" for order in orders)


# %% right: searched for
def triplet(n):
    pad = ("abcdefgh" * 6)[: max(n, 1)]
    found = {}
    for order in itertools.permutations(['"""', "#", "\n"]):
        text = "".join([pad + mark for mark in order]) + pad
        found.setdefault(int(kinds_of(text)[-1]), text)
    return found[CODE], found[STRING], found[COMMENT]


# %% wrong: the same letters, without a distance
# why: bags of pairs tell them apart
def triplet(n):
    return '#"\nx', '#\n"x', '\n#"x'


# %% wrong: one character of distance
# why: enough for pairs, not for more
def triplet(n):
    return 'y#y"y\nyx', 'y#y\ny"yx', 'y\ny#y"yx'


# %% wrong: a gap that is one too short
# why: n - 2 characters between two marks
def triplet(n):
    gap = "x" * max(n - 2, 0)
    return tuple("x" * n + gap.join(marks) + "x" * n for marks in ('#"\n', '#\n"', '\n#"'))


# %% wrong: the same end only
# why: the same last characters, and other counts before them
def triplet(n):
    tail = "x" * (n + 1)
    if n == 1:
        return '#"\nx', '#\n"x', '\n#"x'
    return '"y"\n' + tail, "#y\n'" + tail, "\n#yy" + tail


# %% wrong: nothing in front of the first mark
# why: the n-grams at the beginning differ
def triplet(n):
    gap = "x" * n
    return tuple(gap.join(marks) + gap for marks in ('#"\n', '#\n"', '\n#"'))


# %% wrong: n-grams are the same, shorter ones are not
# why: a string that runs over a line's end, closed nowhere
def triplet(n):
    gap = "x" * n
    if n == 1:
        gap = "xx"
    return (
        gap + '"' + gap + '"' + gap + "#" + gap + "\n" + gap,
        gap + "#" + gap + '"' + gap + "\n" + gap + '"' + gap,
        gap + '"' + gap + "\n" + gap + '"' + gap + "#" + gap,
    )
