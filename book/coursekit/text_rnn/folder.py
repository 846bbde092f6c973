"""A run's folder: every file in it is whole at any moment, and belongs to one run.

config.toml       the configuration          vocabulary.json   the tokens, by number
run.json          data, reading, versions    log.jsonl         a line for each print and epoch
seed-0/checkpoint.pt, seed-0/model.pt        tensorboard/seed-0/
report.txt, report.json, report.html         written at the end
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import sklearn
import torch

from coursekit.text_rnn.settings import FREE, UsageError

KNOWN = ("config.toml", "vocabulary.json", "log.jsonl", ".lock", "tensorboard")
MAX_BYTES = 16 * 2**20  # of run.json


def write(path: Path, text: str) -> None:
    """Write a text file so that at any moment it is wholly the old or wholly the new one."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def digest(value: Any) -> str:
    """Return a short hash of plain values."""
    plain = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:8]


def versions() -> dict[str, str]:
    """Return what may change a last bit."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "machine": platform.machine(),
    }


class Folder:
    """One run's folder, locked while it is written to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = filelock.FileLock(path / ".lock", timeout=0)

    def read(self) -> dict[str, Any] | None:
        """Return what run.json says, None where no run was begun. Raises UsageError."""
        file = self.path / "run.json"
        if not file.exists():
            if self.path.exists() and not self.path.is_dir():
                raise UsageError(f"{self.path} is a file, not a run's folder")
            strange = [
                name.name
                for name in (self.path.iterdir() if self.path.exists() else ())
                if name.name not in KNOWN and not name.name.endswith(".part")
            ]
            if strange:
                raise UsageError(
                    f"{self.path} is no run's folder (it holds {sorted(strange)[0]}); "
                    "pass another --run"
                )
            return None
        try:
            if file.stat().st_size > MAX_BYTES:
                raise UsageError(f"{file} is too large")
            found = json.loads(file.read_bytes())
            kinds = {"data": dict, "reading": list, "config": dict, "labels": list, "sha256": str}
            for name, kind in kinds.items():
                if type(found[name]) is not kind:
                    raise ValueError(f"{name} is {found[name]!r:.40}")
            if not all(isinstance(label, str) for label in found["labels"]):
                raise ValueError("a label is no string")
            unit, raw = found["reading"]
            if unit not in ("character", "word") or type(raw) is not bool:
                raise ValueError(f"reading is {found['reading']!r:.60}")
            return dict(found)
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f"{file} is broken ({error}); pass another --run") from error

    def lock(self) -> None:
        """Keep others out. Raises UsageError if somebody else is in, or nothing can be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout as error:
            raise UsageError(f"{self.path}: another process is training in this folder") from error
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def release(self) -> None:
        """Let others in."""
        self._lock.release()

    def seed(self, number: int) -> Path:
        """Return the folder of one seed's checkpoint and weights."""
        found = self.path / f"seed-{number}"
        found.mkdir(exist_ok=True)
        return found


def refuse_other(path: Path, there: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raise UsageError unless a folder's run is the one that is asked for."""
    config = [
        f"{name} is {there['config'].get(name)!r} there, {value!r} asked for"
        for name, value in asked["config"].items()
        if name not in FREE and there["config"].get(name) != value
    ]
    if config:
        raise UsageError(
            f"{path} holds a run of another configuration ({'; '.join(config[:4])}); "
            "pass another --run"
        )
    if there["reading"] != asked["reading"]:
        now, then = (" ".join(map(str, which["reading"])) for which in (asked, there))
        raise UsageError(f"{path} holds a run that cut texts otherwise ({then}, not {now})")
    if there["sha256"] != asked["sha256"]:
        raise UsageError(
            f"{path} holds a run of other data (sha256 {there['sha256'][:12]}, these have "
            f"{asked['sha256'][:12]}; it was {there['data'].get('data')}); pass another --run"
        )


class Log:
    """JSON lines: one for each print and each epoch of each seed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rewind(self, seed: int, updates: int, rounds: int) -> None:
        """Drop what a seed wrote after its checkpoint, and a line that was cut off."""
        if not self.path.exists():
            return
        kept = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                mine = row["seed"] == seed
                later = (
                    row["epoch"] > rounds if "validation_loss" in row else row["update"] > updates
                )
            except (ValueError, KeyError, TypeError):
                continue
            if not (mine and later):
                kept.append(line)
        write(self.path, "".join(line + "\n" for line in kept))

    def add(self, row: dict[str, Any]) -> None:
        """Append one line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def point_out(text: str) -> None:
    """Write one line to standard error."""
    print(text, file=sys.stderr, flush=True)
