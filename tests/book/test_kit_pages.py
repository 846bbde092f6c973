"""The hand-written pages of the teaching kit: answers that hold, versions that agree."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
PAGES = ["prerequisites.md", "syllabus.md", "equations.md", "kill_matrix.md", "errata.md"]
NEEDS = (BOOK / "prerequisites.md").read_text()
QUESTIONS = re.split(r"^\*\*\d+\. ", NEEDS, flags=re.M)[1:]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_in_the_contents(page: str) -> None:
    toc = (ROOT / "_toc.yml").read_text()
    assert f"- file: book/{page.removesuffix('.md')}\n" in toc + "\n"


def test_every_question_has_a_folded_solution_and_says_who_needs_it() -> None:
    assert len(QUESTIONS) == 12
    for question in QUESTIONS:
        asked = question.split("```{admonition} Solution\n:class: dropdown\n")
        assert len(asked) == 2
        assert re.search(r"\(For\s+(chapter|every)", asked[0])


def test_the_answers_of_linear_algebra_hold() -> None:
    A = np.array([[0.9, 0.1], [0.4, 0.6]])
    np.testing.assert_allclose(np.array([1, 2]) @ A, [1.7, 1.3], rtol=1e-12, atol=0)
    np.testing.assert_allclose(A @ np.array([1, 2]), [1.1, 1.6], rtol=1e-12, atol=0)
    np.testing.assert_allclose(sorted(np.linalg.eigvals(A)), [0.5, 1], rtol=1e-12, atol=0)
    limit = np.linalg.matrix_power(A, 60)
    np.testing.assert_allclose(limit, [[0.8, 0.2]] * 2, rtol=1e-12, atol=0)
    W = np.array([[0.0, 3], [0, 0]])
    assert np.linalg.norm(W, 2) == 3 and not (W @ W).any()


def test_the_answers_of_probability_and_calculus_hold() -> None:
    assert abs(0.1 * 0.9 / (0.1 * 0.9 + 0.9 * 0.2) - 1 / 3) < 1e-12
    assert -np.log2([1 / 2, 1 / 8]).mean() == 2
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(x**2 * (3 * x + 1), x)
    assert slope.item() == 11
    p = np.linspace(0.001, 0.999, 999)
    assert abs(p[np.argmax(3 * np.log(p) + np.log(1 - p))] - 0.75) < 1e-9
    assert (np.ones((5, 1, 3)) * np.ones((4, 3))).sum(axis=0).shape == (4, 3)


def test_the_code_prints_what_the_solution_says() -> None:
    printed = []
    for code in re.findall(r"^~~~python\n(.*?)^~~~$", NEEDS, re.M | re.S):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, {"np": np, "torch": torch})
        printed.append(out.getvalue().strip())
    assert printed == ["[1. 1. 0.]", "tensor(2.)"]
    assert "`[1. 1. 0.]`" in NEEDS


def test_sources_are_in_the_bibliography() -> None:
    keys = set(re.findall(r"^@\w+\{(\S+),$", (BOOK / "references.bib").read_text(), re.M))
    cited = re.findall(r"\{cite\}`([^`]+)`", NEEDS)
    assert len(cited) >= 8 and set(cited) <= keys


def test_the_citation_and_the_changelog_know_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"]
    assert set(citation["license"]) == set(project["license"].split(" AND "))
    for key in ("cff-version", "message", "title", "authors"):  # what the format asks for
        assert citation[key]
    assert f"\n## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_short_course_gives_sections_that_exist() -> None:
    page = (BOOK / "syllabus.md").read_text()
    part = page.split("Chapters that are left out")[1].split("\n## ")[0]
    labels = re.findall(r"\]\(([a-z-]+)\)", part)
    chapters = "".join(path.read_text() for path in BOOK.glob("[0-9][0-9]_*.md"))
    assert labels and all(f"\n({label})=\n" in chapters for label in labels)
