"""Follow what a test cell got from the student's code, as far as reading the cell can tell.

Each expression has labels: `code` (a function or class of the student's), `instance` (an object of
a class of the student's), `value` (what the student's code returned), `local` (a function that the
test defines), `alone` (an object that is no use in another process). See `split.problems` for what
it is for.
"""

import ast
from collections.abc import Collection, Mapping

from autograder.refused import (
    ALONE,
    FIGURES,
    FUNCTIONAL,
    HEARS_METHODS,
    ON_THEIRS,
    OPENS,
    PARAMETERS,
    PATCHES,
    PYPLOT,
    REACHES,
    STREAMS,
    TRANSFORMS,
    VIEW_ATTRIBUTES,
    WHY,
    Finding,
)

Labels = frozenset[str]
NONE: Labels = frozenset()
THEIRS = {"code", "instance", "value"}


class Tester:
    """Reads the test cells of one notebook, in order."""

    def __init__(
        self,
        student: Collection[str],
        classes: Mapping[str, ast.ClassDef],
        imports: Mapping[str, str],
        files: Collection[str] = (),
    ) -> None:
        self.student, self.classes, self.files = student, classes, files
        self.modules = {name: _full(name, text) for name, text in imports.items()}
        self.scope: dict[str, Labels] = {}  # names that helper and test cells gave a value

    def learn(self, tree: ast.Module) -> None:
        """Take in a helper cell, whose names are the checker's own."""
        self.findings(tree)

    def findings(self, tree: ast.Module) -> list[Finding]:
        """What one test cell does that cannot work."""
        reader = _Reader(self, self.scope)
        reader.read(tree.body)
        return reader.found


def _full(name: str, statement: str) -> str:
    """What a name that an import statement binds stands for."""
    words = statement.split("\n")[0].split()
    if words[0] == "from":
        return f"{words[1]}.{words[3]}"
    return words[1] if "as" in words else name


