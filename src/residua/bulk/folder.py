"""A job's folder: what lies where, and which parts are done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from residua.bulk.manifest import Asked, Entry, Manifest, State, Stretch, Subject, file_state, parse_manifest
from residua.bulk.rows import SUFFIX
from residua.errors import RunError
from residua.files.durable import remove_stale, write_durably

MANIFEST, LIST = "manifest.json", "pictures.jsonl"


class Folder:
    """The folder of one job; whoever writes there holds it (`files.one_writer`)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begun(self) -> Manifest | None:
        """The job that was begun here, if any. Raises RunError."""
        remove_stale(self.path)
        path = self.path / MANIFEST
        try:
            return parse_manifest(path.read_bytes(), path)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise RunError(f"cannot read {path}: {problem.strerror or problem}") from None

    def begin(self, asked: Asked, entries: Iterable[Entry], subject: Subject | None = None) -> Manifest:
        """Fix what a job is: the list of its pictures, then the manifest. Raises RunError."""
        offsets, packed, pictures, at = [0], dict[str, State](), 0, 0

        def lines() -> Iterator[bytes]:
            nonlocal pictures, at
            for entry in entries:
                if pictures and pictures % asked.part == 0:
                    offsets.append(at)
                pictures += 1
                if entry.packed is not None and entry.packed not in packed:
                    packed[entry.packed] = file_state(entry.packed)
                line = entry.line()
                at += len(line)
                yield line

        write_durably(self.path / LIST, lines())
        manifest = Manifest(asked, pictures, (*offsets, at), packed, subject)
        write_durably(self.path / MANIFEST, manifest.to_json())
        return manifest

    def pictures(self, manifest: Manifest, number: int) -> Stretch:
        """A part's pictures. Raises RunError where the list is not what the manifest says."""
        start, end = manifest.offsets[number : number + 2]
        path = self.path / LIST
        try:
            with path.open("rb") as stream:
                stream.seek(start)
                stretch = manifest.read_lines(stream.read(end - start))
            if len(stretch.names) == manifest.size(number):
                return stretch
        except (OSError, ValueError, TypeError, IndexError, StopIteration):
            pass
        raise RunError(f"{path} is not what {MANIFEST} says: begin anew in another folder")

    def part(self, manifest: Manifest, number: int) -> Path:
        """Where a part's rows lie."""
        return self.path / f"part-{number:05d}{SUFFIX[manifest.asked.table]}"

    def write_part(self, manifest: Manifest, number: int, data: bytes, about: dict[str, Any]) -> None:
        """A part's rows, and then the mark by which it is done. Raises RunError."""
        path = self.part(manifest, number)
        write_durably(path, data)
        mark = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **about}
        write_durably(_mark(path), (json.dumps(mark) + "\n").encode())

    def mark(self, manifest: Manifest, number: int) -> dict[str, Any] | None:
        """What is known of a part that is done; None for one that is to be answered."""
        path = self.part(manifest, number)
        try:
            found: dict[str, Any] = json.loads(_mark(path).read_bytes())
            return found if path.stat().st_size == found["bytes"] and "failed" in found else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def marks(self, manifest: Manifest) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Every part, and what `mark` says of it; one at a time, since there may be many."""
        return ((number, self.mark(manifest, number)) for number in range(manifest.parts))

    def read_part(self, manifest: Manifest, number: int) -> bytes | None:
        """A part's rows, to the byte as they were written; None where they are not."""
        mark = self.mark(manifest, number)
        if mark is None:
            return None
        try:
            data = self.part(manifest, number).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == mark["sha256"] else None

    def forget(self, manifest: Manifest, number: int) -> None:
        """A part is to be answered again."""
        _mark(self.part(manifest, number)).unlink(missing_ok=True)


def _mark(part: Path) -> Path:
    return part.with_suffix(".json")
