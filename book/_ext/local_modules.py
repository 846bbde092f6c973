"""Run a chapter again when a module of the course that it imports has changed.

jupyter-cache keeps a chapter's outputs under a hash of its code cells. It knows nothing of the
modules behind `import seqmodels.hmm`, and Sphinx does not even look at a page whose file did not
change. So the text of those modules (and of what they import in turn), with the versions of Python
and of the other packages, becomes part of the hash, and a page with a stale hash is read again.
"""

from __future__ import annotations

import ast
import hashlib
import platform
from functools import wraps
from importlib import metadata
from pathlib import Path
from typing import Any

from myst_nb.core.execute.cache import NotebookClientCache
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# set once a build from the configuration: folders that hold the local packages
ROOTS: list[Path] = []
# docname -> the module names its cells import, filled while pages are read
SEEN: dict[str, list[str]] = {}


def imports(code: str, package: str = "") -> set[str]:
    """Return the module names that a piece of code imports; magics are left out.

    `package` is where the code stands, for imports that begin with a dot.
    """
    lines = ["pass" if line.lstrip()[:1] in {"%", "!"} else line for line in code.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()  # the kernel will say so, with the cell
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    names.discard("")
    return names


def files_of(name: str, roots: list[Path]) -> list[Path]:
    """Return the files that importing a dotted name reads, from package to module."""
    found: list[Path] = []
    parts = name.split(".")
    for root in roots:
        for end in range(1, len(parts) + 1):
            base = root.joinpath(*parts[:end])
            found += [f for f in (base / "__init__.py", base.with_suffix(".py")) if f.is_file()]
    return found


def root_of(file: Path, roots: list[Path]) -> Path:
    """Return the folder of local packages that a file is in."""
    return next(root for root in roots if file.is_relative_to(root))


def closure(names: set[str], roots: list[Path]) -> tuple[set[Path], set[str]]:
    """Follow imports from module to module; return local files and the other packages' names."""
    files: set[Path] = set()
    foreign: set[str] = set()
    todo = set(names)
    done: set[str] = set()
    while todo:
        name = todo.pop()
        done.add(name)
        local = files_of(name, roots)
        if not local:
            foreign.add(name.split(".")[0])
        for file in set(local) - files:
            files.add(file)
            package = ".".join(file.parent.relative_to(root_of(file, roots)).parts)
            todo |= imports(file.read_text("utf-8"), package) - done
            # what a package reads that is no module: a matplotlib style, a table
            data = [
                f for f in file.parent.iterdir() if f.is_file() and f.suffix not in {".py", ".pyc"}
            ]
            files.update(data)
    return files, foreign


def fingerprint(names: set[str], roots: list[Path]) -> str:
    """Hash everything outside a chapter that its outputs depend on."""
    files, foreign = closure(names, roots)
    digest = hashlib.sha256(platform.python_version().encode())
    for file in sorted(files):
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    for package in sorted(foreign):
        try:
            digest.update(f"\0{package}=={metadata.version(package)}".encode())
        except metadata.PackageNotFoundError:
            continue  # the standard library
    return digest.hexdigest()


def code_of(notebook: NotebookNode) -> set[str]:
    """Return what all code cells of a notebook import."""
    names: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            names |= imports(cell.source)
    return names


def add_fingerprint(notebook: NotebookNode) -> None:
    """Put the fingerprint where jupyter-cache looks: into the kernel's metadata."""
    spec = notebook.metadata.setdefault("kernelspec", {})
    spec["local_modules"] = fingerprint(code_of(notebook), ROOTS)


def hash_modules_too() -> None:
    """Make myst-nb add the fingerprint before it looks into the cache."""
    original = NotebookClientCache.start_client
    if getattr(original, "hashes_modules", False):
        return

    @wraps(original)
    def start_client(self: NotebookClientCache) -> None:
        add_fingerprint(self.notebook)
        if self.path is not None:
            SEEN[str(self.path)] = sorted(code_of(self.notebook))
        original(self)

    start_client.hashes_modules = True  # type: ignore[attr-defined]
    NotebookClientCache.start_client = start_client


def store(env: BuildEnvironment) -> dict[str, tuple[list[str], str]]:
    """What is remembered between builds: docname -> (imported names, fingerprint)."""
    if not hasattr(env, "local_modules"):
        env.local_modules = {}  # type: ignore[attr-defined]
    known: dict[str, tuple[list[str], str]] = env.local_modules  # type: ignore[attr-defined]
    return known


def prepare(app: Sphinx) -> None:
    """Read the folders of the local packages from the configuration."""
    ROOTS[:] = [Path(app.confdir, folder) for folder in app.config.local_module_roots]
    SEEN.clear()


def remember(app: Sphinx, doctree: Any) -> None:
    """Note a page's imports after it was read."""
    names = SEEN.get(app.env.doc2path(app.env.docname))
    if names is not None:
        store(app.env)[app.env.docname] = (names, fingerprint(set(names), ROOTS))


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Name the pages whose modules changed since they were read."""
    known = store(env)
    for docname in removed:
        known.pop(docname, None)
    return [
        docname
        for docname, (names, old) in known.items()
        if docname in env.found_docs and fingerprint(set(names), ROOTS) != old
    ]


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what a parallel reader noted."""
    store(env).update({k: v for k, v in store(other).items() if k in docnames})


def setup(app: Sphinx) -> dict[str, Any]:
    """Register; `local_module_roots` names the folders that hold local packages."""
    app.add_config_value("local_module_roots", ["book"], "env", list)
    hash_modules_too()
    app.connect("builder-inited", prepare)
    app.connect("doctree-read", remember)
    app.connect("env-get-outdated", outdated)
    app.connect("env-merge-info", merge)
    return {
        "version": "1",
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
