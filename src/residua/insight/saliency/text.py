"""Explanations in words: answers, classes explained, completeness, and what random weights leave."""

from __future__ import annotations

from residua.files.names import printable
from residua.insight.saliency.numbers import METHODS, Explained
from residua.insight.saliency.randomization import BLIND, STAYS, Randomization
from residua.insight.shared.text import cells, padded, shorten

COMPLETE = 0.01  # share of the difference of scores that may be missing


def explained_text(explained: Explained) -> str:
    """A line for each picture, and one for the completeness of all."""
    lines = []
    names = [printable(name) for name in explained.names]
    width = max(map(cells, names), default=0)
    for index, name in enumerate(names):
        row, target = explained.probabilities[index], int(explained.targets[index])
        chosen = int(row.argmax())
        text = f"{shorten(explained.model.classes[chosen], 30)} {100 * float(row[chosen]):.1f} %"
        if explained.labels is not None and explained.labels[index] != chosen:
            text += f" (is {shorten(explained.model.classes[explained.labels[index]], 30)})"
        if target != chosen:
            other = f"{shorten(explained.model.classes[target], 30)} {100 * float(row[target]):.1f} %"
            text += f"   explained: {other}"
        lines.append(
            f"{padded(name, width)}   {text}   {explained.unit} {float(explained.scores[index]):.2f}"
        )
    if explained.integrated is not None:
        lines.append(completeness_text(explained))
    return "\n".join(lines)


def completeness_text(explained: Explained) -> str:
    """How much of the differences of scores the integrated gradients do not add up to."""
    result = explained.integrated
    assert result is not None
    worst = int(result.share.argmax())
    least, most = int(result.steps.min()), int(result.steps.max())
    steps = f"{least} steps" if least == most else f"{least} to {most} steps"
    text = (
        "Integrated gradients add up to the difference of the scores but for "
        f"{100 * result.share[worst]:.2f} % at most "
        f"({result.gap[worst]:.2g} of {result.difference[worst]:.3g}), in {steps}"
    )
    missed = int((result.share > COMPLETE).sum())
    if missed:
        text += f"; {missed} of {len(explained)} miss 1 %: give more with --most-steps"
    return text


def randomization_text(result: Randomization) -> str:
    """A table, and which maps say little of what was learned."""
    head = "  made random:".ljust(26) + "".join(level.rjust(12) for level in result.levels)
    lines = [
        "How like the maps stay when weights are made random (rank correlation, mean of "
        f"{result.pictures}; 1: the same, 0: unrelated)",
        head,
    ]
    for name, row in result.likeness.items():
        lines.append(f"  {METHODS[name].title}".ljust(26) + "".join(f"{value:12.2f}" for value in row))
    blind = [METHODS[name].title for name, row in result.likeness.items() if row[0] >= BLIND]
    if blind:
        lines.append(
            f"  {', '.join(blind)}: hardly another with a random head, so mostly not about the class"
        )
    stay = [METHODS[name].title for name, row in result.likeness.items() if row[-1] >= STAYS]
    if stay:
        lines.append(
            f"  {', '.join(stay)}: much the same with random weights, so mostly about the picture itself"
        )
    return "\n".join(lines)
