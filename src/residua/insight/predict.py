"""Name what is in pictures, by a model file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import PredictConfig
from residua.cores import available_cores
from residua.data.pictures import read_picture
from residua.engines import open_engine
from residua.errors import PictureError
from residua.models.model_file import Model
from residua.training.inference import make_infer


@dataclass(frozen=True)
class Prediction:
    """One picture: its most probable classes, best first, or why it could not be read."""

    file: str
    top: tuple[tuple[str, float], ...]
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        if self.error is not None:
            return {"file": self.file, "error": self.error}
        name, probability = self.top[0]
        return {
            "file": self.file,
            "class": name,
            "probability": probability,
            "top": [{"class": name, "probability": probability} for name, probability in self.top],
        }


def predict_files(model: Model, files: Sequence[Path], config: PredictConfig) -> Iterator[Prediction]:
    """Predictions in the order of the files; a picture that cannot be read is answered by its error."""
    shape = model.preprocessing
    engine = open_engine(config.engine, threads=config.threads, work=model.work(len(files)))
    network, variables = model.frozen()
    infer = make_infer(engine, network)
    top = min(config.top, len(model.classes))

    def read(path: Path) -> NDArray[np.uint8] | PictureError:
        try:
            return shape.cut(read_picture(path, *shape.reading, shape.channels))
        except PictureError as error:
            return error

    with ThreadPoolExecutor(available_cores()) as pool:
        for start in range(0, len(files), config.batch):
            chunk = files[start : start + config.batch]
            read_ones = list(pool.map(read, chunk))
            good = [picture for picture in read_ones if not isinstance(picture, PictureError)]
            rows: Iterator[NDArray[np.float32]] = iter(())
            if good:
                images = shape.normalize(np.stack(good))
                rows = iter(np.asarray(engine.plain(infer(variables, images)), np.float32))
            for path, picture in zip(chunk, read_ones, strict=True):
                if isinstance(picture, PictureError):
                    yield Prediction(str(path), (), str(picture))
                    continue
                row = next(rows)
                order = np.argsort(-row, kind="stable")[:top]
                yield Prediction(
                    str(path), tuple((model.classes[place], float(row[place])) for place in order)
                )
