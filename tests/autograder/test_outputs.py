"""Outputs from an untrusted job: what is kept, what is dropped, and that nothing upsets it."""

import base64
import io
import re
import struct
import time
import zlib
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from PIL import Image

from autograder import outputs
from autograder.outputs import CUT, clean, clean_markdown, clean_text


def picture(kind: str, size: tuple[int, int] = (7, 5)) -> str:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def shown(**data: Any) -> dict[str, Any]:
    bundle = {mime.replace("_", "/"): value for mime, value in data.items()}
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def printed(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def html(text: str) -> str:
    [out] = clean([shown(text_html=text, text_plain="plain")])
    assert out.data["text/plain"] == "plain"
    return str(out.data.get("text/html", ""))


def valid(cleaned: list[nbformat.NotebookNode]) -> None:
    cell = nbformat.v4.new_code_cell(outputs=cleaned)
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode()  # no half surrogates


def test_ordinary_outputs_stay_as_they_are() -> None:
    given_outputs = [
        printed("one\n\ttwo \x1b[1;31mred\x1b[0m\r\n"),
        printed("careful\n", "stderr"),
        shown(image_png=picture("PNG"), text_plain="<Figure>"),
        shown(image_jpeg=picture("JPEG"), text_plain="<Image>"),
        {"output_type": "execute_result", "data": {"text/plain": "2.5"}, "execution_count": 3},
        shown(text_latex=r"$\displaystyle \frac{\alpha}{2} < 3$"),
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["a", "b"]},
    ]
    cleaned = clean(given_outputs)
    valid(cleaned)
    assert [{k: v for k, v in out.items() if k != "metadata"} for out in cleaned] == [
        {k: v for k, v in out.items() if k != "metadata"} for out in given_outputs
    ]


def test_terminal_control_goes_and_colours_stay() -> None:
    cases = {
        "\x1b[2J\x1b[Hgone": "gone",
        "\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link": "alink",
        "\x9b2Jx\x9dy\x9cz": "xz",
        "\x1b[32mgreen\x1b[0m": "\x1b[32mgreen\x1b[0m",
        "\x1b[\x1b[31m2J": "\x1b[31m2J",
        "bell\x07back\x08\x00": "bellback",
        "a\u202eb": "ab",
        "\ud800half": "?half",
        "unfinished \x1b[12": "unfinished ",
    }
    assert {text: clean_text(text) for text in cases} == cases


@given(st.text(st.sampled_from("\x1b[]0;9mJHP\\\x07\x9b\x9c\x9d a\n\t\r\u202e\ud800")))
def test_no_control_survives_any_text(text: str) -> None:
    left = clean_text(text)
    assert clean_text(left) == left
    for part in left.split("\x1b")[1:]:
        assert outputs.re.match(r"\[[0-9;]*m", part)
    assert not set(left) & set("\x07\x08\x9b\x9c\x9d\u202e\ud800")


def test_a_hundred_thousand_prints_become_one_output_quickly() -> None:
    start = time.process_time()
    [out] = clean([printed(f"{n}\n") for n in range(20_000)] + [printed("xy")] * 80_000)
    assert time.process_time() - start < 2
    assert out.text.startswith("0\n1\n2\n")
    assert out.text.endswith(CUT) and len(out.text) < 1.1 * outputs.MAX_TEXT
    names = [o.name for o in clean([printed("a"), printed("b", "stderr"), printed("c"),
                                    printed("d")])]  # fmt: skip
    assert names == ["stdout", "stderr", "stdout"]


def test_caps_are_kept_and_said() -> None:
    many = clean([shown(text_plain=str(n)) for n in range(1000)])
    assert len(many) == outputs.MAX_OUTPUTS + 1 and many[-1].text == CUT
    big = clean([shown(text_plain="x" * 100_000)] * 50, limit_bytes=1_000_000)
    assert len(nbformat.writes(nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(outputs=big)]))) < 1_100_000  # fmt: skip
    assert big[-1].text == CUT
    error = {"output_type": "error", "ename": "E" * 10**6, "evalue": "v" * 10**6,
             "traceback": ["t" * 10**6] * 10**3}  # fmt: skip
    kept = clean([*[shown(text_plain="x" * 100_000)] * 50, error], limit_bytes=1_000_000)
    assert [o.output_type for o in kept[-2:]] == ["error", "stream"]  # why it ended is not lost
    assert len(str(kept[-2])) < 2_000_000


