"""Make outputs that came from an untrusted job safe to store and to show.

What a job calls its outputs is any JSON at all. Out come valid nbformat outputs of bounded size:
text without terminal control, images that are images, tables without scripts or addresses. Figures
and data frames survive, or they could not be marked by hand; all else is dropped.
"""

import base64
import functools
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
from nbformat import NotebookNode

MAX_TOTAL = 8_000_000  # bytes of all outputs of one cell
MAX_TEXT = 200_000  # characters of one stream or result
MAX_OUTPUTS = 100  # of one cell, after its prints were joined
MAX_IMAGE = 4_000_000  # bytes
MAX_SIDE, MAX_PIXELS = 20_000, 40_000_000
MAX_HTML = 100_000  # characters in one cell: the parser does a megabyte in some seconds
MAX_TAGS, MAX_OPEN = 5_000, 40  # and takes its time over deep nesting
MAX_NAME = 100
MAX_FRAMES = 100  # entries of a traceback
CUT = "[output was cut here: it was too long]\n"

# colours stay; every other terminal sequence goes, finished or not, then control characters and
# marks that turn the direction of text round
SEQUENCES = re.compile(
    r"(?P<colour>\x1b\[[0-9;]{0,40}m)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
# MathJax obeys these: they load, link, style, or define others
LATEX_COMMANDS = re.compile(
    r"\\(?:href|url|require|class|cssId|style|html|data|include|input|unicode|bbox|mmlToken"
    r"|def|gdef|edef|xdef|let|futurelet|newcommand|renewcommand|newenvironment|csname|catcode)",
    re.IGNORECASE,
)

HTML_TAGS = {
    "table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td",
    "div", "span", "p", "br", "hr", "pre", "code", "samp", "kbd", "b", "i", "em", "strong",
    "sub", "sup", "small", "ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip
TAG_START = re.compile(r"<(?=[a-zA-Z/!?])")
# what Markdown takes for a tag and hands on, with all that follows it
MARKDOWN_TAG = re.compile(r"<(?:[a-zA-Z][a-zA-Z0-9-]*(?:[\s/>:]|$)|/[a-zA-Z]|[!?])")
MARKDOWN_LINK = re.compile(
    r"(?<=\])(?=\(|:)(?!(?:\(|:)\s*(?:https?://|mailto:|attachment:|#|[\w./-]+[)\s]))"
)
BARE_TAG = re.compile(rf"</?(?:{'|'.join(sorted(HTML_TAGS))}|details|summary)\s*/?>", re.IGNORECASE)
VOID_TAGS = {"br", "hr", "col", "img", "input", "meta", "link", "wbr"}
TAG = re.compile(r"<(/?)([a-z][a-z0-9]*+)[^<>]*+>", re.IGNORECASE)
LONG_TAG = re.compile(r"<[^<>]{1000}")
# parsed as raw text by a browser: what is inside is no content, and goes with them
DROPPED = re.compile(r"<(style|script)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.S | re.I)
CLASSES = re.compile(  # those of pandas and its Styler; others could be the page's own
    r"(?:dataframe|index_name|blank|data|col_heading|row_heading|(?:level|row|col)\d{1,6}|\s)+"
)
STYLES = {
    "background-color", "border", "border-collapse", "border-spacing", "color", "font-style",
    "font-weight", "padding", "text-align", "text-decoration", "vertical-align", "white-space",
}  # fmt: skip
STYLE_VALUES = re.compile(r"(?:rgba?\([\d\s.,%]*\)|hsla?\([\d\s.,%]*\)|[\w\s#.,:;%-])*")
SMALL_NUMBER = re.compile(r"\d{1,3}")


def clean(
    outputs: object, limit_bytes: int = MAX_TOTAL, limit_html: int = MAX_HTML
) -> list[NotebookNode]:
    """Return valid, harmless outputs of one cell; never raises, whatever the job sent.

    A table beyond limit_html is kept as plain text only.
    """
    kept: list[NotebookNode] = []
    left = limit_bytes
    cut = False
    for kind, output in _joined(outputs):
        html = output["data"].get("text/html") if isinstance(output.get("data"), dict) else None
        if html is not None:
            limit_html -= len(html) if isinstance(html, str) else MAX_HTML
            if limit_html < 0:
                output = {**output, "data": {**output["data"], "text/html": ""}}
        try:
            made = MAKERS[kind](output)
        except Exception:  # hostile values: whatever they upset, they do not upset the grader
            made = None
        if made is None:
            continue
        size = _size(made)
        if size > left or len(kept) >= MAX_OUTPUTS:
            cut = True
            if kind != "error":  # why a cell ended is worth more than the rest of its prints
                continue
        left -= size
        kept.append(made)
    if cut:
        kept.append(nbformat.v4.new_output("stream", name="stdout", text=CUT))
    return kept


def clean_text(text: object, limit: int = MAX_TEXT) -> str:
    """Return printable text: newline, tab, carriage return and colours are all the control left."""
    if isinstance(text, list) and all(isinstance(part, str) for part in text):
        text = "".join(text)  # nbformat's way of writing long text
    if not isinstance(text, str):
        return ""
    long = len(text) > limit
    text = text[:limit].encode("utf-8", "replace").decode()  # half a surrogate pair is no text
    if not text.isprintable():
        text = SEQUENCES.sub(lambda found: found["colour"] or "", text)
    return f"{text}\n{CUT}" if long else text


def clean_markdown(text: str) -> str:
    """Return the text of a written answer without what could do anything in a browser.

    Formgrader shows an answer as nbconvert renders it, HTML included. An answer with bare tags only
    stays as it is; in any other, what begins a tag becomes the sign that it looks like.
    """
    bare = all(BARE_TAG.match(text, found.start()) for found in TAG_START.finditer(text))
    if not bare and MARKDOWN_TAG.search(text):
        text = TAG_START.sub("&lt;", text)
    text = MARKDOWN_LINK.sub(" ", text)  # `[x] (javascript:...)` is no link
    while LATEX_COMMANDS.search(text):  # again: what is left of two backslashes is one
        text = LATEX_COMMANDS.sub(lambda found: found[0][1:], text)
    return text


def _joined(outputs: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the outputs by kind, with each run of prints to one stream as a single output."""
    name, parts, length = "", [""], 0
    for output in outputs if isinstance(outputs, list) else []:
        kind = output.get("output_type") if isinstance(output, dict) else None
        if not isinstance(kind, str) or kind not in MAKERS:
            continue
        if kind == "stream":
            stream = "stderr" if output.get("name") == "stderr" else "stdout"
            if stream != name and name:
                yield "stream", {"name": name, "text": "".join(parts)}
                parts, length = [], 0
            name, text = stream, output.get("text")
            if length <= MAX_TEXT:
                if isinstance(text, list):
                    text = "".join(part for part in text if isinstance(part, str))
                if isinstance(text, str):
                    parts.append(text)
                    length += len(text)
            continue
        if name:
            yield "stream", {"name": name, "text": "".join(parts)}
            name, parts, length = "", [], 0
        yield kind, output
    if name:
        yield "stream", {"name": name, "text": "".join(parts)}


def _size(output: NotebookNode) -> int:
    texts = [*output.get("data", {}).values(), *output.get("traceback", [])]
    return 100 + sum(map(len, [output.get("text", ""), output.get("evalue", ""), *texts]))


def _stream(output: dict[str, Any]) -> NotebookNode | None:
    text = clean_text(output["text"])
    # as nbformat's own function makes it, but for the check against its schema, which takes longer
    return NotebookNode(output_type="stream", name=output["name"], text=text) if text else None


def _error(output: dict[str, Any]) -> NotebookNode:
    frames = output.get("traceback")
    frames = frames if isinstance(frames, list) else []
    if len(frames) > MAX_FRAMES:  # the two ends tell most
        frames = [*frames[: MAX_FRAMES // 2], CUT, *frames[-MAX_FRAMES // 2 :]]
    name = " ".join(clean_text(output.get("ename"), MAX_NAME).split())
    return NotebookNode(
        output_type="error",
        ename=name or "Exception",
        evalue=clean_text(output.get("evalue"), MAX_TEXT // 20),
        traceback=[clean_text(frame, MAX_TEXT // 20) for frame in frames],
    )


def _shown(output: dict[str, Any]) -> NotebookNode | None:
    data = output.get("data")
    kept = {}
    for mime, make in MIMES.items():
        if isinstance(data, dict) and mime in data and (value := make(data[mime])):
            kept[mime] = value
    if not kept:
        return None
    made = nbformat.v4.new_output(output["output_type"], data=kept)
    if made.output_type == "execute_result":
        count = output.get("execution_count")
        made.execution_count = count if type(count) is int and 0 <= count < 10**6 else None
    return made


def _latex(value: object) -> str:
    text = clean_text(value)
    # it is put into a page as it is: `<` before a letter would begin a tag there, `< ` does not
    return "" if LATEX_COMMANDS.search(text) else re.sub("<(?=[A-Za-z/!?])", "< ", text)


def _image(value: object, size: Callable[[bytes], tuple[int, int]]) -> str:
    """Return an image as base64 again, or nothing if it is none or too large."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "".join(value)
    if not isinstance(value, str) or len(value) > 1.4 * MAX_IMAGE:
        return ""
    raw = base64.b64decode("".join(value.split()), validate=True)
    width, height = size(raw)
    sane = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS
    return base64.b64encode(raw).decode() if sane and len(raw) <= MAX_IMAGE else ""


def _png_size(raw: bytes) -> tuple[int, int]:
    if raw[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR":
        return 0, 0
    width, height = struct.unpack(">II", raw[16:24])
    return width, height


def _jpeg_size(raw: bytes) -> tuple[int, int]:
    at = 2
    if raw[:3] != b"\xff\xd8\xff":
        return 0, 0
    while at + 9 <= len(raw) and raw[at] == 0xFF:
        kind, length = struct.unpack(">xBH", raw[at : at + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):  # start of frame
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return 0, 0


def _html(value: object) -> str:
    """Return tables and simple formatting, or nothing where they cannot be made harmless."""
    text = clean_text(value, MAX_HTML + 1).replace("\x1b", "")
    text = DROPPED.sub("", text)
    if len(text) > MAX_HTML or LATEX_COMMANDS.search(text) or not _flat(text):
        return ""
    return str(_cleaner().clean(text)).strip()


def _flat(html: str) -> bool:
    """Tell whether tags are few and short, and never nested deeply."""
    if html.count("<") > MAX_TAGS or LONG_TAG.search(html):
        return False
    open_tags: Counter[str] = Counter()
    for closing, name in TAG.findall(html):
        name = name.lower()
        if closing:
            open_tags[name] -= open_tags[name] > 0
        elif name not in VOID_TAGS:
            open_tags[name] += 1
            if open_tags[name] > MAX_OPEN:
                return False
    return True


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return bool(CLASSES.fullmatch(value))
    if name == "style":
        return bool(STYLE_VALUES.fullmatch(value)) and "url" not in value.lower()
    if tag == "table" and name == "border":
        return bool(SMALL_NUMBER.fullmatch(value))
    if tag in ("td", "th") and name in ("colspan", "rowspan"):
        return bool(SMALL_NUMBER.fullmatch(value))
    return tag == "th" and name == "scope" and value in ("row", "col", "rowgroup", "colgroup")


@functools.cache
def _cleaner() -> Any:
    # not needed for most notebooks, and slow to load
    from bleach.css_sanitizer import CSSSanitizer
    from bleach.sanitizer import Cleaner

    return Cleaner(
        tags=HTML_TAGS,
        attributes=_allowed,
        protocols=(),
        strip=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
    )


MAKERS: dict[str, Callable[[dict[str, Any]], NotebookNode | None]] = {
    "stream": _stream,
    "error": _error,
    "display_data": _shown,
    "execute_result": _shown,
}
MIMES: dict[str, Callable[[object], str]] = {
    "text/plain": clean_text,
    "text/latex": _latex,
    "text/html": _html,
    "image/png": functools.partial(_image, size=_png_size),
    "image/jpeg": functools.partial(_image, size=_jpeg_size),
}
