"""Reading one untrusted notebook: whatever comes, it is put right or refused in words."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_course import TEXT

from autograder import submission
from autograder.course import load
from autograder.release import Released, convert
from autograder.source import read as read_source
from autograder.source import write as write_source
from autograder.submission import Unreadable

FUZZ = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    root = tmp_path_factory.mktemp("course")
    folder = root / "source" / "tiny"
    folder.mkdir(parents=True)
    (folder / "tiny.py").write_text(TEXT)
    (folder / "tiny.ipynb").write_bytes(write_source(read_source(folder / "tiny.py")))
    return convert(load(root), folder / "tiny.ipynb")


def outcome(path: Path, content: bytes, released: Released) -> nbformat.NotebookNode | str:
    """The notebook to run, or why there is none; all that is promised of both is checked."""
    path.write_bytes(content)
    try:
        nb, notes = submission.put_right(submission.read(path), released)
    except Unreadable as error:
        assert str(error).isprintable() and len(str(error)) < 400
        return str(error)
    nbformat.validate(nb)
    text = nbformat.writes(nb).encode()  # no half surrogates
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert all(note.isprintable() and len(note) < 500 for note in notes)
    graded = {name: c for c in nb.cells if (name := submission.grade_id(c))}
    for source in released.master.cells:
        name = submission.grade_id(source)
        if name in graded and source.metadata.nbgrader.get("locked"):
            assert graded[name].source == source.source
        if name in graded:
            assert graded[name].metadata.nbgrader == source.metadata.nbgrader
            assert graded[name].cell_type == source.cell_type
    return nb


@FUZZ
@given(content=st.binary(max_size=300))
def test_random_bytes_are_refused(content: bytes, released: Released, tmp_path: Path) -> None:
    assert isinstance(outcome(tmp_path / "x.ipynb", content, released), str)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.sampled_from(["code", "markdown", "tiny-double", "tiny-double-tests", "\x1b[2J"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@FUZZ
@given(value=JSON)
def test_any_json_is_refused(value: Any, released: Released, tmp_path: Path) -> None:
    content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": value})
    got = outcome(tmp_path / "x.ipynb", content.encode(), released)
    assert isinstance(got, str) or value == []


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a piece of JSON."""
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    found = [(value, key) for key, _ in pairs]
    for _, inner in pairs:
        found += places(inner) if isinstance(inner, (dict, list)) else []
    return found


@FUZZ
@given(data=st.data())
def test_mutated_notebooks_are_put_right_or_refused(
    data: st.DataObject, released: Released, tmp_path: Path
) -> None:
    nb = json.loads(released.text)
    for _ in range(data.draw(st.integers(1, 4))):
        spots = places(nb)
        where, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        match data.draw(st.sampled_from(["replace", "delete", "copy"])):
            case "replace":
                where[key] = data.draw(JSON)
            case "delete":
                del where[key]
            case "copy":
                other, name = spots[data.draw(st.integers(0, len(spots) - 1))]
                where[key] = copy.deepcopy(other.get(name) if isinstance(other, dict)
                                           else other[name : name + 1][:1])  # fmt: skip
        if not nb:
            return
    outcome(tmp_path / "x.ipynb", json.dumps(nb).encode(), released)


@FUZZ
@given(data=st.data())
def test_flipped_bytes_are_put_right_or_refused(
    data: st.DataObject, released: Released, tmp_path: Path
) -> None:
    content = bytearray(released.text.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    outcome(tmp_path / "x.ipynb", bytes(content), released)


def cells_of(released: Released) -> dict[str, Any]:
    return json.loads(released.text)


def test_duplicate_ids_do_not_hang_the_grader(released: Released, tmp_path: Path) -> None:
    nb = cells_of(released)
    for size in (1, 20, 60, 64):
        extra = [{**nb["cells"][0], "id": "a" * size} for _ in range(200)]
        content = json.dumps({**nb, "cells": nb["cells"] + extra}).encode()
        got = outcome(tmp_path / "x.ipynb", content, released)
        assert not isinstance(got, str) and len(got.cells) == len(nb["cells"]) + 200


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"nbformat": 4, "cells": [' + b"9" * 5000 + b"]}", "a number that is too long"),
        (b'{"nbformat": 4, "cells": ' + b"[" * 99_999 + b"]" * 99_999 + b"}", "too deeply"),
        (b'{"nbformat": 4, "cells": [' + b"[]," * 3_000_000 + b"[]]}", "too many values"),
        (b'{"nbformat": 4, "cells": [' + b"{}," * 9_000 + b"{}]}", "the limit is 5000"),
        (b'{"nbformat": 4, "cells": [{"cell_type": ["code"], "source": "", "metadata": {}}]}',
         "of type code, markdown or raw"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3, "metadata": {}}]}',
         "source must be text"),
        (json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x" * 6_000_000,
                                               "metadata": {}}]}).encode(), "million characters"),
        (b'{"nbformat": 4, "cells": ', "cut off"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"null", "must hold a mapping"),
        (b'{"nbformat": 1e999, "cells": []}', "is not a notebook"),
    ],
)  # fmt: skip
def test_refusals_come_quickly_and_say_why(
    content: bytes, why: str, released: Released, tmp_path: Path
) -> None:
    start = time.process_time()
    got = outcome(tmp_path / "x.ipynb", content, released)
    assert isinstance(got, str) and why in got
    assert time.process_time() - start < 2


