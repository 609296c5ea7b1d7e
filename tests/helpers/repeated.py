"""What tests do over and over, and programs once: parsers put together, digits read, runs' pictures drawn.

Each is done for real the first time, and wherever a test is about it.
"""

from __future__ import annotations

import copy
import importlib
import io
from pathlib import Path

import cyclopts
import pytest
from PIL import Image

from residua.data import published_arrays
from residua.data.pictures.arrays import Pictures
from residua.files.durable import write_durably

training = importlib.import_module("residua.api.train")  # a name that the function of the same name hides
WRITE_LAST = training._write_last


def keep_parsers(patch: pytest.MonkeyPatch) -> None:
    """A verb's parser is put together once; every command line gets a copy, whose tokens are its own."""
    assemble = cyclopts.App.assemble_argument_collection
    kept = {}

    def assemble_once(app, *, default_parameter=None, parse_docstring=False):
        if default_parameter is not None:
            return assemble(app, default_parameter=default_parameter, parse_docstring=parse_docstring)
        key = (app.name, app.default_command, parse_docstring)
        if key not in kept:
            kept[key] = assemble(app, parse_docstring=parse_docstring)
        return _unparsed(kept[key])

    patch.setattr(cyclopts.App, "assemble_argument_collection", assemble_once)


def _unparsed(arguments):
    copies = {id(argument): copy.copy(argument) for argument in arguments}
    for one in copies.values():
        one.tokens = []
        one.children = type(one.children)(copies[id(child)] for child in one.children)
    return type(arguments)(copies.values())


def keep_digits(patch: pytest.MonkeyPatch) -> None:
    """scikit-learn's digits are read from their table once; every data set gets a copy."""
    read, kept = published_arrays.read_digits, []

    def read_once() -> Pictures:
        if not kept:
            kept.append(read())
        return Pictures(kept[0].images.copy(), kept[0].labels.copy(), kept[0].names)

    patch.setattr(published_arrays, "read_digits", read_once)


def draw_outlines(patch: pytest.MonkeyPatch) -> None:
    """A finished run gets pictures of two pixels: its own are half of a tiny training's time."""
    pixels = io.BytesIO()
    Image.new("RGB", (2, 1)).save(pixels, "png")

    def outline(path: Path) -> Path:
        write_durably(path, pixels.getvalue())
        return path

    def write_last(result, draw_curves):
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(
                "residua.insight.evaluation.figure.draw_confusion", lambda found, path: outline(path)
            )
            WRITE_LAST(result, lambda run: outline(run / "curves.png"))

    patch.setattr(training, "_write_last", write_last)


def draw_whole(patch: pytest.MonkeyPatch) -> None:
    """Training draws all that it promises."""
    patch.setattr(training, "_write_last", WRITE_LAST)
