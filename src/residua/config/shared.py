"""Options that several verbs have: their types, defaults and descriptions, each written once.

A function here is called once for each option's field: `engine: EngineName = engine()`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

EngineName = Literal["auto", "numpy", "numba", "jax"]
Split = Literal["test", "validation", "train"]
Views = Literal["one", "flips", "five", "six", "ten"]
UnknownClasses = Literal["skip", "refuse"]


def described(default: Any, description: str, **metadata: Any) -> Any:
    """An option with its default and the line that `--help` has for it."""
    return field(default=default, metadata={"help": description, **metadata})


def path(description: str, default: str | None = None) -> Any:
    """A file or folder: text, or in Python a `pathlib.Path`, which `check` turns into text."""
    return described(default, description, path=True)


def picture(default: str) -> Any:
    """Where a verb writes one picture, that is, to a file."""
    return path(f"The picture to write, or a folder for it ({default}).")


def folder(contents: str) -> Any:
    """Where a verb writes several things."""
    return path(f"Folder for {contents}, made where there is none (beside the model).")


def data() -> Any:
    """What a trained model is held to."""
    return path("Data set or folder (the one that the model was trained on).")


def data_dir() -> Any:
    """Where downloaded data sets lie."""
    return path(
        "Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."
    )


def labels() -> Any:
    """A table in place of one folder per class."""
    return path("Table of labels: file,label[,group][,split], or other usual names of such columns.")


def split(default: Split, description: str = "Which pictures.") -> Any:
    """A part of the data."""
    return described(default, description)


def unknown_classes() -> Any:
    """What becomes of pictures of classes that a model was not trained on."""
    return described(
        "skip", "Pictures of classes that the model does not know: skip leaves them out and says how many."
    )


def views() -> Any:
    """How often a picture is answered."""
    return described(
        "one",
        "How often each is looked at: mirrored too (flips), middle and corners (five), both (ten), "
        "or mirrored and moved by a pixel (six); the mean counts.",
    )


def batch(default: int) -> Any:
    """Pictures in one call of the engine, where nothing is trained."""
    return described(default, "Pictures at a time.")


def engine() -> Any:
    """What computes."""
    return described(
        "auto", "What computes; auto takes the one that will be through first (docs/engines.md)."
    )


def threads() -> Any:
    """The engine's threads."""
    return described(None, "Threads to compute with (the cores that this process may use).")
