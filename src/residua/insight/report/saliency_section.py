"""The page's section on where answers come from: pictures with their saliency maps over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.evaluation.predictions import Predictions
from residua.insight.report.data_uri import picture_uri
from residua.insight.report.numbers import ReportContents
from residua.insight.report.pictures import LETTERS, PagePicture, format_certainty
from residua.insight.saliency.figure import overlay
from residua.insight.saliency.numbers import METHODS, Explained
from residua.insight.shared.text import shorten

METHOD_TEXTS = {
    "grad-cam": "Grad-CAM weighs the maps of the last stage by what they count for the answer",
    "integrated": "integrated gradients share out the answer's score among the pixels",
    "occlusion": "occlusion hides one square after the other: orange where the answer's score then falls, "
    "blue where it rises",
}


@dataclass(frozen=True)
class Explanation:
    """One picture and its maps: what is shown beside each other, and the lines below."""

    pictures: tuple[PagePicture, ...]
    lines: tuple[tuple[str, str], ...]


def saliency(contents: ReportContents) -> dict[str, Any]:
    """{rows, words, note}: a few answers explained, or in words why none is."""
    answered, explained = contents.answered, contents.explanations.explained
    if explained is None:
        return {"rows": [], "words": f"No saliency maps: {contents.explanations.reason}.", "note": ""}
    which = "the surest right answers of different classes"
    if contents.explanations.mistakes:
        which += " and the worst mistakes"
    return {
        "rows": [_row(explained, answered, number) for number in range(len(explained))],
        "words": f"The parts of a picture on which the answer depends, for {which}: each picture, and two "
        "maps laid over it. Orange counts for the answer, blue against it; the stronger, the more.",
        "note": f"{_sentence('; '.join(METHOD_TEXTS[name] for name in explained.maps))}. A map tells what "
        "the answer depends on, not whether for a good reason.",
    }


def _row(explained: Explained, answered: Predictions, number: int) -> Explanation:
    classes = answered.classes
    assert explained.labels is not None
    image, true = explained.images[number], classes[int(explained.labels[number])]
    chosen = int(explained.probabilities[number].argmax())
    answer, certain = classes[chosen], format_certainty(float(explained.probabilities[number, chosen]))
    name = explained.names[number]
    pictures = [PagePicture(picture_uri(image), f"{name}: of the class {true}", (("other", "picture"),))]
    for method, maps in explained.maps.items():
        title = METHODS[method].title
        alt = f"{title} for {answer} over the same picture: strongest {strongest_part(maps[number])}"
        laid = picture_uri(overlay(image, maps[number], method))
        pictures.append(PagePicture(laid, alt, (("other", title),)))
    kind = "right" if answer == true else "wrong"
    lines = (("given", f"is {shorten(true, LETTERS)}"), (kind, f"{shorten(answer, LETTERS)}: {certain}"))
    return Explanation(tuple(pictures), lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def strongest_part(values: NDArray[Any]) -> str:
    """In which part of the picture a map (H, W) is strongest, in words."""
    sizes = np.abs(values.astype(np.float64))
    if not sizes.any():
        return "nowhere"
    strong = np.where(sizes >= np.quantile(sizes, 0.9), sizes, 0)
    down = float((strong.sum(axis=1) * (np.arange(len(sizes)) + 0.5)).sum() / strong.sum()) / len(sizes)
    width = sizes.shape[1]
    across = float((strong.sum(axis=0) * (np.arange(width) + 0.5)).sum() / strong.sum()) / width
    row = ("in the upper part", "", "in the lower part")[min(int(3 * down), 2)]
    side = ("on the left", "", "on the right")[min(int(3 * across), 2)]
    return ", ".join(part for part in (row, side) if part) or "in the middle"
