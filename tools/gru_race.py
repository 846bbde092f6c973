"""Record the race of chapter 08: `python -m tools.gru_race` (ten minutes of one core).

Four cells of seqmodels.gru.FAMILY learn four tasks with the same number of weights, at three
rates, from five seeds; five ablations learn two of the tasks. Each (task, cell) is written to
book/coursekit/gru_race.json as soon as it is done, and a second call goes on where the first was
cut off; calls with different --only may run at the same time. The chapter draws what is recorded
and runs a small instance of it.

    python -m tools.gru_race            record what is missing
    python -m tools.gru_race --fresh    forget what is recorded, record all
    python -m tools.gru_race --check    fail if the code no longer does what was recorded

The check trains every pair for a few steps and compares the losses with those that are recorded: a
change of the cells, the tasks or the optimiser shows, a change of comments does not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqmodels import hmm
from seqmodels.gru import (
    FAMILY,
    FamilyNets,
    FamilyTask,
    family_inputs,
    family_loss,
    family_size,
    family_units,
    run_family,
    train_family,
)
from seqmodels.rnn import MISSING, Task, adding, delayed_copy, parity

OUT = Path(__file__).resolve().parents[1] / "book" / "coursekit" / "gru_race.json"
COMMAND = "python -m tools.gru_race"
RATES, SEEDS, BUDGET, BATCH = (1e-3, 3e-3, 1e-2), (0, 1, 2, 3, 4), 3000, 16
STEPS = {"copy": 2000, "adding": 1500, "parity": 2000, "hmm": 1000}
LATE = 100  # the rate is chosen by the mean training loss of the last so many updates
POINTS = 50  # of a learning curve
TEST = 500  # sequences
LONG = 200  # steps of the test of parity, which is learned on 24
PROBE = 5  # updates of the check
CELLS = ("RNN", "LSTM", "GRU", "MGU")
ABLATIONS = (
    "LSTM, input gate 1",
    "LSTM, forget gate 1",
    "LSTM, coupled",
    "GRU, reset gate 1",
    "GRU, update gate 0",
)
KINDS = {name: CELLS + ABLATIONS if name in ("copy", "adding") else CELLS for name in STEPS}
STICKY = hmm.sticky_hmm()


def next_symbol(T: int, B: int, rng: np.random.Generator) -> Task:
    """Return sequences of the sticky HMM; the target is the next symbol."""
    x = hmm.sample(T + 1, B, STICKY, rng)[1]
    return Task(x[:-1], x[1:])


TASKS = {
    "copy": FamilyTask(lambda B, rng: delayed_copy(3, 20, 4, B, rng), 6, 4),
    "adding": FamilyTask(lambda B, rng: adding(40, B, rng), 2, 1),
    "parity": FamilyTask(lambda B, rng: parity(24, B, rng), 2, 2),
    "hmm": FamilyTask(lambda B, rng: next_symbol(60, B, rng), STICKY.E.shape[1], STICKY.E.shape[1]),
}


def judge(name: str, kind: str, nets: FamilyNets) -> np.ndarray:
    """Return what the figure shows, one number for each network: (rates, seeds).

    copy: share of symbols right. adding: squared error. parity: share right after 200 bits. hmm:
    nats a token above the floor, on the same tokens.
    """
    task, out = TASKS[name], []
    with torch.no_grad():
        for k, seed in enumerate(SEEDS):
            rng = np.random.default_rng(90_000 + seed)
            x, y = parity(LONG, TEST, rng) if name == "parity" else task.make(TEST, rng)
            of_seed = FamilyNets(*(w[k :: len(SEEDS)] for w in nets))  # one for each rate
            inputs = family_inputs(x, task.D).expand(len(RATES), *x.shape[:2], task.D)
            scores = run_family(kind, of_seed, inputs)  # (rates, T, B, V)
            target = torch.tensor(y).expand(len(RATES), *y.shape)
            right = (scores.argmax(dim=-1) == target) if y.ndim == 2 else None
            if name == "copy" and right is not None:
                out.append(right[:, y != MISSING].double().mean(dim=1).numpy())
            elif name == "parity" and right is not None:
                out.append(right[:, -1].double().mean(dim=1).numpy())
            else:
                loss = family_loss(scores, target.float() if task.V == 1 else target)
                floor = 0.0
                if name == "hmm":
                    whole = np.concatenate([x, y[-1:]])
                    floor = float(-hmm.forward(whole, STICKY)[1][1:].mean())
                out.append(loss.double().numpy() - floor)
    return np.stack(out, axis=1)


def record(name: str, kind: str) -> dict[str, Any]:
    """Return the result of one cell on one task."""
    task = TASKS[name]
    H = family_units(kind, task.D, task.V, BUDGET)
    began = time.process_time()
    nets, losses = train_family(kind, task, H, SEEDS, RATES, STEPS[name], BATCH)
    late = losses[:, :, -LATE:].mean(axis=2)  # (rates, seeds)
    best = int(late.mean(axis=1).argmin())
    curve = losses[best].reshape(len(SEEDS), POINTS, -1).mean(axis=2)
    return {
        "H": H,
        "weights": family_size(kind, task.D, H, task.V),
        "best": best,
        "late": late.round(5).tolist(),
        "score": judge(name, kind, nets).round(5).tolist(),
        "curve": curve.round(4).tolist(),
        "probe": probe(name, kind, H),
        "cpu_s": round(time.process_time() - began, 1),
    }


def probe(name: str, kind: str, H: int) -> list[float]:
    """Return the losses of the first updates of one network."""
    losses = train_family(kind, TASKS[name], H, SEEDS[:1], RATES[-1:], PROBE, BATCH)[1]
    return [float(f"{loss:.6g}") for loss in losses[0, 0]]


def settings() -> dict[str, Any]:
    """Return what has to be the same for all results in one file."""
    return {
        "rates": list(RATES),
        "seeds": list(SEEDS),
        "budget": BUDGET,
        "batch": BATCH,
        "steps": STEPS,
        "late": LATE,
        "test": TEST,
        "long": LONG,
        "kinds": {name: list(kinds) for name, kinds in KINDS.items()},
    }


def what_is_stale(recorded: dict[str, Any]) -> list[str]:
    """Return what is missing from a recording or no longer what the code does."""
    if recorded.get("settings") != settings():
        return ["the settings"]
    stale = []
    for name in TASKS:
        for kind in KINDS[name]:
            result = recorded["results"].get(name, {}).get(kind)
            if result is None:
                stale.append(f"{kind} on {name} is missing")
            elif not np.allclose(
                probe(name, kind, result["H"]), result["probe"], rtol=1e-3, atol=0
            ):
                stale.append(f"{kind} on {name}")
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Record, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--fresh", action="store_true", help="begin again")
    parser.add_argument("--only", nargs="*", help="kinds to record now", default=CELLS + ABLATIONS)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    kept = json.loads(OUT.read_text()) if OUT.exists() and not given.fresh else {}
    if given.check:
        stale = what_is_stale(kept)
        if stale:
            print(f"{OUT.name} is out of date: {'; '.join(stale)}\nrenew it: {COMMAND} --fresh")
        return int(bool(stale))
    if kept.get("settings") != settings():
        kept = {"settings": settings(), "results": {name: {} for name in TASKS}}
    for kind in FAMILY:
        for name in TASKS:
            done = kind in kept["results"][name] or kind not in KINDS[name]
            if done or kind not in given.only:
                continue
            result = record(name, kind)
            if OUT.exists():  # another call may have recorded other kinds meanwhile
                now = json.loads(OUT.read_text())
                kept = now if now["settings"] == settings() else kept
            kept["results"][name][kind] = result
            kept["made"] = {
                "command": COMMAND,
                "date": datetime.date.today().isoformat(),
                "machine": f"{platform.machine()}, one thread of a CPU",
                "versions": {
                    "python": platform.python_version(),
                    "numpy": np.__version__,
                    "torch": torch.__version__,
                },
                "cpu_s": round(
                    sum(r["cpu_s"] for t in kept["results"].values() for r in t.values())
                ),
            }
            OUT.write_text(json.dumps(kept, indent=None, separators=(",", ":")) + "\n")
            scores = np.array(result["score"])[result["best"]]
            print(f"{name:7s} {kind:26s} H {result['H']:2d} rate {RATES[result['best']]:.0e}",
                  scores, f"{result['cpu_s']} s", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
