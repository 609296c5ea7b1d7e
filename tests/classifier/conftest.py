"""A classifier that was fitted on arrays, and one on files: shared, to read only."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import paint_folder

import residua

TINY = {"width": 4, "epochs": 4, "batch": 16, "rate": 0.05, "validation": 0, "engine": "numpy"}


def bars(count=60, classes=3):
    """Small grey pictures with a bright bar at one of three places, and their labels."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 60, (count, 8, 8)).astype(np.uint8)
    y = np.arange(count) % classes
    for picture, label in zip(X, y, strict=True):
        picture[:, 2 * label + 1] += 180
    return X, y


@pytest.fixture(scope="session")
def tiny():
    """Parameters that train in a fraction of a second."""
    return TINY


@pytest.fixture(scope="session")
def data():
    return bars()


@pytest.fixture(scope="session")
def on_arrays(data):
    return residua.Classifier(**TINY).fit(*data)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Files of two classes, and their labels."""
    folder = paint_folder(tmp_path_factory.mktemp("files"), count=6)
    found = sorted(folder.rglob("*.png"))
    return found, [file.parent.name for file in found]


@pytest.fixture(scope="session")
def on_files(files):
    return residua.Classifier(**TINY | {"epochs": 8, "batch": 4, "size": 12}).fit(*files)