def test_a_picture_must_be_one() -> None:
    def png(width: int, height: int) -> str:
        head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
        raw = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk
        return base64.b64encode(raw).decode()

    assert clean([shown(image_png=png(640, 480))])
    good = picture("PNG")
    bad = {
        "too wide to open": png(10**6, 10),
        "a bomb": png(15_000, 15_000),
        "no height": png(10, 0),
        "a script": base64.b64encode(b"<script>alert(1)</script>").decode(),
        "not base64": good[:-4] + "!!!!",
        "an address": "http://example.org/x.png",
        "a JPEG": picture("JPEG"),
        "a mapping": {"a": 1},
        "too large": base64.b64encode(base64.b64decode(good) + bytes(10**7)).decode(),
    }
    assert {name: clean([shown(image_png=value)]) for name, value in bad.items()} == {
        name: [] for name in bad
    }
    assert clean([shown(image_jpeg=good)]) == []
    lines = [good[i : i + 76] + "\n" for i in range(0, len(good), 76)]
    assert clean([shown(image_png=lines)])[0].data["image/png"] == good


DATA_FRAME = """<div>
<style scoped>
    .dataframe tbody tr th { vertical-align: top; }
</style>
<table border="1" class="dataframe">
  <thead><tr style="text-align: right;"><th></th><th>n</th></tr></thead>
  <tbody><tr><th>0</th><td>1 &lt; 2</td></tr></tbody>
</table>
</div>"""


def test_a_data_frame_keeps_its_table() -> None:
    table = html(DATA_FRAME)
    for part in ('<table border="1" class="dataframe">', "<td>1 &lt; 2</td>", "text-align: right"):
        assert part in table
    assert "scoped" not in table and "vertical-align" not in table
    assert html("<table>" + "<tr><td>1.5</td></tr>" * 60 * 20 + "</table>").count("1.5") == 1200


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<scr<script>ipt>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
        "<table background='http://evil/x.png'><tr><td onclick=alert(1)>x</td></tr></table>",
        "<div style='background-color:url(http://evil)'>x</div>",
        "<div style='color:red;background:u\\72l(http://evil)'>x</div>",
        "<div style='position:fixed;top:0;width:100%'>over the page</div>",
        "<a href='javascript:alert(1)'>x</a><a href='http://evil'>y</a>",
        "<form action='http://evil'><input name=x><button>Go</button></form>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=x></object><embed>",
        "<meta http-equiv=refresh content='0;url=http://evil'><link rel=stylesheet href=//evil>",
        "<base href='http://evil'>",
        "<style>@import url(http://evil)</style>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<td class='btn jp-Dialog' id='next'>x</td>",
        r"<td>$\href{javascript:alert(1)}{x}$</td>",
        "<video src=//evil poster=//evil></video><source srcset=//evil>",
        "<!--><img src=x onerror=alert(1)>-->",
    ],
)
def test_html_that_does_anything_is_disarmed(hostile: str) -> None:
    left = html(hostile).lower()
    tags = "".join(outputs.re.findall(r"<[^>]*>", left))
    for word in ("script", "on", "href", "src", "url", "http", "evil", "position", "form", "btn",
                 "img", "style=\"b", "id="):  # fmt: skip
        assert word not in tags.replace("position:", "position"), (word, left)
    assert r"\href" not in left


