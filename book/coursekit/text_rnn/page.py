"""The report as one page: no script, no other file, readable in the dark and on a telephone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from coursekit.text_rnn.report import HEAD, difference, models, percent

MATRIX = 60  # labels beyond which the matrix would be no picture any more
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --back: #fff; --line: #d0d7de; --soft: #59636e;
  --cell: 9, 105, 218; --wrong: 191, 75, 0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --back: #0d1117; --line: #3d444d;
  --soft: #9198a1; --cell: 56, 139, 253; --wrong: 240, 136, 62; } }
body { font: 16px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: var(--ink);
  background: var(--back); max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.soft { color: var(--soft); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; white-space: nowrap; }
table.matrix td, table.matrix th { border: 1px solid var(--line); text-align: center; }
table.matrix th { font-weight: 400; font-size: .85rem; }
ol { padding-left: 2rem; } li { margin: .5rem 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; color: var(--soft); }
svg text { fill: var(--soft); font-size: 12px; } svg line { stroke: var(--line); }
"""


def e(value: object) -> str:
    """Return a value as text that no browser takes for markup."""
    return html.escape(str(value), quote=True)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an HTML table."""
    top = "".join(f'<th scope="col">{e(cell)}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{e(c)}</td>" for c in row) + "</tr>\n" for row in rows)
    return f'<div class="scroll"><table><tr>{top}</tr>\n{body}</table></div>'


def matrix(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Return the confusion matrix: a cell is as dark as its share of its row."""
    top = "".join(f'<th scope="col">{e(name)}</th>' for name in labels)
    rows = [f'<tr><th></th>{top}<th scope="col">texts</th></tr>']
    for c, row in enumerate(counts):
        total = sum(row)
        cells = ""
        for k, n in enumerate(row):
            share = n / total if total else 0.0
            ink = "--cell" if k == c else "--wrong"
            tip = f"{n:,} of {total:,} texts of {labels[c]} read as {labels[k]} ({share:.1%})"
            fill = f"background: rgba(var({ink}), {0.75 * share**0.5:.3f})" if n else ""
            cells += f'<td style="{fill}" title="{e(tip)}">{n or ""}</td>'
        rows.append(f'<tr><th scope="row">{e(labels[c])}</th>{cells}<td>{total:,}</td></tr>')
    return '<div class="scroll"><table class="matrix">' + "\n".join(rows) + "</table></div>"


def curves(seeds: Sequence[dict[str, Any]]) -> str:
    """Return a drawing of the validation accuracy after each epoch, a line for each seed."""
    lines = [seed["validation_curve"] for seed in seeds]
    longest = max(map(len, lines))
    low, high = min(map(min, lines)), max(map(max, lines))
    if longest < 2:
        return ""
    high = high if high > low else low + 0.01
    W, H, X, Y = 560, 200, 52, 14

    def at(k: int, v: float) -> str:
        x = X + (W - X - 12) * k / (longest - 1)
        return f"{x:.1f},{Y + (H - Y - 34) * (high - v) / (high - low):.1f}"

    found = [
        f'<svg viewBox="0 0 {W} {H}" width="{W}" style="max-width: 100%" role="img" '
        f'aria-label="Validation accuracy after each epoch, from {low:.1%} to {high:.1%}">'
    ]
    for v in (low, (low + high) / 2, high):
        y = at(0, v).split(",")[1]
        found.append(f'<line x1="{X}" x2="{W - 12}" y1="{y}" y2="{y}"/>')
        found.append(f'<text x="{X - 6}" y="{float(y) + 4}" text-anchor="end">{v:.1%}</text>')
    for k in sorted({0, longest // 2, longest - 1}):
        x = at(k, low).split(",")[0]
        found.append(f'<text x="{x}" y="{H - 4}" text-anchor="middle">{k + 1}</text>')
    for line in lines:
        points = " ".join(at(k, v) for k, v in enumerate(line))
        found.append(
            f'<polyline points="{points}" fill="none" stroke="rgb(var(--cell))" stroke-width="2" '
            'stroke-opacity=".75"/>'
        )
    return "".join(found) + "</svg>"


def page(report: dict[str, Any]) -> str:
    """Return the whole page."""
    judged = report["test"]
    labels = [c["label"] for c in judged["classes"]]
    parts = [f"<h1>{e(report['title'])}</h1>", f"<pre>{e(chr(10).join(report['said']))}</pre>"]
    if "seeds" in report:
        parts += _models(report)
    which = f", seed {report['chosen_seed']}" if "chosen_seed" in report else ""
    three = ("precision", "recall", "f1")
    rows = [
        (c["label"], *(percent(c[k]) for k in three), f"{c['support']:,}")
        for c in judged["classes"]
    ]
    parts += [
        "<h2>Each class</h2>",
        f'<p class="soft">{judged["texts"]:,} texts{e(which)}; '
        f"accuracy {percent(judged['accuracy'])} %, macro F1 {percent(judged['macro_f1'])} %, "
        f"loss {judged['loss']:.3f} nats, "
        f"calibration error {percent(judged['calibration_error'])} %</p>",
        table(("label", "precision %", "recall %", "F1 %", "texts"), rows),
        "<h2>Confusion matrix</h2>",
    ]
    if len(labels) <= MATRIX:
        parts += [
            '<p class="soft">A row for each label, a column for what was predicted; the darker, '
            "the larger the share of the row.</p>",
            matrix(labels, judged["confusion"]),
        ]
    else:
        parts.append(
            f"<p>{len(labels)} labels are too many to draw: report.json has the counts.</p>"
        )
    wrong = "\n".join(
        f'<li>{e(m["text"])}<br><span class="soft">{e(m["label"])} read as {e(m["predicted"])}; '
        f"p {m['p_predicted']:.3f}, of the label {m['p_label']:.1e}</span></li>"
        for m in judged["mistakes"]
    )
    parts += ["<h2>Worst mistakes</h2>", f"<ol>{wrong}</ol>" if wrong else "<p>None.</p>"]
    if "config" in report:
        pairs = [(name, value) for name, value in report["config"].items()]
        parts += ["<h2>Configuration</h2>", table(("field", "value"), pairs)]
        made = ", ".join(f"{k} {v}" for k, v in report["versions"].items())
        parts.append(f'<p class="soft">{e(made)}</p>')
    title = e(report["title"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _models(report: dict[str, Any]) -> list[str]:
    """Return the table of seeds and baselines, and the curves."""
    found = ["<h2>Beside the baselines</h2>", table(HEAD, models(report))]
    for one in report["baselines"]:
        found.append(f'<p class="soft">{e(one["name"])}: {e(one["setting"])}</p>')
    if "against" in report:
        one = report["against"]
        found.append(f"<p>Beside {e(one['baseline'])}: {e(difference(one))}.</p>")
    drawn = curves(report["seeds"])
    if drawn:
        found += ["<h2>Validation accuracy after each epoch</h2>", drawn]
    return found
