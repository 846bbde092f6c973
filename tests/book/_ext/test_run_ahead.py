"""Chapters run two at a time, and what comes out is what myst-nb alone would have made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import run_ahead
from small_book import HEADER

PAGE = """# Page {name}

```{{code-cell}} ipython3
import time
from pathlib import Path
begin = time.monotonic()
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    time.sleep(0.01)
with Path({log!r}).open("a") as out:
    out.write(f"{name} {{begin}} {{time.monotonic()}}\\n")
print("answer of {name}:", 6 * 7)
{more}
```
"""


@pytest.fixture
def three(book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A book of three pages that note when they run."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    log = tmp_path / "log"
    log.write_text("")

    def page(name: str, seconds: float, more: str = "") -> str:
        return HEADER + PAGE.format(name=name, seconds=seconds, log=str(log), more=more)

    contents = "# Contents\n\n```{toctree}\none\ntwo\n```\n"
    made = book(
        ["myst_nb", "local_modules", "run_ahead"],
        {"index.md": contents, "one.md": page("one", 2.0), "two.md": page("two", 2.0)},
        {
            "nb_execution_mode": "cache",
            "nb_execution_cache_path": str(tmp_path / "cache"),
            "nb_execution_raise_on_error": True,
            "local_module_roots": ["."],
        },
    )
    made.page = page
    made.times = lambda: {
        name: (float(begin), float(end))
        for name, begin, end in (line.split() for line in log.read_text().splitlines())
    }
    made.runs = lambda: len(log.read_text().splitlines())
    return made


def test_pages_run_at_the_same_time_and_once(three) -> None:
    result = three.build()
    assert result.clean, result.warnings
    times = three.times()
    assert max(begin for begin, _ in times.values()) < min(end for _, end in times.values())
    for name in ("one", "two"):
        assert f"answer of {name}: 42" in result.html(name)
    again = three.build()
    assert again.clean and three.runs() == 2
    assert not run_ahead.RUNNING and not run_ahead.POOLS


def test_only_what_changed_runs_again(three) -> None:
    assert three.build().clean
    three.write("two.md", three.page("two", 0.0, "print('changed')"))
    result = three.build()
    assert result.clean and three.runs() == 3 and "changed" in result.html("two")


def test_an_error_is_reported_as_without(three) -> None:
    three.write("two.md", three.page("two", 0.0, "1 / 0"))
    result = three.build()
    assert not result.clean and "CellExecutionError" in result.warnings
    three.write("two.md", three.page("two", 0.0))
    assert three.build().clean