@pytest.mark.parametrize(
    "slow",
    [
        "<b x=1><p></b></p>" * 1250,
        "".join(f"<b c={n}></p>" for n in range(2400)),
        "<style" * 16_000,
        "<" + "a" * 99_000,
        "<style>" + "</style " * 12_000,
        "<div>" * 20_000,
        "<b " + "".join(f"a{n}=1 " for n in range(9000)) + ">",
    ],
)
def test_html_cannot_keep_the_grader_busy(slow: str) -> None:
    start = time.process_time()
    clean([shown(text_html=slow, text_plain="x")] * 50)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "hostile",
    [
        "fine so far\n\n<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<div onmouseover=alert(1)\n",  # a block need not be closed
        "a <b onclick=alert(1)>x</b>",
        "<!--><svg onload=alert(1)>",
        "<a\thref='javascript:alert(1)'>x</a> <form action='http://evil'><input>",
        "`code` <iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<details ontoggle=alert(1) open>",
        "[x](javascript:alert(1)) <javascript:alert(1)>",
        "[x](java&#115;cript:alert(1)) ![y]( data:text/html,<script>alert(1)</script>)",
        "[x]\n\n[x]: javascript:alert(1)",
        "[x][]\n\n[x]:\n  JavaScript:alert(1)",
        "[x](\njavascript:alert(1))",
        "<div>\n<y$ onclick=alert(1)>",
        r"$\href{javascript:alert(1)}{x}$",
        r"$\\href{javascript:alert(1)}{x}$ $\\\href{javascript:alert(1)}{x}$",
    ],
)
@pytest.mark.parametrize("kind", [nbformat.v4.new_markdown_cell, nbformat.v4.new_raw_cell])
def test_a_written_answer_runs_nothing_where_it_is_read(hostile: str, kind: Any) -> None:
    """Looked at as formgrader shows it: rendered by nbconvert."""

    def shown_tags(text: str) -> set[str]:
        page, _ = HTMLExporter(template_name="basic").from_notebook_node(
            nbformat.v4.new_notebook(cells=[kind(text)])
        )
        assert r"\href" not in page
        return set(re.findall(r"<(?!/)[^<>]*", page.replace("javascript:alert(1))", "")))

    plain = shown_tags("plain")
    for tag in shown_tags(clean_markdown(hostile)) - plain:
        name, *rest = tag.strip("<>").lower().split()
        assert name.rstrip(">") in {"p", "code", "a", "div", "h1"}, tag
        assert not re.search(r"\bon\w+\s*=|javascript|srcdoc|action", " ".join(rest)), tag


def test_an_honest_answer_stays_as_it_is() -> None:
    for text in ("a < b, $x<y$ and 3<4", "<details><summary>More</summary>x</details>",
                 "H<sub>2</sub>O<br/>next", "> quote\n\n```\nif a < b:\n```", "\\alpha",
                 "[a](https://x.org/y?z=1) [b](#c) ![d](attachment:e.png) [f](data/g.csv)",
                 "x[1] (see above): yes"):  # fmt: skip
        assert clean_markdown(text) == text


def test_what_is_not_known_is_dropped() -> None:
    bundle = {
        "application/javascript": "alert(1)",
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "image/svg+xml": "<svg onload='alert(1)'/>",
        "text/markdown": "[x](javascript:alert(1))",
        "text/plain": "kept",
    }
    [out] = clean([{"output_type": "display_data", "data": bundle, "metadata": {"x": "<script>"}}])
    assert out.data == {"text/plain": "kept"} and out.metadata == {}
    for latex in (r"\href{javascript:alert(1)}{x}", r"\require{unsafe}", r"\def\x{\x\x}\x"):
        assert clean([shown(text_latex=latex)]) == []
    for nonsense in (None, 7, "text", {"output_type": "stream"}, [[[]]], [None, 3, "x"],
                     [{"output_type": ["stream"]}], [{"output_type": "display_data"}]):  # fmt: skip
        assert clean(nonsense) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
VALUES = JSON | st.sampled_from([picture("PNG"), picture("JPEG"), DATA_FRAME, "/9j/", "iVBORw0K"])
BUNDLES = st.dictionaries(st.sampled_from([*outputs.MIMES, "image/svg+xml"]), VALUES) | JSON
OUTPUTS = st.fixed_dictionaries(
    {"output_type": st.sampled_from([*outputs.MAKERS, "update_display_data"]) | JSON},
    optional=dict.fromkeys(
        ["name", "text", "ename", "evalue", "traceback", "execution_count", "metadata"], JSON
    )
    | {"data": BUNDLES},
)


@settings(max_examples=300, deadline=None)
@given(JSON | st.lists(OUTPUTS | JSON))
def test_any_json_gives_valid_outputs_and_no_exception(value: Any) -> None:
    cleaned = clean(value)
    valid(cleaned)
    assert clean(cleaned) == cleaned  # a second look finds nothing


def test_deep_json_is_no_trouble() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert clean(deep) == [] and clean([shown(text_plain=deep)]) == []
