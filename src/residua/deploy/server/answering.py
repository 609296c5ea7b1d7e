"""A model that is served: read again when its file changes, answering as `residua predict` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import PredictConfig
from residua.cores import available_cores
from residua.engines import Engine
from residua.errors import PictureError, ResiduaError
from residua.files.checksums import file_sha256
from residua.insight.prediction.numbers import Prediction, least_confidence, ranked
from residua.models.model_file import Model, load_model
from residua.training.inference import make_infer

LOOK_SECONDS = 1.0  # from one look at the file to the next
WARM_CALLS = 3  # after which the fast engine replays a step
SMALL_BYTES = 65_536  # of picture files that one thread decodes sooner than others are awake

Row = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Picture = bytes | Pixels  # a file's, or as the model stores them


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model file as it was read: `version` begins its SHA-256; `threshold` as `least_confidence`."""

    model: Model
    version: str
    threshold: float | None
    infer: Callable[[Any, Any], Any]
    variables: Any
    stamp: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of one picture: its probabilities, (classes,), and who said so."""

    row: Row
    name: str
    version: str
    loaded: Loaded

    def to_dict(self, top: int) -> dict[str, Any]:
        """Plain JSON types, as `residua predict` has them."""
        named = ranked(self.row, self.loaded.model.classes, top)
        threshold = self.loaded.threshold
        sure = None if threshold is None else named[0][1] >= threshold
        values = Prediction("", named, sure=sure).to_dict()
        del values["file"]
        return values | {"model": {"name": self.name, "version": self.version}}


class Served:
    """One model under its name. Everything but `loaded` belongs to the worker's thread.

    given_version: what its version is called; that of the file where there is none.
    """

    def __init__(
        self,
        name: str,
        file: Path,
        engine: Engine,
        config: PredictConfig,
        given_version: str | None = None,
    ) -> None:
        self.name, self.file, self.engine, self.config = name, file, engine, config
        self.given_version = given_version
        self.loaded = self._load()
        self._looked = time.monotonic()
        self._pool = ThreadPoolExecutor(available_cores(), thread_name_prefix="decode")

    @property
    def version(self) -> str:
        """What the version that answers is called."""
        return self.given_version or self.loaded.version

    def _load(self) -> Loaded:
        stamp, model = _stamp(self.file), load_model(self.file)
        version = file_sha256(self.file)[:12]
        network, variables = model.frozen()
        threshold = least_confidence(model, self.config)
        return Loaded(model, version, threshold, make_infer(self.engine, network), variables, stamp)

    def warm(self, most: int) -> None:
        """Compile what batches of up to `most` pictures take, before anybody waits for it."""
        shape = self.loaded.model.preprocessing
        for size in (1 << power for power in range(most.bit_length())):
            for _ in range(WARM_CALLS):
                self.probabilities(self.loaded, np.zeros((size, *shape.stored, shape.channels), np.uint8))

    def look(self, say: Callable[[str], None]) -> None:
        """Read the file again where it has changed; one that cannot be read leaves the model as it is."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        try:
            if _stamp(self.file) == self.loaded.stamp:
                return
            self.loaded = self._load()
            say(f"{self.name}: its file has changed, and version {self.loaded.version} answers from now on")
        except (ResiduaError, OSError) as error:
            say(f"{self.name}: its file has changed and cannot be read, so the old one goes on: {error}")

    def answer(self, pictures: Sequence[Picture]) -> list[Answer | PictureError]:
        """What it says of each picture, or why that cannot be read."""
        loaded, version = self.loaded, self.version
        read = self._read(loaded.model, pictures)
        good = [picture for picture in read if not isinstance(picture, PictureError)]
        rows = iter(
            [row.copy() for some in pieces(good) for row in self.probabilities(loaded, np.stack(some))]
        )
        return [
            picture if isinstance(picture, PictureError) else Answer(next(rows), self.name, version, loaded)
            for picture in read
        ]

    def _read(self, model: Model, pictures: Sequence[Picture]) -> list[Pixels | PictureError]:
        """The pictures, decoded by as many threads as there are cores where that is worth waking them."""
        large = sum(len(picture) for picture in pictures if isinstance(picture, bytes)) > SMALL_BYTES
        read = self._pool.map if large and len(pictures) > 1 else map
        return list(read(lambda picture: read_picture(model, picture), pictures))

    def probabilities(self, loaded: Loaded, pictures: Pixels) -> Row:
        """(N, classes) of pictures at the size that the model stores; the engine may lend them."""
        images = loaded.model.preprocessing.normalize(pictures)
        return np.asarray(self.engine.plain(loaded.infer(loaded.variables, images)), np.float32)

    def close(self) -> None:
        """End the threads that decode."""
        self._pool.shutdown()


def pieces(pictures: Sequence[Pixels]) -> Iterator[Sequence[Pixels]]:
    """Pictures in parts whose sizes are powers of two, the largest first.

    The fast engine keeps what each size takes, and replays a few of them in a fraction of the time.
    """
    start = 0
    while start < len(pictures):
        size = 1 << (len(pictures) - start).bit_length() - 1
        yield pictures[start : start + size]
        start += size


def read_picture(model: Model, picture: Picture) -> Pixels | PictureError:
    """A picture at the size that a model stores, or why it cannot be one."""
    shape = model.preprocessing
    if not isinstance(picture, bytes):
        expected = (*shape.stored, shape.channels)
        if picture.shape == expected:
            return picture
        return PictureError(f"pixels for {model.name} are {list(expected)}, not {list(picture.shape)}")
    try:
        return shape.cut(shape.read(picture))
    except PictureError as error:
        return error


def _stamp(file: Path) -> tuple[int, int]:
    facts = file.stat()
    return facts.st_mtime_ns, facts.st_size
