"""The files that lie beside a notebook: written into the job's own folder, before any cell runs."""

import base64
from collections.abc import Mapping
from pathlib import Path


def put(files: Mapping[str, str]) -> None:
    """Append base64 pieces to files, by path inside the working folder; an empty one makes one."""
    for name, piece in files.items():
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{name!r} is not inside the working folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(base64.b64decode(piece))
