"""The figures' style: contrast and colours that hold, and diagrams whose numbers are the data's."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pytest

from coursekit import diagrams, figures

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

# what the common kinds of colour blindness make of linear RGB (Machado, Oliveira, Fernandes 2009)
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


@pytest.fixture(autouse=True)
def course_style():
    """Draw in the course's style and leave no figure and no setting behind."""
    with plt.rc_context():
        figures.use_course_style()
        yield
        plt.close("all")


def linear(colour: str) -> np.ndarray:
    """Return linear RGB of a colour."""
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours by WCAG 2."""
    light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, two))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("name", ["text.color", "axes.labelcolor", "xtick.color", "ytick.color"])
def test_text_can_be_read(name: str) -> None:
    assert contrast(plt.rcParams[name], plt.rcParams["figure.facecolor"]) >= 4.5


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_of_one_plot_stay_apart(kind: str) -> None:
    used_together = ["blue", "vermilion", "green", "grey"]
    seen = {name: BLINDNESS[kind] @ linear(figures.COLOUR[name]) for name in used_together}
    for one, two in itertools.combinations(used_together, 2):
        assert np.linalg.norm(seen[one] - seen[two]) > 0.1, (kind, one, two)


def test_style_cycles_through_the_named_colours() -> None:
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert {f"#{c.lstrip('#')}".lower() for c in cycle} == {
        c.lower() for c in figures.COLOUR.values()
    }


def test_trellis_shows_its_numbers_and_draws_the_path_thick() -> None:
    _, ax = plt.subplots()
    A = np.array([[0.6, 0.4], [0.5, 0.5]])
    inside = [["one", "two"], ["three", "four"], ["five", "six"]]
    kept = np.array([[0, 0], [1, 1]])
    diagrams.trellis(ax, "HC", ["a", "b", "c"], inside, np.stack([A, A]), [0, 1, 0], kept)
    texts = [text.get_text() for text in ax.texts]
    assert {"H", "C", "a", "b", "c", *itertools.chain(*inside)} <= set(texts)
    assert texts.count(".6") == 2 and texts.count(".4") == 2 and texts.count(".5") == 4
    arrows = [p for p in ax.patches if isinstance(p, matplotlib.patches.FancyArrowPatch)]
    widths = [arrow.get_linewidth() for arrow in arrows]
    assert len(arrows) == 8 and widths.count(max(widths)) == 2


def test_graph_has_a_state_and_a_symbol_for_each_step() -> None:
    _, ax = plt.subplots()
    diagrams.hmm_graph(ax, steps=3)
    texts = [text.get_text() for text in ax.texts]
    assert {"$z_1$", "$z_2$", "$z_T$", "$x_1$", "$x_2$", "$x_T$"} <= set(texts)
    assert texts.count("$E$") == 3


def test_tagged_text_colours_each_character_and_refuses_too_few_labels() -> None:
    _, ax = plt.subplots()
    diagrams.tagged_text(ax, ["ab", "$"], [[0, 1], [1]], ["#ffffff", "#000000"], "title")
    assert [text.get_text() for text in ax.texts] == ["a", "b", "$"]
    assert [patch.get_facecolor()[:3] for patch in ax.patches] == [(1, 1, 1), (0, 0, 0), (0, 0, 0)]
    with pytest.raises(ValueError, match="shorter"):
        diagrams.tagged_text(ax, ["ab"], [[0]], ["#ffffff"], "title")
