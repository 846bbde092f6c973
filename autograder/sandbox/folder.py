"""Remove a folder that a job has filled, however it was built."""

import contextlib
import os

SHARED = ("/dev/shm", "/tmp", "/var/tmp")


def remove(top: str) -> None:
    """Remove a folder with everything in it; very deep trees and closed folders included.

    Every folder met is moved up to the top first, so that no path gets long, and links are never
    followed. What cannot be removed stays.
    """
    count = 0
    todo = [top]
    while todo:
        current = todo.pop()
        with contextlib.suppress(OSError):
            os.chmod(current, 0o700)
            for entry in list(os.scandir(current)):
                if entry.is_dir(follow_symlinks=False):
                    count += 1
                    moved = f"{top}/.removed-{count}"
                    with contextlib.suppress(OSError):
                        os.chmod(entry.path, 0o700)
                        os.rename(entry.path, moved)
                        todo.append(moved)
                else:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)
        if current != top:
            with contextlib.suppress(OSError):
                os.rmdir(current)
    with contextlib.suppress(OSError):
        os.rmdir(top)


def remove_of(owner: int) -> None:
    """Remove what a user who was made for one job has left in the folders that all users share."""
    for shared in SHARED:
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(shared)):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid != owner:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        remove(entry.path)
                    else:
                        os.unlink(entry.path)
