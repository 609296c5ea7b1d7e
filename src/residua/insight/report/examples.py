"""Where answers come from: right and wrong ones with their saliency maps over the pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import ExplainConfig, ReportConfig
from residua.config.explain import SaliencyMethod
from residua.errors import ConfigError
from residua.insight.evaluation.answers import Answered
from residua.insight.report.contents import Findings
from residua.insight.report.embedding import LETTERS, Shown, picture_uri, sure
from residua.insight.saliency.figure import overlay
from residua.insight.saliency.numbers import METHODS, Explained, explain_pictures
from residua.insight.shared.plotting import short

Say = Callable[[str], None]
RIGHT, WRONG = 4, 4  # answers of each kind that are explained
# Where there are no maps for Grad-CAM, the integrated gradients stand in its place.
FIRST: SaliencyMethod = "grad-cam"
INSTEAD: SaliencyMethod = "integrated"
SECOND: SaliencyMethod = "occlusion"
TOLD = {
    "grad-cam": "Grad-CAM weighs the maps of the last stage by what they count for the answer",
    "integrated": "integrated gradients share out the answer's score among the pixels",
    "occlusion": "occlusion hides one square after the other: orange where the answer's score then falls, "
    "blue where it rises",
}


@dataclass(frozen=True)
class Explanation:
    """One picture and its maps: what is shown beside each other, and the lines below."""

    shown: tuple[Shown, ...]
    lines: tuple[tuple[str, str], ...]


def saliency(findings: Findings, config: ReportConfig, say: Say) -> dict[str, Any]:
    """{rows, words, note}: a few answers explained, or in words why none is."""
    answered = findings.answered
    places = chosen_places(findings)
    images = np.stack([answered.pictures.images[place] for place in places])
    names = [answered.pictures.names[place] for place in places.tolist()]
    try:
        found = _explained(findings, images, names, places, config, say)
    except ConfigError as error:
        return {"rows": [], "words": f"No saliency maps: {error}.", "note": ""}
    wrong = int((answered.chosen[places] != answered.labels[places]).sum())
    told = "the surest right answers of different classes"
    if wrong:
        told += " and the worst mistakes"
    return {
        "rows": [_row(found, answered, number) for number in range(len(found))],
        "words": f"The parts of a picture on which the answer depends, for {told}: each picture, and two "
        "maps laid over it. Orange counts for the answer, blue against it; the stronger, the more.",
        "note": f"{_sentence('; '.join(TOLD[method] for method in found.maps))}. A map tells what the "
        "answer depends on, not whether for a good reason.",
    }


def chosen_places(findings: Findings) -> NDArray[np.int64]:
    """Which pictures are explained: sure right answers, each of another class, and the worst mistakes."""
    answered = findings.answered
    wrong = findings.mistakes.places[:WRONG]
    right = np.flatnonzero(answered.chosen == answered.labels)
    surest = right[np.argsort(-answered.probabilities[right].max(axis=1), kind="stable")]
    wanted = RIGHT + WRONG - len(wrong)
    # The first of each class, then the second of each, where there are few classes.
    seen: dict[int, int] = {}
    turns = np.zeros(len(surest), np.int64)
    for rank, label in enumerate(answered.labels[surest].tolist()):
        turns[rank] = seen.get(label, 0)
        seen[label] = seen.get(label, 0) + 1
    order = np.argsort(turns, kind="stable")[:wanted]
    return np.concatenate([surest[order], wrong]).astype(np.int64)


def _explained(
    findings: Findings,
    images: NDArray[np.uint8],
    names: list[str],
    places: NDArray[np.int64],
    config: ReportConfig,
    say: Say,
) -> Explained:
    model, labels = findings.model, findings.answered.labels[places]
    for first in (FIRST, INSTEAD):
        asked = ExplainConfig(
            methods=(first, SECOND), most_steps=256, engine=config.engine, threads=config.threads
        )
        try:
            return explain_pictures(model, images, asked, names=names, labels=labels, say=say)
        except ConfigError:
            if first == INSTEAD:
                raise
    raise AssertionError("one of the two was returned or raised")


def _row(found: Explained, answered: Answered, number: int) -> Explanation:
    classes = answered.classes
    assert found.labels is not None
    image, true = found.images[number], classes[int(found.labels[number])]
    chosen = int(found.probabilities[number].argmax())
    answer, certain = classes[chosen], sure(float(found.probabilities[number, chosen]))
    name = found.names[number]
    shown = [Shown(picture_uri(image), f"{name}: of the class {true}", (("other", "picture"),))]
    for method, maps in found.maps.items():
        title = METHODS[method].title
        alt = f"{title} for {answer} over the same picture: strongest {where(maps[number])}"
        laid = picture_uri(overlay(image, maps[number], method))
        shown.append(Shown(laid, alt, (("other", title),)))
    kind = "right" if answer == true else "wrong"
    lines = (("given", f"is {short(true, LETTERS)}"), (kind, f"{short(answer, LETTERS)}: {certain}"))
    return Explanation(tuple(shown), lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def where(values: NDArray[Any]) -> str:
    """In which part of the picture a map (H, W) is strongest, in words."""
    sizes = np.abs(values.astype(np.float64))
    if not sizes.any():
        return "nowhere"
    strong = np.where(sizes >= np.quantile(sizes, 0.9), sizes, 0)
    down = float((strong.sum(axis=1) * (np.arange(len(sizes)) + 0.5)).sum() / strong.sum()) / len(sizes)
    wide = sizes.shape[1]
    across = float((strong.sum(axis=0) * (np.arange(wide) + 0.5)).sum() / strong.sum()) / wide
    row = ("in the upper part", "", "in the lower part")[min(int(3 * down), 2)]
    side = ("on the left", "", "on the right")[min(int(3 * across), 2)]
    return ", ".join(part for part in (row, side) if part) or "in the middle"
