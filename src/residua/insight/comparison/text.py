"""A comparison in words: a table of the models, and what can be told of each pair."""

from __future__ import annotations

from residua.files.names import printable
from residua.insight.comparison.numbers import Comparison, Pair, Side, shown_pairs
from residua.insight.shared.text import cells, format_duration, padded, split_name


def comparison_text(comparison: Comparison) -> str:
    """The page that `residua compare` prints."""
    c = comparison
    lines = [
        f"{printable(c.data)}, {split_name(c.split)}: {c.pictures:,} pictures, the same for all",
        "",
        *_table(c.sides),
    ]
    lines += _settings(c.sides)
    pairs = shown_pairs(c)
    together = "" if len(c.pairs) == 1 else f", for all {len(c.pairs)} pairs together (Holm)"
    lines += ["", f"  McNemar's test at {100 * c.level:g} %{together}"]
    lines += [f"  {pair_text(c, pair)}" for pair in pairs]
    if len(pairs) < len(c.pairs):
        lines.append(f"  and {len(c.pairs) - len(pairs):,} pairs more: --json prints all")
    return "\n".join([*lines, "", *_notes(c)])


def pair_text(comparison: Comparison, pair: Pair) -> str:
    """What can be told of two models: which is better and by how much, or that nothing can."""
    first, second = (printable(comparison.sides[index].name) for index in (pair.first, pair.second))
    counts = f"{pair.first_only:,} pictures against {pair.second_only:,}"
    low, high = pair.interval
    level = 1 - comparison.level
    points = f"{100 * pair.difference:+.2f} points, {100 * level:g} % interval {100 * low:+.2f} to"
    figures = f"({points} {100 * high:+.2f}; p {probability_text(pair.adjusted)})"
    if pair.significant:
        return f"{first} is better than {second}: {counts} {figures}"
    if not pair.first_only + pair.second_only:
        return f"{first} and {second}: no difference, right and wrong on the same pictures"
    return f"{first} and {second}: no difference can be told: {counts} {figures}"


def probability_text(probability: float) -> str:
    """A probability to two digits, and no smaller than anybody reads."""
    return "below 0.0001" if probability < 0.0001 else f"= {probability:.2g}"


def _table(sides: tuple[Side, ...]) -> list[str]:
    width = max(len("model"), *(cells(printable(side.name)) for side in sides))
    lines = [
        f"  {'model':<{width}}  accuracy     95 % interval     loss  calibration  parameters"
        "  epochs  training"
    ]
    for side in sides:
        e = side.evaluation
        low, high = e.interval
        epochs = "" if side.epochs is None else f"{side.epochs:,}"
        time = "" if side.seconds is None else format_duration(side.seconds)
        lines.append(
            f"  {padded(printable(side.name), width)}"
            f"  {100 * e.accuracy:6.2f} %  {100 * low:6.2f} to {100 * high:6.2f}"
            f"  {e.loss:7.4f}  {100 * e.calibration_error:9.2f} %  {side.parameters:>10,}  {epochs:>6}"
            f"  {time}".rstrip()
        )
    return lines


def _settings(sides: tuple[Side, ...]) -> list[str]:
    """The options in which runs differ, and which models say nothing of theirs."""
    known = [side for side in sides if side.settings is not None]
    lines = [""]
    if len(known) > 1:
        width = max(cells(printable(side.name)) for side in known)
        if known[0].settings:
            lines.append("  settings that differ")
            lines += [f"  {padded(printable(side.name), width)}  {settings_text(side)}" for side in known]
        else:
            lines.append("  the runs have the same settings")
    unknown = [printable(side.name) for side in sides if side.settings is None]
    if unknown:
        lines.append(f"  without a run folder, so that settings and time are not known: {', '.join(unknown)}")
    return lines


def settings_text(side: Side) -> str:
    """The options of a run that differ from the others', in one line."""
    settings = side.settings or {}
    return ", ".join(f"{name} {'-' if value is None else value}" for name, value in settings.items())


def _notes(comparison: Comparison) -> list[str]:
    """What the figures do not say."""
    lines = [
        "  This holds for these trained models, not for their settings: another seed gives another model.",
    ]
    if comparison.split == "test" and len(comparison.sides) > 2:
        lines.append(
            "  Choose among models by --split validation: a test split that chose flatters the chosen."
        )
    if len({side.machine for side in comparison.sides if side.machine}) > 1:
        lines.append("  Training times are of different machines or threads.")
    return lines
