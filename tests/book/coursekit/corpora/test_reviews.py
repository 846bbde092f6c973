"""IMDB in its two real forms, made small; truncated, hostile and mistaken files are refused."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from coursekit.corpora import CorpusError, imdb, imdb_keras
from coursekit.corpora import reviews as module

SAID = {"neg": "A dull, dull film.<br /><br />Caf\u00e9 scene", "pos": "Moving and well acted"}


def reviews(n: int = 12, films: int = 6) -> dict[str, bytes]:
    """Return the files of a small aclImdb: n reviews a label and split, of `films` films."""
    files = {"aclImdb/README": b"about", "aclImdb/imdb.vocab": b"the\nand\n"}
    for part in ("train", "test"):
        for label in ("neg", "pos"):
            urls = [f"http://www.imdb.com/title/tt{i % films:07d}/usercomments" for i in range(n)]
            files[f"aclImdb/{part}/urls_{label}.txt"] = "\n".join([*urls, ""]).encode()
            for i in range(n):
                stars = 2 if label == "neg" else 9
                text = f"{SAID[label]}, {part} {i} of film {i % films}"
                files[f"aclImdb/{part}/{label}/{i}_{stars}.txt"] = text.encode()
    files["aclImdb/train/unsup/0_0.txt"] = b"nobody judged this"
    return files


def archive(
    path: Path, files: dict[str, bytes], extra: list[tarfile.TarInfo] | None = None
) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in extra or []:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return archive(tmp_path / "aclImdb_v1.tar.gz", reviews())


def test_the_archive_and_its_folder_are_the_same_corpus(small: Path, tmp_path: Path) -> None:
    data = imdb(small, validation=0.3)
    with tarfile.open(small) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    other = imdb(tmp_path / "out" / "aclImdb", validation=0.3)
    assert data.sha256 == other.sha256
    assert data.label_names == ("neg", "pos") and data.unit == "word"
    assert len(data.test.texts) == 24 and len(data.train.texts) + len(data.validation.texts) == 24
    for texts, labels in data.splits.values():
        for text, label in zip(texts, labels, strict=True):
            assert text.startswith(SAID[data.label_names[label]])
    assert all("train" in t for t in data.train.texts + data.validation.texts)
    assert all("test" in t for t in data.test.texts)
    assert "not the published file" in data.version and "not all of IMDB" in data.notes[0]


@pytest.mark.parametrize("seed", range(5))
def test_a_film_is_on_one_side(small: Path, seed: int) -> None:
    data = imdb(small, validation=0.3, seed=seed)
    films = [{t.rsplit(" ", 1)[1] for t in s.texts} for s in (data.train, data.validation)]
    assert films[0] and films[1] and not films[0] & films[1]


def test_the_order_in_the_archive_does_not_matter_and_labels_are_mixed(tmp_path: Path) -> None:
    files = reviews()
    one = imdb(archive(tmp_path / "a.tar.gz", files))
    two = imdb(archive(tmp_path / "b.tar.gz", dict(reversed(files.items()))))
    assert one.sha256 == two.sha256
    assert 0 < one.test.labels[:12].sum() < 12


def test_without_the_films_equal_texts_stay_together(tmp_path: Path) -> None:
    files = {n: d for n, d in reviews(40).items() if "urls" not in n}
    for i in range(40):
        files[f"aclImdb/train/neg/{i}_2.txt"] = f"copied {i // 4}".encode()
    data = imdb(archive(tmp_path / "t.tar.gz", files), validation=0.3)
    assert data.validation.texts and data.leaks()["validation"] == 0


def test_copies_of_a_text_stay_together_whatever_film_they_are_about(tmp_path: Path) -> None:
    files = reviews(40, films=40)
    for i in range(0, 40, 2):
        files[f"aclImdb/train/pos/{i}_9.txt"] = f"spam {i // 8}".encode()
    data = imdb(archive(tmp_path / "t.tar.gz", files), validation=0.3)
    assert data.validation.texts and data.leaks()["validation"] == 0
    files["aclImdb/train/pos/3_9.txt"] = b" \n"
    with pytest.raises(CorpusError, match="3_9.txt is empty"):
        imdb(archive(tmp_path / "t.tar.gz", files))


def test_a_truncated_or_damaged_archive_is_refused(small: Path, tmp_path: Path) -> None:
    whole = small.read_bytes()
    bad = tmp_path / "bad.tar.gz"
    for end in [0, 1, 10, *range(100, len(whole), 97), len(whole) - 8, len(whole) - 1]:
        bad.write_bytes(whole[:end])
        with pytest.raises(CorpusError, match=r"bad\.tar\.gz is cut off, broken.*fetch imdb"):
            imdb(bad)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    bad.write_bytes(flipped)
    with pytest.raises(CorpusError):
        imdb(bad)
    bad.write_bytes(b"<!DOCTYPE html><html>404</html>")
    with pytest.raises(CorpusError, match="no .tar.gz"):
        imdb(bad)


def test_damaged_headers_never_end_in_another_error(tmp_path: Path) -> None:
    whole = gzip.decompress(archive(tmp_path / "a.tar.gz", reviews(2)).read_bytes())
    path = tmp_path / "f.tar.gz"
    rng = np.random.default_rng(0)
    for _ in range(250):
        data = bytearray(whole)
        start = int(rng.integers(len(data) // 512)) * 512
        place = start + int(rng.choice([rng.integers(512), 156, 124 + rng.integers(12)]))
        data[place] = rng.choice([rng.integers(256), ord("x"), ord("g"), ord("L"), 0xFF, 0x80])
        header = data[start : start + 512]
        header[148:156] = b" " * 8
        data[start + 148 : start + 156] = b"%06o\0 " % sum(header)  # the header's own checksum
        path.write_bytes(gzip.compress(bytes(data), 1))
        try:
            imdb(path)
        except CorpusError as error:
            assert "f.tar.gz" in str(error)
    # a chain of headers that each announce another
    chained = member("pax", tarfile.XHDTYPE)
    path.write_bytes(gzip.compress(chained.tobuf(tarfile.USTAR_FORMAT) * 20_000))
    with pytest.raises(CorpusError, match="broken"):
        imdb(path)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 3):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (member("../evil.txt"), "outside its folder"),
        (member("aclImdb/../../evil.txt"), "outside its folder"),
        (member("/tmp/evil.txt"), "outside its folder"),
        (member("aclImdb\\..\\evil.txt"), "outside its folder"),
        (member("aclImdb/train/pos/99_9.txt", tarfile.SYMTYPE, "/etc/passwd"), "a link"),
        (member("aclImdb/train/pos/99_9.txt", tarfile.LNKTYPE, "aclImdb/README"), "a link"),
        (member("aclImdb/zero", tarfile.CHRTYPE), "a device"),
        (member("aclImdb/pipe", tarfile.FIFOTYPE), "a device"),
        (member("aclImdb/train/pos/99_9.txt", size=2 * 2**20), "2,097,152 bytes"),
    ],
)
def test_a_hostile_member_is_refused_and_nothing_is_written(
    tmp_path: Path, info, said: str
) -> None:
    path = archive(tmp_path / "t.tar.gz", reviews(2), [info])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CorpusError, match=said):
        imdb(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_bombs_are_refused_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL", 2**20)
    path = archive(tmp_path / "t.tar.gz", reviews(2), [member("aclImdb/zeros", size=8 * 2**20)])
    with pytest.raises(CorpusError, match="far more than IMDB has"):
        imdb(path)
    # a header of the pax kind is read whole: one that says 3 GB must not be
    header = member("pax", tarfile.XHDTYPE)
    header.size = 3 * 2**30
    with gzip.open(path, "wb") as out:
        out.write(header.tobuf(tarfile.USTAR_FORMAT) + bytes(2**20))
    with pytest.raises(CorpusError, match="far more than IMDB has"):
        imdb(path)
    monkeypatch.setattr(module, "MAX_TOTAL", 2**30)
    monkeypatch.setattr(module, "MAX_MEMBERS", 20)
    with pytest.raises(CorpusError, match="more than 20 files"):
        imdb(archive(path, reviews()))
    # zeros after the end of the archive
    monkeypatch.setattr(module, "MAX_TOTAL", 3 * 2**20)
    monkeypatch.setattr(module, "MAX_MEMBERS", 1000)
    with (
        tarfile.open(archive(path, reviews(2))) as tar,
        gzip.open(tmp_path / "z.tar.gz", "wb") as out,
    ):
        out.write(gzip.decompress(path.read_bytes()) + bytes(8 * 2**20))
        assert tar
    with pytest.raises(CorpusError, match="far more than IMDB has"):
        imdb(tmp_path / "z.tar.gz")


def test_another_archive_or_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no reviews in train/neg"):
        imdb(archive(tmp_path / "t.tar.gz", {"other/file.txt": b"x"}))
    with pytest.raises(CorpusError, match="no reviews in"):
        imdb(tmp_path)
    with pytest.raises(CorpusError, match="is not there"):
        imdb(tmp_path / "none.tar.gz")
    files = reviews(3)
    files["aclImdb/test/pos/1_9.txt"] = b"fine\nna\xefve"
    with pytest.raises(CorpusError, match="test/pos/1_9.txt: line 2 is not UTF-8"):
        imdb(archive(tmp_path / "t.tar.gz", files))


def test_a_link_in_a_folder_is_refused(small: Path, tmp_path: Path) -> None:
    with tarfile.open(small) as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "secret").write_text("not a review")
    (tmp_path / "aclImdb/train/pos/99_9.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(CorpusError, match="is a link"):
        imdb(tmp_path / "aclImdb")


WORDS = ["the", "and", "film", "good", "bad", "very", "caf\u00e9", "it's"]
INDEX = {word: i for i, word in enumerate(WORDS, 1)}


def keras(folder: Path, shift: int = 0, n: int = 30) -> tuple[Path, list[list[str]]]:
    """Write imdb.npz and its word index; return the path and what the reviews say."""
    rng = np.random.default_rng(0)
    said = [[WORDS[i] for i in rng.integers(8, size=rng.integers(1, 9))] for _ in range(2 * n)]
    rows = [[INDEX[w] + shift for w in words] for words in said]
    if shift:
        rows = [[1, *row] for row in rows]
    x = np.empty(2 * n, dtype=object)
    x[:] = rows
    y = np.arange(2 * n) % 2
    np.savez(folder / "imdb.npz", x_train=x[:n], y_train=y[:n], x_test=x[n:], y_test=y[n:])
    (folder / "imdb_word_index.json").write_text(json.dumps(INDEX))
    return folder / "imdb.npz", said


@pytest.mark.parametrize("shift", [0, 3])
def test_indices_become_the_words_they_stand_for(tmp_path: Path, shift: int) -> None:
    path, said = keras(tmp_path, shift)
    data = imdb_keras(path, index_from=shift, validation=0.2)
    texts = [" ".join(words) for words in said]
    assert sorted(data.test.texts) == sorted(texts[30:])
    assert sorted(data.train.texts + data.validation.texts) == sorted(texts[:30])
    label = dict(zip(texts[30:], np.arange(30) % 2, strict=True))
    assert all(label[t] == c for t, c in zip(*data.test, strict=True))
    assert data.unit == "word" and data.label_names == ("neg", "pos")


def test_words_left_out_by_keras_are_marked(tmp_path: Path) -> None:
    x = np.array([[0, 0, 1, 6, 2, 7], [0, 1, 4, 4, 2, 5]])
    np.savez(tmp_path / "imdb.npz", x_train=x, y_train=[0, 1], x_test=x, y_test=[0, 1])
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(INDEX))
    data = imdb_keras(tmp_path / "imdb.npz", index_from=3, validation=0)
    assert sorted(data.test.texts) == ["film ? good", "the the ? and"]


def test_what_load_data_shifted_is_recognised(tmp_path: Path) -> None:
    path, _ = keras(tmp_path, shift=3)
    with pytest.raises(CorpusError, match="pass index_from=3"):
        imdb_keras(path)


def test_a_word_index_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path, _ = keras(tmp_path)
    index = tmp_path / "imdb_word_index.json"
    for content, said in [
        ("{", "broken or no JSON"),
        ("[" * 100_000, "broken or no JSON"),
        ("[1, 2]", "expected one object"),
        ('{"a": "b"}', "expected one object"),
        ('{"a": 1, "b": 1}', "2 words, but 1"),
        ('{"the": 1}', "not in the word index"),
    ]:
        index.write_text(content)
        with pytest.raises(CorpusError, match=said):
            imdb_keras(path)
    index.unlink()
    with pytest.raises(CorpusError, match="imdb_word_index.json is not there"):
        imdb_keras(path)


def test_labels_must_be_as_many_and_0_or_1(tmp_path: Path) -> None:
    path, _ = keras(tmp_path)
    held = dict(np.load(path, allow_pickle=True))
    for y in (np.zeros(3, int), np.full(30, 2)):
        np.savez(path, **{**held, "y_test": y})
        with pytest.raises(CorpusError, match="labels 0 and 1"):
            imdb_keras(path)
