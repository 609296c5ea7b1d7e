"""Tables of models and of their layers, with parameters and multiply-adds."""

from __future__ import annotations

from residua.config import ModelOptions
from residua.errors import ConfigError, ShapeError
from residua.layers import Layer, Row
from residua.models.build import build_model
from residua.models.cards import MODELS

Shape = tuple[int, int, int]


def model_table(
    size: int | None = None, channels: int | None = None, classes: int | None = None, width: int | None = None
) -> str:
    """Every model with its parameters and multiply-adds: as published, but for what is given here."""
    wide = max(map(len, MODELS))
    lines = [
        f"{'model':<{wide}} {'pictures':<11} {'classes':>7} {'parameters':>11} {'multiply-adds':>15}"
        f"  {'error':>7}  what"
    ]
    for name, card in MODELS.items():
        height, across, depth = card.input_shape
        shape = (size or height, size or across, channels or depth)
        count = classes or card.classes
        columns = f"{name:<{wide}} {_times(shape):<11} {count:>7}"
        description = f"{card.title} ({card.note})" if card.note else card.title
        options = ModelOptions(model=name, width=width)
        try:
            network = build_model(options, channels=shape[2], classes=count, size=shape[:2])
            rows = list(network.rows(shape))
        except ShapeError:
            lines.append(f"{columns} {'needs larger pictures':>27}  {'':>7}  {description}")
            continue
        except ConfigError:
            lines.append(f"{columns} {'has no width to choose':>27}  {'':>7}  {description}")
            continue
        error = f"{card.published_error:.2f} %" if card.published_error else ""
        parameters = sum(row.parameters for row in rows)
        cost = sum(row.multiply_adds for row in rows)
        lines.append(f"{columns} {parameters:>11,} {cost:>15,}  {error:>7}  {description}")
    papers = dict.fromkeys(card.paper for card in MODELS.values())
    legend = (
        "error: published; on CIFAR-10's test split for 10 classes, top-1 on ImageNet's validation for 1000"
    )
    return "\n".join([*lines, "", legend, *papers])


def layer_table(name: str, network: Layer, shape: Shape) -> str:
    """A network layer by layer: names, kinds, output shapes, parameters, multiply-adds."""
    rows = [row for row in network.rows(shape) if row.kind != "Identity"]
    cells = [_cells(row) for row in rows]
    head = ("layer", "kind", "output", "parameters", "multiply-adds")
    widths = [max(len(line[column]) for line in [head, *cells]) for column in range(5)]

    def line(entry: tuple[str, str, str, str, str]) -> str:
        left = [f"{text:<{width}}" for text, width in zip(entry[:3], widths[:3], strict=True)]
        right = [f"{text:>{width}}" for text, width in zip(entry[3:], widths[3:], strict=True)]
        return "  ".join(left + right)

    total = (
        "total",
        "",
        "",
        f"{sum(row.parameters for row in rows):,}",
        f"{sum(row.multiply_adds for row in rows):,}",
    )
    title = f"{name} for pictures of {_times(shape)}"
    rule = "-" * (sum(widths) + 8)
    return "\n".join([title, "", line(head), rule, *map(line, cells), rule, line(total)])


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    return (
        row.name,
        row.kind,
        _times(row.output_shape),
        f"{row.parameters:,}" if row.parameters else "",
        f"{row.multiply_adds:,}" if row.multiply_adds else "",
    )


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
