"""Data sets: a table of published ones, and anybody's folder of pictures.

May import: config, cores, engines.vocabulary, errors, files, progress.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from residua.data.dataset import DataSet
    from residua.data.opening import open_dataset, recognise
    from residua.data.pictures.arrays import Pictures
    from residua.data.pictures.decoding import read_picture
    from residua.data.pictures.files import find_pictures
    from residua.data.preprocessing import Preprocessing
    from residua.data.sources.card import Card, Recipe
    from residua.data.sources.cards import DATASETS

# Loaded on first use: most callers need one of these, and opening data needs more than the others do.
_MODULES = {
    "DATASETS": "sources.cards",
    "Card": "sources.card",
    "DataSet": "dataset",
    "Pictures": "pictures.arrays",
    "Preprocessing": "preprocessing",
    "Recipe": "sources.card",
    "find_pictures": "pictures.files",
    "open_dataset": "opening",
    "read_picture": "pictures.decoding",
    "recognise": "opening",
}

__all__ = [
    "DATASETS",
    "Card",
    "DataSet",
    "Pictures",
    "Preprocessing",
    "Recipe",
    "find_pictures",
    "open_dataset",
    "read_picture",
    "recognise",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
