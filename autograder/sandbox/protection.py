"""What protection is asked for."""

from dataclasses import dataclass

OURS = {"network", "pids", "world", "landlock", "seccomp", "rlimits", "uid", "fds", "caps"}
THE_WATCHS = {"memory", "cpu", "output", "reap", "disk"}  # what is held from outside the job
SWITCHES = OURS | THE_WATCHS
NAMES = {
    1: "namespaces, Landlock, seccomp and rlimits",
    2: "Landlock, seccomp and rlimits",
    3: "rlimits only",
}


@dataclass(frozen=True)
class Protection:
    """A rung of the ladder; tests lower Landlock's version or switch single things off."""

    rung: int
    landlock_abi: int = 99
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.rung not in NAMES:
            raise ValueError(f"there is no rung {self.rung}: 1, 2 and 3 are")
        if unknown := self.without - SWITCHES:
            raise ValueError(f"nothing is called {sorted(unknown)}: {sorted(SWITCHES)}")

    def has(self, name: str) -> bool:
        """Say whether a protection was not switched off."""
        return name not in self.without

    def label(self) -> str:
        """Say in a few words what is in force."""
        off = f", without {', '.join(sorted(self.without))}" if self.without else ""
        return f"rung {self.rung}: {NAMES[self.rung]}{off}"
