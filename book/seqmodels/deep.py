# GENERATED from book/09_deep.md by `make export`: change that, not this file.
"""Bidirectional and deep: the code of book/09_deep.md."""

# --- book/09_deep.md: What you need (#what-you-need)
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from seqmodels import bptt, rnn
from seqmodels.bptt import check_like
from seqmodels.gru import (
    GRU,
    GRURun,
    check_gru,
    gru_backward,
    gru_forward,
    gru_from_torch,
    gru_to_torch,
    init_gru,
)
from seqmodels.lstm import (
    LSTM,
    LSTMRun,
    check_lstm,
    init_lstm,
    lstm_backward,
    lstm_forward,
    lstm_from_torch,
    lstm_to_torch,
)
from seqmodels.rnn import MISSING, RNN, check_inputs, check_rnn


# --- book/09_deep.md: Where does a short sequence begin, backwards? (#deep-lengths)
def turn_around(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return x (T, B, ...) with each sequence reversed within its own length.

    lengths: (B,) ints in [1, T]. What stands after an end stays where it is. Twice
    is the identity. Source: {eq}`deep-turn`.
    """
    t = np.arange(len(x))[:, None]
    source = np.where(t < lengths, lengths - 1 - t, t)  # (T, B)
    return x[source, np.arange(x.shape[1])]


# --- book/09_deep.md: Layers on layers (#deep-stacks)
class Plain(NamedTuple):
    """Hold a plain recurrent layer: h = tanh(x W_x + h_before W_h + b)."""

    W_x: np.ndarray  # (D, H)
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


Cell: TypeAlias = Plain | LSTM | GRU
Layer: TypeAlias = tuple[Cell, ...]  # one direction, or two: forward, backward


def as_rnn(cell: Plain) -> RNN:
    """Return chapter 4's network with these weights; nobody reads its scores."""
    nothing = np.zeros(len(cell.b), dtype=np.asarray(cell.W_x).dtype)
    return RNN(*cell, nothing[:, None], nothing[:1], nothing)


def check_plain(cell: Plain) -> Plain:
    """Return the weights as arrays of one floating type, or raise ValueError."""
    shapes = [np.shape(w) for w in cell]
    D, H = shapes[0] if len(shapes[0]) == 2 else (0, 0)
    if min(D, H) < 1 or shapes != [(D, H), (H, H), (H,)]:
        wanted = "W_x, W_h and b must be (D, H), (H, H) and (H,)"
        raise ValueError(f"{wanted}; got {', '.join(map(str, shapes))}")
    for name, w in zip(cell._fields, map(np.asarray, cell), strict=True):
        if w.dtype.kind not in "biuf" or not np.isfinite(w).all():
            came = "" if w.dtype.kind in "biuf" else f"; got {w.dtype}"
            raise ValueError(f"{name} must hold finite real numbers{came}")
    return Plain(*check_rnn(as_rnn(cell))[:3])


def cell_forward(
    x: np.ndarray, cell: Cell, h0: np.ndarray, c0: np.ndarray | None
) -> Any:
    """Run one cell over x; whatever it is, the result has .h (T + 1, B, H)."""
    if isinstance(cell, LSTM):
        return lstm_forward(x, cell, h0, c0)
    if isinstance(cell, GRU):
        return gru_forward(x, cell, h0)
    return rnn.forward(x, as_rnn(cell), h0)


def cell_backward(
    x: np.ndarray, cell: Cell, run: Any, dh: np.ndarray, dc: np.ndarray | None
) -> tuple[Cell, np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Return the gradient by the weights, by x, by h0 and, of an LSTM, by c0.

    dh, dc: (T + 1, B, H), what the loss takes from the states directly.
    """
    if isinstance(cell, LSTM):
        of_lstm = lstm_backward(x, cell, run, dh, dc)
        return of_lstm.weights, of_lstm.x, of_lstm.h0, of_lstm.c0
    if isinstance(cell, GRU):
        of_gru = gru_backward(x, cell, run, dh)
        return of_gru.weights, of_gru.x, of_gru.h0, None
    gradient = bptt.backward(x, as_rnn(cell), run, np.zeros_like(run.logits), dh)
    weights = Plain(*gradient.weights[:3])
    dx = gradient.a @ cell.W_x.T if x.ndim == 3 else None  # a = x W_x + ...
    return weights, dx, gradient.h0, None


def check_stack(layers: Sequence[Sequence[Cell]]) -> list[Layer]:
    """Return the layers with weights of one floating type, or say what is wrong.

    All cells must be of one kind and one H, each layer of one or two of them; from
    the second layer on D is H times the directions. Raises ValueError.
    """
    checked: list[Layer] = []
    for layer in layers:
        cells: list[Cell] = []
        for cell in [layer] if isinstance(layer, Plain | LSTM | GRU) else layer:
            if isinstance(cell, LSTM):
                cells.append(check_lstm(cell))
            elif isinstance(cell, GRU):
                cells.append(check_gru(cell))
            elif isinstance(cell, Plain):
                cells.append(check_plain(cell))
            else:
                came = type(cell).__name__
                raise ValueError(f"a cell must be a Plain, LSTM or GRU; got {came}")
        checked.append(tuple(cells))
    if not checked or len(checked[0]) not in (1, 2):
        raise ValueError("layers must be a list of layers of one or two cells each")
    n_directions, first = len(checked[0]), checked[0][0]
    H = len(first.W_h)
    for i, of_layer in enumerate(checked):
        if len(of_layer) != n_directions:
            came = f"layer {i} has {len(of_layer)}, layer 0 {n_directions}"
            raise ValueError(f"layers must have as many directions; {came}")
        D = n_directions * H if i else len(first.W_x)
        for cell in of_layer:
            if type(cell) is not type(first):
                came = f"{type(first).__name__} and {type(cell).__name__}"
                raise ValueError(f"all cells must be of one kind; got {came}")
            if len(cell.W_x) != D or len(cell.W_h) != H:
                came = f"got D = {len(cell.W_x)}, H = {len(cell.W_h)}"
                raise ValueError(f"layer {i} must have D = {D}, H = {H}; {came}")
    dtype = np.result_type(*(w for layer in checked for c in layer for w in c))
    return [
        tuple(type(cell)(*(w.astype(dtype) for w in cell)) for cell in layer)
        for layer in checked
    ]


def check_padded(
    x: ArrayLike, lengths: ArrayLike | None, D: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of x with zeros (MISSING) after each end, and lengths (B,).

    x: (T, B) ints in [0, D) or MISSING, or (T, B, D) floats; what stands after an
    end does not matter, not even nan. lengths: (B,) ints in [1, T]; all T where
    None. Raises ValueError for anything else.
    """
    try:
        x = np.array(x)
    except ValueError:  # rows of different lengths
        raise ValueError("x must be a full table: pad, and pass lengths") from None
    n_axes = {"i": 2, "u": 2, "f": 3}.get(x.dtype.kind)
    if x.ndim != n_axes or not x.shape[0] * x.shape[1]:
        wanted = f"(T, B) integers or (T, B, {D}) floats, not empty"
        raise ValueError(f"x must be {wanted}; got {x.shape} {x.dtype}")
    T, B = x.shape[:2]
    lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
    if lengths.shape != (B,) or not np.issubdtype(lengths.dtype, np.integer):
        came = f"got {lengths.shape} {lengths.dtype}"
        raise ValueError(f"lengths must be ({B},) integers to match x; {came}")
    lengths = lengths.astype(np.int64)  # unsigned integers would wrap around
    if lengths.min() < 1 or lengths.max() > T:
        came = f"got {lengths.min()} to {lengths.max()}"
        raise ValueError(f"lengths must lie in [1, {T}]; {came}")
    x = x.astype(np.int64) if x.ndim == 2 else x  # unsigned: no room for MISSING
    x[np.arange(T)[:, None] >= lengths] = MISSING if x.ndim == 2 else 0
    return check_inputs(x, D), lengths


def first_states(
    given: ArrayLike | None, name: str, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Return first states or their derivatives, (L * directions, B, H); None: 0."""
    zeros = np.zeros(shape, dtype=dtype)
    if given is None:
        return zeros
    if np.shape(given) != shape:
        wanted = f"{name} must be {shape}, (layers * directions, B, H)"
        raise ValueError(f"{wanted}; got {np.shape(given)}")
    return check_like(given, zeros, name, dtype)


class StackRun(NamedTuple):
    """Hold what `stack_forward` returns, laid out as PyTorch does, time first."""

    output: np.ndarray  # (T, B, directions * H): top layer, 0 after an end
    h_n: np.ndarray  # (L * directions, B, H): last states, row l * directions + d
    c_n: np.ndarray | None  # the same of an LSTM's cells, else None
    inputs: list[np.ndarray]  # of each layer, (T, B, D), 0 after an end
    runs: list[list]  # [l][d]: what the cell's own forward pass returned
    lengths: np.ndarray  # (B,)
    residual: bool


def stack_forward(
    x: ArrayLike,
    layers: Sequence[Sequence[Cell]],
    lengths: ArrayLike | None = None,
    h0: ArrayLike | None = None,
    c0: ArrayLike | None = None,
    residual: bool = False,
) -> StackRun:
    """Run a batch through layers of one or two directions.

    x: (T, B) ints in [0, D) or MISSING, or (T, B, D) floats; lengths: (B,), all T
    where None. h0, c0: (L * directions, B, H), zeros where None. residual: from the
    second layer on, add a layer's input to its output. Raises ValueError on bad
    input. Source: {eq}`deep-two`, {eq}`deep-turn`, {eq}`deep-stack`.
    """
    layers = check_stack(layers)
    n_directions, H = len(layers[0]), len(layers[0][0].W_h)
    is_lstm, dtype = isinstance(layers[0][0], LSTM), layers[0][0].W_h.dtype
    v, ends = check_padded(x, lengths, len(layers[0][0].W_x))
    v = v.astype(dtype) if v.ndim == 3 else v  # what the next layer reads
    (T, B), columns = v.shape[:2], np.arange(v.shape[1])
    there = (np.arange(T)[:, None] < ends)[:, :, None]
    if c0 is not None and not is_lstm:
        raise ValueError("c0 is for LSTM cells: these have none")
    shape = (len(layers) * n_directions, B, H)
    first_h = first_states(h0, "h0", shape, dtype)
    first_c = first_states(c0, "c0", shape, dtype)
    inputs: list[np.ndarray] = []
    runs: list[list] = []
    h_n, c_n = np.empty_like(first_h), np.empty_like(first_c) if is_lstm else None
    for i, layer in enumerate(layers):
        inputs.append(v)
        runs.append([])
        halves = []
        for d, cell in enumerate(layer):
            row = i * n_directions + d
            read = turn_around(v, ends) if d else v
            run = cell_forward(read, cell, first_h[row], first_c[row])
            halves.append(turn_around(run.h[1:], ends) if d else run.h[1:])
            h_n[row] = run.h[ends, columns]  # after a sequence's own last step
            if c_n is not None:
                c_n[row] = run.c[ends, columns]
            runs[-1].append(run)
        v = np.where(there, np.concatenate(halves, axis=2), 0)  # (T, B, n H)
        if residual and i:
            v = v + inputs[-1]  # eq. (deep-residual)
    return StackRun(v, h_n, c_n, inputs, runs, ends, residual)


# --- book/09_deep.md: Backwards through a stack (#backwards-through-a-stack)
class StackGradient(NamedTuple):
    """Hold the derivatives of a loss; each has the shape of what it belongs to."""

    layers: list[Layer]  # by the weights
    x: np.ndarray | None  # (T, B, D), 0 after an end; None for symbols
    h0: np.ndarray  # (L * directions, B, H)
    c0: np.ndarray | None  # the same of an LSTM, else None


def stack_backward(
    layers: Sequence[Sequence[Cell]],
    run: StackRun,
    doutput: ArrayLike | None = None,
    dh_n: ArrayLike | None = None,
    dc_n: ArrayLike | None = None,
) -> StackGradient:
    """Return the gradient of any loss of output, h_n and c_n; None: takes nothing.

    layers: as they went into `stack_forward`, run: as it came out. doutput: (T, B,
    directions * H), not looked at after an end. dh_n, dc_n: as run.h_n. Raises
    ValueError on bad input. Source: {eq}`deep-backward`.
    """
    layers = check_stack(layers)
    n_directions, H = len(layers[0]), len(layers[0][0].W_h)
    dtype, lengths = layers[0][0].W_h.dtype, run.lengths
    shape = (len(layers) * n_directions, len(run.lengths), H)
    of = {Plain: rnn.Run, LSTM: LSTMRun, GRU: GRURun}[type(layers[0][0])]
    if not isinstance(run.runs[0][0], of) or (len(run.runs), run.h_n.shape) != (
        len(layers),
        shape,
    ):
        raise ValueError("run does not belong to these layers; run them again")
    (T, B), columns = run.output.shape[:2], np.arange(len(lengths))
    there = (np.arange(T)[:, None] < lengths)[:, :, None]
    if dc_n is not None and run.c_n is None:
        raise ValueError("dc_n is for LSTM cells: these have none")
    to_h = first_states(dh_n, "dh_n", run.h_n.shape, dtype)
    to_c = first_states(dc_n, "dc_n", run.h_n.shape, dtype)
    if doutput is None:
        doutput = np.zeros_like(run.output)
    elif np.shape(doutput) == run.output.shape:
        doutput = np.where(there, doutput, 0)
    delta = check_like(doutput, run.output, "doutput", dtype)
    dh0 = np.empty_like(to_h)
    dc0 = None if run.c_n is None else np.empty_like(to_h)
    grads: list[Layer] = []
    for i in reversed(range(len(layers))):
        x = run.inputs[i]
        dx = np.zeros_like(x) if x.ndim == 3 else None
        of_layer: list[Cell] = []
        for d, cell in enumerate(layers[i]):
            row = i * n_directions + d
            half = delta[:, :, d * H : (d + 1) * H]
            dh = np.zeros((T + 1, B, H), dtype=dtype)
            dh[1:] = turn_around(half, lengths) if d else half
            dh[lengths, columns] += to_h[row]  # h_n: after the last step
            dc = None
            if dc0 is not None:
                dc = np.zeros_like(dh)
                dc[lengths, columns] = to_c[row]
            read = turn_around(x, lengths) if d else x
            weights, by_x, dh0[row], by_c0 = cell_backward(
                read, cell, run.runs[i][d], dh, dc
            )
            of_layer.append(weights)
            if dx is not None and by_x is not None:
                dx += turn_around(by_x, lengths) if d else by_x  # two listeners
            if dc0 is not None:
                dc0[row] = by_c0
        if run.residual and i:
            dx += delta  # eq. (deep-residual)
        grads.insert(0, tuple(of_layer))
        if dx is None:
            return StackGradient(grads, None, dh0, dc0)
        delta = dx  # the layer below: its output was this layer's input
    return StackGradient(grads, delta, dh0, dc0)


KINDS = {"plain": Plain, "lstm": LSTM, "gru": GRU}
ROWS = {1: Plain, 3: GRU, 4: LSTM}  # W_ih has H rows for each of these parts


def init_stack(
    kind: str,
    D: int,
    H: int,
    n_layers: int,
    n_directions: int,
    rng: np.random.Generator,
) -> list[Layer]:
    """Return random layers as PyTorch starts them, uniform in +-1/sqrt(H), float64.

    kind: "plain", "lstm" or "gru". Raises ValueError for another one, a size below
    1, or n_directions that is not 1 or 2.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    if n_layers < 1 or n_directions not in (1, 2):
        came = f"got {n_layers} and {n_directions}"
        raise ValueError(f"n_layers must be 1 or more, n_directions 1 or 2; {came}")

    def cell(D: int) -> Cell:
        if kind == "lstm":
            return init_lstm(D, H, rng)
        if kind == "gru":
            return init_gru(D, H, rng)
        return Plain(*rnn.init_rnn(D, H, 1, rng)[:3])

    return [
        tuple(cell(n_directions * H if i else D) for _ in range(n_directions))
        for i in range(n_layers)
    ]


def stack_from_torch(state: Mapping[str, ArrayLike]) -> list[Layer]:
    """Return the layers of nn.RNN (tanh), nn.LSTM or nn.GRU from its state_dict().

    state: weight_ih_l0, weight_hh_l0_reverse, ... on the CPU; biases may be absent.
    Raises ValueError where the names or shapes are not those of such a module.
    """
    arrays = {name: np.asarray(w) for name, w in state.items()}
    layers: list[Layer] = []
    while f"weight_ih_l{len(layers)}" in arrays:
        cells: list[Cell] = []
        for suffix in ("", "_reverse"):
            end = f"_l{len(layers)}{suffix}"
            if f"weight_ih{end}" not in arrays or f"weight_hh{end}" not in arrays:
                continue
            W_ih, W_hh = (arrays.pop(f"weight_{p}{end}") for p in ("ih", "hh"))
            if W_ih.ndim != 2 or W_hh.ndim != 2 or len(W_ih) != len(W_hh):
                came = f"got {W_ih.shape} and {W_hh.shape}"
                raise ValueError(f"weight_ih and weight_hh{end} do not fit; {came}")
            none = np.zeros(len(W_ih), dtype=W_ih.dtype)
            b_ih, b_hh = (arrays.pop(f"bias_{p}{end}", none) for p in ("ih", "hh"))
            if b_ih.shape != none.shape or b_hh.shape != none.shape:
                came = f"got {b_ih.shape} and {b_hh.shape}"
                raise ValueError(f"biases{end} must be {none.shape}; {came}")
            parts, rest = divmod(len(W_hh), max(1, W_hh.shape[1]))
            kind = None if rest else ROWS.get(parts)  # rest: a projection, say
            if kind is LSTM:
                cells.append(lstm_from_torch(W_ih, W_hh, b_ih, b_hh))
            elif kind is GRU:
                cells.append(gru_from_torch(W_ih, W_hh, b_ih, b_hh))
            elif kind is Plain:
                cells.append(Plain(W_ih.T, W_hh.T, b_ih + b_hh))
            else:
                raise ValueError(f"weight_hh{end} {W_hh.shape} is of no known cell")
        layers.append(tuple(cells))
    if arrays or not layers:  # a layer missing: it would be left out silently
        names = ", ".join(sorted(arrays)) or "none at all"
        raise ValueError(f"cannot use these entries: {names}")
    return check_stack(layers)


def stack_to_torch(layers: Sequence[Sequence[Cell]]) -> dict[str, np.ndarray]:
    """Return what load_state_dict of nn.RNN, nn.LSTM or nn.GRU takes, as arrays."""
    state: dict[str, np.ndarray] = {}
    for i, layer in enumerate(check_stack(layers)):
        for cell, suffix in zip(layer, ("", "_reverse"), strict=False):
            if isinstance(cell, LSTM):
                arrays = lstm_to_torch(cell)
            elif isinstance(cell, GRU):
                arrays = gru_to_torch(cell)
            else:
                arrays = cell.W_x.T, cell.W_h.T, cell.b, np.zeros_like(cell.b)
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            for name, array in zip(names, arrays, strict=True):
                state[f"{name}_l{i}{suffix}"] = np.array(array)
    return state
