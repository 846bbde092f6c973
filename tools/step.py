"""Run one step of `make`: say what begins, how long it took, and stop make if it failed.

python -m tools.step NAME -- COMMAND ...
python -m tools.step --look            print where the results are
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = (
    ("the course", "_build/html/index.html"),
    ("class report", "_build/demo/reports/ps1_hmm.html"),
    ("problem set", "exercises/ps1_hmm/ps1_hmm.ipynb"),
)


def look() -> None:
    """Print the places of what `make` has built."""
    print("\nOpen in a browser, straight from the disk:" if sys.stdout.isatty() else "\nBuilt:")
    for name, path in RESULTS:
        print(f"  {name:<14}{ROOT / path}")
    print("\n`make serve` shows the site on http://127.0.0.1:8000, `make lab` opens JupyterLab.")


def main(argv: list[str]) -> int:
    """Run the command line; return the command's exit status."""
    if argv == ["--look"]:
        look()
        return 0
    if len(argv) < 3 or argv[1] != "--":
        print(__doc__, file=sys.stderr)
        return 2
    name, _, *command = argv
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"{bold}==> {name}{plain}", flush=True)
    start = time.monotonic()
    try:
        code = subprocess.call(command)
    except KeyboardInterrupt:
        code = 130
    seconds = time.monotonic() - start
    if code:
        print(f"==> {name} failed after {seconds:.1f} s (exit {code})", file=sys.stderr)
    else:
        print(f"    {name}: {seconds:.1f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
