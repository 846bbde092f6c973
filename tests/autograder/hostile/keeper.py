"""Run a command, and report which processes it left behind: `keeper.py REPORT SECONDS COMMAND...`.

Orphans of the command become children of this process, wherever they hid, and are killed. An
attack that reaches beyond its own job reaches this process group at the farthest.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def descendants() -> dict[int, str]:
    """Names of all living processes below this one."""
    parent, name = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                comm, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
                state, ppid = rest.split()[:2]
                if state != "Z":
                    parent[int(folder.name)], name[int(folder.name)] = int(ppid), comm
    found = {}
    for pid in parent:
        above = pid
        while above in parent and above != os.getpid():
            above = parent[above]
        if above == os.getpid() and pid != above:
            found[pid] = name[pid]
    return found


def main(report: str, seconds: str, *command: str) -> int:
    """Run the command and write the report."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    begun = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    try:
        code: int | None = process.wait(float(seconds))
    except subprocess.TimeoutExpired:
        code = None
        process.kill()
        process.wait()
    took = time.monotonic() - begun
    time.sleep(0.1)  # what has been killed needs a moment to be gone
    left = descendants()
    while rest := descendants():
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)
    Path(report).write_text(
        json.dumps({"code": code, "seconds": took, "left": sorted(left.values())})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
