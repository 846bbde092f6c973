"""What a program of ours does before it imports anything large."""

import gc
import sys


def quickly() -> None:
    """Leave out what makes our imports slow.

    The garbage collector would look again and again at all that was imported. And jsonschema, which
    nbformat imports, would compile a grammar of international URLs for 0.8 s, though no notebook
    needs the check.
    """
    gc.set_threshold(50_000, 20, 20)
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
