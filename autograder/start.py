"""What a program of ours does before it imports anything large."""

import sys


def quickly() -> None:
    """Keep jsonschema, which nbformat imports, from compiling a grammar of international URLs.

    No notebook needs the check, and the grammar takes 0.8 s, in each command and each worker.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
