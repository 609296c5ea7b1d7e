"""Many pictures in one body: lines of JSON, or a zip archive; never unpacked to a disk."""

from __future__ import annotations

import base64
import binascii
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from residua.deploy.server.refusals import Refused
from residua.errors import PictureError
from residua.files.names import printable

LINES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
ARCHIVES = ("application/zip", "application/x-zip-compressed")
_END = struct.Struct("<4s4H2LH")  # a zip's end of the central directory (APPNOTE 6.3.10, section 4.3.16)
_ENTRY_BYTES = 1024  # that an entry of the directory has at most, on the average
_LOST = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Caps:
    """What a body may hold: so many pictures, each and all of at most so many bytes."""

    pictures: int
    each: int
    all: int


@dataclass(frozen=True)
class Entry:
    """One picture: what it is called, and its file's bytes or why there are none."""

    file: str
    content: bytes | PictureError


def find_entries(content: bytes, kind: str, caps: Caps) -> Iterator[Entry]:
    """The pictures of a body in its order, one after the other. kind: the body's media type.

    Raises Refused for a body that cannot be taken at all: before the first entry.
    """
    if kind in ARCHIVES:
        return _of_archive(*_open_archive(content, caps), caps)
    lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if not lines:
        raise Refused(400, 'there are no lines: each is {"file": "cat.jpg", "picture": "BASE64"}')
    _check_count(len(lines), caps)
    return (_of_line(number, line, caps) for number, line in lines)


def _check_count(count: int, caps: Caps) -> None:
    if count > caps.pictures:
        raise _too_many(count, caps)


def _too_many(count: int, caps: Caps) -> Refused:
    return Refused(413, f"a body holds at most {caps.pictures:,} pictures here, not {count:,}: send several")


def _of_line(number: int, line: bytes, caps: Caps) -> Entry:
    file = f"line {number}"
    try:
        given: Any = json.loads(line)
        if not isinstance(given, dict) or not isinstance(given.get("picture"), str):
            raise ValueError
        file = str(given.get("file", file))[:500]
        content = base64.b64decode(given["picture"], validate=True)
    except (ValueError, RecursionError, binascii.Error):
        what = 'each line is {"file": "cat.jpg", "picture": "BASE64"}'
        return Entry(file, PictureError(f"line {number} cannot be read: {what}"))
    return Entry(file, _checked(content, caps))


def _checked(content: bytes, caps: Caps) -> bytes | PictureError:
    if not content:
        return PictureError("the picture file is empty")
    return _too_large(caps.each) if len(content) > caps.each else content


def _too_large(most: int) -> PictureError:
    return PictureError(f"a picture file has at most {most / 1e6:g} MB here: make it smaller")


def _open_archive(content: bytes, caps: Caps) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """An archive and its files. Raises Refused before anything is made of a directory that is too large."""
    place = content.rfind(b"PK\x05\x06", max(0, len(content) - _END.size - 0xFFFF))
    if place < 0 or len(content) - place < _END.size:
        raise Refused(400, "the body is no zip archive, or its end is missing")
    _, _, _, _, count, size, _, _ = _END.unpack_from(content, place)
    if content[max(0, place - 20) :].startswith(b"PK\x06\x07"):
        raise Refused(400, "an archive as large as zip64 has it is not taken: send several")
    entries = 2 * caps.pictures + 100  # at most: folders count there
    if count > entries:
        raise _too_many(count, caps)
    if size > _ENTRY_BYTES * entries:
        raise Refused(413, f"a body holds at most {caps.pictures:,} pictures here: send several")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _LOST as error:
        raise Refused(400, f"the zip archive cannot be read: {printable(error)[:200]}") from None
    files = [entry for entry in archive.infolist() if _is_file(entry.filename)]
    if not files:
        raise Refused(400, "there are no files in the zip archive")
    _check_count(len(files), caps)
    return archive, files


def _is_file(name: str) -> bool:
    """Whether an entry is a file of people's, and none that systems put beside them."""
    return not (name.endswith("/") or name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store")


def _of_archive(archive: zipfile.ZipFile, files: list[zipfile.ZipInfo], caps: Caps) -> Iterator[Entry]:
    """A file after the other; of each no more is unpacked than is taken, whatever it says of its size."""
    left = caps.all
    with archive:
        for entry in files:
            most = min(caps.each, left)
            found: bytes | PictureError
            try:
                with archive.open(entry) as stream:
                    found = stream.read(most + 1)
                left -= min(len(found), left)
                if len(found) > most == caps.each:
                    found = _too_large(caps.each)
                elif len(found) > most:
                    found = PictureError(
                        f"the pictures have more than {caps.all / 1e6:g} MB together: send several"
                    )
                else:
                    found = _checked(found, caps)
            except _LOST as error:
                found = PictureError(f"cannot be unpacked: {printable(error)[:200]}")
            yield Entry(entry.filename, found)
