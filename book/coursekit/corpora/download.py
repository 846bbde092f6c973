"""Downloads, only when asked: pooch fetches and checks, a lock and one rename keep the cache whole.

A file is written in a folder of its own inside the cache, checked there and then renamed: under its
name there is all of it or nothing. What a killed download leaves behind is removed by the next one.

Where a checksum was published it is in published.py. Where none was, the hash of the first
download is written down beside the file and printed; a later download must agree with it.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import pooch

from coursekit.corpora.form import CorpusError
from coursekit.corpora.published import FILES, Published

MAX_BYTES = 2**30  # of a file whose size nobody published
PATIENCE_S = 30.0  # without a byte from the server


def cache() -> Path:
    """Return the folder of downloads: $UNROLLED_DATA, else `unrolled` in the user's cache."""
    return Path(os.environ.get("UNROLLED_DATA") or pooch.os_cache("unrolled"))


def need(corpus: str, fetch_it: bool = False) -> list[Path]:
    """Return the paths of a corpus's files in the cache, fetched if they are not and fetch_it.

    Raises CorpusError, saying how to get them, where they are not there, or not as they came, and
    are not to be fetched.
    """
    home = cache() / corpus
    paths = [home / file.name for file in FILES[corpus]]
    lacking = []
    for file, path in zip(FILES[corpus], paths, strict=True):
        expected = file.checksum or _recorded(path)
        if not path.is_file():
            lacking.append(f"{file.name} is not in {home}")
        elif expected and not _matches(path, expected):
            lacking.append(f"{path} is not what was published")
    if lacking and not fetch_it:
        raise CorpusError(
            f"{corpus} is not here ({'; '.join(lacking)}); fetch it with "
            f"python -m coursekit.corpora fetch {corpus}, or give the path of your copy"
        )
    return fetch(corpus) if lacking else paths


def fetch(
    corpus: str,
    *,
    mirror: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    proxy: str | None = None,
    progress: bool = True,
) -> list[Path]:
    """Download the files of a corpus in FILES that are not in the cache; return their paths.

    mirror: a base address or a folder that has the files under their names, default
    $UNROLLED_MIRROR, else where they were published. folder: default cache()/corpus. proxy: an
    address, default $HTTPS_PROXY and the like. Raises CorpusError where a file cannot be had, is
    cut off, or is not the published one; then nothing of it stays.
    """
    if corpus not in FILES:
        raise CorpusError(f"no corpus {corpus!r} to fetch; there are {', '.join(FILES)}")
    mirror = mirror or os.environ.get("UNROLLED_MIRROR")
    home = Path(folder) if folder is not None else cache() / corpus
    paths = []
    for file in FILES[corpus]:
        if mirror is None:
            url = file.url
        elif Path(mirror).is_dir():
            url = str(Path(mirror) / file.name)
        else:
            url = mirror.rstrip("/") + "/" + file.name
        paths.append(fetch_file(file, url, home, proxy=proxy, progress=progress))
    return paths


def fetch_file(
    file: Published, url: str, home: Path, *, proxy: str | None = None, progress: bool = True
) -> Path:
    """Put one file into the folder `home`, from an address or a path; return where it is.

    A file that is there and right is left alone; one that is there and wrong is replaced. Raises
    CorpusError as `fetch` does.
    """
    from filelock import FileLock  # comes with torch

    target = home / file.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / ".lock"):
            # whoever holds the lock is alone here: these are of downloads that were killed
            for left in home.glob(".part-*"):
                shutil.rmtree(left, ignore_errors=True)
            expected = file.checksum or _recorded(target)
            if target.is_file() and expected and _matches(target, expected):
                return target
            with tempfile.TemporaryDirectory(prefix=".part-", dir=home) as part:
                got = Path(part, file.name)
                _get(file, url, got, proxy, progress)
                _verify(file, url, got, expected)
                digest = pooch.file_hash(str(got), alg="sha256")
                if not file.checksum:
                    note = Path(part, "hash")
                    note.write_text(f"sha256:{digest}\n")
                    os.replace(note, target.with_name(target.name + ".sha256"))
                os.replace(got, target)
    except OSError as error:
        raise CorpusError(f"{home} cannot be written: {error}; set UNROLLED_DATA") from error
    if progress:
        known = "as published" if file.checksum else "recorded, first download" * (not expected)
        print(f"{target}: sha256 {digest} ({known or 'as recorded'})", file=sys.stderr)
    return target


