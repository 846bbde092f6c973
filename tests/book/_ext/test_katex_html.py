"""Formulas made while building: they are right, and a wrong one stops the build at its place."""

from __future__ import annotations

import re
import time

import katex_html
import pytest
from small_book import KATEX

EXTENSIONS = ["myst_parser", "katex_html"]
CONFIG = {
    "html_math_renderer": "katex",
    "katex_module": str(KATEX),
    "numfig": True,
    "math_numfig": True,
    "math_eqref_format": "({number})",
}

GOOD = r"""# A page

Inline $\alpha_t(j)$ and a display with a label:

$$ \alpha_t(j) = p(x_{1:t}, z_t = j) $$ (alpha)

as {eq}`alpha` says.
"""


@pytest.fixture
def maths(book):
    return lambda text, **config: book(EXTENSIONS, {"index.md": text}, {**CONFIG, **config})


def test_formulas_become_html_and_mathml(maths) -> None:
    result = maths(GOOD).build()
    assert result.clean, result.warnings
    html = result.html("index")
    assert html.count('class="katex-html" aria-hidden="true"') == 2
    assert html.count("<math ") == 2
    assert "<mi>α</mi>" in html
    assert html.count("katex-display") == 1
    scripts = re.findall(r'<script[^>]*src="([^"?]+)', html)
    assert scripts and not [s for s in scripts if "mathjax" in s.lower() or "katex" in s]


def test_numbered_equation_is_linked(maths) -> None:
    html = maths(GOOD).build().html("index")
    assert 'id="equation-alpha"' in html
    assert '<span class="eqno">(1)' in html
    assert re.search(r'<a [^>]*href="#equation-alpha"[^>]*>\(1\)</a>', html)


def test_tex_stays_for_copying_and_search(maths) -> None:
    html = maths(GOOD).build().html("index")
    assert r'<annotation encoding="application/x-tex">\alpha_t(j)</annotation>' in html


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# T\n\nA bad\n$\\frac{1}$ here.\n", 4, "expected '}'"),
        ("# T\n\nFine.\n\n$$ \\undefinedmacro x $$\n", 5, "Undefined control sequence"),
        ("# T\n\n$$\na &= b \\\\\nc &= \\nosuch\n$$\n", 5, "Undefined control sequence"),
        ("# T\n\n```{math}\n:label: x\n\na &= \\nosuch \\\\\nb\n```\n", 6, "Undefined"),
        ("# T\n\n- a list\n- with $x^{2$\n", 4, "Expected"),
        ("# T\n\n| a | b |\n|---|---|\n| 1 | $\\nosuch$ |\n", 5, "Undefined control sequence"),
        ("# T\n\n\\begin{align}\nx &= 1 \\\\\ny &= \\nosuch\n\\end{align}\n", 5, "Undefined"),
        ("# T\n\nA letter that LaTeX has not: $状$.\n", 3, "unicodeTextInMathMode"),
    ],
    ids=["inline", "display", "second line", "directive", "list", "table", "amsmath", "strict"],
)
def test_bad_formula_fails_with_file_and_line(maths, text: str, line: int, words: str) -> None:
    result = maths(text).build()
    assert not result.clean
    assert re.search(rf"index\.md:{line}: .*formula does not parse", result.warnings), (
        result.warnings
    )
    assert words in result.warnings


def test_all_bad_formulas_are_named_at_once(book) -> None:
    pages = {
        "index.md": "# A\n\n$\\one$\n\n$\\two$\n\n```{toctree}\nother\n```\n",
        "other.md": "# B\n\n$\\three$\n",
    }
    warnings = book(EXTENSIONS, pages, CONFIG).build().warnings
    assert all(f"\\{name}" in warnings for name in ("one", "two", "three")), warnings
    assert "formulas that do not parse in: index, other" in warnings


def test_a_failed_build_fails_again_until_mended(maths) -> None:
    """Nothing of the failed page is remembered."""
    made = maths("# T\n\n$\\nosuch$\n")
    assert not made.build().clean
    assert not made.build().clean
    made.write("index.md", "# T\n\n$x$\n")
    result = made.build()
    assert result.clean, result.warnings


def test_lines_of_a_display_are_aligned(maths) -> None:
    html = maths("# T\n\n$$\na &= b \\\\\n  &= c\n$$\n").build().html("index")
    assert html.count("<mtr>") == 2


def test_an_environment_is_left_alone(maths) -> None:
    text = "# T\n\n$$ \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} $$\n"
    result = maths(text).build()
    assert result.clean, result.warnings
    assert "aligned" not in result.html("index")


def test_macros_come_from_the_configuration_and_stay_in_it(maths) -> None:
    text = "# T\n\n$\\gdef\\leak{1} \\given$ then $x$\n"
    assert maths(text, katex_macros={"\\given": "\\mid"}).build().clean


def test_a_definition_does_not_leak_into_the_next_formula(maths) -> None:
    result = maths("# T\n\n$\\gdef\\leak{1}$ then $\\leak$\n").build()
    assert not result.clean
    assert "\\leak" in result.warnings


def test_one_node_process_and_quick(book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand formulas on ten pages: one process, one exchange a page."""
    started = []
    popen = katex_html.subprocess.Popen
    monkeypatch.setattr(
        katex_html.subprocess, "Popen", lambda *a, **k: started.append(a) or popen(*a, **k)
    )
    formulas = " ".join(rf"$\alpha_{{{k}}}(j) = \sum_i A_{{ij}} x^{{{k}}}$" for k in range(100))
    pages = {f"p{k}.md": f"# P{k}\n\n{formulas}\n" for k in range(10)}
    pages["index.md"] = "# I\n\n```{toctree}\n:glob:\np*\n```\n"
    made = book(EXTENSIONS, pages, CONFIG)
    start = time.perf_counter()
    result = made.build()
    seconds = time.perf_counter() - start
    assert result.clean, result.warnings
    assert result.html("p3").count("katex-html") == 100
    assert len(started) == 1
    assert seconds < 20  # 1.5 s alone on the machine it was written on

    # a page that did not change asks for nothing
    started.clear()
    assert made.build().clean
    assert started == []


def test_missing_katex_says_what_to_do(maths) -> None:
    result = maths(GOOD, katex_module="nowhere/katex.mjs").build()
    assert not result.clean
    assert "run `make site`" in result.warnings
