"""Downloads from a server on this machine: all of the right file, or a clear line and nothing."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from coursekit.corpora import CorpusError, cache, download, fetch, imdb, thucnews
from coursekit.corpora.download import Published, fetch_file

DATA = bytes(range(256)) * 2_000  # half a megabyte
SHA = "sha256:" + hashlib.sha256(DATA).hexdigest()
ROOT = Path(__file__).resolve().parents[4]


class Server(ThreadingHTTPServer):
    """Serves `files`; counts what was asked for; `faults` by path: short, slow, endless, proxy."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/data.bin": DATA}
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        fault = self.server.faults.get(self.path)
        self.send_response(200)
        if fault != "endless":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            if fault == "short":
                self.wfile.write(data[: len(data) // 2])
            elif fault == "slow":
                for i in range(0, len(data), 2**16):
                    self.wfile.write(data[i : i + 2**16])
                    time.sleep(0.2)
            elif fault == "endless":
                for _ in range(2_000):
                    self.wfile.write(data)
            else:
                self.wfile.write(data)
        except OSError:  # the other side has hung up
            pass

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "UNROLLED_MIRROR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    found = Server()
    threading.Thread(
        target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    yield found
    found.shutdown()
    found.server_close()


def held(folder: Path) -> set[str]:
    """Return what is in the cache, the lock aside."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name != ".lock"}


def get(server: Server, home: Path, checksum: str = SHA, size: int = 0, **options: object) -> Path:
    file = Published("data.bin", server.url + "/data.bin", checksum, size)
    return fetch_file(file, file.url, home, progress=False, **options)  # type: ignore[arg-type]


def test_a_file_comes_once_and_stays(server: Server, tmp_path: Path) -> None:
    home = tmp_path / "new" / "cache"
    path = get(server, home)
    assert path.read_bytes() == DATA and held(home) == {"data.bin"}
    assert get(server, home) == path and len(server.asked) == 1
    path.write_bytes(b"spoiled")
    assert get(server, home).read_bytes() == DATA and len(server.asked) == 2


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_kinds_of_checksum(server: Server, tmp_path: Path, kind: str) -> None:
    assert get(server, tmp_path, f"{kind}:{hashlib.new(kind, DATA).hexdigest()}").is_file()


def test_a_wrong_file_is_refused_and_nothing_stays(server: Server, tmp_path: Path) -> None:
    server.files["/data.bin"] = b"<html>log in first</html>"
    with pytest.raises(CorpusError, match="is not data.bin.*nothing was kept") as caught:
        get(server, tmp_path)
    assert "\n" not in str(caught.value) and held(tmp_path) == set()
    server.files["/data.bin"] = b""
    with pytest.raises(CorpusError, match="empty file"):
        get(server, tmp_path, "")
    assert held(tmp_path) == set()


def test_a_right_file_survives_a_wrong_one(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"older")
    server.files["/data.bin"] = b"wrong"
    with pytest.raises(CorpusError):
        get(server, tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"older"


def test_a_connection_that_breaks_off_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.faults["/data.bin"] = "short"
    for checksum in (SHA, ""):
        with pytest.raises(CorpusError, match="broke off.*nothing was kept"):
            get(server, tmp_path, checksum)
        assert held(tmp_path) == set()
    server.faults.clear()
    assert get(server, tmp_path).read_bytes() == DATA


def test_a_missing_file_and_a_missing_server_are_named(server: Server, tmp_path: Path) -> None:
    file = Published("gone.bin", "")
    with pytest.raises(CorpusError, match="server says 404.*mirror"):
        fetch_file(file, server.url + "/gone.bin", tmp_path, progress=False)
    with pytest.raises(CorpusError, match="broke off"):
        fetch_file(file, "http://127.0.0.1:9/gone.bin", tmp_path, progress=False)
    with pytest.raises(CorpusError, match="expected an address"):
        fetch_file(file, "ftp://127.0.0.1/gone.bin", tmp_path, progress=False)
    assert held(tmp_path) == set()


def test_what_is_longer_than_it_can_be_is_stopped(server: Server, tmp_path: Path) -> None:
    server.faults["/data.bin"] = "endless"
    with pytest.raises(CorpusError, match="more than 1,000,000 bytes"):
        get(server, tmp_path, size=1_000_000)
    assert held(tmp_path) == set()


def test_a_server_that_falls_silent_is_given_up(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(download, "PATIENCE_S", 0.3)
    hung = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda self: hung.wait(20))
    start = time.monotonic()
    with pytest.raises(CorpusError, match="broke off"):
        get(server, tmp_path)
    hung.set()
    assert time.monotonic() - start < 10 and held(tmp_path) == set()


def test_the_first_hash_is_recorded_and_later_ones_must_agree(server, tmp_path, capsys) -> None:
    path = get(server, tmp_path, "")
    note = tmp_path / "data.bin.sha256"
    assert note.read_text() == SHA + "\n"
    path.unlink()
    server.files["/data.bin"] = b"changed"
    with pytest.raises(CorpusError, match="or delete data.bin.sha256"):
        get(server, tmp_path, "")
    assert held(tmp_path) == {"data.bin.sha256"}
    server.files["/data.bin"] = DATA
    assert get(server, tmp_path, "").read_bytes() == DATA


def test_progress_and_hash_are_shown(server: Server, tmp_path: Path, capsys) -> None:
    file = Published("data.bin", "", SHA)
    fetch_file(file, server.url + "/data.bin", tmp_path)
    said = capsys.readouterr().err
    assert "100%" in said and SHA[7:] in said and "as published" in said


CHILD = """
import sys
from pathlib import Path
from coursekit.corpora.download import Published, fetch_file
print("go", flush=True)
fetch_file(Published("data.bin", "", sys.argv[3]), sys.argv[1], Path(sys.argv[2]), progress=False)
print("done", flush=True)
"""


def child(server: Server, home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, server.url + "/data.bin", str(home), SHA]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "book")}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def wait_for_part(home: Path) -> None:
    for _ in range(600):
        if any(p.is_file() and p.stat().st_size for p in home.glob(".part-*/*")):
            return
        time.sleep(0.05)
    raise AssertionError("the download has not begun")


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_download_never_has_the_files_name_and_is_cleared(
    server, tmp_path, number
) -> None:
    server.faults["/data.bin"] = "slow"
    process = child(server, tmp_path)
    wait_for_part(tmp_path)
    process.send_signal(number)
    process.wait(30)
    assert not (tmp_path / "data.bin").exists()
    if number == signal.SIGINT:
        assert held(tmp_path) == set()
    server.faults.clear()
    assert get(server, tmp_path).read_bytes() == DATA
    assert held(tmp_path) == {"data.bin"}


def test_two_at_once_download_once(server: Server, tmp_path: Path) -> None:
    server.faults["/data.bin"] = "slow"
    both = [child(server, tmp_path) for _ in range(2)]
    assert ["done" in p.communicate(timeout=120)[0] for p in both] == [True, True]
    assert len(server.asked) == 1 and held(tmp_path) == {"data.bin"}


def test_a_proxy_is_asked_instead(server: Server, tmp_path: Path) -> None:
    url = "http://corpora.invalid/data.bin"
    server.files[url] = DATA  # a proxy is given the whole address
    file = Published("data.bin", url, SHA)
    fetch_file(file, url, tmp_path, proxy=server.url, progress=False)
    assert server.asked == [url] and (tmp_path / "data.bin").read_bytes() == DATA


THUC = {"train.txt": "球队获胜\t1\n股市上涨\t0\n" * 5, "dev.txt": "新股发行\t0\n",
        "test.txt": "决赛今晚\t1\n", "class.txt": "财经\n体育\n"}  # fmt: skip


def test_a_mirror_an_address_or_a_folder(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "cache"))
    assert cache() == tmp_path / "cache"
    for name, text in THUC.items():
        server.files[f"/mirror/{name}"] = text.encode()
        (tmp_path / name).write_text(text, encoding="utf-8")
    paths = fetch("thucnews", mirror=server.url + "/mirror/", progress=False)
    assert [p.name for p in paths] == ["train.txt", "dev.txt", "test.txt", "class.txt"]
    one = thucnews(cache() / "thucnews")
    assert one.label_names == ("财经", "体育") and len(server.asked) == 4
    fetch("thucnews", mirror=str(tmp_path), folder=tmp_path / "other", progress=False)
    assert thucnews(tmp_path / "other").sha256 == one.sha256 and len(server.asked) == 4
    monkeypatch.setenv("UNROLLED_MIRROR", server.url + "/mirror")
    fetch("thucnews", folder=tmp_path / "third", progress=False)
    assert thucnews(tmp_path / "third").sha256 == one.sha256 and len(server.asked) == 8
    with pytest.raises(CorpusError, match="no corpus 'mnist'"):
        fetch("mnist")


def test_a_file_without_a_published_hash_must_look_right(server, tmp_path) -> None:
    for name, text in THUC.items():
        server.files[f"/{name}"] = text.encode()
    server.files["/dev.txt"] = b"<html>\nnot found\n</html>\n"
    with pytest.raises(CorpusError, match="dev.txt: what came is something else"):
        fetch("thucnews", mirror=server.url, folder=tmp_path, progress=False)
    assert held(tmp_path) == {"train.txt", "train.txt.sha256"}


def test_nothing_is_downloaded_unless_asked(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    monkeypatch.setenv("UNROLLED_MIRROR", server.url)
    with pytest.raises(CorpusError, match="python -m coursekit.corpora fetch imdb, or give"):
        imdb()
    assert server.asked == [] and held(tmp_path) == set()
    server.files["/aclImdb_v1.tar.gz"] = b"no archive"
    with pytest.raises(CorpusError, match="is not aclImdb_v1.tar.gz"):
        imdb(fetch=True)
    assert server.asked == ["/aclImdb_v1.tar.gz"] and held(tmp_path) == {"imdb"}


def test_a_spoiled_cache_is_refused_or_fetched_again(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    monkeypatch.setenv("UNROLLED_MIRROR", server.url)
    for name, text in THUC.items():
        server.files[f"/{name}"] = text.encode()
    with pytest.raises(CorpusError, match="train.txt is not in"):
        thucnews()
    good = thucnews(fetch=True)
    (tmp_path / "thucnews" / "dev.txt").write_text("half a li\t0\n")
    with pytest.raises(CorpusError, match="dev.txt is not what was published"):
        thucnews()
    assert thucnews(fetch=True).sha256 == good.sha256 == thucnews().sha256
    assert len(server.asked) == 5
    (tmp_path / "thucnews" / "dev.txt.sha256").write_text("nonsense")
    with pytest.raises(CorpusError, match="delete dev.txt.sha256"):
        thucnews()


def test_a_cache_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match="cannot be written.*UNROLLED_DATA"):
        get(server, tmp_path / "file" / "cache")
