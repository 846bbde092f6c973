"""Results that took longer than a page may: loaded from JSON that says how to make them again."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def load(name: str) -> dict[str, Any]:
    """Return a recorded result; its `made` names command, date, machine and versions.

    Raises ValueError where nothing is recorded under that name.
    """
    path = FOLDER / f"{name}.json"
    if not path.exists():
        known = sorted(p.stem for p in FOLDER.glob("*.json"))
        raise ValueError(f"no recorded result {name!r}; there are {known}")
    return json.loads(path.read_text(encoding="utf-8"))
