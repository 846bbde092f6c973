"""Resolve requirements.in into requirements.txt, the complete lock, with pip-tools.

    python -m tools.lock

No hashes and no local version tags: `torch==2.13.0` is then satisfied by the CPU build as well as
by the CUDA build. What only a CUDA torch needs (nvidia-*, triton) torch pins itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# GENERATED from requirements.in by `make lock`: everything the course was tested with.\n"


def clean(text: str) -> str:
    """Return pip-compile's output without local tags, CUDA packages and its closing remarks."""
    text = re.sub(r"^(\S+==[^+\s]+)\+\S+", r"\1", text, flags=re.M)
    text = re.sub(r"^(?:nvidia-|triton)\S*==\S+\n(?:    #.*\n)*", "", text, flags=re.M)
    text = re.sub(r"^# The following packages.*\n", "", text, flags=re.M)
    return HEADER + re.sub(r"\n{2,}", "\n", text)


def main() -> int:
    """Write requirements.txt; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "requirements.txt")
        # start from the old lock, so that only what must change does
        if (ROOT / "requirements.txt").exists():
            out.write_text((ROOT / "requirements.txt").read_text())
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--allow-unsafe"]
        command += ["--strip-extras", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--no-emit-trusted-host", f"--output-file={out}", "requirements.in"]
        code = subprocess.call(command, cwd=ROOT)
        if code:
            return code
        (ROOT / "requirements.txt").write_text(clean(out.read_text()))
    print("wrote requirements.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
