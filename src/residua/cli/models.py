"""The verb models."""

from __future__ import annotations

from residua.cli.terminal import picture_shape, require_positive, to_stdout


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
            require_positive(name, number)
    to_stdout(model_table(size, channels, classes, width))
    return 0
