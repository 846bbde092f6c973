"""Run attacks, with everything in place and with the protection they aim at taken away."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from attack import ONE_PROCESS, Attack, Evidence, won_text
from canary import Canary
from hostile_course import HONEST, POINTS, PS, HostileCourse, Secrets, fill
from nbformat import NotebookNode
from tiny_course import ROOT, clean_env

HERE = Path(__file__).parent
MAX_SECONDS = 240.0  # of one run: an attack that holds up the class fails the tests, not hangs them


@dataclass
class Run:
    """What one command left."""

    code: int | None
    seconds: float
    left: list[str]
    stdout: bytes
    stderr: bytes
    rows: list[dict[str, Any]] = field(default_factory=list)


class Ground:
    """One class of attackers between two honest students, and the same attacks unprotected."""

    def __init__(
        self, folder: Path, attacks: Sequence[Attack], gradebook: Path, config: str, rung: int
    ) -> None:
        self.folder, self.attacks, self.config, self.rung = folder, attacks, config, rung
        self.gradebook = gradebook  # an empty one: nbgrader needs seconds to make it
        self.cache: dict[Any, dict[str, Evidence]] = {}
        self.failed = False

    @functools.cached_property
    def graded(self) -> tuple[HostileCourse, Canary, Run]:
        """The run of the grader as it is."""
        return self._grade()

    @property
    def course(self) -> HostileCourse:
        """The course that was graded."""
        return self.graded[0]

    @property
    def canary(self) -> Canary:
        """What lay outside."""
        return self.graded[1]

    @property
    def run(self) -> Run:
        """What the command left."""
        return self.graded[2]

    def evidence(self, attack: Attack) -> Evidence:
        """What the attack did against the grader as it is."""
        if "all" not in self.cache:
            self.cache["all"] = self._evidence_of(*self.graded, self.attacks)
        return self.cache["all"][attack.name]

    def unprotected(self, attack: Attack) -> Evidence:
        """What the attack does where its protection is missing."""
        if attack.off not in self.cache:
            if isinstance(attack.off, frozenset):
                assert not self.failed, "the run without protections failed; see the first attack"
                self.failed = True
                self._grade_without()
                self.failed = False
            else:
                alike = [a for a in self.attacks if a.off == attack.off]
                run = self._one_process if attack.off == ONE_PROCESS else self._naive
                self.cache[attack.off] = run(alike)
        return self.cache[attack.off][attack.name]

    def _prepare(
        self, folder: Path, attacks: Sequence[Attack], notebooks: tuple[str, ...] = ()
    ) -> tuple[HostileCourse, Canary]:
        folder.mkdir()
        course = HostileCourse(folder / "course", self.config, notebooks)
        shutil.copy(self.gradebook, course.root / "gradebook.db")
        hears_all = any("SIGURG" in "".join(attack.cells.values()) for attack in attacks)
        secret = course.secret
        canary = Canary(folder / "outside", secret.memory, secret.file, hears_all)
        return course, canary

    def _hand_in(self, course: HostileCourse, canary: Canary, attacks: Sequence[Attack]) -> None:
        for attack in attacks:
            places = canary.places() | {"COURSE": course.root, "NAME": attack.name}
            cells = {cell: filled(text, places) for cell, text in attack.cells.items()}
            course.hand_in(attack.name, cells)
            if attack.edit:
                attack.edit(course, course.folder(attack.name))

    def _grade(self) -> tuple[HostileCourse, Canary, Run]:
        folder = self.folder / "all"
        course, canary = self._prepare(folder, self.attacks)
        marks = folder / "marks.json"
        with canary:
            self._hand_in(course, canary, self.attacks)
            command = ["-m", "autograder", "grade", PS, "--course-dir", str(course.root)]
            command += ["--json", str(marks), "--jobs", "2", "--rung", str(self.rung)]
            run = keep(folder, [sys.executable, *command], course.secret.environment)
            canary.heard = canary.felt()
        if marks.is_file():
            run.rows = json.loads(marks.read_text())
        return course, canary, run

    def _grade_without(self) -> None:
        """Grade a class for each set of switches, all in one process, which starts slowly."""
        secret = Secrets().environment
        groups: dict[Any, list[Attack]] = {}
        for attack in self.attacks:
            if isinstance(attack.off, frozenset):
                groups.setdefault(attack.off, []).append(attack)
        made, jobs = [], []
        with contextlib.ExitStack() as stack:
            for off, attacks in groups.items():
                folder = self.folder / "-".join(sorted(off))
                course, canary = self._prepare(folder, attacks, ("num",))
                stack.enter_context(canary)
                course.secret = replace(course.secret, environment=secret)
                self._hand_in(course, canary, attacks)
                job = [str(course.root), str(folder / "marks.json"), self.rung, sorted(off)]
                jobs.append(job)
                made.append((off, attacks, course, canary))
            file = self.folder / "without.json"
            file.write_text(json.dumps(jobs))
            command = [sys.executable, str(HERE / "grade_without.py"), str(file)]
            run = keep(self.folder, command, secret)
            for _, _, _, canary in made:
                canary.heard = canary.felt()
        assert run.code == 0, run.stderr.decode()[-3000:]
        for (off, attacks, course, canary), job in zip(made, jobs, strict=True):
            rows = json.loads(Path(job[1]).read_text())
            own = replace(run, rows=rows)
            self.cache[off] = self._evidence_of(course, canary, own, attacks)

    def _evidence_of(
        self, course: HostileCourse, canary: Canary, run: Run, attacks: Sequence[Attack]
    ) -> dict[str, Evidence]:
        whole = all(honest_whole(run.rows, student, course.notebooks) for student in HONEST)
        report = course.root / "reports" / f"{PS}.html"
        said = (run.stdout + run.stderr).decode(errors="replace") + json.dumps(run.rows)
        page = report.read_text() if report.is_file() else ""
        said += page
        found = {}
        for attack in attacks:
            rows = [row for row in run.rows if row["student"] == attack.name]
            executed = [
                course.root / "autograded" / attack.name / PS / f"{name}.ipynb"
                for name in course.notebooks
            ]
            raw = [path.read_text() for path in executed if path.is_file()]
            found[attack.name] = Evidence(
                attack.name,
                {row["cell"]: row["points"] for row in rows},
                {row["cell"]: row["outcome"] for row in rows},
                printed="\n".join(text_of(cells_of(text)) for text in raw),
                raw="\n".join(raw),
                told="\n".join(row["message"] for row in rows),
                said=said,
                page=page,
                reached=b"\n".join(canary.got).decode(errors="replace"),
                left=run.left,
                outside=canary.folder,
                course=course.root,
                secrets={k: str(v) for k, v in asdict(course.secret).items()},
                felt=canary.heard,
                others_whole=whole,
                run_whole=run.code == 0,
            )
        return found

    def _one_process(self, attacks: Sequence[Attack]) -> dict[str, Evidence]:
        """Run what was handed in as stock nbgrader would, and mark it as nbgrader does."""
        folder = self.folder / "one-process"
        course, canary = self._prepare(folder, attacks)
        jobs, notebooks = [], []
        with canary:
            self._hand_in(course, canary, attacks)
            places = canary.places() | {"COURSE": course.root}
            for attack in attacks:
                name = "net" if "step" in attack.cells else "num"
                texts = {c: filled(t, places | {"NAME": attack.name})
                         for c, t in attack.cells.items()}  # fmt: skip
                nb = fill(course.source(name), texts)
                if attack.edit and not attack.cells:
                    nb = nbformat.read(course.folder(attack.name) / f"{name}.ipynb", 4)
                code = [c for c in nb.cells if c.cell_type == "code"]
                notebooks.append(code)
                jobs.append(
                    {
                        "cells": [c.source for c in code],
                        "folder": str(course.folder(attack.name)),
                    }
                )
            run, _ = run_unprotected(folder, jobs, course.secret.environment)
            heard = canary.felt()
        found = {}
        for number, (attack, code) in enumerate(zip(attacks, notebooks, strict=True)):
            done = json.loads((folder / f"jobs.{number}.json").read_text())
            for cell, outputs in zip(code, done, strict=False):
                cell.outputs = [nbformat.from_dict(output) for output in outputs]
            shown = text_of(code)
            found[attack.name] = Evidence(
                attack.name,
                as_nbgrader_marks(code, len(done)),
                printed=shown,
                raw=json.dumps(code),
                told=shown,  # nbgrader's feedback shows all outputs
                said=shown,
                page=shown,
                reached=b"\n".join(canary.got).decode(errors="replace"),
                left=run.left,
                outside=canary.folder,
                course=course.root,
                secrets={k: str(v) for k, v in asdict(course.secret).items()},
                felt=heard,
            )
        return found

    def _naive(self, attacks: Sequence[Attack]) -> dict[str, Evidence]:
        """Let a program that trusts its input have what was handed in."""
        folder = self.folder / "naive"
        course, canary = self._prepare(folder, attacks, ("num",))
        jobs = []
        with canary:
            self._hand_in(course, canary, attacks)
            for attack in attacks:
                places = canary.places() | {"COURSE": course.root, "NAME": attack.name}
                jobs.append(
                    {
                        "program": filled(attack.naive, places),
                        "arguments": [str(course.folder(s)) for s in (attack.name, HONEST[-1])],
                        "folder": str(folder),
                    }
                )
            # a reader of many attacks must be able to read what is honest, or it proves nothing
            honest = [str(course.folder(s)) for s in HONEST]
            readers = [p for p, count in Counter(a.naive for a in attacks).items() if count > 9]
            jobs += [{"program": p, "arguments": honest, "folder": str(folder)} for p in readers]
            run, codes = run_unprotected(folder, jobs, course.secret.environment)
        assert codes[len(attacks) :] == [0] * len(readers)
        found = {}
        for number, (attack, code) in enumerate(zip(attacks, codes, strict=False)):
            shown = (folder / f"jobs.{number}.out").read_bytes().decode(errors="replace")
            e = found[attack.name] = Evidence(
                attack.name,
                printed=shown,
                raw=shown,
                told=shown,
                said=shown,
                page=shown,
                left=run.left,
                outside=canary.folder,
                course=course.root,
                secrets={k: str(v) for k, v in asdict(course.secret).items()},
                others_whole=code == 0,
                run_whole=code == 0,
            )
            for line in shown.splitlines():
                with contextlib.suppress(ValueError, TypeError):
                    e.points.update(json.loads(line))
        return found


def run_unprotected(
    folder: Path, jobs: Sequence[Mapping[str, object]], secret: str
) -> tuple[Run, list[int]]:
    """Run jobs that nothing protects; returns how each process ended, too."""
    file = folder / "jobs"
    file.write_text(json.dumps(jobs))
    run = keep(folder, [sys.executable, str(HERE / "unprotected.py"), str(file)], secret)
    assert run.code == 0, run.stderr.decode()
    return run, json.loads((folder / "jobs.codes").read_text())


def filled(text: str, places: Mapping[str, object]) -> str:
    """Put the places of a canary into an attack's text."""
    name = str(places["NAME"])
    # in two pieces, so that the words do not stand in a traceback that quotes the source
    won = won_text(name)
    text = text.replace("@WON@", f"({won[:2]!r} {won[2:]!r})")
    for key, value in places.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def keep(folder: Path, command: list[str], secret: str, seconds: float = MAX_SECONDS) -> Run:
    """Run a command in a session of its own, and learn what it leaves."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    env = clean_env(home) | {"SECRET": secret}
    env["PYTHONPATH"] = os.pathsep.join([env["PYTHONPATH"], str(HERE), str(HERE.parent)])
    report = folder / "kept.json"
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        subprocess.run(
            [sys.executable, str(HERE / "keeper.py"), str(report), str(seconds), *command],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            timeout=seconds + 60,
            check=True,
        )
    kept = json.loads(report.read_text())
    return Run(
        kept["code"],
        kept["seconds"],
        kept["left"],
        (folder / "out").read_bytes(),
        (folder / "err").read_bytes(),
    )


def honest_whole(rows: list[dict[str, Any]], student: str, notebooks: Sequence[str]) -> bool:
    """Tell whether an honest student got everything."""
    got = {row["cell"]: row["points"] for row in rows if row["student"] == student}
    names = {cell: most for cell, most in POINTS.items()
             if ("net" if cell.startswith("step") else "num") in notebooks}  # fmt: skip
    return all(got.get(cell) == most for cell, most in names.items())


def text_of(cells: list[NotebookNode] | list[dict[str, Any]]) -> str:
    """All text that a notebook's outputs show."""
    found: list[str] = []
    for cell in cells:
        for output in cell.get("outputs", ()):
            found += [str(output.get(key, "")) for key in ("text", "ename", "evalue")]
            found += [str(line) for line in output.get("traceback", ())]
            found += [str(value) for value in output.get("data", {}).values()]
    return "\n".join(found)


def cells_of(text: str) -> list[dict[str, Any]]:
    """The cells of a stored notebook, if an attack left anything of it."""
    with contextlib.suppress(ValueError):
        return json.loads(text).get("cells", [])
    return []


def as_nbgrader_marks(code: list[NotebookNode], ran: int) -> dict[str, float | None]:
    """Points as nbgrader gives them: all of them where no error came out.

    nbgrader marks nothing of a notebook whose kernel died; the cells before it keep theirs here.
    """
    points: dict[str, float | None] = {}
    for number, cell in enumerate(code):
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            failed = any(out["output_type"] == "error" for out in cell.get("outputs", ()))
            points[meta["grade_id"]] = 0.0 if failed or number >= ran else float(meta["points"])
    return points
