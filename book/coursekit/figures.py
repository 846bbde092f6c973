"""The look of every figure: call `use_course_style()` once, at the top of a chapter."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

# Okabe and Ito's palette: distinct under the common kinds of colour blindness
COLOUR = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "grey": "#57606a",
}
INK = "#1f2328"
PALE = "#d0d7de"


def use_course_style(vector: bool = True) -> None:
    """Set matplotlib's defaults to the course's; in a notebook, draw SVG unless vector is False."""
    plt.style.use(Path(__file__).with_name("course.mplstyle"))
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:  # a script, not a notebook: there is no output format to choose
        return
    if get_ipython() is not None:
        # no date in the file: the same page gives the same bytes
        metadata = {"metadata": {"Date": None}} if vector else {}
        set_matplotlib_formats("svg" if vector else "retina", **metadata)
