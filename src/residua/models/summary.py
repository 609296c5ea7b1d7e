"""Tables of models and of their layers, with parameters and multiply-adds."""

from __future__ import annotations

from residua.config import ModelOptions
from residua.layers import Layer, Row
from residua.models import HE_2015, MODELS, build_model

Shape = tuple[int, int, int]


def model_table(shape: Shape, classes: int, width: int | None = None) -> str:
    """Every model with its parameters and multiply-adds for pictures of this shape."""
    lines = [
        f"for pictures of {shape[0]}x{shape[1]}x{shape[2]} and {classes} classes",
        "",
        f"{'model':<10} {'parameters':>11} {'multiply-adds':>15}  {'error':>7}  what",
    ]
    for name, card in MODELS.items():
        network = build_model(ModelOptions(model=name, width=width), channels=shape[2], classes=classes)
        rows = list(network.rows(shape))
        error = f"{card.published_error:.2f} %" if card.published_error else ""
        parameters = sum(row.parameters for row in rows)
        cost = sum(row.multiply_adds for row in rows)
        what = f"{card.title}; {card.note}" if card.note else card.title
        lines.append(f"{name:<10} {parameters:>11,} {cost:>15,}  {error:>7}  {what}")
    return "\n".join([*lines, "", "error: published, on CIFAR-10's test split", HE_2015])


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
