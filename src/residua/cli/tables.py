"""The verbs that show: models, summary, engines; and warm, which prepares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from residua.cli.terminal import natural, picture_shape
from residua.config import ModelOptions
from residua.config.options import check
from residua.errors import ConfigError


def models(
    *,
    size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    width: int | None = None,
) -> int:
    """List the models with their parameters and multiply-adds.

    Parameters
    ----------
    size
        Height and width of the pictures, in pixels (what each was published for).
    channels
        3 for colour, 1 for grey (3).
    classes
        How many classes (what each was published for).
    width
        Channels of the first stage (each model's own).
    """
    from residua.models.summary import model_table

    if size is not None or channels is not None:
        picture_shape(32 if size is None else size, 3 if channels is None else channels)
    for name, number in (("classes", classes), ("width", width)):
        if number is not None:
            natural(name, number)
    print(model_table(size, channels, classes, width))
    return 0


def summary(
    model: str,
    /,
    *,
    size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    options: Annotated[ModelOptions, Parameter(name="*")] = ModelOptions(),
) -> int:
    """Show a network layer by layer: names, shapes, parameters, multiply-adds.

    Parameters
    ----------
    model
        A model's name, a model file or a run folder.
    size
        Height and width of the pictures, in pixels (32, or what the file was trained at).
    channels
        3 for colour, 1 for grey (3).
    classes
        How many classes (10).
    """
    from residua.models import build_model
    from residua.models.summary import layer_table

    if options.model is not None:
        raise ConfigError(f"summary takes one model, without --model: it was given {model} already")
    if Path(model).exists():
        if (channels, classes, options) != (None, None, ModelOptions()):
            raise ConfigError(f"{model} is trained: its network is fixed, and only --size can be chosen")
        from residua.models.model_file import load_model

        loaded = load_model(model)
        shape = loaded.preprocessing
        side = (shape.height, shape.width) if size is None else (natural("size", size),) * 2
        print(layer_table(loaded.name, loaded.network, (*side, shape.channels)))
        return 0
    seen = picture_shape(32 if size is None else size, 3 if channels is None else channels)
    count = natural("classes", 10 if classes is None else classes)
    asked = check(replace(options, model=model))
    network = build_model(asked, channels=seen[2], classes=count, size=seen[:2])
    print(layer_table(model, network, seen))
    return 0


def engines(*, threads: int | None = None) -> int:
    """Show what can compute on this machine, and measure about how fast.

    Parameters
    ----------
    threads
        How many to compute with (the cores that this process may use).
    """
    from residua.engines.survey import survey

    for line in survey(None if threads is None else natural("threads", threads)):
        print(line, flush=True)
    return 0


def warm(
    model: str,
    /,
    *,
    size: int = 32,
    channels: int = 3,
    classes: int = 10,
    options: Annotated[ModelOptions, Parameter(name="*")] = ModelOptions(),
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
    count = natural("classes", classes)
    asked = check(replace(options, model=model))
    network = build_model(asked, channels=channels, classes=count, size=shape[:2])
    network.output_shape(shape)
    from residua.training.warm_up import warm as warm_kernels

    compiled = warm_kernels(network, shape)
    print(f"{model}, {size}x{size}x{channels}: {compiled} kernels compiled, the others were there")
    return 0
