"""A picture needs words, and a build with a warning does not look clean the next time."""

from __future__ import annotations

import struct
import zlib

EXTENSIONS = ["myst_parser", "strict"]


def png() -> bytes:
    """One grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\x80")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def with_picture(book, text: str):
    made = book(EXTENSIONS, {"index.md": text})
    (made.folder / "dot.png").write_bytes(png())
    return made


def test_picture_without_alt_text_fails_with_its_place(book) -> None:
    result = with_picture(book, "# T\n\nText.\n\n```{figure} dot.png\nA caption.\n```\n").build()
    assert not result.clean
    assert "index.md:5: WARNING: picture without alt text" in result.warnings


def test_blank_alt_text_is_none(book) -> None:
    text = "# T\n\n```{image} dot.png\n:alt: ' '\n```\n"
    assert (
        "picture without alt text" in with_picture(book, text.replace("' '", "")).build().warnings
    )


def test_picture_with_alt_text_passes(book) -> None:
    result = with_picture(book, "# T\n\n![one grey dot](dot.png)\n").build()
    assert result.clean, result.warnings


def test_a_warned_build_warns_again(book) -> None:
    """Sphinx alone would find nothing to do and succeed."""
    made = book(EXTENSIONS, {"index.md": "# T\n\n[nowhere](missing.md)\n"})
    first, second = made.build(), made.build()
    assert not first.clean and "missing.md" in first.warnings
    assert not second.clean and "missing.md" in second.warnings


def test_without_the_extension_it_would_not(book) -> None:
    """The trap is real: this is why the extension is there."""
    made = book(["myst_parser"], {"index.md": "# T\n\n[nowhere](missing.md)\n"})
    assert not made.build().clean
    assert made.build().clean
