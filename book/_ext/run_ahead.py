"""Run the chapters that have to run two at a time, while Sphinx reads pages one by one.

myst-nb executes a notebook when its page is read, so one processor waits. Before the first page is
read, the notebooks without outputs in the cache are started here, in the order of the pages, as
many at a time as there are processors (at most four), each with one thread for its arithmetic.
When myst-nb asks for an execution, it is given the one that is under way. What is kept, printed
and reported stays myst-nb's own doing.
"""

from __future__ import annotations

import copy
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import local_modules  # type: ignore[import-not-found]
from jupyter_cache import get_cache
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.execute import cache as myst_nb_cache
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

MOST = 4
# (code cells, folder) -> the execution that is under way
RUNNING: dict[tuple[str, ...], Future[ExecutionResult]] = {}
POOLS: list[ThreadPoolExecutor] = []


def key(notebook: NotebookNode, cwd: str) -> tuple[str, ...]:
    """What an execution depends on."""
    return (cwd, *(cell.source for cell in notebook.cells if cell.cell_type == "code"))


def start(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Begin to execute the notebooks among the pages that will be read."""
    settings = env.mystnb_config  # type: ignore[attr-defined]
    if settings.execution_mode != "cache" or settings.execution_in_temp:
        return
    todo = [found for docname in docnames if (found := _must_run(env, docname)) is not None]
    workers = min(MOST, os.cpu_count() or 1, len(todo))
    if workers < 2:
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the kernels: else each takes all processors
    pool = ThreadPoolExecutor(workers, thread_name_prefix="chapter")
    POOLS.append(pool)
    for notebook, cwd in todo:
        RUNNING[key(notebook, cwd)] = pool.submit(
            single_nb_execution,
            notebook,
            cwd=cwd,
            allow_errors=settings.execution_allow_errors,
            timeout=settings.execution_timeout,
            meta_override=True,
        )


def _must_run(env: BuildEnvironment, docname: str) -> tuple[NotebookNode, str] | None:
    """Return a page's notebook and the folder it runs in, unless it needs no execution."""
    settings = env.mystnb_config  # type: ignore[attr-defined]
    path = Path(env.doc2path(docname))
    if any(PurePosixPath(path.as_posix()).match(p) for p in settings.execution_excludepatterns):
        return None
    text = path.read_text("utf-8")
    try:
        reader = create_nb_reader(str(path), env.myst_config, settings, text)  # type: ignore[attr-defined]
        notebook = reader.read(text) if reader is not None else None
    except Exception:  # a page that cannot be read: Sphinx will say why
        return None
    if notebook is None or not any(cell.cell_type == "code" for cell in notebook.cells):
        return None
    wanted = copy.deepcopy(notebook)
    local_modules.add_fingerprint(wanted)
    try:
        get_cache(settings.execution_cache_path or ".jupyter_cache").match_cache_notebook(wanted)
    except KeyError:
        return notebook, os.path.abspath(path.parent)
    return None


def given(notebook: NotebookNode, cwd: str, **settings: Any) -> ExecutionResult:
    """Execute as jupyter-cache does, or wait for the execution that was started ahead."""
    future = RUNNING.pop(key(notebook, cwd), None)
    if future is None:
        return single_nb_execution(notebook, cwd=cwd, **settings)
    result = future.result()
    for cell, done in zip(notebook.cells, result.nb.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
    metadata = result.nb.metadata
    if "language_info" in metadata:
        notebook.metadata["language_info"] = metadata["language_info"]
    return ExecutionResult(notebook, cwd, result.time, result.err, result.exc_string)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Let go of what nobody asked for."""
    RUNNING.clear()
    while POOLS:
        POOLS.pop().shutdown(wait=True, cancel_futures=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register, behind local_modules, whose fingerprint decides what is in the cache."""
    app.setup_extension("local_modules")
    myst_nb_cache.single_nb_execution = given
    app.connect("env-before-read-docs", start)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