class _Reader(ast.NodeVisitor):
    """One scope of a test cell: the labels of its names, and what was found."""

    def __init__(self, tester: Tester, scope: dict[str, Labels], outer: "_Reader | None" = None):
        self.tester, self.scope, self.outer = tester, scope, outer
        self.found: list[Finding] = outer.found if outer else []
        self.drew: list[str] = outer.drew if outer else []
        self.opened: dict[str, int] = outer.opened if outer else {}
        self.passed: set[str] = outer.passed if outer else set()
        self.buffers: set[str] = outer.buffers if outer else set()
        self.literals: dict[str, object] = dict(outer.literals) if outer else {}

    def read(self, body: list[ast.stmt]) -> None:
        """Go through statements in their order; loops twice, for what comes round."""
        for statement in body:
            self.visit(statement)
        if self.outer is None:
            for key in sorted(self.opened.keys() & self.passed - self.buffers):
                if key not in self.tester.files:
                    self.say("file", self.opened[key])

    def say(self, what: str, where: ast.AST | int) -> None:
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        finding = Finding(line, *WHY[what])
        if finding not in self.found:
            self.found.append(finding)

    # what names stand for

    def label(self, node: ast.AST | None) -> Labels:
        """Labels of an expression; visits everything in it on the way."""
        if node is None:
            return NONE
        if isinstance(node, ast.Name):
            return self.of_name(node.id)
        method = getattr(self, f"label_{type(node).__name__}", None)
        if method is not None:
            return frozenset(method(node))
        if isinstance(node, (ast.stmt, ast.expr_context)):
            return NONE
        return NONE.union(*map(self.label, ast.iter_child_nodes(node)))

    def of_name(self, name: str) -> Labels:
        reader: _Reader | None = self
        while reader is not None:
            if name in reader.scope:
                return reader.scope[name]
            reader = reader.outer
        if name in self.tester.modules or name not in self.tester.student:
            return NONE
        return frozenset({"code"})

    def path(self, node: ast.AST) -> str:
        """Full dotted name of a library's function, or nothing."""
        if isinstance(node, ast.Attribute):
            base = self.path(node.value)
            return f"{base}.{node.attr}" if base else ""
        if not isinstance(node, ast.Name) or node.id in self.scope:
            return ""
        known = self.tester.modules.get(node.id)
        return known or ("" if node.id in self.tester.student else node.id)

    def label_Call(self, node: ast.Call) -> Labels:
        func, path = node.func, self.path(node.func)
        given = [self.label(arg) for arg in (*node.args, *(k.value for k in node.keywords))]
        base = self.label(func.value if isinstance(func, ast.Attribute) else func)
        self.check_call(node, path, NONE.union(*given), base)
        if base & {"code", "instance"} and "alone" in NONE.union(*given):
            self.say("alone", node)
        if path.startswith(ALONE):
            return frozenset({"alone"})
        if isinstance(func, ast.Attribute) and func.attr in PARAMETERS:
            return NONE
        if isinstance(func, ast.Name) and base == {"code"}:
            self.note_passed(node)
            return frozenset({"instance" if func.id in self.tester.classes else "value"})
        if base & {"code", "instance"}:
            self.note_passed(node)
            return frozenset({"value"})
        labels = NONE.union(base, *given) - {"local"}
        if labels & {"code", "instance"}:  # a local function that was given the student's
            labels = labels - {"code", "instance"} | {"value"}
        return labels

    def note_passed(self, node: ast.Call) -> None:
        for arg in (*node.args, *(k.value for k in node.keywords)):
            if key := self.key(arg):
                self.passed.add(key)

    def check_call(self, node: ast.Call, path: str, labels: Labels, base: Labels) -> None:
        what = ON_THEIRS.get(path, "")
        wanted = {"code", "instance"} if what == "pickle" else THEIRS
        if what and labels & wanted:
            self.say(what, node)
        if path.startswith(TRANSFORMS) and path != FUNCTIONAL and labels & {"code", "instance"}:
            self.say("grad", node)
        if path == "torch.autograd.grad" and labels & {"value"}:
            inputs = node.args[1] if len(node.args) > 1 else None
            result = isinstance(inputs, (ast.Name, ast.Subscript)) and "value" in self.label(inputs)
            if result or _given(node, "create_graph"):
                self.say("grad", node)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method in VIEW_ATTRIBUTES and "value" in base:
            self.say("view", node)
        if method == "retain_grad" and "value" in base:
            self.say("grad", node)
        if method == "backward" and base & {"value"} and _given(node, "create_graph"):
            self.say("grad", node)
        if path in FIGURES and not self.drew:
            self.say("figure", node)
        elif path.startswith(PYPLOT) and path not in FIGURES:
            self.drew.append(path)
        if path.startswith(PATCHES) and node.args:
            target = node.args[0]
            reaches = isinstance(target, ast.Constant) and target.value in REACHES
            # the name of something, a library's, or a class of the student's: not the test's own
            theirs = isinstance(target, ast.Constant) or labels & {"code"}
            if not reaches and (theirs or self.is_library(target)):
                self.say("patch", node)
        if path == "setattr" and node.args and self.is_library(node.args[0]):
            self.say("patch", node)
        if path in ("get_ipython", "IPython.get_ipython"):
            self.say("shell", node)
        if path in OPENS and node.args and (key := self.key(node.args[0])):
            self.opened.setdefault(key, node.lineno)

    def label_Attribute(self, node: ast.Attribute) -> Labels:
        base = self.label(node.value)
        if node.attr in VIEW_ATTRIBUTES and "value" in base and isinstance(node.ctx, ast.Load):
            self.say("view", node)
        if "code" in base:
            return base - {"code"} | {"value"}
        return base - {"alone"}

    def is_library(self, node: ast.AST) -> bool:
        """Tell a module, or something in one, that a name of an import stands for."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        return (
            isinstance(root, ast.Name)
            and root.id in self.tester.modules
            and root.id not in self.scope
        )

    # comprehensions and functions have scopes of their own

    def key(self, node: ast.AST) -> str:
        """What tells one path from another: its text, or the name of a variable."""
        value: object = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Name):
            value = self.literals.get(node.id)
        if isinstance(value, str):
            return value
        return f"variable {node.id}" if isinstance(node, ast.Name) else ""

    def comprehension(self, node: ast.AST) -> Labels:
        inner = _Reader(self.tester, {}, self)
        for part in node.generators:  # type: ignore[attr-defined]
            inner.bind(part.target, inner.label(part.iter))
            for test in part.ifs:
                inner.label(test)
        results = [getattr(node, name, None) for name in ("elt", "key", "value")]
        return NONE.union(*map(inner.label, results))

    label_ListComp = label_SetComp = label_DictComp = label_GeneratorExp = comprehension

    def label_Lambda(self, node: ast.Lambda) -> Labels:
        _Reader(self.tester, _parameters(node.args), self).label(node.body)
        return frozenset({"local"})

    def label_NamedExpr(self, node: ast.NamedExpr) -> Labels:
        labels = self.label(node.value)
        self.bind(node.target, labels)
        return labels

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults, *node.decorator_list):
            self.label(default)
        self.scope[node.name] = frozenset({"local"})
        _Reader(self.tester, _parameters(node.args), self).read(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any("code" in self.label(base) for base in node.bases):
            self.say("subclass", node)
        self.scope[node.name] = NONE
        _Reader(self.tester, {}, self).read(node.body)

    # statements

    def bind(self, target: ast.AST, labels: Labels) -> None:
        if isinstance(target, ast.Name):
            self.scope[target.id] = labels
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.bind(part, labels)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, labels)
        elif isinstance(target, ast.Attribute):
            known = isinstance(target.value, ast.Name) and target.value.id in self.tester.classes
            method = known and "code" in self.label(target.value) and "local" in labels
            if method or (self.is_library(target) and target.attr not in STREAMS):
                self.say("patch", target)
        elif isinstance(target, ast.Subscript):
            where = target.value
            if isinstance(where, ast.Call) and self.path(where.func) in ("globals", "vars"):
                self.say("patch", target)
            self.label(target)

    def visit_Assign(self, node: ast.Assign) -> None:
        labels = self.label(node.value)
        call = node.value if isinstance(node.value, ast.Call) else None
        for target in node.targets:
            self.bind(target, labels)
            if call and self.path(call.func) in ("io.BytesIO", "io.StringIO"):
                self.buffers.add(self.key(target))
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant):
                self.literals[target.id] = node.value.value

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.bind(node.target, self.label(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.bind(node.target, self.label(node.target) | self.label(node.value))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.bind(node.target, self.label(node.iter))
        for _ in range(2):
            for statement in (*node.body, *node.orelse):
                self.visit(statement)

    visit_AsyncFor = visit_For

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            labels = self.label(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, labels)
            call = item.context_expr
            hears = isinstance(call, ast.Call) and self.hears(call)
            if hears and any(map(self.calls_theirs, node.body)):
                self.say("hear", node)
        for statement in node.body:
            self.visit(statement)

    visit_AsyncWith = visit_With

    def hears(self, call: ast.Call) -> bool:
        return isinstance(call.func, ast.Attribute) and call.func.attr in HEARS_METHODS

    def calls_theirs(self, statement: ast.stmt) -> bool:
        calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
        return any(
            isinstance(n, ast.Name) and self.of_name(n.id) & {"code", "instance"}
            for call in calls
            for n in ast.walk(call.func)
        )

    def generic_visit(self, node: ast.AST) -> None:
        """Any other statement: look at its expressions and go through its statements."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.label(child)
            else:
                self.visit(child)


def _given(node: ast.Call, name: str) -> bool:
    return any(k.arg == name and getattr(k.value, "value", True) for k in node.keywords)


def _parameters(args: ast.arguments) -> dict[str, Labels]:
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return {arg.arg: NONE for arg in every if arg is not None}