def named(path: Path) -> str:
    """Return name and hash of a file and whether it is the published one, for a version."""
    if not path.is_file():
        raise CorpusError(f"{path} is not there; give the path of your copy")
    digest = pooch.file_hash(str(path), alg="sha256")
    for file in (f for files in FILES.values() for f in files if f.checksum):
        if file.name == path.name:
            kind = (
                "the published file" if _matches(path, file.checksum) else "not the published file"
            )
            return f"{path.name} (sha256 {digest[:12]}, {kind})"
    return f"{path.name} (sha256 {digest[:12]})"


def _recorded(target: Path) -> str:
    """Return the checksum written down when the file first came, "" if it never did."""
    note = target.with_name(target.name + ".sha256")
    return note.read_text().strip() if note.is_file() else ""


def _matches(path: Path, checksum: str) -> bool:
    kind, _, digest = checksum.partition(":")
    if kind not in ("md5", "sha1", "sha256"):
        raise CorpusError(f"{path}: {checksum!r} is no checksum; delete {path.name}.sha256")
    return pooch.file_hash(str(path), alg=kind) == digest.lower()


def _get(file: Published, url: str, got: Path, proxy: str | None, progress: bool) -> None:
    """Bring a file from an address or a path to `got`. Raises CorpusError."""
    import requests

    if "://" not in url:
        if not Path(url).is_file():
            raise CorpusError(f"{url} is not there; give the folder that has {file.name}")
        shutil.copyfile(url, got)
        return
    if not url.startswith(("https://", "http://")):
        raise CorpusError(f"{url}: expected an address with https:// or http://, or a path")
    pooch.get_logger().setLevel(logging.WARNING)
    with _Bar(file, progress) as bar:
        load = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=2**16,
            timeout=PATIENCE_S,
            proxies={"http": proxy, "https": proxy} if proxy else None,
        )
        advice = "try again, or pass a mirror or the path of your copy"
        try:
            # checked below: an own line says what to do, pooch's says what the hashes are
            pooch.retrieve(url, None, fname=got.name, path=got.parent, downloader=load)
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else error
            raise CorpusError(f"{url}: the server says {status}; {advice}") from error
        except requests.RequestException as error:
            raise CorpusError(
                f"{url}: cannot be reached, or broke off ({type(error).__name__}); "
                f"nothing was kept; {advice}"
            ) from error


def _verify(file: Published, url: str, got: Path, expected: str) -> None:
    """Refuse a file that is not what was published or recorded. Raises CorpusError."""
    size = got.stat().st_size
    if expected and not _matches(got, expected):
        kind, _, digest = expected.partition(":")
        came = pooch.file_hash(str(got), alg=kind)
        sizes = f" of {size:,} bytes" + (f" instead of {file.size:,}" if file.size else "")
        raise CorpusError(
            f"{url}: what came is not {file.name} ({kind} {came}{sizes}, expected {digest}); "
            "nothing was kept; try again or pass another mirror"
            + ("" if file.checksum else f", or delete {file.name}.sha256 if the file has changed")
        )
    if not size:
        raise CorpusError(f"{url}: an empty file came; nothing was kept; pass another mirror")
    if file.check is not None:
        try:
            file.check(got)
        except CorpusError as error:
            raise CorpusError(
                f"{url}: what came is something else ({error}); nothing was kept; "
                "pass another mirror"
            ) from error


class _Bar:
    """What pooch asks of a progress bar, drawn by rich if it is here; stops what is too long."""

    def __init__(self, file: Published, shown: bool) -> None:
        self.total = 0  # pooch sets what the server announced
        self.done = 0
        self.file = file
        self.limit = file.size or MAX_BYTES
        self.bar: Any = None
        if shown:
            try:
                from rich.console import Console
                from rich.progress import Progress
            except ImportError:
                return
            self.bar = Progress(console=Console(stderr=True))

    def __enter__(self) -> _Bar:
        if self.bar is not None:
            self.bar.start()
            self.task = self.bar.add_task(self.file.name, total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def update(self, count: int) -> None:
        """Count bytes that came. Raises CorpusError when they are more than the file has."""
        self.done += count
        # pooch counts whole chunks, the last one too
        if self.done > self.limit + 2**17:
            raise CorpusError(
                f"{self.file.name}: more than {self.limit:,} bytes came, so it is something else; "
                "nothing was kept; pass another mirror"
            )
        if self.bar is not None:
            self.bar.update(
                self.task, completed=min(self.done, self.total), total=self.total or None
            )

    def reset(self) -> None:
        """Count from nothing again."""
        self.done = 0

    def close(self) -> None:
        """Do nothing more: the bar is stopped where it was started."""
