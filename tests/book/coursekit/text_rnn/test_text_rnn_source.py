"""Each format from a file as it really looks, end to end; wrong ones end in one line."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coursekit.corpora import Corpus, CorpusError
from coursekit.corpora.form import Split
from coursekit.text_rnn.reading import Reading, choose
from coursekit.text_rnn.settings import UsageError
from coursekit.text_rnn.source import Given, load
from coursekit.text_rnn.splits import divided, letters

Rows = list[tuple[str, str]]


def lines(rows: Rows, form: str = "{0}\t{1}\n") -> str:
    return "".join(form.format(*row) for row in rows)


def label_text(root: Path, rows: Rows) -> Path:
    (root / "a.txt").write_text(lines(rows), "utf-8")
    return root / "a.txt"


def text_label(root: Path, rows: Rows) -> Path:
    (root / "a.txt").write_bytes(lines(rows, "{1}\t{0}\r\n").encode("gb18030"))
    return root / "a.txt"


def cnews(root: Path, rows: Rows) -> Path:
    for part, some in (("train", rows[:180]), ("val", rows[180:210]), ("test", rows[210:])):
        (root / f"cnews.{part}.txt").write_text(lines(some), "utf-8-sig")
    return root


def thucnews(root: Path, rows: Rows) -> Path:
    names = sorted({label for label, _ in rows})
    (root / "class.txt").write_text("\n".join(names) + "\n", "utf-8")
    numbered = [(str(names.index(label)), text) for label, text in rows]
    for part, some in (
        ("train", numbered[:180]),
        ("dev", numbered[180:210]),
        ("test", numbered[210:]),
    ):
        (root / f"{part}.txt").write_text(lines(some, "{1}\t{0}\n"), "utf-8")
    return root


def with_header(root: Path, rows: Rows) -> Path:
    with (root / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "Review", "Sentiment"])
        writer.writerows(
            [i, f'{text}, "so"\nindeed', label] for i, (label, text) in enumerate(rows)
        )
    return root / "a.csv"


def without_header(root: Path, rows: Rows) -> Path:
    (root / "a.csv").write_text(lines(rows, "{0};{1}\n"), "utf-8")
    return root / "a.csv"


def english(rows: Rows) -> Rows:
    words = {c: f"word{ord(c)}" for _, text in rows for c in text}
    return [
        ("pos" if label == "体育" else "neg", " ".join(words[c] for c in text))
        for label, text in rows
    ]


def reviews(rows: Rows) -> dict[str, str]:
    found = {}
    for i, (label, text) in enumerate(english(rows)):
        part = "train" if i < 180 else "test"
        found[f"{part}/{label}/{i}_{9 if label == 'pos' else 2}.txt"] = f"A film.<br /><br />{text}"
    for label in ("pos", "neg"):
        found[f"train/urls_{label}.txt"] = "".join(f"http://film/{i}\n" for i in range(240))
    return found


def acl_folder(root: Path, rows: Rows) -> Path:
    for name, text in reviews(rows).items():
        path = root / "aclImdb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def acl_archive(root: Path, rows: Rows) -> Path:
    with tarfile.open(root / "aclImdb_v1.tar.gz", "w:gz") as archive:
        for name, text in reviews(rows).items():
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return root / "aclImdb_v1.tar.gz"


def npz(root: Path, rows: Rows, index: bool = True) -> Path:
    found = english(rows)
    ranks = {w: i + 1 for i, w in enumerate(sorted({w for _, t in found for w in t.split()}))}
    x = np.empty(len(found), dtype=object)
    x[:] = [[ranks[w] for w in text.split()] for _, text in found]
    y = np.array([int(label == "pos") for label, _ in found])
    np.savez(root / "imdb.npz", x_train=x[:180], y_train=y[:180], x_test=x[180:], y_test=y[180:])
    if index:
        (root / "imdb_word_index.json").write_text(json.dumps(ranks))
    return root / "imdb.npz"


def npz_alone(root: Path, rows: Rows) -> Path:
    return npz(root, rows, index=False)


FORMATS: list[tuple[Callable[[Path, Rows], Path], str, str, str]] = [
    (label_text, "label-text", "3 different labels before the tab", "character"),
    (text_label, "text-label", "3 different labels after the tab", "character"),
    (cnews, "label-text", "cnews.val.txt, cnews.test.txt", "character"),
    (thucnews, "text-label", "train.txt, dev.txt, test.txt", "character"),
    (with_header, "csv", "texts in 'Review', labels in 'Sentiment'", "character"),
    (without_header, "csv", "semicolon between columns, texts in number 1", "character"),
    (acl_folder, "imdb", "train/pos", "word"),
    (acl_archive, "imdb", "a gzip archive", "word"),
    (npz, "imdb-npz", "an .npz file", "word"),
    (npz_alone, "imdb-npz", "a word is shown by its number", "word"),
]


@pytest.mark.parametrize(
    ("make", "name", "why", "unit"), FORMATS, ids=lambda x: getattr(x, "__name__", None)
)
def test_each_format_end_to_end(make, name, why, unit, tmp_path: Path, rows, tiny) -> None:
    root = tmp_path / "data"
    root.mkdir()
    path = make(root, rows(240))
    status, out, err = tiny("--data", path, "--num-epochs", 1, "--run", "r")
    assert status == 0, err
    assert f": {name}, " in err and why in err and f"cut by {unit}" in err
    facts = json.loads(Path("r/report.json").read_text("utf-8"))
    assert sum(map(sum, facts["test"]["confusion"])) == facts["test"]["texts"]
    labels = [c["label"] for c in facts["test"]["classes"]]
    assert labels == (["neg", "pos"] if unit == "word" else sorted({label for label, _ in rows(3)}))
    assert tiny("--data", path, "--num-epochs", 1, "--format", name, "--run", "r")[0] == 0


def test_a_folder_uses_its_own_splits_and_a_file_is_cut(tmp_path: Path, rows) -> None:
    corpus, _ = load(Given(str(cnews(tmp_path, rows(240)))))
    whole, said = divided(corpus)
    assert [len(s.texts) for s in whole.splits.values()] == [180, 30, 30] and "own" in said[0]
    corpus, _ = load(Given(str(tmp_path / "cnews.train.txt")))
    whole, said = divided(corpus)
    sizes = [len(s.texts) for s in whole.splits.values()]
    assert sum(sizes) == 180 and abs(sizes[1] - 18) < 4 and abs(sizes[2] - 18) < 4
    assert "10% each cut" in said[0]


def corpus_of(texts: list[str], test: list[str] = ()) -> Corpus:
    parts = [Split(list(t), np.arange(len(t)) % 2) for t in (texts, [], test)]
    return Corpus("t", "1", "character", ("a", "b"), *parts)


def test_no_copy_faces_a_training_text_even_a_changed_one(rows) -> None:
    plain = [text for _, text in rows(100)]
    texts = plain + [t + "！" for t in plain] + [f" {t[:3]} {t[3:]}" for t in plain]
    texts += [t * 3 for t in plain] + [t * 3 + "的" for t in plain]
    whole, said = divided(corpus_of(texts))
    home: dict[str, set[str]] = {}
    for part, split in whole.splits.items():
        assert split.texts
        for text in split.texts:
            home.setdefault(letters(text), set()).add(part)
            home.setdefault(letters(text)[:15], set()).add(part)
    assert all(len(parts) == 1 for parts in home.values())
    assert "such texts" in said[0]


def test_test_texts_that_the_data_repeat_are_counted_and_dropped(rows) -> None:
    texts = [text for _, text in rows(100)]
    corpus = corpus_of(texts, texts[:7] + ["别的话"])
    whole, said = divided(corpus)
    assert any("7 of 8 test texts also stand in training" in line for line in said)
    clean, said = divided(corpus, drop_leaks=True)
    assert not any(clean.leaks().values()) and len(clean.test.texts) == 8
    assert "dropped 7 texts" in " ".join(said)


def test_too_little_and_too_many_labels_are_refused(rows) -> None:
    with pytest.raises((UsageError, CorpusError), match="too few"):
        divided(corpus_of(["一", "二"]))
    one = corpus_of([text for _, text in rows(60)])
    same = Split(one.train.texts, np.zeros(60, dtype=np.int64))
    with pytest.raises(UsageError, match="the same label"):
        divided(Corpus("t", "1", "character", ("a", "b"), same, one.validation, one.test))
    many = Split(one.train.texts, np.arange(60))
    names = tuple(map(str, range(60)))
    with pytest.raises(UsageError, match="exchanged"):
        divided(Corpus("t", "1", "character", names, many, one.validation, one.test))


def refused(path: object, words: str, capsys, *more: str) -> None:
    from coursekit.text_rnn.cli import main

    assert main(["train", "--data", str(path), "--num-epochs", "1", *more]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert words in err and err.startswith("text-rnn: ") and len(err) < 700, err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        ("没有制表符的一行\n".encode() * 30, "no tab in 30 of 30 lines"),
        (b'{"text": "a", "label": 1}\n' * 30, "holds JSON (text, label)"),
        (b"\x7fELF" + bytes(range(256)) * 4, "zero bytes"),
        (b"%PDF-1.4 nothing", "a PDF"),
        (b"PK\x03\x04" + b"\0" * 50, "a zip archive"),
        (b"\x80\x04\x95" + b"\0" * 50, "a pickle"),
        (b"\x1f\x8b\x08" + b"\0" * 50, "cut off, broken or no .tar.gz"),
        ("".join(f"标题{i}\t文字{i}\n" for i in range(40)).encode(), "labels should repeat"),
        ("甲\t一二三\n".encode() * 2, "too few"),
        ("甲\t一二三\n乙\n".encode() + "甲\t四五六\n".encode() * 9, "--skip-bad"),
        (b"text,label\ngood,1\nbad,0,7\n" * 5, "--skip-bad"),
        (b'text,label\n"open,1\n' * 3, "a quote"),
        (b"one,two\nx,y\n", "no tab"),
    ],
)
def test_wrong_files_end_in_one_line(content: bytes, words: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    refused(path, words, capsys)


def test_paths_and_names_that_are_not_there(tmp_path: Path, capsys, headlines: Path) -> None:
    refused(tmp_path / "none.txt", "is not there", capsys)
    refused("docstring", "did you mean docstrings?", capsys)
    refused("nothing", "no file, no folder and none of code, docstrings", capsys)
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds nothing that is known", capsys)
    refused(headlines, "--format must be one of auto, label-text", capsys, "--format", "xml")
    refused(headlines, "pass both --text and --label", capsys, "--text", "review")
    refused(headlines, "no encoding", capsys, "--encoding", "klingon")


def test_formats_that_do_not_fit(tmp_path: Path, rows, capsys, headlines: Path) -> None:
    refused(headlines, "look like", capsys, "--format", "text-label")
    refused(headlines, "no npz file", capsys, "--format", "imdb-npz")
    refused(headlines, ".tar.gz", capsys, "--format", "imdb")
    path = npz(tmp_path, rows(240))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", b"")
    refused(path, "lacks y_train", capsys)
    path.write_bytes(path.read_bytes()[:40])
    refused(path, "broken", capsys)
    archive_ = acl_archive(tmp_path, rows(240))
    archive_.write_bytes(archive_.read_bytes()[:-200])
    refused(archive_, "cut off", capsys)


class Bomb:
    def __reduce__(self):
        return (Path("exploded").touch, ())


def test_an_npz_that_holds_code_is_not_run(tmp_path: Path, rows, capsys) -> None:
    x = np.empty(2, dtype=object)
    x[:] = [[1], Bomb()]
    path = tmp_path / "imdb.npz"
    np.savez(path, x_train=x, y_train=np.array([0, 1]), x_test=x, y_test=np.array([0, 1]))
    refused(path, "refused", capsys)
    assert not Path("exploded").exists()


def test_bad_rows_are_left_out_if_asked(tmp_path: Path, rows, tiny) -> None:
    path = label_text(tmp_path, rows(240))
    with path.open("ab") as file:
        file.write(b"\xff\xfe no tab\n")
    assert tiny("--data", path)[0] == 2
    status, _, err = tiny("--data", path, "--skip-bad")
    assert status == 0 and "left out 1 row" in err


@pytest.mark.parametrize(
    ("text", "unit"),
    [("球队赢了 iPhone 15", "character"), ("サッカーの試合", "character"), ("the film", "word"),
     ("хороший фильм", "word"), ("ภาพยนตร์ดี", "character"), ("123 !", "word")],
)  # fmt: skip
def test_the_script_decides_the_unit(text: str, unit: str) -> None:
    reading, why = choose([text] * 20, "auto", False, None)
    assert reading.unit == unit and unit in why
    assert choose([text], "word", False, None)[0].unit == "word"


def test_texts_are_brought_into_one_form_unless_raw() -> None:
    assert Reading("word", False).cut("A<br />ＦＵＬＬ  film!") == ["a", "full", "film", "!"]
    assert Reading("character", True).cut("A b\n") == ["A", " ", "b", "\n"]
    assert choose(["x = 1"], "auto", False, "character")[0] == Reading("character", True)
