"""Archives of files to import, read one member at a time, with limits on everything that an attacker chooses."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from service.formats import FormatError
from service.formats.text import clean

MAX_ENTRIES = 10_000
MAX_UNPACKED = 512 * 1024 * 1024
MAX_MEMBER = 32 * 1024 * 1024
MAX_RATIO = 200
"""Above this a member is a bomb, not an invoice. Small members are let through: they can do no harm."""
_RATIO_FLOOR = 1024 * 1024
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".jar", ".zst")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1

_UNREADABLE = (BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, IndexError)


class Member(NamedTuple):
    name: str
    data: bytes


def members(source: bytes | Path | BinaryIO) -> Iterator[Member | FormatError]:
    """Each file of the archive, in its order, or why it was not unpacked. Folders and macOS' own files are left out.

    Raises FormatError before the first member where the archive is unreadable, or has too many entries, or is too large as a whole.
    """
    try:
        archive = ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
    except _UNREADABLE:
        raise FormatError("zip_malformed") from None
    with archive:
        entries = [entry for entry in archive.infolist() if not _is_furniture(entry)]
        if len(entries) > MAX_ENTRIES:
            raise FormatError("zip_too_many_entries", limit=f"{MAX_ENTRIES:,}")
        # The declared sizes are binding: zipfile reads no byte more of a member than it declares.
        if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            raise FormatError("zip_too_large", limit=f"{MAX_UNPACKED // 2**20} MiB")
        for entry in entries:
            yield _member(archive, entry)


def _member(archive: ZipFile, entry: ZipInfo) -> Member | FormatError:
    name = _name(entry)
    if entry.flag_bits & _ENCRYPTED:
        return FormatError("zip_encrypted", file=name)
    if name.lower().endswith(_ARCHIVES):
        return FormatError("zip_nested", file=name)
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return FormatError("zip_compression", file=name)
    if entry.file_size > MAX_MEMBER:
        return FormatError("file_too_large", file=name, limit=f"{MAX_MEMBER // 2**20} MiB")
    if entry.file_size > _RATIO_FLOOR and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return FormatError("zip_ratio", file=name)
    try:
        return Member(name, archive.read(entry))
    except _UNREADABLE:
        return FormatError("zip_malformed", file=name)


def _is_furniture(entry: ZipInfo) -> bool:
    return entry.filename.startswith("__MACOSX/") or entry.filename.endswith(("/", ".DS_Store"))


def _name(entry: ZipInfo) -> str:
    """Windows writes names in GBK without saying so; zipfile then takes them for code page 437."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME and not name.isascii():
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = entry.filename
    return clean(name)[:255]
