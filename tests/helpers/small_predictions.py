"""Answers of a model that nobody trained, as a split of a data set would have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_models import linear_model

from residua.data.pictures.arrays import Pictures
from residua.insight.evaluation.predictions import Predictions


def predictions(labels, probabilities, classes=None, channels=3, split="test") -> Predictions:
    """The model gives these probabilities (N, classes) for pictures of these labels (N,)."""
    probabilities = np.asarray(probabilities, np.float32)
    labels = np.asarray(labels, np.int64)
    count, width = probabilities.shape
    model = linear_model(np.zeros((8, 6, channels, width)))
    names = tuple(classes or (f"class {number}" for number in range(width)))
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 6, channels), np.uint8)
    pictures = Pictures(images, labels, tuple(f"picture {number}" for number in range(count)))
    return Predictions(replace(model, classes=names), "some/data", split, pictures, probabilities)


def texts(figure) -> str:
    """Every word of a figure: titles, axes' titles and labels, texts in the axes and their ticks."""
    parts = [figure, *figure.subfigs]
    words = [part._suptitle.get_text() for part in parts if part._suptitle is not None]
    for axes in figure.axes:
        words += [axes.get_title(), axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        words += [text.get_text() for text in axes.texts]
        words += [tick.get_text() for tick in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return "\n".join(words)
