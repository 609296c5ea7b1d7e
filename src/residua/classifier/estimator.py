"""The estimator: parameters, and what fit, predict, score, save and load do with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from residua.classifier.inputs import Input, sort_input
from residua.config.defaults import BATCH
from residua.config.plain import plain
from residua.errors import ConfigError, ShapeError

OPTIONS = ("model", "width", "epochs", "batch", "optimizer", "rate", "schedule", "crop", "flip", "engine")
ANSWERED_AT_ONCE = 256  # pictures


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Train a network on pictures, and use it, as an estimator of scikit-learn.

    X: arrays of pictures, (N, H, W), (N, H, W, 1) or (N, H, W, 3), uint8, or floating point between 0 and 1;
    a list of files, of arrays or of Pillow's pictures, which are brought to size x size pixels where they
    come from files or differ in size; or rows of numbers, (N, features), such as flattened pictures. y: (N,)
    labels. docs/classifier.md says more of each, and what is refused.

    The parameters are the options of `residua train`; `options` takes any further one by name. `validation`
    0 trains on everything and keeps the last weights instead of the best. `image_shape` says what picture a
    row of numbers is: (height, width) or (height, width, 3). `class_weight` is None, "balanced" or a
    dictionary by label. `random_state`, where it is not None, takes the place of `seed`.

    After fit: classes_ (the labels, sorted), model_ (a `residua.Model`), history_ (one entry an epoch),
    n_features_in_ (numbers of a picture), and feature_names_in_ of a DataFrame whose columns have names.
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
        image_shape: tuple[int, ...] | None = None,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
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
        self.image_shape = image_shape
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train anew, whatever was trained before.

        sample_weight: (N,) how much each picture counts; one of weight 0 takes no part. Raises ResiduaError
        (a ValueError) where pictures, labels or options do not fit, KeyboardInterrupt after Ctrl-C; the
        classifier is then as it was.
        """
        before = dict(self.__dict__)
        try:
            return self._fit(X, y, sample_weight)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        from residua.classifier import labels as reading
        from residua.classifier.reading import read_to_fit
        from residua.classifier.rows import picture_shape
        from residua.classifier.weights import class_weights, joined_weights, sample_weights
        from residua.training.array_training import train_on_arrays

        given = sort_input(X)
        for name in ("feature_names_in_", "n_features_in_"):  # of an earlier fit
            self.__dict__.pop(name, None)
        if given.kind == "rows":
            given = Input("rows", validate_data(self, given.values, y="no_validation", dtype="numeric"))
        _refuse_one_alone(given, y)
        labels = reading.read_labels(y, len(given))
        samples = sample_weights(sample_weight, len(given))
        fitted = read_to_fit(given, self.size, picture_shape(self.image_shape))
        images = fitted.images
        if samples is not None and not samples.all():
            counts = samples > 0
            images, labels, samples = images[counts], labels[counts], samples[counts]
        classes, numbers = reading.distinct_labels(labels)
        by_class = class_weights(self.class_weight, classes, numbers, samples)
        options = {name: getattr(self, name) for name in OPTIONS} | {"seed": self._seed()}
        model, history = train_on_arrays(
            images,
            numbers,
            reading.class_names(classes),
            validation=_share(self.validation),
            options=options | _mapping(self.options),
            weights=joined_weights(by_class, numbers, samples),
        )
        self.model_, self.history_, self.classes_ = model, history, classes
        self.limits_ = fitted.limits
        self.n_features_in_ = int(np.prod(images.shape[1:]))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """(N, classes) probabilities, in the order of X and of classes_."""
        from residua.classifier.reading import read_to_answer
        from residua.data.batches import Batches
        from residua.data.pictures.arrays import Pictures
        from residua.engines.borrowing import borrow_engine
        from residua.training.inference import predict_probabilities
        from residua.training.work import model_work

        check_is_fitted(self)
        given = sort_input(X)
        if given.kind == "rows":
            rows = validate_data(self, given.values, reset=False, dtype="numeric", ensure_min_samples=0)
            given = Input("rows", rows)
        images = read_to_answer(given, self.model_.preprocessing, getattr(self, "limits_", None))
        if not len(images):
            return np.zeros((0, len(self.classes_)), np.float32)
        pictures = Pictures(images, np.zeros(len(images), np.int64), tuple(map(str, range(len(images)))))
        batches = Batches(pictures, self.model_.preprocessing, None, ANSWERED_AT_ONCE)
        threads = plain(_mapping(self.options).get("threads"))
        work = model_work(self.model_, len(images))
        with borrow_engine(plain(self.engine), threads=threads, work=work) as engine:
            return predict_probabilities(engine, *self.model_.frozen(), batches).probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """(N,) the most probable label of each picture, in their order."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy: the share of pictures, or of their weights, whose label is predicted.

        Raises DataError where labels are missing; warns of those that are none of classes_.
        """
        from residua.classifier.labels import check_known, read_labels
        from residua.classifier.weights import sample_weights

        predicted = self.predict(X)
        labels = read_labels(y, len(predicted))
        if not len(labels):
            raise ShapeError("X holds no pictures, which have no accuracy")
        weights = sample_weights(sample_weight, len(labels))
        check_known(labels, self.classes_)
        return float(np.average(predicted == labels, weights=weights))

    def save(self, path: str | Path) -> None:
        """Write a model file, which `residua evaluate`, `residua predict` and `load` read."""
        from residua.classifier.storage import Stored, with_classifier
        from residua.models.model_file import save_model

        check_is_fitted(self)
        stored = Stored(self.get_params(deep=False), self.classes_, self.limits_)
        save_model(path, with_classifier(self.model_, stored))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A fitted classifier out of a model file or run folder, of whichever origin.

        Pictures are read at the model's own size, in its colours and with its preprocessing. Raises
        ModelFileError.
        """
        from residua.classifier.storage import read_classifier
        from residua.models.model_file import load_model

        model = load_model(path)
        stored = read_classifier(model, set(cls._get_param_names()), str(path))
        classifier = cls(**stored.parameters)
        history = model.training.get("history", [])
        classifier.model_, classifier.history_ = model, history if isinstance(history, list) else []
        classifier.classes_, classifier.limits_ = stored.classes, stored.limits
        shape = model.preprocessing
        classifier.n_features_in_ = int(np.prod((*shape.stored, shape.channels)))
        return classifier

    def __sklearn_tags__(self) -> Any:
        """That arrays of more than two dimensions are taken too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _seed(self) -> Any:
        """The seed to draw from: `random_state`, unless it is None."""
        state = plain(self.random_state)
        if state is None:
            return self.seed
        if isinstance(state, np.random.RandomState):
            return int(state.randint(2**31 - 1))
        if isinstance(state, np.random.Generator):
            return int(state.integers(2**31 - 1))
        if type(state) is int and 0 <= state < 2**63:
            return state
        raise ConfigError(
            f"random_state takes None, a whole number from 0 or a RandomState, not {self.random_state!r}"
        )


def _refuse_one_alone(given: Input, y: Any) -> None:
    """Raise ShapeError for one picture (H, W, 3) in place of many, which would be H grey ones of width 3."""
    if given.kind != "array" or given.values.ndim != 3 or given.values.shape[-1] not in (1, 3):
        return
    count = len(y) if hasattr(y, "__len__") else 1
    if count != len(given):
        raise ShapeError(
            f"X has the shape {given.values.shape}, one picture alone: pictures come in a list, X[None], and "
            "training takes many"
        )


def _share(validation: Any) -> float:
    number = plain(validation)
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number:
        raise ConfigError(
            f"validation takes a share below 1 or a number of pictures; it was given {validation!r}"
        )
    return number


def _mapping(options: Any) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ConfigError(f"options takes a dictionary of options by name; it was given {options!r}")
    return dict(options)
