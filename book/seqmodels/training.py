# GENERATED from book/11_training.md by `make export`: change that, not this file.
"""Training in practice: the code of book/11_training.md."""

# --- book/11_training.md: What you need (#what-you-need)
import copy
import math
import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from seqmodels.rnn import log_softmax


# --- book/11_training.md: Initialisation: follow the variance (#training-init)
def xavier(
    fan_in: int, fan_out: int, rng: np.random.Generator, gain: float = 1.0
) -> np.ndarray:
    """Draw normal weights of variance 2 gain^2 / (fan_in + fan_out).

    Returns (fan_in, fan_out). Raises ValueError for a size below 1 or a gain that
    is not positive. Source: {eq}`training-xavier`.
    """
    return fan_normal(fan_in, fan_out, (fan_in + fan_out) / 2, rng, gain)


def he(
    fan_in: int, fan_out: int, rng: np.random.Generator, gain: float = math.sqrt(2)
) -> np.ndarray:
    """Draw (fan_in, fan_out) normal weights of variance gain^2 / fan_in, for ReLU.

    Raises ValueError as `xavier`. Source: {eq}`training-he`.
    """
    return fan_normal(fan_in, fan_out, fan_in, rng, gain)


def fan_normal(
    fan_in: int, fan_out: int, fan: float, rng: np.random.Generator, gain: float
) -> np.ndarray:
    """Draw (fan_in, fan_out) normal weights of variance gain^2 / fan."""
    if min(fan_in, fan_out) < 1:
        came = f"got {fan_in} and {fan_out}"
        raise ValueError(f"fan_in and fan_out must be 1 or more; {came}")
    if not 0 < gain < math.inf:
        raise ValueError(f"gain must be positive and finite; got {gain}")
    return rng.normal(0, gain / math.sqrt(fan), (fan_in, fan_out))


