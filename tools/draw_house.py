"""The house in pictures, drawn from its imports: folders in storeys, arrows to what they build on.

    python tools/draw_house.py            the pictures in docs/, drawn anew
    python tools/draw_house.py --check    whether they show the present imports

Each storey builds only on those below. An arrow that others already imply (a to b and b to c imply a to c) is
left out. Within a storey the order is the one with the fewest crossings (Sugiyama, Tagawa and Toda 1981). The
pictures are text, so that a change of the imports shows line by line; nothing of residua is imported.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap

from house import ROOT, House

PICTURES = {"house.svg": "", "fast-engine.svg": "engines.numba", "kernels.svg": "engines.numba.kernels"}
DOORS = {"__init__", "__main__"}  # they only lead in

WIDTH, GAP, STOREY, MARGIN, LINE = 236, 22, 46, 20, 16
LANE = 12  # the width in which an arrow passes a storey
LETTERS = 33  # in one line of a box
MOST_ORDERS = 100_000
SWEEPS = 400
UPRIGHT = 0.5  # how much the middle line counts, where each tie counts 1
FILLS = ["#e9edf2", "#e4ecf7", "#e0f0ee", "#e8f3de", "#f6f3d8", "#fbead7", "#f9e1df", "#f1e3f2", "#e7e4f7"]
ARROW = "#8592a0"
TITLE = "font-size='15' font-weight='bold' fill='#1f2933'"
TEXT = "font-size='11.5' fill='#52606d'"
INSIDE = "font-size='11.5' font-style='italic' fill='#1f2933'"

Edges = dict[str, set[str]]


@dataclass
class Box:
    """A folder or file of the house; without a title, a lane in which an arrow passes a storey."""

    name: str
    title: str = ""
    lines: list[str] = field(default_factory=list)  # what lives there
    inside: list[str] = field(default_factory=list)  # its own folders
    x: float = 0.0  # its middle

    @property
    def width(self) -> int:
        """In pixels."""
        return WIDTH if self.title else LANE

    @property
    def height(self) -> int:
        """In pixels; a lane has none of its own."""
        lines = len(self.lines) + len(self.inside)
        return 36 + LINE * lines + (8 if self.inside else 0) if self.title else 0


# ---------------------------------------------------------------------- from imports to storeys
def neighbours(house: House, folder: str) -> Edges:
    """What lies directly in a folder, and what each imports of the others."""
    before = f"{folder}." if folder else ""

    def first(module: str) -> str:
        return module.removeprefix(before).partition(".")[0]

    edges: Edges = {first(name): set() for name in house.files if name.startswith(before)}
    edges = {name: below for name, below in edges.items() if name not in DOORS}
    for entry in house.imports:
        if entry.source.startswith(before) and entry.target.startswith(before):
            source, target = first(entry.source), first(entry.target)
            if source != target and not DOORS & {source, target}:
                edges[source].add(target)
    return edges


def storeys_of(edges: Edges) -> dict[str, int]:
    """Each one's storey: one above the highest that it imports; without imports, right below its importers.

    Raises ValueError at a circle.
    """
    storeys: dict[str, int] = {}

    def visit(name: str, importers: tuple[str, ...]) -> int:
        if name in importers:
            raise ValueError(f"a circle of imports cannot be drawn: {' -> '.join([*importers, name])}")
        if name not in storeys:
            storeys[name] = 1 + max((visit(below, (*importers, name)) for below in edges[name]), default=-1)
        return storeys[name]

    for name in sorted(edges):
        visit(name, ())
    for name in (name for name in edges if not edges[name]):
        storeys[name] = min((storeys[other] for other in edges if name in edges[other]), default=1) - 1
    return storeys


def reduced(edges: Edges) -> Edges:
    """The edges that no longer path implies (transitive reduction)."""

    def reach(name: str) -> set[str]:
        return edges[name].union(*map(reach, edges[name]))

    return {name: below - set().union(*map(reach, below)) for name, below in sorted(edges.items())}


# ---------------------------------------------------------------------- places within the storeys
def arrange(edges: Edges, storeys: dict[str, int]) -> tuple[list[list[str]], list[list[str]]]:
    """Names in each storey from left to right, and each arrow as the names and lanes that it runs through."""
    rows: list[list[str]] = [[] for _ in range(max(storeys.values()) + 1)]
    for name in sorted(storeys):
        rows[storeys[name]].append(name)
    paths = []
    for name, below in edges.items():
        for other in sorted(below):
            between = range(storeys[name] - 1, storeys[other], -1)
            lanes = [f"{name}>{other}>{storey}" for storey in between]
            for storey, lane in zip(between, lanes, strict=True):
                rows[storey].append(lane)
            paths.append([name, *lanes, other])
    pairs = [pair for path in paths for pair in itertools.pairwise(path)]
    return _fewest_crossings(rows, pairs), paths


def _fewest_crossings(rows: list[list[str]], pairs: list[tuple[str, str]]) -> list[list[str]]:
    if math.prod(math.factorial(len(row)) for row in rows) <= MOST_ORDERS:
        orders = itertools.product(*(itertools.permutations(row) for row in rows))
        return [list(row) for row in min(orders, key=lambda order: _cost(order, pairs))]
    # Too many to try all: any two in a storey change places as long as that is of use.
    best, least, better = [list(row) for row in rows], _cost(rows, pairs), True
    while better:
        better = False
        for row in best:
            for one, other in itertools.combinations(range(len(row)), 2):
                row[one], row[other] = row[other], row[one]
                cost = _cost(best, pairs)
                if cost < least:
                    least, better = cost, True
                else:
                    row[one], row[other] = row[other], row[one]
    return best


def _cost(rows: Sequence[Sequence[str]], pairs: list[tuple[str, str]]) -> tuple[int, float]:
    """Crossings, then how far arrows lean."""
    places: dict[str, tuple[int, float]] = {}
    for storey, row in enumerate(rows):
        widths = [LANE if ">" in name else WIDTH for name in row]
        x = -(sum(widths) + GAP * len(row)) / 2
        for name, width in zip(row, widths, strict=True):
            places[name] = storey, x + width / 2
            x += width + GAP
    crossings, lean = 0, 0.0
    for number, (source, target) in enumerate(pairs):
        (storey, high), (_, low) = places[source], places[target]
        lean += abs(high - low) ** 1.5
        for other_source, other_target in pairs[:number]:
            (other_storey, other_high), (_, other_low) = places[other_source], places[other_target]
            crossings += storey == other_storey and (high - other_high) * (low - other_low) < 0
    return crossings, lean


def settle(rows: list[list[Box]], paths: list[list[Box]]) -> None:
    """Put every box near the mean of those it is tied to, in the order of its storey, without overlap."""
    ties: dict[str, list[Box]] = defaultdict(list)
    for path in paths:
        for source, target in itertools.pairwise(path):
            ties[source.name].append(target)
            ties[target.name].append(source)
    for _ in range(SWEEPS):
        for row in rows:
            wanted = [sum(at.x for at in ties[b.name]) / (len(ties[b.name]) + UPRIGHT) for b in row]
            for box, x in zip(row, _apart(wanted, [box.width for box in row]), strict=True):
                box.x = x
    left = min(box.x - box.width / 2 for row in rows for box in row)
    for box in itertools.chain(*rows):
        box.x = round(box.x - left + MARGIN)


def _apart(wanted: list[float], widths: list[int]) -> list[float]:
    """The nearest places (least squares) in the same order that do not overlap: what would is pooled."""
    offsets = [0.0]
    for one, other in itertools.pairwise(widths):
        offsets.append(offsets[-1] + (one + other) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # sum and number of wanted places, less their offsets
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append((want - offset, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            (total, number), (more, others) = pools[-2:]
            pools[-2:] = [(total + more, number + others)]
    means = [total / number for total, number in pools for _ in range(number)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


# ---------------------------------------------------------------------- the drawing
def draw(house: House, folder: str = "") -> str:
    """The picture of what lies directly in a folder, as SVG."""
    edges = neighbours(house, folder)
    storeys = storeys_of(edges)  # before the edges are reduced, which a circle would not end
    names, name_paths = arrange(reduced(edges), storeys)
    boxes = {name: _box(house, folder, name) for row in names for name in row}
    rows = [[boxes[name] for name in row] for row in names]
    paths = [[boxes[name] for name in path] for path in name_paths]
    settle(rows, paths)
    tops: dict[str, tuple[int, int]] = {}  # from which y to which y a box reaches
    y = MARGIN
    for row in reversed(rows):
        tallest = max((box.height for box in row), default=0)
        tops |= {box.name: (y, y + tallest) for box in row}
        y += tallest + STOREY
    width = round(max(box.x + box.width / 2 for box in boxes.values())) + MARGIN
    height = y - STOREY + MARGIN
    body = [_arrow(path, tops) for path in paths]
    for storey, row in enumerate(rows):
        body += [_card(box, *tops[box.name], FILLS[storey % len(FILLS)]) for box in row if box.title]
    return "\n".join([_head(width, height), *body, "</svg>", ""])


def _box(house: House, folder: str, name: str) -> Box:
    if ">" in name:
        return Box(name)
    whole = f"{folder}.{name}" if folder else name
    lines = wrap(house.says(whole).replace("`", ""), LETTERS, break_on_hyphens=False)
    if whole not in house.folders:
        return Box(name, f"{name}.py", lines)
    below = [other.removeprefix(f"{whole}.") for other in house.folders if other.startswith(f"{whole}.")]
    inside = wrap(", ".join(other for other in below if "." not in other), LETTERS)
    return Box(name, f"{name}/", lines, inside)


def _head(width: int, height: int) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
        f"height='{height}' font-family='Helvetica, Arial, DejaVu Sans, sans-serif'>\n"
        f"<defs><marker id='to' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='8' markerHeight='8' "
        f"orient='auto'><path d='M0 1 L9 5 L0 9 z' fill='{ARROW}'/></marker></defs>\n"
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>"
    )


def _arrow(path: list[Box], tops: dict[str, tuple[int, int]]) -> str:
    """From the bottom of the first box, through lanes, to the top of the last."""
    source, target = path[0], path[-1]
    steps = [f"M{source.x:.0f} {tops[source.name][1]}"]
    for one, other in itertools.pairwise(path):
        low, high = tops[one.name][1], tops[other.name][0] - (2 if other is target else 0)
        middle = (low + high) // 2
        steps.append(f"C{one.x:.0f} {middle} {other.x:.0f} {middle} {other.x:.0f} {high}")
        if other is not target:
            steps.append(f"L{other.x:.0f} {tops[other.name][1]}")
    return (
        f"<path id='{source.name}-{target.name}' d='{' '.join(steps)}' fill='none' stroke='{ARROW}' "
        f"stroke-width='1.6' marker-end='url(#to)'/>"
    )


def _card(box: Box, top: int, bottom: int, fill: str) -> str:
    left = box.x - box.width / 2
    parts = [
        f"<g id='{box.name}'>",
        f"<rect x='{left:.0f}' y='{top}' width='{box.width}' height='{bottom - top}' rx='7' fill='{fill}' "
        f"stroke='#c3ccd5'/>",
    ]
    lines = [(22, TITLE, box.title)]
    lines += [(38 + LINE * at, TEXT, line) for at, line in enumerate(box.lines)]
    lines += [(46 + LINE * (len(box.lines) + at), INSIDE, line) for at, line in enumerate(box.inside)]
    x = f"{left + 12:.0f}"
    parts += [f"<text x='{x}' y='{top + y}' {style}>{escape(line)}</text>" for y, style, line in lines]
    return "\n".join([*parts, "</g>"])


def stale(house: House) -> dict[str, str]:
    """Pictures that do not show the present imports, as they should be."""
    pictures = {name: draw(house, folder) for name, folder in PICTURES.items()}
    files = {name: ROOT / "docs" / name for name in pictures}
    drawn = {name: file.read_text(encoding="utf-8") for name, file in files.items() if file.exists()}
    return {name: picture for name, picture in pictures.items() if drawn.get(name) != picture}


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    try:
        pictures = stale(House())
    except ValueError as error:
        print(error)
        return 1
    if arguments == ["--check"]:
        print("to be drawn anew:" if pictures else "the pictures show the present imports", *pictures)
        return 1 if pictures else 0
    for name, picture in pictures.items():
        (ROOT / "docs" / name).write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
