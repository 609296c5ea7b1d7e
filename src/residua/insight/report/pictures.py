"""Pictures of the data and of mistakes, with the lines that stand below them on the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from residua.insight.evaluation.predictions import Predictions
from residua.insight.mistakes.numbers import Mistakes
from residua.insight.report.data_uri import picture_uri
from residua.insight.shared.text import shorten

EXAMPLES, EACH = 40, 4  # pictures that show the data, and of one class at most
LETTERS = 40  # of a class's name below a picture


@dataclass(frozen=True)
class PagePicture:
    """A picture of the page: its data URI, what it shows in words, and the lines below it.

    lines: as (kind, text), where kind is the class in the style sheet: given, wrong, right or other.
    """

    uri: str
    alt: str
    lines: tuple[tuple[str, str], ...] = ()


def example_pictures(answered: Predictions) -> list[PagePicture]:
    """A few pictures of the split, of one class after the other."""
    each = max(1, min(EACH if len(answered.classes) > 4 else 2 * EACH, EXAMPLES // len(answered.classes)))
    classes = np.arange(len(answered.classes))
    if len(classes) > EXAMPLES:
        classes = np.linspace(0, len(classes) - 1, EXAMPLES).round().astype(np.int64)
    entries = []
    for label in classes.tolist():
        indices = np.flatnonzero(answered.labels == label)
        for index in indices[:: max(1, len(indices) // each)][:each].tolist():
            name = answered.classes[label]
            alt = f"Picture of the class {name}: {answered.pictures.names[index]}"
            lines = (("given", shorten(name, LETTERS)),)
            entries.append(PagePicture(picture_uri(answered.pictures.images[index]), alt, lines))
    return entries


def worst_mistakes(mistakes: Mistakes, most: int) -> list[PagePicture]:
    """The worst mistakes: true class, both guesses and their probabilities."""
    return [_mistake(mistakes, index) for index in mistakes.places[:most].tolist()]


def _mistake(mistakes: Mistakes, index: int) -> PagePicture:
    a = mistakes.answered
    true = a.classes[a.labels[index]]
    guesses = [(a.classes[g], float(a.probabilities[index, g]), g) for g in mistakes.order[index].tolist()]
    lines = [("given", f"is {shorten(true, LETTERS)}")]
    for number, (name, probability, guess) in enumerate(guesses):
        kind = "wrong" if number == 0 else "right" if guess == a.labels[index] else "other"
        lines.append((kind, f"{shorten(name, LETTERS)}: {format_certainty(probability)}"))
    answers = " and ".join(f"{name} with {format_certainty(probability)}" for name, probability, _ in guesses)
    alt = f"{a.pictures.names[index]}: of the class {true}, answered {answers}"
    return PagePicture(picture_uri(a.pictures.images[index]), alt, tuple(lines))


def suspected_labels(mistakes: Mistakes, most: int) -> list[PagePicture]:
    """The most suspicious labels: the given one, and what the picture seems to be."""
    a, errors, entries = mistakes.answered, mistakes.label_errors, []
    for index, seems in zip(errors.places[:most].tolist(), errors.suspected[:most].tolist(), strict=True):
        labelled, other = a.classes[a.labels[index]], a.classes[seems]
        certainty = format_certainty(float(a.probabilities[index, seems]))
        alt = f"{a.pictures.names[index]}: labelled {labelled}, seems {other} with {certainty}"
        lines = (
            ("given", f"labelled {shorten(labelled, LETTERS)}"),
            ("wrong", f"{shorten(other, LETTERS)}: {certainty}"),
        )
        entries.append(PagePicture(picture_uri(a.pictures.images[index]), alt, lines))
    return entries


def least_certain(answered: Predictions, most: int) -> list[PagePicture]:
    """The right answers that were the least sure: what is shown where there is no mistake."""
    right = np.flatnonzero(answered.chosen == answered.labels)
    order = right[np.argsort(answered.probabilities[right].max(axis=1), kind="stable")][:most]
    entries = []
    for index in order.tolist():
        name = answered.classes[answered.labels[index]]
        certainty = format_certainty(float(answered.probabilities[index].max()))
        alt = f"{answered.pictures.names[index]}: of the class {name}, answered so with {certainty}"
        lines = (
            ("given", f"is {shorten(name, LETTERS)}"),
            ("right", f"{shorten(name, LETTERS)}: {certainty}"),
        )
        entries.append(PagePicture(picture_uri(answered.pictures.images[index]), alt, lines))
    return entries


def format_certainty(probability: float) -> str:
    """A probability in whole per cent, and neither 100 nor 0 where it is not."""
    if 0.995 <= probability < 1:
        return "over 99 %"
    return "under 1 %" if 0 < probability < 0.005 else f"{100 * probability:.0f} %"
