"""Graphs and trellises drawn by matplotlib: a diagram's numbers come from the page's code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from coursekit.figures import COLOUR, INK, PALE


def blank(ax: Axes, width: float, height: float) -> None:
    """Turn ax into an empty sheet of width x height units with equal scales and no axes."""
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_aspect("equal")
    ax.axis("off")


def node(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    radius: float = 0.34,
    face: str = "white",
    edge: str = INK,
    width: float = 1.4,
    size: float = 11,
) -> Circle:
    """Draw a round node with its text; return it, so that arrows can end at its rim."""
    circle = Circle((x, y), radius, facecolor=face, edgecolor=edge, linewidth=width, zorder=3)
    ax.add_patch(circle)
    ax.text(x, y, text, ha="center", va="center", zorder=4, fontsize=size)
    return circle


def arrow(
    ax: Axes,
    start: Circle,
    end: Circle,
    text: str = "",
    colour: str = INK,
    width: float = 1.2,
    place: float = 0.5,
    bend: float = 0.0,
    size: float = 10.5,
    style: str = "-|>",
) -> None:
    """Draw an arrow from the rim of one node to the rim of another, its text on the line."""
    (x0, y0), (x1, y1) = start.center, end.center
    length = float(np.hypot(x1 - x0, y1 - y0))
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    tail = (x0 + ux * start.radius, y0 + uy * start.radius)
    head = (x1 - ux * (end.radius + 0.03), y1 - uy * (end.radius + 0.03))
    patch = FancyArrowPatch(
        tail,
        head,
        arrowstyle=style,
        mutation_scale=11,
        color=colour,
        linewidth=width,
        shrinkA=0,
        shrinkB=0,
        connectionstyle=f"arc3,rad={bend}",
        zorder=1,
    )
    ax.add_patch(patch)
    if text:
        ax.text(
            tail[0] + place * (head[0] - tail[0]),
            tail[1] + place * (head[1] - tail[1]),
            text,
            ha="center",
            va="center",
            fontsize=size,
            color=colour,
            zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )


def hmm_graph(ax: Axes, steps: int = 4) -> None:
    """Draw the graph of a hidden Markov model: states in a chain, a shaded symbol under each."""
    gap, top, bottom = 1.75, 2.0, 0.55
    blank(ax, gap * steps + 1.35, 2.75)
    before = node(ax, 0.5, top, r"$\pi$", radius=0.26, edge=PALE)
    for t in range(1, steps + 1):
        last = t == steps
        name = "T" if last else str(t)
        state = node(ax, 0.45 + gap * t, top, f"$z_{name}$")
        symbol = node(ax, 0.45 + gap * t, bottom, f"$x_{name}$", face="#e3e6ea")
        if last:
            arrow(ax, before, state, r"$\cdots$", colour=COLOUR["blue"], size=13)
        else:
            text = "" if t == 1 else "$A$"
            arrow(ax, before, state, text, colour=COLOUR["blue"] if t > 1 else INK)
        arrow(ax, state, symbol, "$E$", colour=COLOUR["vermilion"])
        before = state


def trellis(
    ax: Axes,
    states: Sequence[str],
    columns: Sequence[str],
    inside: Sequence[Sequence[str]],
    edges: np.ndarray | None = None,
    path: Sequence[int] | None = None,
    kept: np.ndarray | None = None,
) -> None:
    """Draw a trellis: a column for each time, a node for each state, an arrow for each step.

    inside[t][k] is the text in a node. edges: (T-1, K, K), numbers written on the arrows. path:
    T states, drawn thick. kept: (T-1, K), the best predecessor of each node of columns 1..T-1;
    arrows not kept are drawn pale.
    """
    n_states, gap, drop, radius = len(states), 3.0, 1.9, 0.6
    height = drop * (n_states - 1) + 2 * radius + 0.75
    blank(ax, gap * (len(columns) - 1) + 2 * radius + 0.85, height)
    x_of = [0.75 + radius + gap * t for t in range(len(columns))]
    y_of = [height - 0.65 - radius - drop * k for k in range(n_states)]
    for k, name in enumerate(states):
        ax.text(0.28, y_of[k], name, ha="center", va="center", fontsize=13, fontweight="bold")
    for t, name in enumerate(columns):
        ax.text(x_of[t], height - 0.2, name, ha="center", va="center", fontsize=11)
    circles = []
    for t, x in enumerate(x_of):
        on_path = [path is not None and path[t] == k for k in range(n_states)]
        circles.append(
            [
                node(
                    ax,
                    x,
                    y_of[k],
                    inside[t][k],
                    radius=radius,
                    face="#fbe9df" if on_path[k] else "white",
                    edge=COLOUR["vermilion"] if on_path[k] else INK,
                    width=2.4 if on_path[k] else 1.3,
                    size=11,
                )
                for k in range(n_states)
            ]
        )
    for t in range(len(columns) - 1):
        for i in range(n_states):
            for j in range(n_states):
                best = path is not None and path[t] == i and path[t + 1] == j
                pale = kept is not None and kept[t, j] != i
                colour = COLOUR["vermilion"] if best else PALE if pale else COLOUR["grey"]
                text = "" if edges is None else f"{edges[t, i, j]:.3g}".removeprefix("0")
                arrow(
                    ax,
                    circles[t][i],
                    circles[t + 1][j],
                    text,
                    colour=colour,
                    width=2.8 if best else 1.2,
                    # crossing arrows carry their numbers near the tail, where they are apart
                    place=0.5 if i == j else 0.27,
                )


def tagged_text(
    ax: Axes,
    lines: Sequence[str],
    labels: Sequence[Sequence[int]],
    colours: Sequence[str],
    title: str,
    columns: int = 64,
) -> None:
    """Draw lines of text, one cell a character, each on the colour of its label."""
    ax.set_xlim(0, columns)
    ax.set_ylim(len(lines), 0)
    ax.axis("off")
    ax.set_title(title)
    for row, (line, kinds) in enumerate(zip(lines, labels, strict=True)):
        for col, (char, kind) in enumerate(zip(line[:columns], kinds[:columns], strict=True)):
            box = FancyBboxPatch(
                (col, row + 0.06),
                1,
                0.88,
                boxstyle="square,pad=0",
                facecolor=colours[kind],
                edgecolor="none",
            )
            ax.add_patch(box)
            ax.text(
                col + 0.5,
                row + 0.54,
                char,
                ha="center",
                va="center",
                family="DejaVu Sans Mono",
                fontsize=7.5,
                color=INK,
                parse_math=False,
            )
