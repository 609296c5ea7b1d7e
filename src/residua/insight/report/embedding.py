"""Pictures inside the page: data URIs, so that one file holds everything."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.evaluation.answers import Answered
from residua.insight.mistakes.numbers import Mistakes
from residua.insight.shared.plotting import short

SIDE = 160  # pixels of the longer side, above which pictures are made smaller
LOSSLESS = 96  # pixels up to which they stay as they are
EXAMPLES, EACH = 40, 4  # pictures that show the data, and of one class at most
LETTERS = 40  # of a class's name below a picture


@dataclass(frozen=True)
class Shown:
    """A picture of the page: its data URI, what it shows in words, and the lines below it.

    lines: as (kind, text), where kind is the class in the style sheet: given, wrong, right or other.
    """

    uri: str
    alt: str
    lines: tuple[tuple[str, str], ...] = ()


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as an address that holds them; kind: svg+xml, png or jpeg."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def picture_uri(image: NDArray[np.uint8]) -> str:
    """A picture (H, W, C) uint8: small ones to the last bit, larger ones as JPEG and not above 160 pixels."""
    from PIL import Image

    plain = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    buffer = io.BytesIO()
    if max(plain.size) <= LOSSLESS:
        plain.save(buffer, "PNG", optimize=True)
        return data_uri(buffer.getvalue(), "png")
    plain.thumbnail((SIDE, SIDE))
    plain.save(buffer, "JPEG", quality=85)
    return data_uri(buffer.getvalue(), "jpeg")


def examples(answered: Answered) -> list[Shown]:
    """A few pictures of the split, of one class after the other."""
    each = max(1, min(EACH if len(answered.classes) > 4 else 2 * EACH, EXAMPLES // len(answered.classes)))
    classes = np.arange(len(answered.classes))
    if len(classes) > EXAMPLES:
        classes = np.linspace(0, len(classes) - 1, EXAMPLES).round().astype(np.int64)
    shown = []
    for label in classes.tolist():
        places = np.flatnonzero(answered.labels == label)
        for place in places[:: max(1, len(places) // each)][:each].tolist():
            name = answered.classes[label]
            alt = f"Picture of the class {name}: {answered.pictures.names[place]}"
            lines = (("given", short(name, LETTERS)),)
            shown.append(Shown(picture_uri(answered.pictures.images[place]), alt, lines))
    return shown


def mistake_pictures(found: Mistakes, most: int) -> list[Shown]:
    """The worst mistakes: true class, both guesses and their probabilities."""
    return [_mistake(found, place) for place in found.places[:most].tolist()]


def _mistake(found: Mistakes, place: int) -> Shown:
    a = found.answered
    true = a.classes[a.labels[place]]
    guesses = [(a.classes[g], float(a.probabilities[place, g]), g) for g in found.order[place].tolist()]
    lines = [("given", f"is {short(true, LETTERS)}")]
    for number, (name, probability, guess) in enumerate(guesses):
        kind = "wrong" if number == 0 else "right" if guess == a.labels[place] else "other"
        lines.append((kind, f"{short(name, LETTERS)}: {sure(probability)}"))
    said = " and ".join(f"{name} with {sure(probability)}" for name, probability, _ in guesses)
    alt = f"{a.pictures.names[place]}: of the class {true}, answered {said}"
    return Shown(picture_uri(a.pictures.images[place]), alt, tuple(lines))


def suspect_pictures(found: Mistakes, most: int) -> list[Shown]:
    """The most suspicious labels: the given one, and what the picture seems to be."""
    a, errors, shown = found.answered, found.label_errors, []
    for place, seems in zip(errors.places[:most].tolist(), errors.suspected[:most].tolist(), strict=True):
        given, other = a.classes[a.labels[place]], a.classes[seems]
        told = sure(float(a.probabilities[place, seems]))
        alt = f"{a.pictures.names[place]}: labelled {given}, seems {other} with {told}"
        lines = (
            ("given", f"labelled {short(given, LETTERS)}"),
            ("wrong", f"{short(other, LETTERS)}: {told}"),
        )
        shown.append(Shown(picture_uri(a.pictures.images[place]), alt, lines))
    return shown


def least_sure(answered: Answered, most: int) -> list[Shown]:
    """The right answers that were the least sure: what is shown where there is no mistake."""
    right = np.flatnonzero(answered.chosen == answered.labels)
    order = right[np.argsort(answered.probabilities[right].max(axis=1), kind="stable")][:most]
    shown = []
    for place in order.tolist():
        name = answered.classes[answered.labels[place]]
        told = sure(float(answered.probabilities[place].max()))
        alt = f"{answered.pictures.names[place]}: of the class {name}, answered so with {told}"
        lines = (("given", f"is {short(name, LETTERS)}"), ("right", f"{short(name, LETTERS)}: {told}"))
        shown.append(Shown(picture_uri(answered.pictures.images[place]), alt, lines))
    return shown


def sure(probability: float) -> str:
    """A probability in whole per cent, and neither 100 nor 0 where it is not."""
    if 0.995 <= probability < 1:
        return "over 99 %"
    return "under 1 %" if 0 < probability < 0.005 else f"{100 * probability:.0f} %"


def png(figure: Any) -> bytes:
    """A figure as PNG, for what is made of many small squares."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, transparent=True, metadata={"Software": "residua"})
    return buffer.getvalue()
