"""What a job is, fixed at its start: the model, what is asked, and every picture in its order."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from residua.config import PredictConfig
from residua.config.predict import BulkConfig, Table
from residua.data.packed.opening import packed_above
from residua.errors import DataError, RunError
from residua.files.names import printable

FORMAT = 1  # of manifest.json; a higher one comes from a newer residua
State = tuple[int, int] | None  # size in bytes and time of change in nanoseconds; None for no file


@dataclass(frozen=True)
class Asked:
    """What a job asks of its pictures: all that an answer depends on.

    model, sha256: the model's file, absolute, and its content. engine: the one that was settled on. sources:
    what was named, as it was named.
    """

    model: str
    sha256: str
    residua: str
    sources: tuple[str, ...]
    engine: str
    top: int
    reject: float | None
    reject_accuracy: float | None
    views: str
    table: Table
    part: int

    @classmethod
    def of(
        cls,
        model: Path,
        sha256: str,
        version: str,
        sources: Sequence[str],
        config: PredictConfig,
        bulk: BulkConfig,
    ) -> Asked:
        """What these options ask."""
        named = {
            name: getattr(config, name) for name in ("engine", "top", "reject", "reject_accuracy", "views")
        }
        where = str(model.absolute())
        return cls(where, sha256, version, tuple(sources), **named, table=bulk.table, part=bulk.part)

    def config(self, batch: int, threads: int | None) -> PredictConfig:
        """The options of prediction; batch and threads change no answer."""
        return PredictConfig(
            top=self.top,
            reject=self.reject,
            reject_accuracy=self.reject_accuracy,
            views=self.views,  # type: ignore[arg-type]
            batch=batch,
            engine=self.engine,  # type: ignore[arg-type]
            threads=threads,
        )

    def refuse_other(self, other: Asked, folder: Path) -> None:
        """Raise RunError where a job that was begun asks something else."""
        words = {
            "sha256": f"another model than {other.model} now is",
            "residua": f"residua {self.residua}, and this is {other.residua}",
            "sources": f"other pictures: {' '.join(self.sources)[:200]}",
        }
        for name, mine in asdict(self).items():
            theirs = asdict(other)[name]
            if name == "model" or mine == theirs:  # a model may have moved
                continue
            what = words.get(name, f"--{name.replace('_', '-')} {mine}, not {theirs}")
            raise RunError(
                f"{folder} was begun with {what}: choose another folder with --output, or ask as it was begun"
            )


@dataclass(frozen=True)
class Manifest:
    """A job: what it asks, how many pictures it has and where each part's begin in the list of them.

    offsets: the byte in the list at which a part's first line begins, and the list's length at the end.
    packed: {file that holds pictures: its state}.
    """

    asked: Asked
    pictures: int
    offsets: tuple[int, ...]
    packed: dict[str, State]

    @property
    def parts(self) -> int:
        """How many there are."""
        return len(self.offsets) - 1

    def size(self, number: int) -> int:
        """How many pictures a part has."""
        return min(self.asked.part, self.pictures - number * self.asked.part)

    def read_lines(self, lines: bytes) -> tuple[list[str], dict[str, State]]:
        """The pictures of a stretch of the list, and {file that they lie in: its state}.

        Raises ValueError, TypeError or KeyError for what is no such stretch.
        """
        names, files = list[str](), dict[str, State]()
        for line in lines.splitlines():
            name, *state = json.loads(line)
            names.append(name)
            if state:
                files[name] = _state(state[0])
            else:
                file = next(folder for folder in map(str, Path(name).parents) if folder in self.packed)
                files[file] = self.packed[file]
        return names, files

    def to_json(self) -> bytes:
        """The file."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()


@dataclass(frozen=True)
class Entry:
    """A line of the list: a picture's name, and its file's state where it is a file of its own.

    packed: the file that holds it among others, where it is none of its own; its name says which.
    """

    name: str
    state: State = None
    packed: str | None = None

    def line(self) -> bytes:
        """One line of JSON."""
        return (json.dumps([self.name, self.state] if self.packed is None else [self.name]) + "\n").encode()


def entries_of(names: Iterable[str]) -> Iterator[Entry]:
    """Each picture with the state of its file."""
    above = cache(lambda folder: packed_above(Path(folder, "picture")))
    for name in names:
        packed = above(os.path.dirname(name))
        yield Entry(name, file_state(name)) if packed is None else Entry(name, packed=str(packed))


def file_state(path: str) -> State:
    """A file's size and time of change; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def refuse_changed(files: Mapping[str, State]) -> None:
    """Raise DataError where a file is not what it was when the job began."""
    for name, state in files.items():
        if file_state(name) != state:
            raise DataError(
                f"{printable(name)} is not what it was when the job began: bring it back, or begin anew in "
                "another folder with --output"
            )


def parse_manifest(data: bytes, path: Path) -> Manifest:
    """A manifest from its file. Raises RunError for one that is damaged or newer."""
    try:
        content: dict[str, Any] = json.loads(data)
        if content.pop("format") > FORMAT:
            raise RunError(f"{path} was written by a newer residua: go on with that")
        asked = content["asked"]
        return Manifest(
            Asked(**asked | {"sources": tuple(asked["sources"])}),
            content["pictures"],
            tuple(content["offsets"]),
            {name: _state(state) for name, state in content["packed"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RunError(
            f"{path} is damaged ({type(problem).__name__}): choose another folder with --output"
        ) from None


def _state(listed: Sequence[int] | None) -> State:
    """A state from JSON."""
    if listed is None:
        return None
    size, changed = listed
    return size, changed
