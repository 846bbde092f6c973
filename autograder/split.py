"""Facts about a problem set's notebook that grading in two processes needs, and what it cannot do.

Test cells run in the checker, everything that a student writes in the student process; what a test
asks of the student's code goes over a pipe. Nearly every test cell never notices. What would is
found here by reading the source, so that `release` can refuse it with the reason and a way round.
It reads; it does not run: what cannot be told for sure passes, and the reference answer, graded
before anybody else, is the second net. A line that ends in `# split: fine` is let through.
"""

import ast
import symtable
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from autograder.refused import Finding
from autograder.taint import Tester

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"  # nbgrader's defaults
FINE = "# split: fine"


@dataclass
class Part:
    """One code cell, read."""

    number: int
    name: str
    kind: str  # student, helper or test
    source: str
    tree: ast.Module
    bound: set[str] = field(default_factory=set)  # names that the cell gives a value
    reads: set[str] = field(default_factory=set)  # names that it takes from elsewhere
    functions_read: set[str] = field(default_factory=set)  # the same, inside functions

    @property
    def lines(self) -> list[str]:
        """Lines of the source."""
        return self.source.split("\n")


def imports(nb: NotebookNode) -> dict[str, str]:
    """Name -> the import statement that binds it, from the top level of all code cells."""
    found: dict[str, list[str]] = {}
    for part in _parts(nb):
        for node in part.tree.body:
            for name, statement in _bindings(node):
                earlier = found.get(name, [])
                if not all(map(_is_plain, [statement, *earlier])):
                    earlier = []
                found[name] = list(dict.fromkeys([*earlier, statement]))
    return {name: "\n".join(statements) for name, statements in found.items()}


def bound(nb: NotebookNode) -> dict[str, list[str]]:
    """Names that each cell to be solved gives a value, as the source solves it."""
    return {part.name: sorted(part.bound) for part in _parts(nb) if part.kind == "student"}


def _is_plain(statement: str) -> bool:
    """Tell `import a.b`, which adds to what `import a.c` bound, from what binds anew."""
    return statement.startswith("import ") and " as " not in statement


def _bindings(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            text = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            yield alias.asname or alias.name.split(".")[0], text
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if alias.name != "*" and node.module != "__future__":
                text = f"from {node.module} import {alias.name}"
                text += f" as {alias.asname}" if alias.asname else ""
                yield alias.asname or alias.name, text


def hidden_ranges(source: str, begin: str = BEGIN, end: str = END) -> list[list[int]]:
    """First and last line, from 1, of each region of hidden tests, its marks included."""
    ranges: list[list[int]] = []
    inside = False
    lines = source.split("\n")
    for number, line in enumerate(lines, start=1):
        if begin in line and not inside:
            ranges.append([number, len(lines)])
            inside = True
        elif end in line and inside:
            ranges[-1][1] = number
            inside = False
    return ranges


def problems(nb: NotebookNode, files: Collection[str] = ()) -> list[str]:
    """What grading in two processes cannot do: cell, line, reason and a way round.

    `files` names what lies beside the notebook, which both processes find.
    """
    parts = _parts(nb)
    student = [part for part in parts if part.kind == "student"]
    modules = imports(nb)
    bound = {name for part in student for name in part.bound} - set(modules)
    classes = {
        node.name: node
        for part in student
        for node in ast.walk(part.tree)
        if isinstance(node, ast.ClassDef)
    }
    found = [(part, finding) for part in parts for finding in _leaks(part, parts)]
    tester = Tester(bound, classes, modules, files)
    for part in parts:
        if part.kind == "helper":
            tester.learn(part.tree)
        elif part.kind == "test":
            found += [(part, finding) for finding in _rebound(part, student, modules)]
            found += [(part, finding) for finding in tester.findings(part.tree)]
    said = dict.fromkeys(
        f"cell {part.name}, line {finding.line}: {finding.reason}; {finding.way_round}"
        for part, finding in sorted(found, key=lambda pair: (pair[0].number, pair[1].line))
        if not part.lines[finding.line - 1].rstrip().endswith(FINE)
    )
    return list(said)


def _parts(nb: NotebookNode) -> list[Part]:
    """The code cells that are Python."""
    parts = []
    for number, cell in enumerate(nb.cells, start=1):
        if cell.cell_type != "code":
            continue
        try:
            text, tree = _read(cell.source)
            table = symtable.symtable(text, "cell", "exec")
        except (SyntaxError, ValueError):
            continue  # the reference answer would fail here, and say so
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or f"number {number}"
        part = Part(number, name, _kind(cell), cell.source, tree)
        for symbol in table.get_symbols():
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
                part.bound.add(symbol.get_name())
            if symbol.is_referenced():
                part.reads.add(symbol.get_name())
        for inner in _inside(table):
            for symbol in inner.get_symbols():
                if symbol.is_global() and symbol.is_referenced():
                    part.functions_read.add(symbol.get_name())
                if symbol.is_declared_global() and symbol.is_assigned():
                    part.bound.add(symbol.get_name())
        part.reads |= part.functions_read
        parts.append(part)
    return parts


def _read(text: str) -> tuple[str, ast.Module]:
    """A cell's Python and its tree, with magics as the calls that they stand for."""
    try:
        return text, ast.parse(text)
    except SyntaxError:  # IPython takes long to load, and most cells do not need it
        from IPython.core.inputtransformer2 import TransformerManager

        text = TransformerManager().transform_cell(text)
        return text, ast.parse(text)


def _kind(cell: NotebookNode) -> str:
    if is_solution(cell) or not (is_grade(cell) or is_locked(cell)):
        return "student"
    return "test" if is_grade(cell) else "helper"


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)


def _leaks(part: Part, parts: list[Part]) -> Iterator[Finding]:
    """Names that only a test cell gives a value and that the student process would need."""
    if part.kind == "test":
        return
    for name in sorted(part.reads - part.bound):
        if any(name in other.bound for other in parts if other.kind != "test"):
            continue
        tests = [other for other in parts if other.kind == "test" and name in other.bound]
        late = name in part.functions_read  # called by a later test
        if tests and (late or tests[0].number < part.number):
            yield Finding(
                _line_of(part.tree, name),
                f"{name!r} has its value from the test cell {tests[0].name}, "
                "and test cells run in another process",
                f"define {name!r} in a locked cell without points",
            )


def _rebound(part: Part, student: list[Part], imported: Collection[str]) -> Iterator[Finding]:
    """Names to which a test gives a value that a student's function is to see."""
    for name in sorted(part.bound - set(imported)):
        if any(name in s.bound and name in s.functions_read for s in student):
            if not any(isinstance(node, ast.Call) for node in ast.walk(part.tree)):
                continue
            yield Finding(
                _line_of(part.tree, name),
                f"the student's functions read the global {name!r}, and do not see the value that "
                "a test cell gives it",
                "pass it as an argument, or call it something else",
            )


def _line_of(tree: ast.Module, name: str) -> int:
    for node in ast.walk(tree):
        if name in (getattr(node, "id", None), getattr(node, "name", None)):
            return int(getattr(node, "lineno", 1))
    return 1
