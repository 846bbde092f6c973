"""Draw the course on its landing page from book/course.yml: the arc as a picture, and the contents.

`{course-arc}` draws the course as what it teaches: a recurrent chain, unrolled, one cell a chapter.
`{course-contents}` lists parts, chapters and problem sets. A page that exists is a link; one that
does not is marked as in preparation. Colours come from the style sheet, so both modes work.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator


@dataclass
class Chapter:
    """A chapter as it is planned; `url` is empty until its page exists."""

    number: int
    title: str
    short: str
    settles: str
    url: str


@dataclass
class Part:
    """A part: its chapters and the problem set that closes it."""

    title: str
    chapters: list[Chapter]
    set_id: str
    set_title: str
    set_url: str


class course_map(nodes.General, nodes.Element):
    """Stands for the picture or the list until the page is written and its links are known."""


class Map(SphinxDirective):
    """Put a part of the plan on the page."""

    has_content = False
    view = ""

    def run(self) -> list[nodes.Node]:
        """Leave a node, and make the page depend on the plan and on the table of contents."""
        self.env.note_dependency(str(plan_file(self.env.app)))
        self.env.note_dependency(str(Path(self.env.app.confdir, "_toc.yml")))
        return [course_map(view=self.view)]


class Arc(Map):
    """`{course-arc}`."""

    view = "arc"


class Contents(Map):
    """`{course-contents}`."""

    view = "contents"


def plan_file(app: Sphinx) -> Path:
    """Where the plan is."""
    return Path(app.confdir, app.config.course_plan)


def read_plan(app: Sphinx, docname: str) -> list[Part]:
    """Read the plan; links are relative to a page."""

    def url(page: str) -> str:
        if page not in app.env.found_docs:
            return ""
        return app.builder.get_relative_uri(docname, page)

    parts = []
    for part in yaml.safe_load(plan_file(app).read_text("utf-8"))["parts"]:
        chapters = [
            Chapter(
                number=int(Path(entry["page"]).name[:2]),
                title=entry["title"],
                short=entry["short"],
                settles=entry["settles"].strip(),
                url=url(entry["page"]),
            )
            for entry in part["chapters"]
        ]
        ps = part["problem_set"]
        page = f"exercises/{ps['id']}/{ps['id']}"
        parts.append(Part(part["title"], chapters, ps["id"], ps["title"], url(page)))
    return parts


def linked(inner: str, url: str, label: str = "") -> str:
    """Wrap in a link where there is a page."""
    if not url:
        return inner
    name = f' aria-label="{escape(label)}"' if label else ""
    return f'<a href="{escape(url)}"{name}>{inner}</a>'


def cell(chapter: Chapter, x: float, y: float, size: float) -> str:
    """Draw one chapter: a circle where states are discrete, a box where they are vectors."""
    kind = "ready" if chapter.url else "planned"
    radius = size / 2 if chapter.number <= 3 else 10
    box = (
        f'<rect x="{x - size / 2:g}" y="{y - size / 2:g}" width="{size:g}" height="{size:g}"'
        f' rx="{radius:g}" class="cell {kind}"/>'
    )
    number = f'<text x="{x:g}" y="{y + 6:g}" class="number {kind}">{chapter.number}</text>'
    return linked(box + number, chapter.url, f"Chapter {chapter.number}: {chapter.title}")


def describe(parts: list[Part]) -> str:
    """Say in words what the picture shows."""
    chapters = [chapter for part in parts for chapter in part.chapters]
    names = ", ".join(f"{c.number} {c.short}" for c in chapters)
    ready = [str(c.number) for c in chapters if c.url] or ["none yet"]
    return (
        f"The course drawn as an unrolled recurrent chain, one cell for each chapter: {names}."
        " Two threads run under all of them: data from a known hidden Markov model, which gives the"
        " lowest loss any model can reach, and real text. "
        f"Chapters ready to read: {', '.join(ready)}; the others are in preparation."
    )


MARKERS = (
    '<defs><marker id="{id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
    ' orient="auto-start-reverse"><path d="M0 1 L10 5 L0 9 z" class="tip"/></marker></defs>'
)


def wide_arc(parts: list[Part]) -> str:
    """Draw the chain from left to right."""
    step, size, left, y = 88.0, 50.0, 66.0, 132.0
    floor, text = 252.0, 296.0
    chapters = [chapter for part in parts for chapter in part.chapters]
    xs = {c.number: left + i * step for i, c in enumerate(chapters)}
    width = left * 2 + (len(chapters) - 1) * step
    out = [MARKERS.format(id="tip-wide")]
    for part in parts:
        first, last = xs[part.chapters[0].number], xs[part.chapters[-1].number]
        a, b, middle = first - 34, last + 34, (first + last) / 2
        out.append(f'<path d="M{a:g} 76 v-8 H{b:g} v8" class="bracket"/>')
        name = f'<text x="{middle:g}" y="54" class="set">{escape(part.set_id.split("_")[0])}</text>'
        out.append(linked(name, part.set_url, f"Problem set {part.set_id}"))
    # inputs: both threads go up into every cell that can use them
    for c in chapters:
        x = xs[c.number]
        bottom = floor if c.number >= 2 else text
        out.append(f'<path d="M{x:g} {bottom:g} V{y + 66:g}" class="input"/>')
    end = width - left + 40
    out.append(f'<path d="M{xs[2]:g} {floor:g} H{end:g}" class="thread floor"/>')
    out.append(f'<path d="M{xs[1]:g} {text:g} H{end:g}" class="thread text"/>')
    for c in chapters:
        x = xs[c.number]
        if c.number >= 2:
            out.append(f'<circle cx="{x:g}" cy="{floor:g}" r="4" class="dot floor"/>')
        out.append(f'<circle cx="{x:g}" cy="{text:g}" r="4" class="dot text"/>')
    out.append(
        f'<text x="{xs[2]:g}" y="{floor - 12:g}" class="thread-name floor">'
        "the exact floor: data from a known HMM, so the best possible loss is known</text>"
    )
    out.append(
        f'<text x="{xs[1]:g}" y="{text + 24:g}" class="thread-name text">'
        "real text: what every Python carries with it, no download</text>"
    )
    for here, after in pairwise(chapters):
        x1, x2 = xs[here.number] + size / 2 + 3, xs[after.number] - size / 2 - 4
        out.append(f'<path d="M{x1:g} {y:g} H{x2:g}" class="carry" marker-end="url(#tip-wide)"/>')
    for c in chapters:
        out.append(cell(c, xs[c.number], y, size))
        out.append(
            f'<text x="{xs[c.number]:g}" y="{y + 50:g}" class="name">{escape(c.short)}</text>'
        )
    return svg("arc-wide", width, 330, parts, out)


def tall_arc(parts: list[Part]) -> str:
    """Draw the chain from top to bottom, for a narrow screen."""
    step, size, x, top = 62.0, 40.0, 92.0, 84.0
    floor, text = 44.0, 20.0
    chapters = [chapter for part in parts for chapter in part.chapters]
    ys = {c.number: top + i * step for i, c in enumerate(chapters)}
    end = ys[chapters[-1].number] + 36
    out = [MARKERS.format(id="tip-tall")]
    out.append(f'<path d="M{text:g} {ys[1]:g} V{end:g}" class="thread text"/>')
    out.append(f'<path d="M{floor:g} {ys[2]:g} V{end:g}" class="thread floor"/>')
    for c in chapters:
        y = ys[c.number]
        start = floor if c.number >= 2 else text
        out.append(f'<path d="M{start:g} {y:g} H{x - size / 2 - 3:g}" class="input"/>')
        out.append(f'<circle cx="{text:g}" cy="{y:g}" r="3.5" class="dot text"/>')
        if c.number >= 2:
            out.append(f'<circle cx="{floor:g}" cy="{y:g}" r="3.5" class="dot floor"/>')
    for here, after in pairwise(chapters):
        y1, y2 = ys[here.number] + size / 2 + 2, ys[after.number] - size / 2 - 3
        out.append(f'<path d="M{x:g} {y1:g} V{y2:g}" class="carry" marker-end="url(#tip-tall)"/>')
    for part in parts:
        a, b = ys[part.chapters[0].number] - 18, ys[part.chapters[-1].number] + 18
        out.append(f'<path d="M288 {a:g} h8 V{b:g} h-8" class="bracket"/>')
        name = f'<text x="304" y="{(a + b) / 2 + 5:g}" class="set left">'
        name += f"{escape(part.set_id.split('_')[0])}</text>"
        out.append(linked(name, part.set_url, f"Problem set {part.set_id}"))
    for c in chapters:
        out.append(cell(c, x, ys[c.number], size))
        out.append(
            f'<text x="{x + 34:g}" y="{ys[c.number] + 5:g}" class="name left">'
            f"{escape(c.short)}</text>"
        )
    out.append(f'<text x="{text - 8:g}" y="24" class="thread-name text">real text</text>')
    out.append(
        f'<text x="{text - 8:g}" y="46" class="thread-name floor">'
        "the exact floor (a known HMM), from 2 on</text>"
    )
    return svg("arc-tall", 340, end + 8, parts, out)


def svg(name: str, width: float, height: float, parts: list[Part], body: list[str]) -> str:
    """Wrap the shapes; the words for those who cannot see them are in the title and description."""
    return (
        f'<svg class="{name}" viewBox="0 0 {width:g} {height:g}" role="group"'
        f' aria-labelledby="{name}-title {name}-desc" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-title">The course, unrolled</title>'
        f'<desc id="{name}-desc">{escape(describe(parts))}</desc>{"".join(body)}</svg>'
    )


def arc_html(parts: list[Part]) -> str:
    """Return the picture in both shapes; the style sheet shows the one that fits."""
    return f'<div class="course-arc">{wide_arc(parts)}{tall_arc(parts)}</div>\n'


def contents_html(parts: list[Part]) -> str:
    """Return the table of contents."""
    soon = '<span class="soon">in preparation</span>'
    out = ['<ol class="course-contents">']
    for number, part in enumerate(parts, start=1):
        out.append(f'<li><p class="part"><span>Part {number}</span> {escape(part.title)}</p><ul>')
        for c in part.chapters:
            title = linked(f"<strong>{escape(c.title)}</strong>", c.url) + ("" if c.url else soon)
            out.append(
                f'<li class="{"ready" if c.url else "planned"}">'
                f'<span class="no" aria-hidden="true">{c.number}</span>'
                f"<div><p>{title}</p><p>{escape(c.settles)}</p></div></li>"
            )
        title = f"Problem set {number}: {part.set_title}"
        title = linked(f"<strong>{escape(title)}</strong>", part.set_url)
        out.append(
            f'<li class="problem-set {"ready" if part.set_url else "planned"}">'
            f'<span class="no" aria-hidden="true">ps{number}</span>'
            f"<div><p>{title}{'' if part.set_url else soon}</p></div></li></ul></li>"
        )
    out.append("</ol>\n")
    return "".join(out)


def visit_course_map(translator: HTML5Translator, node: course_map) -> None:
    """Write the picture or the list."""
    parts = read_plan(translator.builder.app, translator.docnames[-1])
    translator.body.append(arc_html(parts) if node["view"] == "arc" else contents_html(parts))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two directives."""
    app.add_config_value("course_plan", "book/course.yml", "env", str)
    app.add_node(course_map, html=(visit_course_map, None))
    app.add_directive("course-arc", Arc)
    app.add_directive("course-contents", Contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