def test_numbers_that_are_none_and_half_characters_are_put_right(
    released: Released, tmp_path: Path
) -> None:
    nb = cells_of(released)
    nb["cells"][0]["metadata"] = {"a": float("nan"), "b": float("-inf"), "c": "\ud800"}
    content = json.dumps(nb).replace("-Infinity", "-1e999").encode()
    got = outcome(tmp_path / "x.ipynb", content, released)
    assert not isinstance(got, str)
    assert got.cells[0].metadata == {"a": None, "b": None, "c": "?"}


def test_names_cannot_print_to_the_terminal(released: Released, tmp_path: Path) -> None:
    nb = cells_of(released)
    nb["cells"][0]["metadata"]["nbgrader"] = {"grade_id": "\x1b[2Jmine" + "x" * 1000}
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps(nb))
    _, notes = submission.put_right(submission.read(path), released)
    assert [n for n in notes if "mine" in n and n.isprintable() and len(n) < 500]


def test_outputs_and_old_formats_are_no_trouble(released: Released, tmp_path: Path) -> None:
    nb = cells_of(released)
    for cell in nb["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "nonsense", "data": [[1]]}]
            cell["source"] = cell["source"].splitlines(keepends=True) if isinstance(
                cell["source"], str) else cell["source"]  # fmt: skip
    got = outcome(tmp_path / "x.ipynb", json.dumps(nb).encode(), released)
    assert not isinstance(got, str) and all(not c.get("outputs") for c in got.cells)
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [
        {"cells": [{"cell_type": "code", "language": "python", "input": "x = 1", "outputs": [],
                    "collapsed": False, "metadata": {}}], "metadata": {}}]}  # fmt: skip
    got = outcome(tmp_path / "x.ipynb", json.dumps(old).encode(), released)
    assert not isinstance(got, str) and "x = 1" in [c.source for c in got.cells]


def test_written_answers_are_disarmed_and_statements_are_not(
    released: Released, tmp_path: Path
) -> None:
    nb = cells_of(released)
    nb["cells"][0]["source"] = "# A tiny set"
    why = next(c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id")
               == "tiny-why")  # fmt: skip
    untouched = outcome(tmp_path / "x.ipynb", json.dumps(nb).encode(), released)
    assert not isinstance(untouched, str)
    sources = [c.source for c in untouched.cells]
    assert sources == [c.source for c in untouched.cells if c.source not in ("<", "")]
    why["source"] = "Because <script>alert(1)</script>."
    nb["cells"].append({"cell_type": "raw", "source": "<img onerror=x>",
                        "metadata": {"raw_mimetype": "text/html"}})  # fmt: skip
    got = outcome(tmp_path / "x.ipynb", json.dumps(nb).encode(), released)
    assert not isinstance(got, str)
    texts = [c.source for c in got.cells]
    assert "Because &lt;script>alert(1)&lt;/script>." in texts and "&lt;img onerror=x>" in texts
    assert "raw_mimetype" not in got.cells[-1].metadata


def test_a_picture_in_text_is_kept(released: Released, tmp_path: Path) -> None:
    nb = cells_of(released)
    picture = {"a.png": {"image/png": "iVBORw0K"}}
    nb["cells"][0]["attachments"] = picture | {"b": 3, "c": {"image/png": [1]}}
    got = outcome(tmp_path / "x.ipynb", json.dumps(nb).encode(), released)
    assert not isinstance(got, str) and got.cells[0].attachments == picture
