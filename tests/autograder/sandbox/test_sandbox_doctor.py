"""The probe, the table and the doctor say what is."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from jail_harness import MACHINES, Machine, attack, linux_root

from autograder import doctor
from autograder.sandbox import Protection, best, cgroup, guarantees, landlock, limits, rungs, table

IMPORT_MS = 30.0  # of processor time beyond what everybody has loaded; here it is 14


@linux_root
@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_best_is_the_strongest_rung_that_works(machine: Machine) -> None:
    found: list[Protection] = []

    def note() -> None:
        found.append(best())
        raise SystemError(found[0].rung)  # comes back as the zygote's trouble

    with pytest.raises(AssertionError, match=r"SystemError: \d") as caught:
        attack(int, machine=machine, before=note)
    works_here = machine.root or machine.user_namespaces
    assert f"SystemError: {1 if works_here else 2}" in str(caught.value)


def test_best_without_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.kernel.SUPPORTED", False)
    assert best() == Protection(3)


@linux_root
def test_a_capped_search() -> None:
    assert [best(cap).rung for cap in (1, 2, 3)] == [1, 2, 3]


def test_why_not_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no namespaces today")

    monkeypatch.setattr("autograder.sandbox.kernel.clone", refuse)
    assert "no namespaces today" in rungs.why_not(Protection(1))


def test_unknown_switches_and_rungs_are_refused() -> None:
    with pytest.raises(ValueError, match="networks"):
        Protection(1, without=frozenset({"networks"}))
    with pytest.raises(ValueError, match="rung 4"):
        Protection(4)


def _line(words: str) -> table.Line:
    (line,) = (line for line in table.TABLE if words in line.what)
    return line


@pytest.mark.parametrize(
    ("words", "rung", "abi", "off", "held"),
    [
        ("read the course", 1, 7, (), True),
        ("read the course", 1, 0, ("landlock",), True),
        ("read the course", 1, 0, ("world", "landlock"), False),
        ("read the course", 2, 1, (), True),
        ("read the course", 2, 0, ("landlock",), False),
        ("read the course", 3, 7, (), False),
        ("cut files", 1, 1, (), True),
        ("cut files", 2, 2, (), False),
        ("cut files", 2, 3, (), True),
        ("any network", 2, 1, (), True),
        ("any network", 1, 7, ("network",), False),
        ("signal another", 2, 1, (), True),
        ("signal another", 2, 1, ("seccomp", "landlock"), False),
    ],
)
def test_the_table(words: str, rung: int, abi: int, off: tuple[str, ...], held: bool) -> None:
    protection = Protection(rung, without=frozenset(off))
    assert bool(table.state(_line(words), protection, abi)) == held


def test_the_table_grows_weaker_rung_by_rung() -> None:
    for line in table.TABLE:
        cells = [bool(table.state(line, Protection(rung), landlock.NEWEST)) for rung in (1, 2, 3)]
        assert cells == sorted(cells, reverse=True), line
    assert len(table.markdown().splitlines()) == len(table.TABLE) + 2
    assert set(table.KERNELS) == set(table.ADDS) == set(range(1, landlock.NEWEST + 1))


def test_guarantees_are_sentences() -> None:
    strong, weak = guarantees(Protection(1)), guarantees(Protection(3))
    assert len(strong) == len(weak) == len(table.TABLE)
    assert not any(" CAN " in sentence for sentence in strong)
    assert sum(" CAN " in sentence for sentence in weak) > 5


@linux_root
def test_the_doctor_tries_for_real() -> None:
    stream = io.StringIO()
    assert doctor.report(stream) == 0
    assert "OPEN" not in stream.getvalue()
    assert "In force: rung 1" in stream.getvalue()
    for off, what in (
        ({"network"}, "reaching the loopback network"),
        ({"world", "landlock"}, "reading a hidden folder"),
        ({"pids", "landlock"}, "seeing the grader's process"),
        ({"seccomp"}, "memory in a file without a name"),
        ({"rlimits"}, "a sixty-fifth process"),
    ):
        held = dict(doctor.attempts(Protection(1, without=frozenset(off))))
        assert not held[what], what


@linux_root
@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_the_best_rung_of_each_machine_holds_every_attack(machine: Machine) -> None:
    def note() -> None:
        tried = doctor.attempts(best())
        if not all(held for _, held in tried):  # processes are counted by user on the lower rungs:
            tried = doctor.attempts(best())  # another test's that just ended left room for one more
        raise SystemError(len(tried), [what for what, held in tried if not held])

    with pytest.raises(AssertionError, match=r"SystemError: \(10, \[\]\)"):
        attack(int, machine=machine, before=note)


def test_the_doctor_knows_remedies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    switch = tmp_path / "max_user_namespaces"
    switch.write_text("0\n")
    monkeypatch.setattr(doctor, "SWITCHES", {str(switch): ("0", "turn it on")})
    monkeypatch.setattr(landlock, "version", lambda: 4)
    said = "\n".join(doctor.advice(Protection(2)))
    assert "turn it on" in said
    assert "Linux 6.12" in said and "Linux 6.7)" not in said


def test_imports_are_light() -> None:
    code = """
import sys, time
import dataclasses, tempfile, traceback, pathlib, contextlib  # what everybody has loaded
start = time.process_time()
import autograder.sandbox
print(1000 * (time.process_time() - start))
files = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
print([file for file in files if "site-packages" in file])
"""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    spent, foreign = done.stdout.splitlines()
    assert float(spent) < IMPORT_MS
    assert foreign == "[]"


# cgroups


@linux_root
def test_a_job_has_its_own_cgroup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "CONTROLLERS", ())
    here = cgroup.where()
    if here is None:
        pytest.skip("there is no cgroup of version 2 here")

    def place() -> str:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        return next(line for line in lines if line.startswith("0::"))

    for machine in (Machine(), Machine(user_namespaces=False)):
        result = attack(place, machine=machine)
        assert cgroup.NAME in result.value and "student-1" in result.value, result
    cgroup.sweep(here)
    assert not list(here.glob(cgroup.NAME + "*"))


@linux_root
def test_memory_of_a_job_as_a_whole() -> None:
    here = cgroup.where()
    if here is None or "memory" not in (here / "cgroup.controllers").read_text().split():
        pytest.skip("no memory controller of cgroup version 2 here")

    def take() -> int:
        return len(bytearray(200 << 20))

    small = limits.Limits(memory_mib=64, disk_mib=8)
    assert attack(take, limits=small).held
    assert attack(take, Protection(1, without=frozenset({"memory"})), limits=small).value


@linux_root
def test_a_job_starts_though_its_cgroup_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(cgroup, "own", lambda *_: cgroup.Cgroup(tmp_path))  # it is no cgroup
    assert attack(lambda: "ran").value == "ran"
    assert [path.name for path in tmp_path.iterdir()] == ["student-1"]
