"""What the source says about how one of its notebooks is to be graded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields

from nbformat import NotebookNode

from autograder.course import CONFIG_NAME, Course, UsageError
from autograder.sandbox import Limits
from autograder.submission import grade_id

OWN_CELLS = 10  # so many cells of a student's own may take all the time that a cell may
FOREVER_S = 3600.0  # nbgrader may be told to set no limit; a class must end some day


@dataclass(frozen=True)
class Plan:
    """What the source says about a notebook: which cells test, and what their tests need."""

    tests: frozenset[str]  # grade_ids of the cells that only the checker runs
    helpers: frozenset[str]  # locked cells that both run, the checker from the source
    sources: Mapping[str, str]  # text of both, from the source
    imports: Mapping[str, str] = field(default_factory=dict)  # name -> import statement
    bound: Mapping[str, Collection[str]] = field(default_factory=dict)  # names, by solution cell
    timeout_s: float = 30.0
    budget_s: float = 300.0  # for the whole notebook, starts after a crash included
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(
        cls,
        master: NotebookNode,
        imports: Mapping[str, str],
        timeout_s: float | None = 30.0,
        limits: Limits | None = None,
        bound: Mapping[str, Collection[str]] | None = None,
    ) -> "Plan":
        """Read the plan from a source notebook that still has its hidden tests."""
        tests, helpers, sources = set(), set(), {}
        timeout_s = timeout_s if timeout_s and timeout_s > 0 else FOREVER_S
        budget_s = OWN_CELLS * timeout_s
        for cell in master.cells:
            if cell.cell_type == "code":
                budget_s += own_limit_s(cell) or timeout_s
            meta = cell.metadata.get("nbgrader", {})
            name = grade_id(cell)
            if cell.cell_type != "code" or name is None or meta.get("solution"):
                continue
            if meta.get("grade"):
                tests.add(name)
            elif meta.get("locked"):
                helpers.add(name)
            else:
                continue
            sources[name] = cell.source
        names = frozenset(tests), frozenset(helpers)
        limits = limits or Limits()
        return cls(*names, sources, imports, bound or {}, timeout_s, budget_s, limits)

    def limit_s(self, cell: NotebookNode) -> float:
        """Seconds for one cell."""
        return own_limit_s(cell) or self.timeout_s


def own_limit_s(cell: NotebookNode) -> float | None:
    """The limit in a cell's metadata, {"autograder": {"timeout_s": ...}}, if it has one."""
    own = cell.metadata.get("autograder", {}).get("timeout_s")
    return own if isinstance(own, int | float) and own > 0 else None


def limits_of(course: Course) -> Limits:
    """What each job may use, as the course's configuration says: c.Limits.memory_mib = 4096."""
    own = dict(course.config.get("Limits", {}))
    known = sorted(field.name for field in fields(Limits))
    for name, value in own.items():
        if name not in known or not isinstance(value, int) or value < 1:
            raise UsageError(
                f"c.Limits.{name} = {value!r} in {CONFIG_NAME}: there are {', '.join(known)}, "
                "each a whole number"
            )
    return Limits(**own)
