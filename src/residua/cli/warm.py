"""The verb warm."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from residua.cli.shared import Options
from residua.cli.terminal import picture_shape, require_positive, to_stdout
from residua.config import ModelOptions
from residua.config.options import check


def warm(
    model: str,
    /,
    *,
    size: int = 32,
    channels: int = 3,
    classes: int = 10,
    options: Annotated[ModelOptions, Options] = ModelOptions(),
) -> int:
    """Compile the fast engine's kernels for a network now instead of at its first step.

    Parameters
    ----------
    model
        A model's name.
    size
        Height and width of the pictures, in pixels.
    channels
        3 for colour, 1 for grey.
    classes
        How many classes.
    """
    from residua.engines import choose_engine
    from residua.models import build_model

    choose_engine("numba", 0.0)
    shape = picture_shape(size, channels)
    count = require_positive("classes", classes)
    chosen = check(replace(options, model=model))
    network = build_model(chosen, channels=channels, classes=count, size=shape[:2])
    network.output_shape(shape)
    from residua.training.warm_up import warm as warm_kernels

    compiled = warm_kernels(network, shape)
    to_stdout(f"{model}, {size}x{size}x{channels}: {compiled} kernels compiled, the others were there")
    return 0
