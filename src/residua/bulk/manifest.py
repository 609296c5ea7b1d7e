"""What a job is, fixed at its start: the model, what is asked, and every picture in its order."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

from residua.config import PredictConfig
from residua.config.parts import Table
from residua.data.packed.opening import packed_above
from residua.errors import DataError, RunError
from residua.files.names import printable

FORMAT = 1  # of manifest.json; a higher one comes from a newer residua
OPTION = {"predict": "--output", "evaluate": "--parts"}  # by which people name a job's folder
State = tuple[int, int] | None  # size in bytes and time of change in nanoseconds; None for no file


@dataclass(frozen=True)
class Asked:
    """What a job asks of its pictures: all that an answer depends on.

    model, sha256: the model's file, absolute, and its content. engine: the one that was settled on. sources:
    what was named, as it was named. measured: of pictures whose classes are known, what was asked for
    of them, by the names of options.
    """

    verb: str
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
    measured: dict[str, Any] = field(default_factory=dict)

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
            "verb": f"`residua {self.verb}`",
            "sha256": f"another model than {other.model} now is",
            "residua": f"residua {self.residua}, and this is {other.residua}",
            "sources": f"other pictures: {' '.join(self.sources)[:200]}",
        }
        mine, theirs = self._plain(), other._plain()
        for name, value in mine.items():
            if name == "model" or value == theirs[name]:  # a model may have moved
                continue
            what = words.get(name, f"--{name.replace('_', '-')} {value}, not {theirs[name]}")
            raise RunError(
                f"{folder} was begun with {what}: choose another folder with {self.option}, or ask as it was "
                "begun"
            )

    @property
    def option(self) -> str:
        """The option that names the job's folder."""
        return OPTION[self.verb]

    def _plain(self) -> dict[str, Any]:
        plain = asdict(self)
        measured: dict[str, Any] = plain.pop("measured")
        return plain | measured


@dataclass(frozen=True)
class Subject:
    """What is measured: data and split by their names, and what is to be told beside the figures.

    same: whether they are what the model was trained on, unchanged. left_out: pictures of each class that it
    does not know.
    """

    data: str
    split: str
    same: bool
    left_out: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """A job: what it asks, how many pictures it has and where each part's begin in the list of them.

    offsets: the byte in the list at which a part's first line begins, and the list's length at the end.
    packed: {file that holds pictures: its state}. subject: what is measured, if anything is.
    """

    asked: Asked
    pictures: int
    offsets: tuple[int, ...]
    packed: dict[str, State]
    subject: Subject | None = None

    @property
    def parts(self) -> int:
        """How many there are."""
        return len(self.offsets) - 1

    def size(self, number: int) -> int:
        """How many pictures a part has."""
        return min(self.asked.part, self.pictures - number * self.asked.part)

    def read_lines(self, lines: bytes) -> Stretch:
        """The pictures of a stretch of the list.

        Raises ValueError, TypeError or KeyError for what is no such stretch.
        """
        names, files, labels = list[str](), dict[str, State](), list[int]()
        for line in lines.splitlines():
            name, *rest = json.loads(line)
            names.append(name)
            if self.subject is not None:
                labels.append(int(rest.pop(0)))
            if rest:
                files[name] = _state(rest[0])
            else:
                file = next(folder for folder in map(str, Path(name).parents) if folder in self.packed)
                files[file] = self.packed[file]
        return Stretch(tuple(names), files, None if self.subject is None else tuple(labels))

    def to_json(self) -> bytes:
        """The file."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()


@dataclass(frozen=True)
class Stretch:
    """Pictures of the list, and their labels if known. files: {file that they lie in: its first state}."""

    names: Sequence[str]
    files: Mapping[str, State]
    labels: Sequence[int] | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the list: a picture's name, its label if known, its file's state if it is one of its own.

    packed: the file that holds it among others, where it is none of its own; its name says which.
    """

    name: str
    label: int | None = None
    state: State = None
    packed: str | None = None

    def line(self) -> bytes:
        """One line of JSON."""
        known = [] if self.label is None else [self.label]
        state = [self.state] if self.packed is None else []
        return (json.dumps([self.name, *known, *state]) + "\n").encode()


def entries_of(names: Iterable[str], labels: Iterable[int] | None = None) -> Iterator[Entry]:
    """Each picture with its label, if they are known, and the state of its file."""
    above = cache(lambda folder: packed_above(Path(folder, "picture")))
    known: Iterable[int | None] = repeat(None) if labels is None else labels
    for name, label in zip(names, known, strict=False):
        packed = above(os.path.dirname(name))
        if packed is None:
            yield Entry(name, label, file_state(name))
        else:
            yield Entry(name, label, packed=str(packed))


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
                "another folder"
            )


def parse_manifest(data: bytes, path: Path) -> Manifest:
    """A manifest from its file. Raises RunError for one that is damaged or newer."""
    try:
        content: dict[str, Any] = json.loads(data)
        if content.pop("format") > FORMAT:
            raise RunError(f"{path} was written by a newer residua: go on with that")
        asked, subject = content["asked"], content["subject"]
        return Manifest(
            Asked(**asked | {"sources": tuple(asked["sources"])}),
            content["pictures"],
            tuple(content["offsets"]),
            {name: _state(state) for name, state in content["packed"].items()},
            None if subject is None else Subject(**subject),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RunError(f"{path} is damaged ({type(problem).__name__}): choose another folder") from None


def _state(listed: Sequence[int] | None) -> State:
    """A state from JSON."""
    if listed is None:
        return None
    size, changed = listed
    return size, changed