# --- book/11_training.md: Optimisers from scratch (#training-optimisers)
class Optimiser:
    """Change weights in place by their gradients: what all optimisers here share.

    weights: arrays of floats, changed by `step`; keep using the same arrays. lr:
    the learning rate; assign to it for a schedule. A subclass names its memories,
    one array like each weight, zero at first, and says in `change` what is
    subtracted. Raises ValueError on weights that cannot be changed in place, or a
    bad setting.
    """

    memories: tuple[str, ...] = ()

    def __init__(self, weights: Sequence[np.ndarray], lr: float) -> None:
        self.weights = list(weights)
        for k, w in enumerate(self.weights):
            if not isinstance(w, np.ndarray) or w.dtype.kind != "f":
                raise ValueError(f"weights[{k}] must be an array of floats")
            if not w.flags.writeable:
                raise ValueError(f"weights[{k}] is read-only: give a copy")
        at_least_0(lr=lr)
        self.lr, self.steps = lr, 0
        self.memory = {
            name: [np.zeros_like(w) for w in self.weights] for name in self.memories
        }

    def change(self, k: int, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Return what to subtract from weight k, whose gradient is g."""
        raise NotImplementedError

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """Change every weight once. Raises ValueError, before any change, if a
        gradient has another shape than its weight or is not finite.
        """
        gradients = [np.asarray(g) for g in gradients]
        came, want = [g.shape for g in gradients], [w.shape for w in self.weights]
        if came != want:
            raise ValueError(f"gradients must be {want}; got {came}")
        if not all(np.isfinite(g).all() for g in gradients):
            raise ValueError("a gradient is not finite: skip this step, look why")
        self.steps += 1
        for k, (w, g) in enumerate(zip(self.weights, gradients, strict=True)):
            w -= self.change(k, w, g.astype(w.dtype, copy=False))

    def state(self) -> dict[str, Any]:
        """Return a copy of all that the next step depends on but the weights."""
        return {"steps": self.steps, "lr": self.lr, **copy.deepcopy(self.memory)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`. Raises ValueError if it is of other weights."""
        if set(state) != {"steps", "lr", *self.memories}:
            what = f"{type(self).__name__}: {sorted(state)}"
            raise ValueError(f"not a state of {what}")
        for name in self.memories:
            came = [np.shape(m) for m in state[name]]
            want = [w.shape for w in self.weights]
            if came != want:
                raise ValueError(f"{name} must be {want}; got {came}")
        self.steps, self.lr = state["steps"], state["lr"]
        for name in self.memories:
            self.memory[name] = [np.array(m) for m in state[name]]


def at_least_0(**settings: float) -> None:
    """Raise ValueError unless every setting is a finite number, 0 or more."""
    for name, value in settings.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite, 0 or more; got {value}")


def share(**settings: float) -> None:
    """Raise ValueError unless every setting lies in [0, 1)."""
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must lie in [0, 1); got {value}")


class SGD(Optimiser):
    """Go down the gradient, with momentum if mu > 0. {eq}`training-momentum`.

    weight_decay: factor of the weight that is added to its gradient (L2).
    """

    memories = ("velocity",)

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        lr: float = 1e-2,
        mu: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(weights, lr)
        share(mu=mu)
        at_least_0(weight_decay=weight_decay)
        self.mu, self.weight_decay, self.nesterov = mu, weight_decay, nesterov

    def change(self, k: int, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        g = g + self.weight_decay * w
        u = self.memory["velocity"][k]
        u *= self.mu
        u += g
        return self.lr * (g + self.mu * u if self.nesterov else u)


class Adagrad(Optimiser):
    """Divide by the root of all squares so far. Source: {eq}`training-adagrad`."""

    memories = ("squares",)

    def __init__(
        self, weights: Sequence[np.ndarray], lr: float = 1e-2, eps: float = 1e-10
    ) -> None:
        super().__init__(weights, lr)
        at_least_0(eps=eps)
        self.eps = eps

    def change(self, k: int, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        s = self.memory["squares"][k]
        s += g * g
        return self.lr * g / (np.sqrt(s) + self.eps)


class RMSProp(Optimiser):
    """Divide by the root of a running mean of squares. {eq}`training-rmsprop`."""

    memories = ("squares",)

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        lr: float = 1e-2,
        rho: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(weights, lr)
        share(rho=rho)
        at_least_0(eps=eps)
        self.rho, self.eps = rho, eps

    def change(self, k: int, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        s = self.memory["squares"][k]
        s *= self.rho
        s += (1 - self.rho) * g * g
        return self.lr * g / (np.sqrt(s) + self.eps)


class Adam(Optimiser):
    """Momentum over RMSProp, both freed of their zero start. {eq}`training-adam`.

    weight_decay is added to the gradient (L2), and so divided by the root too; in
    `AdamW` it shrinks the weight itself.
    """

    memories = ("mean", "squares")
    decoupled = False

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(weights, lr)
        share(beta_1=betas[0], beta_2=betas[1])
        at_least_0(eps=eps, weight_decay=weight_decay)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def change(self, k: int, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        m, s = self.memory["mean"][k], self.memory["squares"][k]
        if not self.decoupled:
            g = g + self.weight_decay * w
        for memory, beta, new in ((m, self.betas[0], g), (s, self.betas[1], g * g)):
            memory *= beta  # not m += (1 - beta) * (new - m): the difference rounds
            memory += (1 - beta) * new
        m_hat = m / (1 - self.betas[0] ** self.steps)  # eq. (training-unbiased)
        s_hat = s / (1 - self.betas[1] ** self.steps)
        change = self.lr * m_hat / (np.sqrt(s_hat) + self.eps)
        if self.decoupled:
            change += self.lr * self.weight_decay * w  # eq. (training-adamw)
        return change


class AdamW(Adam):
    """Adam with the decay beside the quotient. Source: {eq}`training-adamw`."""

    decoupled = True


# --- book/11_training.md: Schedules and clipping (#training-schedule)
def warmup_cosine(
    step: int, total: int, peak: float, warmup: int = 0, floor: float = 0.0
) -> float:
    """Return the learning rate of update `step`, 0 to total - 1.

    Rises in equal parts to peak over `warmup` updates, then falls as half a cosine
    towards floor; stays at floor after total. Raises ValueError unless 0 <= warmup
    < total, 0 <= floor <= peak and step >= 0. Source: {eq}`training-cosine`.
    """
    if not 0 <= warmup < total:
        raise ValueError(f"need 0 <= warmup < total; got {warmup} and {total}")
    if not 0 <= floor <= peak < math.inf:
        raise ValueError(f"need 0 <= floor <= peak; got {floor} and {peak}")
    if step < 0:
        raise ValueError(f"step must be 0 or more; got {step}")
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min(1.0, (step - warmup) / (total - warmup))
    return floor + (peak - floor) * (1 + math.cos(math.pi * done)) / 2


# --- book/11_training.md: Early stopping, and going back (#training-stopping)
class EarlyStopping:
    """Keep a copy of the best model so far, and say when to stop.

    patience: how many looks in a row may bring nothing better. Lower is better; a
    loss that is not a number never is. Raises ValueError for patience below 1.
    """

    def __init__(self, patience: int) -> None:
        if patience < 1:
            raise ValueError(f"patience must be 1 or more; got {patience}")
        self.patience, self.looks, self.waited = patience, 0, 0
        self.best, self.best_look = math.inf, -1
        self.weights: dict[str, torch.Tensor] = {}

    def look(self, loss: float, model: torch.nn.Module) -> bool:
        """Take note of a validation loss; return whether to stop now."""
        if loss < self.best:
            self.best, self.best_look, self.waited = loss, self.looks, 0
            # a copy: state_dict() holds the weights themselves, and they change
            self.weights = {
                name: w.detach().clone() for name, w in model.state_dict().items()
            }
        else:
            self.waited += 1
        self.looks += 1
        return self.waited >= self.patience

    def restore(self, model: torch.nn.Module) -> None:
        """Put the best weights back. Raises ValueError if there are none."""
        if not self.weights:
            raise ValueError("no loss was a finite number yet: nothing to restore")
        model.load_state_dict(self.weights)

    def state(self) -> dict[str, Any]:
        """Return all of it, for a checkpoint."""
        return dict(vars(self))

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        if set(state) != set(vars(self)):
            raise ValueError(f"not a state of EarlyStopping: {sorted(state)}")
        vars(self).update(state)


# --- book/11_training.md: Checkpoints that survive a kill (#training-checkpoints)
class BatchOrder:
    """Deal the numbers 0 to N - 1 in batches, in a new order in each epoch.

    The order of an epoch follows from seed and epoch alone, so three integers say
    where one is. The last batch of an epoch may be smaller. Raises ValueError for N
    or size below 1, or a negative seed.
    """

    def __init__(self, N: int, size: int, seed: int) -> None:
        if min(N, size) < 1 or seed < 0:
            came = f"got N {N}, size {size}, seed {seed}"
            raise ValueError(f"N and size must be 1 or more, seed 0 up; {came}")
        self.N, self.size, self.seed = N, size, seed
        self.epoch = self.place = 0  # place: how many of this epoch were dealt
        self._order: tuple[int, np.ndarray] | None = None  # of an epoch

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return math.ceil(self.N / self.size)

    def deal(self) -> np.ndarray:
        """Return the next batch, (size,) int64 or fewer at the end of an epoch."""
        if self._order is None or self._order[0] != self.epoch:
            rng = np.random.default_rng((self.seed, self.epoch))
            self._order = self.epoch, rng.permutation(self.N)
        batch = self._order[1][self.place : self.place + self.size]
        self.place += len(batch)
        if self.place == self.N:
            self.epoch, self.place = self.epoch + 1, 0
        return batch

    def state(self) -> dict[str, int]:
        """Return five integers: what is dealt, and the place."""
        names = "N", "size", "seed", "epoch", "place"
        return {name: getattr(self, name) for name in names}

    def load(self, state: Mapping[str, int]) -> None:
        """Go on from a `state`. Raises ValueError if it deals anything else."""
        for name in ("N", "size", "seed"):
            if state[name] != getattr(self, name):
                came = f"the state is of {name} {state[name]}"
                raise ValueError(f"{came}, this order of {getattr(self, name)}")
        self.epoch, self.place = state["epoch"], state["place"]


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write state so that at any moment path holds a whole old or a whole new one.

    state: tensors, numbers, strings, None, and dicts, lists, tuples of them. Writes
    PATH.part beside it, waits until it is on the disk, and renames: renaming is
    atomic. One process may write a path at a time. On an error (a full disk), path
    stays as it was. Raises ValueError for what `load_checkpoint` would not read.
    """
    state, path = plain_values(state), Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # else the name may reach the disk first
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name must reach the disk, too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def plain_values(value: Any) -> Any:
    """Return value with NumPy's numbers as Python's: a load refuses NumPy's."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {plain_values(k): plain_values(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        parts = map(plain_values, value)
        return list(parts) if isinstance(value, list) else tuple(parts)
    if value is None or isinstance(value, torch.Tensor | int | float | str):
        return value
    raise ValueError(f"a checkpoint holds no {type(value).__name__}: {value!r:.60}")


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return what `save_checkpoint` wrote, tensors on the CPU; run no code from it.

    Raises FileNotFoundError, or ValueError if the file is damaged or holds more
    than tensors and plain values.
    """
    with Path(path).open("rb") as file:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:
            short = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f"{path} is no whole checkpoint: {short}") from error


def random_states() -> dict[str, Any]:
    """Return the states of all global random generators: Python, NumPy, PyTorch."""
    numpy: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    numpy["state"]["key"] = numpy["state"]["key"].tolist()  # plain values only
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    states = {"python": random.getstate(), "numpy": numpy}
    return {**states, "torch": torch.get_rng_state(), "cuda": gpus}


def set_random_states(states: Mapping[str, Any]) -> None:
    """Put back what `random_states` returned; a GPU's where there is one."""
    version, inner, gauss = states["python"]
    random.setstate((version, tuple(inner), gauss))
    numpy = copy.deepcopy(states["numpy"])
    numpy["state"]["key"] = np.array(numpy["state"]["key"], dtype=np.uint32)
    np.random.set_state(numpy)  # noqa: NPY002
    torch.set_rng_state(states["torch"].cpu())
    if len(states["cuda"]) == torch.cuda.device_count() > 0:
        torch.cuda.set_rng_state_all([s.cpu() for s in states["cuda"]])


# --- book/11_training.md: The loop (#training-fit)
class Epoch(NamedTuple):
    """Hold what one epoch brought."""

    train: float  # mean loss of its batches, weighted by size, while it learned
    validation: float
    norm: float  # largest norm of a gradient before clipping
    lr: float  # of its last update


def fit(
    model: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    order: BatchOrder,
    batch_loss: Callable[[np.ndarray], torch.Tensor],
    validate: Callable[[], float | torch.Tensor],
    *,
    epochs: int,
    patience: int = 10**9,
    limit: float = math.inf,
    schedule: Callable[[int], float] | None = None,
    path: str | Path | None = None,
    save_every: int = 100,
) -> list[Epoch]:
    """Train until `epochs` are done or patience ends; leave the best weights
    behind.

    batch_loss: mean loss of the examples with these numbers. validate: a loss;
    called in eval mode without gradient. limit: largest norm of a gradient.
    schedule: update -> learning rate. path: a checkpoint, written every save_every
    updates and after each epoch; if it is there already, training goes on from it,
    and everything comes out bit for bit as without the interruption. Returns one
    `Epoch` for each. Raises ValueError if a loss or gradient is not finite, and on
    bad settings.
    """
    if epochs < 1 or save_every < 1 or not limit > 0:
        raise ValueError("epochs and save_every must be 1 or more, limit positive")
    stop, history = EarlyStopping(patience), list[Epoch]()
    total, norm, updates = 0.0, 0.0, 0  # total and norm: of this epoch so far
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    if path is not None and Path(path).exists():
        saved = load_checkpoint(path)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        order.load(saved["order"])
        stop.load({**saved["stop"], "patience": patience})
        history = [Epoch(*epoch) for epoch in saved["history"]]
        total, norm, updates = saved["so_far"]
        set_random_states(saved["random"])  # last: nothing after it may draw

    def save() -> None:
        if path is not None:
            state: dict[str, Any] = {"so_far": (total, norm, updates)}
            state["model"] = model.state_dict()
            state["optimiser"] = optimiser.state_dict()
            state |= {"order": order.state(), "stop": stop.state()}
            state |= {"history": [tuple(epoch) for epoch in history]}
            save_checkpoint(path, state | {"random": random_states()})

    while len(history) < epochs and stop.waited < patience:
        model.train()
        if schedule is not None:
            for group in optimiser.param_groups:
                group["lr"] = float(schedule(updates))
        batch = order.deal()
        loss = batch_loss(batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        length = float(torch.nn.utils.clip_grad_norm_(parameters, limit))
        if not math.isfinite(length) or not math.isfinite(loss.item()):
            what = f"loss {loss.item()}, norm of the gradient {length}"
            raise ValueError(f"update {updates}: {what}; lower lr or limit")
        optimiser.step()
        updates += 1
        total, norm = total + loss.item() * len(batch), max(norm, length)
        if order.place == 0:  # an epoch is over
            model.eval()
            with torch.no_grad():
                validation = float(validate())
            lr = float(optimiser.param_groups[0]["lr"])
            history.append(Epoch(total / order.N, validation, norm, lr))
            stop.look(validation, model)
            total = norm = 0.0
        if order.place == 0 or updates % save_every == 0:
            save()
    stop.restore(model)
    model.eval()
    return history


# --- book/11_training.md: Seeds, and what a GPU changes (#training-seeds)
def set_seed(seed: int, deterministic: bool = True) -> np.random.Generator:
    """Seed Python, NumPy and PyTorch; return a generator of NumPy's.

    deterministic: refuse operations of PyTorch whose result depends on timing. On a
    GPU this needs CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment, set before
    the first product. Raises ValueError unless 0 <= seed < 2**32.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must lie in [0, 2**32); got {seed}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (for code that uses the global one)
    torch.manual_seed(seed)  # of every device
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = False  # else timing chooses the algorithm
    return np.random.default_rng(seed)


# --- book/11_training.md: Dropout, and where to put it (#training-dropout-section)
def dropout_mask(
    shape: Sequence[int], p: float, like: torch.Tensor
) -> torch.Tensor:
    """Draw a mask: 0 with probability p, else 1 / (1 - p); mean 1.

    Type and device of `like`. Raises ValueError unless 0 <= p < 1. Source:
    {eq}`training-dropout`.
    """
    share(p=p)
    kept = torch.rand(tuple(shape), device=like.device) >= p
    return kept.to(like.dtype) / (1 - p)


class RegularLSTM(torch.nn.Module):
    """One LSTM layer, step by step: dropout in three places, a choice of norm.

    drop_x: on inputs, one mask for all steps if same_mask, else a new one at each.
    drop_h: on the state that the gates read; masks as for drop_x. drop_g: on the
    candidate, a new mask at each step, so that what is stored stays. norm: "none",
    "layer", "batch" (one set of running statistics for all steps) or "batch_steps"
    (a set for each of max_T steps). In eval mode nothing is dropped. With "none"
    and no dropout it is nn.LSTM, with its initialisation and one bias.
    """

    def __init__(
        self,
        D: int,
        H: int,
        *,
        drop_x: float = 0.0,
        drop_h: float = 0.0,
        drop_g: float = 0.0,
        same_mask: bool = True,
        norm: str = "none",
        max_T: int = 0,
    ) -> None:
        super().__init__()
        if min(D, H) < 1:
            raise ValueError(f"D and H must be 1 or more; got {D}, {H}")
        share(drop_x=drop_x, drop_h=drop_h, drop_g=drop_g)
        if norm not in ("none", "layer", "batch", "batch_steps"):
            raise ValueError(f"norm must be none, layer, batch, ...; got {norm!r}")
        if norm == "batch_steps" and max_T < 1:
            raise ValueError("norm batch_steps needs max_T, the longest sequence")
        self.H, self.norm, self.max_T, self.same_mask = H, norm, max_T, same_mask
        self.drop_x, self.drop_h, self.drop_g = drop_x, drop_h, drop_g
        bound = 1 / math.sqrt(H)
        self.W_x, self.W_h, self.b = (
            torch.nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
            for shape in ((D, 4 * H), (H, 4 * H), (4 * H,))
        )
        n_sets = {"none": 0, "batch_steps": max_T}.get(norm, 1)
        self.of_x, self.of_h, self.of_c = (
            torch.nn.ModuleList(one_norm(norm, size) for _ in range(n_sets))
            for size in (4 * H, 4 * H, H)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return all outputs, (T, B, H), of x (T, B, D); both states start at 0."""
        if x.ndim != 3 or x.shape[2] != len(self.W_x) or not len(x):
            want = f"(T, B, {len(self.W_x)}), T 1 or more"
            raise ValueError(f"x must be {want}; got {tuple(x.shape)}")
        (T, B), H, train = x.shape[:2], self.H, self.training
        if self.norm == "batch_steps" and self.max_T < T:
            raise ValueError(f"{T} steps, but statistics for {self.max_T}: max_T")
        if train and self.drop_x:
            steps = 1 if self.same_mask else T
            x = x * dropout_mask((steps, B, x.shape[2]), self.drop_x, x)
        mask_h = mask_g = None
        if train and self.drop_h:
            steps = 1 if self.same_mask else T
            mask_h = dropout_mask((steps, B, H), self.drop_h, x).expand(T, B, H)
        if train and self.drop_g:
            mask_g = dropout_mask((T, B, H), self.drop_g, x)
        h = c = x.new_zeros(B, H)
        out = []
        from_all = x @ self.W_x + (self.b if self.norm == "none" else 0.0)
        # unbind, not from_all[t]: the gradient of an index is a whole (T, B, 4H)
        for t, from_x in enumerate(from_all.unbind()):
            k = t if self.norm == "batch_steps" else 0
            read = h if mask_h is None else h * mask_h[t]
            if self.norm == "none":
                a = torch.addmm(from_x, read, self.W_h)  # (B, 4H)
            else:
                a = self.of_x[k](from_x) + self.of_h[k](read @ self.W_h) + self.b
            i, f, _, o = torch.sigmoid(a).chunk(4, dim=1)
            g = torch.tanh(a[:, 2 * H : 3 * H])
            if mask_g is not None:
                g = g * mask_g[t]
            c = torch.addcmul(i * g, f, c)
            shown = c if self.norm == "none" else self.of_c[k](c)
            h = o * torch.tanh(shown)
            out.append(h)
        return torch.stack(out)


def one_norm(norm: str, size: int) -> torch.nn.Module:
    """Return a layer that normalises (B, size) over its units or over the batch."""
    if norm == "layer":
        return torch.nn.LayerNorm(size)
    layer = torch.nn.BatchNorm1d(size)
    torch.nn.init.constant_(layer.weight, 0.1)  # 1 would saturate the gates
    return layer


# --- book/11_training.md: Calibration: does 90 % mean 90 %? (#training-calibration)
class Reliability(NamedTuple):
    """Hold, for each bin of confidence, what was claimed and what came true."""

    confidence: np.ndarray  # (bins,): mean claim; nan in an empty bin
    accuracy: np.ndarray  # (bins,): share that was right
    number: np.ndarray  # (bins,): examples in it
    error: float  # expected calibration error


def reliability(p: ArrayLike, y: ArrayLike, bins: int = 10) -> Reliability:
    """Compare the probability of the chosen class with how often it is right.

    p: (N, C), rows that sum to 1. y: (N,) ints in [0, C). Bins of equal width over
    (0, 1]. Raises ValueError on bad input. Source: {eq}`training-ece`.
    """
    p, y = np.asarray(p, dtype=np.float64), check_labels(p, y)
    if not ((p >= 0).all() and np.allclose(p.sum(axis=1), 1, rtol=0, atol=1e-4)):
        raise ValueError("rows of p must be probabilities that sum to 1")
    if bins < 1:
        raise ValueError(f"bins must be 1 or more; got {bins}")
    claim, right = p.max(axis=1), p.argmax(axis=1) == y
    k = np.clip(np.ceil(claim * bins).astype(int) - 1, 0, bins - 1)  # (N,)
    number = np.bincount(k, minlength=bins)
    some = np.where(number, number, np.nan)
    confidence = np.bincount(k, claim, bins) / some
    accuracy = np.bincount(k, right, bins) / some
    gap = np.nansum(number * np.abs(confidence - accuracy)) / len(y)
    return Reliability(confidence, accuracy, number, float(gap))


def fit_temperature(logits: ArrayLike, y: ArrayLike) -> float:
    """Return the number to divide the scores by that makes the loss smallest.

    logits: (N, C), y: (N,) ints in [0, C), of *validation* data. Raises ValueError
    on bad input, or if there is none: every label has the top score, or the scores
    are no better than none. Source: {eq}`training-temperature`.
    """
    y = check_labels(logits, y)
    a = np.asarray(logits, dtype=np.float64)
    right = np.take_along_axis(a, y[:, None], axis=1)[:, 0]

    def slope(s: float) -> float:
        """Return the derivative of the mean loss by s = 1 / temperature."""
        q = np.exp(log_softmax(s * a))
        return float(((q * a).sum(axis=1) - right).mean())

    if (right >= a.max(axis=1)).all():
        raise ValueError("every label has the top score: no temperature is best")
    if slope(0.0) >= 0:
        raise ValueError("the scores are no better than none: see the model first")
    low, high = 0.0, 1.0
    while slope(high) < 0:
        low, high = high, 2 * high
    for _ in range(100):  # the slope grows with s: halve the interval
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / high


def check_labels(scores: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Return y; ValueError unless scores are (N, C) finite and y (N,) in [0, C)."""
    a, y = np.asarray(scores), np.asarray(y)
    if a.ndim != 2 or min(a.shape) < 1 or y.shape != a.shape[:1]:
        came = f"got {a.shape} and {y.shape}"
        raise ValueError(f"expected (N, C) and labels (N,), N 1 or more; {came}")
    if not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"labels must be integers; got {y.dtype}")
    if y.min() < 0 or y.max() >= a.shape[1]:
        came = f"got {y.min()} to {y.max()}"
        raise ValueError(f"labels must lie in [0, {a.shape[1]}); {came}")
    if a.dtype.kind not in "biuf" or not np.isfinite(a).all():
        raise ValueError("scores must be finite real numbers")
    return y


# --- book/11_training.md: Is A better than B? (#training-ab)
class Comparison(NamedTuple):
    """Hold a mean difference and how far it may be off."""

    difference: float  # mean of a - b
    low: float  # interval of percentiles
    high: float
    p: float  # two-sided: twice the smaller share of draws at or beyond 0


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    rng: np.random.Generator,
    *,
    groups: ArrayLike | None = None,
    draws: int = 10_000,
    level: float = 0.95,
) -> Comparison:
    """Compare two models on the same examples by drawing the examples again.

    a, b: (N,), scores of each example (1 for right, or its loss), in the same
    order. groups: (N,), examples of a group are drawn together: give the file or
    the author where examples are not independent. Raises ValueError on bad input.
    Source: {eq}`training-bootstrap`.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        came = f"got {a.shape} and {b.shape}"
        raise ValueError(f"a and b must be (N,), N 2 or more; {came}")
    if not np.isfinite(a - b).all():
        raise ValueError("a and b must be finite")
    if draws < 1 or not 0 < level < 1:
        came = f"got {draws} and {level}"
        raise ValueError(f"draws must be 1 or more, level in (0, 1); {came}")
    which = np.arange(len(a)) if groups is None else np.asarray(groups)
    if which.shape != a.shape:
        raise ValueError(f"groups must be {a.shape}, as a and b; got {which.shape}")
    _, number = np.unique(which, return_inverse=True)
    if number.max() == 0:
        raise ValueError("one group only: nothing to draw from")
    sums = np.stack([np.bincount(number, a - b), np.bincount(number)], axis=1)
    # groups that are alike need not be told apart: draw how many of each kind
    kinds, times = np.unique(sums, axis=0, return_counts=True)
    share, n_groups = times / times.sum(), int(times.sum())
    means = []
    for size in split_evenly(draws, max(1, 2_000_000 // len(kinds))):
        drawn = rng.multinomial(n_groups, share, size=size) @ kinds  # (size, 2)
        means.append(drawn[:, 0] / drawn[:, 1])
    m = np.concatenate(means)
    low, high = np.quantile(m, [(1 - level) / 2, (1 + level) / 2])
    beyond = min((m <= 0).sum(), (m >= 0).sum())
    p = min(1.0, 2 * (beyond + 1) / (draws + 1))  # never 0: draws are finite
    return Comparison(float((a - b).mean()), float(low), float(high), float(p))


def split_evenly(total: int, most: int) -> Iterable[int]:
    """Yield numbers of at most `most` that sum to total."""
    while total > 0:
        yield min(total, most)
        total -= most


class McNemar(NamedTuple):
    """Hold how often only one of two models is right, and the p value."""

    only_a: int
    only_b: int
    p: float  # exact, two-sided


def mcnemar(right_a: ArrayLike, right_b: ArrayLike) -> McNemar:
    """Test whether two classifiers err equally often on the same N examples.

    right_a, right_b: (N,) of 0 and 1. Raises ValueError on bad input. Source:
    {eq}`training-mcnemar`.
    """
    a, b = np.asarray(right_a), np.asarray(right_b)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ValueError(f"need two (N,) of equal length; got {a.shape}, {b.shape}")
    if not (np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all()):
        raise ValueError("right_a and right_b must hold 0 and 1 only")
    only_a, only_b = int((a > b).sum()), int((b > a).sum())
    n = only_a + only_b
    m = min(only_a, only_b)
    # the largest term in the log domain, the others by their ratio to it
    log_comb = math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1)
    total, term, k = 0.0, 1.0, m
    while k >= 0 and term > 1e-18 * total:
        total, term, k = total + term, term * k / (n - k + 1), k - 1
    p = 2 * math.exp(log_comb - n * math.log(2)) * total
    return McNemar(only_a, only_b, min(1.0, p))
