"""A file's bytes as text: UTF-8, and a plain word about everything else that is met under a text file's name."""

from __future__ import annotations

import shlex
from pathlib import Path

from mosaic.errors import MosaicError

# First bytes -> what the file is, what to do with it ({name} is the file's).
KINDS = {
    b"\x1f\x8b": ("gzip-compressed", "Unpack it first: gzip -dc {name} > UNPACKED"),
    b"BZh": ("bzip2-compressed", "Unpack it first: bzip2 -dc {name} > UNPACKED"),
    b"\xfd7zXZ": ("xz-compressed", "Unpack it first: xz -dc {name} > UNPACKED"),
    b"\x28\xb5\x2f\xfd": ("zstd-compressed", "Unpack it first: zstd -dc {name} > UNPACKED"),
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "Unpack it, or save the workbook's sheet as CSV UTF-8."),
    b"\xd0\xcf\x11\xe0": ("an old Office file, such as .xls", "Open it and save the sheet as CSV UTF-8."),
    b"PAR1": ("a Parquet file", "Let its name end in .parquet."),
    b"\xff\xfe\x00\x00": ("UTF-32 text", "Save it as UTF-8: iconv -f utf-32 -t utf-8 {name} > UTF8_FILE"),
    b"\xff\xfe": ("UTF-16 text", "Save it as UTF-8: iconv -f utf-16 -t utf-8 {name} > UTF8_FILE"),
    b"\xfe\xff": ("UTF-16 text", "Save it as UTF-8: iconv -f utf-16 -t utf-8 {name} > UTF8_FILE"),
}
SAMPLE = 4096


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, a byte order mark left out.

    Raises MosaicError for a file that cannot be read, that is something else (packed, a workbook, UTF-16, ...), or
    that holds a byte that is not UTF-8 (with its line).
    """
    content = read_bytes(path)
    kind = _kind(content)
    if kind:
        what, cure = kind
        raise MosaicError(f"{path} is {what}, not UTF-8 text. {cure.format(name=shlex.quote(path.name))}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MosaicError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8. Save the file as UTF-8 "
            f"(if it is Latin-1: iconv -f latin1 -t utf-8 {shlex.quote(path.name)} > UTF8_FILE)."
        ) from error


def read_bytes(path: Path) -> bytes:
    """Raises MosaicError for what is not a file, is empty or may not be read."""
    if not path.is_file():
        raise MosaicError(f"{path} does not exist or is not a file.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    if not content:
        raise MosaicError(f"{path} is empty.")
    return content


def _kind(content: bytes) -> tuple[str, str] | None:
    for magic, kind in KINDS.items():
        if content.startswith(magic):
            return kind
    # UTF-16 without its mark: every other byte of Latin script is zero.
    for first, name in ((1, "utf-16le"), (0, "utf-16be")):
        half = content[first:SAMPLE:2]
        if half.count(0) > 0.7 * len(half) > 2:
            return "UTF-16 text without its mark", f"Save it as UTF-8: iconv -f {name} -t utf-8 {{name}} > UTF8_FILE"
    return None
