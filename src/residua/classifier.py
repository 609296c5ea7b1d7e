"""A classifier with scikit-learn's interface: fit, predict, predict_proba, score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from residua.config.defaults import BATCH
from residua.errors import DataError, ShapeError


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Train a network on arrays of pictures, and use it.

    X: (N, H, W), (N, H, W, 1) or (N, H, W, 3) arrays, uint8, or floating point between 0 and 1; or a
    sequence of picture files, which are brought to size x size pixels in colour. y: (N,) labels of any
    kind. The parameters are the options of `residua train`; `options` takes any further one by name.
    `validation` 0 trains on everything and keeps the last weights instead of the best.

    After fit: classes_ (the labels, sorted), model_ (a `residua.Model`), history_ (one entry an epoch).
    """

    def __init__(
        self,
        model: str = "resnet8",
        width: int = 16,
        epochs: int = 20,
        batch: int = BATCH,
        optimizer: str = "sgd",
        rate: float | None = None,
        schedule: str = "one-cycle",
        validation: float = 0.1,
        crop: int = 0,
        flip: bool = False,
        size: int = 64,
        seed: int = 0,
        engine: str = "auto",
        options: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.width = width
        self.epochs = epochs
        self.batch = batch
        self.optimizer = optimizer
        self.rate = rate
        self.schedule = schedule
        self.validation = validation
        self.crop = crop
        self.flip = flip
        self.size = size
        self.seed = seed
        self.engine = engine
        self.options = options

    def fit(self, X: ArrayLike | Sequence[str | Path], y: ArrayLike) -> Self:
        """Train. Raises ResiduaError where pictures, labels or options do not fit."""
        from residua.training.array_training import train_on_arrays

        images = self._pictures(X)
        labels = np.asarray(y)
        if labels.shape != (len(images),):
            raise ShapeError(f"{len(images)} pictures need as many labels; y has the shape {labels.shape}")
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(f"training needs two or more classes; y holds {len(classes)}")
        names = ("model", "width", "epochs", "batch", "optimizer", "rate", "schedule", "crop", "flip")
        options = {name: getattr(self, name) for name in (*names, "seed", "engine")}
        self.model_, self.history_ = train_on_arrays(
            images,
            numbers.astype(np.int64),
            tuple(str(entry) for entry in classes),
            validation=self.validation,
            options=options | (self.options or {}),
        )
        self.classes_ = classes
        return self

    def predict_proba(self, X: ArrayLike | Sequence[str | Path]) -> NDArray[np.float32]:
        """(N, classes) probabilities, in the order of classes_."""
        from residua.data.batches import Batches
        from residua.data.pictures.arrays import Pictures
        from residua.engines import open_engine
        from residua.training.inference import predict_probabilities

        check_is_fitted(self)
        images = self._pictures(X)
        pictures = Pictures(images, np.zeros(len(images), np.int64), tuple(map(str, range(len(images)))))
        batches = Batches(pictures, self.model_.preprocessing, None, 256)
        if not len(images):
            return np.zeros((0, len(self.classes_)), np.float32)
        return predict_probabilities(open_engine(self.engine), *self.model_.frozen(), batches).probabilities

    def predict(self, X: ArrayLike | Sequence[str | Path]) -> NDArray[Any]:
        """(N,) the most probable label of each picture."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def save(self, path: str | Path) -> None:
        """Write a model file, which `residua evaluate`, `residua predict` and `load` read."""
        from dataclasses import replace

        from residua.models.model_file import save_model

        check_is_fitted(self)
        labels = {"labels": self.classes_.tolist(), "parameters": self.get_params()}
        save_model(path, replace(self.model_, training=self.model_.training | labels))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A fitted classifier out of a model file, of whichever origin. Raises ModelFileError."""
        from residua.models.model_file import load_model
        from residua.models.training_record import saved_labels, saved_parameters

        model = load_model(path)
        classifier = cls(**saved_parameters(model.training, cls().get_params()))
        classifier.model_, classifier.history_ = model, model.training.get("history", [])
        classifier.classes_ = np.asarray(saved_labels(model.training, model.classes))
        return classifier

    def _pictures(self, X: ArrayLike | Sequence[str | Path]) -> NDArray[np.uint8]:
        """X as (N, H, W, C) uint8. Raises ShapeError or PictureError."""
        if isinstance(X, list | tuple) and X and isinstance(X[0], str | Path):
            X = np.asarray([str(entry) for entry in X])
        array = np.asarray(X)
        if array.dtype.kind in "UO" and array.ndim == 1:
            from residua.data.pictures.decoding import read_picture

            return np.stack([read_picture(str(path), self.size, self.size, 3) for path in array])
        if array.ndim == 3:
            array = array[..., None]
        if array.ndim != 4 or array.shape[-1] not in (1, 3):
            raise ShapeError(
                "pictures are arrays (N, H, W) or (N, H, W, 1 or 3), or a list of files; "
                f"X has the shape {np.asarray(X).shape}"
            )
        if array.dtype == np.uint8:
            return array
        if array.dtype.kind != "f" or not (array.size == 0 or (array.min() >= 0 and array.max() <= 1)):
            raise ShapeError(
                "pixels are uint8 from 0 to 255, or floating point from 0 to 1: divide by the largest"
            )
        pixels: NDArray[np.uint8] = np.rint(array * 255).astype(np.uint8)
        return pixels
