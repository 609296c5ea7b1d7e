"""Explanations in words: answers, classes explained, and how complete integrated gradients are."""

from __future__ import annotations

from residua.insight.saliency.numbers import Explained
from residua.insight.shared.plotting import short

COMPLETE = 0.01  # share of the difference of scores that may be missing


def explained_text(explained: Explained) -> str:
    """A line for each picture, and one for the completeness of all."""
    lines = []
    wide = max(map(len, explained.names), default=0)
    for place, name in enumerate(explained.names):
        row, target = explained.probabilities[place], int(explained.targets[place])
        chosen = int(row.argmax())
        told = f"{short(explained.model.classes[chosen], 30)} {100 * float(row[chosen]):.1f} %"
        if explained.labels is not None and explained.labels[place] != chosen:
            told += f" (is {short(explained.model.classes[explained.labels[place]], 30)})"
        if target != chosen:
            asked = f"{short(explained.model.classes[target], 30)} {100 * float(row[target]):.1f} %"
            told += f"   explained: {asked}"
        lines.append(f"{name.ljust(wide)}   {told}   {explained.unit} {float(explained.scores[place]):.2f}")
    if explained.integrated is not None:
        lines.append(completeness_text(explained))
    return "\n".join(lines)


def completeness_text(explained: Explained) -> str:
    """How much of the differences of scores the integrated gradients do not add up to."""
    found = explained.integrated
    assert found is not None
    worst = int(found.share.argmax())
    least, most = int(found.steps.min()), int(found.steps.max())
    steps = f"{least} steps" if least == most else f"{least} to {most} steps"
    told = (
        "Integrated gradients add up to the difference of the scores but for "
        f"{100 * found.share[worst]:.2f} % at most "
        f"({found.gap[worst]:.2g} of {found.difference[worst]:.3g}), in {steps}"
    )
    missed = int((found.share > COMPLETE).sum())
    if missed:
        told += f"; {missed} of {len(explained)} miss 1 %: give more with --most-steps"
    return told
