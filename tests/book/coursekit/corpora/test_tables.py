"""Chinese news in both orders: small files in the real formats, and every way they go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.corpora import Corpus, CorpusError, cnews, tabbed, thucnews

CLASSES = ["财经", "体育", "科技"]
TITLES = [
    "央行下调存款准备金率",
    "主队加时赛逆转取胜",
    "新款手机今日发布",
    "基金净值小幅回升(图)",
    "名将因伤退出决赛",
    "芯片厂商扩大产能",
    "国债收益率走低",
    "女排三比一获胜",
    "火星车传回照片",
]


def thuc(folder: Path, encoding: str = "utf-8", end: str = "\n") -> Path:
    for part, count in (("train", 9), ("dev", 3), ("test", 6)):
        lines = [
            f"{t}{'' if part == 'train' else part}\t{i % 3}" for i, t in enumerate(TITLES[:count])
        ]
        (folder / f"{part}.txt").write_bytes((end.join(lines) + end).encode(encoding))
    (folder / "class.txt").write_bytes(end.join(CLASSES).encode(encoding))
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_headlines_with_their_class_names(tmp_path: Path, encoding: str, end: str) -> None:
    data = thucnews(thuc(tmp_path, encoding, end))
    assert data.label_names == tuple(CLASSES) and data.unit == "character"
    assert data.train.texts == TITLES and data.train.labels.tolist() == [0, 1, 2] * 3
    assert len(data.validation.texts) == 3 and len(data.test.texts) == 6
    assert data.tokens(data.train.texts[0])[:2] == ["央", "行"]
    other = tmp_path / "plain"
    other.mkdir()
    assert data.sha256 == thucnews(thuc(other)).sha256
    assert (len(data.notes) == 3 and "read as gb18030" in str(data)) == (encoding == "gb18030")


def test_the_folder_above_data_will_do_and_so_will_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    thuc(tmp_path / "data")
    one = thucnews(tmp_path)
    two = thucnews(
        {
            p: tmp_path / "data" / f"{f}.txt"
            for p, f in (("train", "train"), ("val", "dev"), ("test", "test"))
        }
    )
    assert one.sha256 == two.sha256


def news(folder: Path) -> Path:
    for part, count in (("train", 9), ("val", 3), ("test", 6)):
        rows = [f"{CLASSES[i % 3]}\t{t}{part}\t后记\n" for i, t in enumerate(TITLES[:count])]
        (folder / f"cnews.{part}.txt").write_text("".join(rows), encoding="utf-8")
    return folder


def test_cnews_has_its_label_first_and_its_text_may_hold_tabs(tmp_path: Path) -> None:
    data = cnews(news(tmp_path))
    assert data.label_names == tuple(sorted(CLASSES))
    assert data.train.texts[0] == TITLES[0] + "train\t后记"
    assert [data.label_names[c] for c in data.test.labels] == CLASSES * 2
    assert data.name == "cnews" and "cnews.train.txt" in str(data)


def test_a_single_file_is_cut_with_copies_on_one_side(tmp_path: Path) -> None:
    path = tmp_path / "all.txt"
    rows = [f"{CLASSES[i % 3]}\t第{i // 2 // 3}条 {CLASSES[i % 3]}" for i in range(300)]
    path.write_text("\n".join(rows + rows[:100]), encoding="utf-8")
    data = cnews(path, validation=0.2, test=0.2, seed=5)
    assert data.leaks() == {"validation": 0, "test": 0}
    sizes = [len(s.texts) for s in data.splits.values()]
    assert sum(sizes) == 400 and 60 <= sizes[1] <= 100 and 60 <= sizes[2] <= 100
    assert data.sha256 == cnews(path, validation=0.2, test=0.2, seed=5).sha256
    assert data.sha256 != cnews(path, validation=0.2, test=0.2, seed=6).sha256


def test_the_wrong_order_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="look like text<tab>label"):
        cnews({"train": thuc(tmp_path) / "train.txt"})
    with pytest.raises(CorpusError, match="look like label<tab>text"):
        path = tmp_path / "new.txt"
        path.write_text("".join(f"体育\t{title}\n" for title in TITLES), encoding="utf-8")
        thucnews({"train": path}, label_names=["体育"])


def broken(path: Path) -> Path:
    lines = [t.encode() + b"\t1" for t in TITLES]
    lines[1] = TITLES[1].encode()  # no tab
    lines[3] = lines[3].replace("图".encode(), "图".encode()[:2])
    lines[4] = lines[4][:-1]  # empty label
    lines[5] = b" \t2"
    path.write_bytes(b"\n\n".join(lines))  # blank lines do not count, but keep the numbers
    return path


def test_bad_rows_are_refused_with_their_lines_or_left_out_and_counted(tmp_path: Path) -> None:
    path = broken(tmp_path / "t.txt")
    with pytest.raises(CorpusError) as caught:
        thucnews(path)
    said = str(caught.value)
    for piece in (
        "4 rows of 9",
        "line 3: no tab",
        "line 7: byte",
        "line 9: empty label",
        "line 11: empty text",
        'bad="skip"',
    ):
        assert piece in said
    assert "\n" not in said
    data = thucnews(path, bad="skip", validation=0, test=0)
    assert len(data.train.texts) == 5 and "left out 4 rows" in data.notes[0]
    with pytest.raises(CorpusError, match='"refuse" or "skip"'):
        thucnews(path, bad="ignore")


def test_labels_must_have_names(tmp_path: Path) -> None:
    thuc(tmp_path)
    (tmp_path / "class.txt").write_text("财经\n体育\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="label '2' is neither"):
        thucnews(tmp_path)
    (tmp_path / "class.txt").unlink()
    assert thucnews(tmp_path).label_names == ("0", "1", "2")
    assert thucnews(tmp_path, label_names=CLASSES).label_names == tuple(CLASSES)


def test_ten_numbered_labels_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("".join(f"标题{i}\t{i}\n" for i in range(12)), encoding="utf-8")
    data = thucnews(path, validation=0, test=0)
    assert data.label_names == tuple(map(str, range(12)))
    assert data.train.labels.tolist() == list(range(12))


def test_a_label_that_training_lacks_is_noted(tmp_path: Path) -> None:
    news(tmp_path)
    with (tmp_path / "cnews.test.txt").open("a", encoding="utf-8") as stream:
        stream.write("时政\t外长会见记者\n")
    assert any("时政" in note for note in cnews(tmp_path).notes)


@pytest.mark.parametrize("text", ["", "\n\n\n", "no tab at all\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text)
    with pytest.raises(CorpusError, match="no usable row"):
        cnews(path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not there"):
        cnews(tmp_path / "nothing.txt")
    with pytest.raises(CorpusError, match=r"no cnews.train.txt or train.txt"):
        cnews(tmp_path)
    with pytest.raises(CorpusError, match="train, validation and test"):
        cnews({"test": tmp_path})
    with pytest.raises(CorpusError, match="order"):
        tabbed(tmp_path, "text")


def test_the_form_is_that_of_every_corpus(tmp_path: Path) -> None:
    data = cnews(news(tmp_path))
    assert isinstance(data, Corpus) and data.train.labels.dtype.kind == "i"
