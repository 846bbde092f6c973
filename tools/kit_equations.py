"""The equation sheet: labelled equations of the chapters under short names, by parts of the course.

Only labels and names are written here. The formula is the chapter's own source, so the two cannot
differ. Of a derivation in several displays it is the last one, which carries the label.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

NAMES: dict[str, dict[str, str]] = {
    "01_markov": {
        "markov-property": "Chain of order n",
        "markov-ml": "Counting is maximum likelihood",
        "markov-pseudo": "Pseudo-counts",
        "markov-rate": "Entropy rate",
        "markov-cross": "Cross-entropy",
    },
    "02_hmm": {
        "hmm-joint": "Joint probability",
        "hmm-forward": "Forward",
        "hmm-backward": "Backward",
        "hmm-gamma": "State posterior",
        "hmm-xi": "Pair posterior",
        "hmm-delta": "Viterbi",
        "hmm-scaled": "Forward, scaled",
        "hmm-loglik": "Log likelihood",
    },
    "03_em": {
        "em-decomposition": "Bound and gap",
        "em-counts": "E-step: expected counts",
        "em-m-step": "M-step",
    },
    "04_rnn": {
        "rnn-step": "One step",
        "rnn-loss": "Cross-entropy, stable",
        "rnn-lm-loss": "Language-model loss",
        "rnn-softmax": "Forward algorithm as a network",
    },
    "05_bptt": {
        "bptt-output-delta": "Delta of the scores",
        "bptt-state-delta": "Delta of the state",
        "bptt-a-delta": "Through tanh",
        "bptt-weights": "Gradients of the weights",
        "bptt-paths": "Sum over paths",
        "bptt-central": "Central difference",
        "bptt-temperature-eq": "Temperature",
    },
    "06_gradients": {
        "gradients-jacobian": "Jacobian of a step",
        "gradients-product-eq": "Over a distance",
        "gradients-rho-sigma": "Radius and singular values",
        "gradients-gelfand": "Gelfand",
        "gradients-lyapunov-eq": "Largest Lyapunov exponent",
        "gradients-vanish": "When it must vanish",
        "gradients-clip": "Clipping",
        "gradients-leaky": "A leaky unit",
        "gradients-gate": "A gate",
    },
    "07_lstm": {
        "lstm-a": "Pre-activations",
        "lstm-gates": "Gates and candidate",
        "lstm-cell": "Cell",
        "lstm-out": "State",
        "lstm-dh": "Delta of the state",
        "lstm-dc": "Delta of the cell",
        "lstm-da": "Deltas of the pre-activations",
        "lstm-product": "Along the cell",
    },
    "08_gru": {
        "gru-step": "One step",
        "gru-n-delta": "Delta of the candidate",
        "gru-z-delta": "Delta of the update gate",
        "gru-r-delta": "Delta of the reset gate",
        "gru-h-delta": "Delta of the state",
    },
    "09_deep": {
        "deep-two": "Two directions",
        "deep-stack": "Layers",
        "deep-residual": "Residual connection",
        "deep-ln": "Layer normalisation",
    },
    "10_data": {
        "data-means": "Means under a mask",
        "data-onehot": "Embedding",
        "data-edit": "Edit distance",
        "data-weights": "Class weights",
        "data-age": "Series: what an old value tells",
    },
    "11_training": {
        "training-ce": "Cross-entropy and its slope",
        "training-xavier": "Xavier",
        "training-momentum": "Momentum",
        "training-rmsprop": "RMSProp",
        "training-adam": "Adam",
        "training-adamw": "AdamW",
        "training-cosine": "Warm-up and cosine",
        "training-dropout": "Dropout",
        "training-ece": "Calibration error",
        "training-mcnemar": "McNemar, exact",
    },
    "12_text_rnn": {
        "text-rnn-model": "Text-RNN",
        "text-rnn-count": "Number of weights",
    },
}
LABEL = re.compile(r"^\$\$ \(([\w-]+)\)$")
CODE = re.compile(r"^```\{code-cell\}.*?^```", re.M | re.S)
CLOSING = re.compile(r"\s*(?<!\\)[,.;]+(?=\s*(?:\\end\{(?:aligned|gathered)\}\s*)?\Z)")


def formulas(chapter: str) -> dict[str, str]:
    """Return the source of every labelled display of a chapter's text by its label."""
    lines = CODE.sub("", chapter).splitlines()
    found: dict[str, str] = {}
    start = None
    for i, line in enumerate(lines):
        if line == "$$":  # opens a display, or closes one without a label
            start = i if start is None else None
        elif (label := LABEL.match(line)) and start is not None:
            found[label[1]] = "\n".join(lines[start + 1 : i])
            start = None
    return found


def without_punctuation(formula: str) -> str:
    """Return a formula without the comma or full stop that ends its sentence in the chapter."""
    return CLOSING.sub("", formula, count=1)


def sheet(book: Path) -> str:
    """Return the sheet: a section a part, a subsection a chapter that exists."""
    out = []
    for number, part in enumerate(yaml.safe_load((book / "course.yml").read_text())["parts"], 1):
        chapters = [Path(entry["page"]).name for entry in part["chapters"]]
        chapters = [name for name in chapters if (book / f"{name}.md").is_file()]
        if not chapters:
            continue
        out += [f"## Part {number}: {part['title']}", ""]
        for name in chapters:
            out += chapter_sheet(name, (book / f"{name}.md").read_text())
    return "\n".join(out)


def chapter_sheet(name: str, text: str) -> list[str]:
    """Return the lines of one chapter; refuse a label that it has not."""
    known = formulas(text)
    title = re.search(r"^# (.+)$", CODE.sub("", text), re.M)
    lines = [f"### {int(name[:2])} {title[1] if title else name}", "", ":::::{div} equation-sheet"]
    for label, short in NAMES.get(name, {}).items():
        if label not in known:
            raise SystemExit(
                f"tools/kit_equations.py: {name}.md has no equation labelled {label!r}; "
                "choose another label, or take it off the list"
            )
        formula = without_punctuation(known[label])
        lines += ["::::{div} equation", f"{short} {{eq}}`{label}`", ""]
        lines += ["$$", formula, "$$", "::::"]
    return [*lines, ":::::", ""]
