"""Create .venv and install the lock into it; run by the system's Python before anything is there.

    python3 tools/bootstrap.py [--torch-index URL]

Standard library only, and written so that an old Python gets as far as saying that it is too old.
Does nothing, in a blink, when .venv already holds what requirements.txt says.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.sha256")
LOG = os.path.join(VENV, "install.log")
LOCK = os.path.join(ROOT, "requirements.txt")
VERSIONS = ((3, 11), (3, 12), (3, 13))
NEEDED_GB = 2.5  # with a CPU build of torch
NEEDED_CUDA_GB = 7.0  # with the CUDA build that Linux gets unless told otherwise

# what pip or the system says -> what the reader should do; searched in this order
TROUBLES = (
    (
        r"No space left on device|Errno 28|Disk quota exceeded",
        "the disk is full: free some space ({need:.0f} GB for a CUDA torch, less for a CPU one, "
        "see `make help`) and run make again",
    ),
    (
        r"NewConnectionError|Temporary failure in name resolution|Failed to establish a new|"
        r"Name or service not known|Network is unreachable|ConnectTimeout|Connection refused|"
        r"ReadTimeoutError|ProxyError|Connection reset|Read timed out|No address associated",
        "no network: the package index cannot be reached; check the connection "
        "(or pip's proxy and index settings) and run make again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "the package index's certificate is not trusted here: "
        "set pip's `cert` option to your organisation's certificate and run make again",
    ),
    (
        r"No matching distribution found for (\S+)|Could not find a version that satisfies"
        r" the requirement (\S+)",
        "the package index has no build of {match} for this system and Python {python}; see {log}",
    ),
)


class Trouble(Exception):
    """Something the reader can mend; its text is the one line that says how."""


def check_python() -> None:
    """Raise Trouble if this interpreter is not one that the lock was made for."""
    if sys.version_info[:2] not in VERSIONS:
        raise Trouble(
            "Python {}.{} is not supported: install Python 3.11, 3.12 or 3.13 "
            "and run `make PYTHON=python3.11`".format(*sys.version_info[:2])
        )


def lock_key(torch_index: str) -> str:
    """Return a hash of everything that decides what is installed."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    digest.update(repr((sys.version_info[:3], torch_index, ROOT)).encode())
    return digest.hexdigest()


def venv_works() -> bool:
    """Say whether .venv has an interpreter that starts, of this version, and pip."""
    code = "import sys, pip; sys.exit(sys.version_info[:2] != {!r})".format(sys.version_info[:2])
    try:
        return subprocess.call([PYTHON, "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_venv() -> None:
    """Create .venv anew."""
    try:
        import ensurepip  # noqa: F401  Debian ships venv without it, and fails late and unclearly
        import venv
    except ImportError:
        raise Trouble(
            "Python's venv module is missing: on Debian or Ubuntu run "
            "`apt install python{}.{}-venv`, then make again".format(*sys.version_info[:2])
        ) from None
    venv.create(VENV, with_pip=True, clear=True, symlinks=True)


def check_disk(cpu_build: bool) -> None:
    """Raise Trouble if the disk cannot hold the environment; better now than after 4 GB."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB:
        raise Trouble(
            "the disk is nearly full: {:.1f} GB free, the environment needs {:.1f} GB; "
            "free some space and run make again".format(free, NEEDED_GB)
        )
    if free < NEEDED_CUDA_GB and not cpu_build:
        print(
            "   note: {:.1f} GB free; a CUDA build of torch needs {:.0f} GB, a CPU build {:.1f}: "
            "`make TORCH_INDEX=https://download.pytorch.org/whl/cpu`".format(
                free, NEEDED_CUDA_GB, NEEDED_GB
            )
        )


def show(line: str) -> None:
    """Replace the progress line on a terminal; elsewhere print nothing."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write("\r" + line[:width].ljust(width))
        sys.stdout.flush()


def pip(arguments: list, total: int) -> None:
    """Run pip quietly with progress; raise Trouble with the cause if it fails."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    seen = 0
    with open(LOG, "a") as log:
        log.write("\n$ pip install " + " ".join(arguments) + "\n")
        process = subprocess.Popen(
            command + ["--progress-bar", "off", "--retries", "2"] + arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            cwd=ROOT,
        )
        try:
            for line in process.stdout or ():
                log.write(line)
                if line.startswith(("Collecting ", "Requirement already satisfied")):
                    seen += 1
                    name = line.replace("Requirement already satisfied:", "Have").split(" (")[0]
                    show("   {:3d}/{}  {}".format(min(seen, total), total, name.strip()))
                elif line.startswith("Installing collected"):
                    show("   writing {} packages to .venv (a minute or two)".format(seen))
        except BaseException:
            process.terminate()
            raise
        finally:
            code = process.wait()
    show("")
    if code:
        raise Trouble(diagnose(code))


def diagnose(code: int) -> str:
    """Return the one line that names the cause of a failed pip run, from its log."""
    with open(LOG) as log:
        text = log.read().split("\n$ pip install ")[-1]
    for pattern, advice in TROUBLES:
        match = re.search(pattern, text)
        if match:
            found = next((group for group in match.groups() if group), "")
            python = "{}.{}".format(*sys.version_info[:2])
            return advice.format(match=found, need=NEEDED_CUDA_GB, python=python, log=LOG)
    return "pip failed (exit {}); its last words are in {}".format(code, LOG)


def main() -> int:
    """Set up the environment; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--torch-index",
        default="",
        help="index that has the torch build to use, for example a CPU one",
    )
    args = parser.parse_args()
    try:
        check_python()
        key = lock_key(args.torch_index)
        if os.path.exists(STAMP) and venv_works():
            with open(STAMP) as stamp:
                if stamp.read() == key:
                    return 0
        start = time.time()
        if not venv_works():
            check_disk(cpu_build=bool(args.torch_index))
            print("   creating .venv with Python {}.{}.{}".format(*sys.version_info[:3]))
            make_venv()
        with open(LOCK) as lock:
            total = sum("==" in line for line in lock)
        print(
            "   installing {} packages, most of the time torch; log: .venv/install.log".format(
                total
            )
        )
        sys.stdout.flush()
        if args.torch_index:
            with open(LOCK) as lock:
                torch = re.findall(r"^torch==\S+", lock.read(), re.M)
            pip(torch + ["--index-url", args.torch_index], total)
        pip(["-r", "requirements.txt"], total)
        pip(["--no-deps", "--no-build-isolation", "-e", "."], 1)
        with open(STAMP, "w") as stamp:
            stamp.write(key)
        print("   environment ready in {:.0f} s".format(time.time() - start))
    except Trouble as trouble:
        print("\nset-up stopped: {}".format(trouble), file=sys.stderr)
        return 1
    except OSError as error:
        full = error.errno in (28, 122)
        cause = "the disk is full: free some space and run make again" if full else str(error)
        print("\nset-up stopped: " + cause, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        said = str(getattr(error, "output", "") or error)
        full = "No space left" in said
        cause = "the disk is full: free some space and run make again" if full else said
        print("\nset-up stopped: " + cause, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up stopped by you; run make again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
