"""Where a model errs: its worst mistakes, the classes that it confuses, and labels that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.evaluation.answers import Answered
from residua.insight.evaluation.figure import confused_pairs
from residua.insight.mistakes.label_errors import LabelErrors, find_label_errors
from residua.insight.shared.plotting import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    new_figure,
    picture_sheet,
    short,
    tidy,
    whole_ticks,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = 15  # of a class's name above a picture
MOST_PAIRS = 20


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The wrong answers of a model on a split, worst first: those whose true class got the least.

    places: (K,) of the pictures. order: (N, 2 or 1) first and second guess for every picture of the split.
    pairs: the most frequent mistakes as (true class, answer, pictures).
    """

    answered: Answered
    places: NDArray[np.int64]
    order: NDArray[np.int64]
    pairs: tuple[tuple[int, int, int], ...]
    label_errors: LabelErrors

    def __len__(self) -> int:
        return len(self.places)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: every mistake, every pair, every suspected label."""
        a = self.answered
        mistakes = [
            {
                "file": a.pictures.names[place],
                "class": a.classes[a.labels[place]],
                "guesses": self._guesses(place),
            }
            for place in self.places.tolist()
        ]
        names = a.classes
        pairs = [{"class": names[t], "answer": names[g], "pictures": count} for t, g, count in self.pairs]
        suspects = [
            {"file": a.pictures.names[place], "class": names[a.labels[place]], "seems": names[seems]}
            | {"margin": float(margin)}
            for place, seems, margin in zip(
                self.label_errors.places.tolist(),
                self.label_errors.suspected.tolist(),
                self.label_errors.margins,
                strict=True,
            )
        ]
        return {
            "data": a.data,
            "split": a.split,
            "pictures": len(a),
            "mistakes": mistakes,
            "confused": pairs,
            "suspected_labels": suspects,
            "suspected_share": self.label_errors.share,
        }

    def _guesses(self, place: int) -> list[dict[str, Any]]:
        a = self.answered
        return [
            {"class": a.classes[guess], "probability": float(a.probabilities[place, guess])}
            for guess in self.order[place].tolist()
        ]


def find_mistakes(answered: Answered) -> Mistakes:
    """The mistakes in a model's answers on a split; there may be none."""
    probabilities, labels = answered.probabilities, answered.labels
    guesses = min(2, probabilities.shape[1])
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :guesses]
    wrong = np.flatnonzero(order[:, 0] != labels)
    own = probabilities[wrong, labels[wrong]]
    first = probabilities[wrong, order[wrong, 0]]
    worst = np.lexsort((-first, own))
    pairs = confused_pairs(answered.evaluation.confusion, MOST_PAIRS)
    return Mistakes(answered, wrong[worst], order, tuple(pairs), find_label_errors(probabilities, labels))


def mistakes_figure(found: Mistakes, show: int = 40) -> Figure:
    """A sheet of the worst mistakes: true class, first and second guess with their probabilities.

    Without mistakes it shows, happily, the right answers that were the least sure.
    """
    a = found.answered
    if not len(found):
        least = np.argsort(a.probabilities.max(axis=1), kind="stable")[: min(show, 16)]
        captions = [
            [(short(a.classes[a.labels[place]], LETTERS), BLACK), _guess(found, place, 0, GREEN)]
            for place in least
        ]
        return picture_sheet(
            _shown(a, least), captions,
            f"{a.title}: no mistakes, all {len(a):,} pictures are right\nthe least sure of the right answers",
        )  # fmt: skip
    places = found.places[:show]
    captions = []
    for place in places:
        lines = [(f"is {short(a.classes[a.labels[place]], LETTERS)}", BLACK), _guess(found, place, 0, ORANGE)]
        if found.order.shape[1] > 1:
            right = found.order[place, 1] == a.labels[place]
            lines.append(_guess(found, place, 1, BLUE if right else GREY))
        captions.append(lines)
    share = 100 * len(found) / len(a)
    which = "all of them" if len(places) == len(found) else f"the {len(places)} worst"
    title = (
        f"{a.title}: {len(found):,} of {len(a):,} wrong ({share:.2f} %), {which}, worst first\n"
        "true class; first guess (orange); second guess (blue where it is right)"
    )
    return picture_sheet(_shown(a, places), captions, title)


def label_errors_figure(found: Mistakes, show: int = 40) -> Figure:
    """A sheet of the most suspicious labels: the given one, and what the picture seems to be."""
    a, errors = found.answered, found.label_errors
    places = errors.places[:show]
    if not len(places):
        figure = new_figure(6, 1.6)
        figure.suptitle(f"{a.title}: no label is suspected to be wrong", fontsize=11, y=0.6)
        return figure
    captions = []
    for place, seems in zip(places.tolist(), errors.suspected.tolist(), strict=False):
        probability = 100 * float(a.probabilities[place, seems])
        captions.append(
            [
                (f"labelled {short(a.classes[a.labels[place]], LETTERS)}", BLACK),
                (f"{short(a.classes[seems], LETTERS)}: {probability:.0f} %", ORANGE),
            ]
        )
    title = (
        f"{a.title}: labels suspected by confident learning, {len(places)} of {len(errors):,}\n"
        "given label; what it seems to be (the model may be wrong instead)"
    )
    return picture_sheet(_shown(a, places), captions, title)


def pairs_figure(found: Mistakes) -> Figure:
    """The most confused pairs of classes as bars."""
    a, pairs = found.answered, found.pairs[::-1]
    figure = new_figure(8, 1.4 + 0.26 * max(len(pairs), 2))
    axes = figure.subplots()
    tidy(axes)
    if not pairs:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no mistakes, so no pairs", ha="center", transform=axes.transAxes)
    counts = np.bincount(a.labels, minlength=len(a.classes))
    for place, (true, _, number) in enumerate(pairs):
        axes.barh(place, number, color=BLUE)
        share = 100 * number / counts[true]
        axes.text(number, place, f" {number:,} ({share:.1f} % of the class)", va="center", fontsize=8)
    told = [f"{short(a.classes[t], 26)}  →  {short(a.classes[g], 26)}" for t, g, _ in pairs]
    axes.set_yticks(range(len(pairs)), told, fontsize=8)
    axes.margins(x=0.28)
    axes.set_ylim(-0.6, max(len(pairs), 1) - 0.4)
    axes.grid(visible=False, axis="y")
    whole_ticks(axes.xaxis)
    axes.set_xlabel("pictures")
    covered = sum(number for _, _, number in pairs)
    axes.set_title(
        f"{a.title}: most confused, true class → answer ({covered:,} of {len(found):,} mistakes)", fontsize=10
    )
    return figure


def _guess(found: Mistakes, place: int, number: int, colour: str) -> tuple[str, str]:
    a, guess = found.answered, found.order[place, number]
    return f"{short(a.classes[guess], LETTERS)}: {100 * a.probabilities[place, guess]:.0f} %", colour


def _shown(answered: Answered, places: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.stack([answered.pictures.images[place] for place in places])


def mistakes_text(found: Mistakes, most: int = 20) -> str:
    """How many, the worst by name, the most confused pairs, and the most suspicious labels."""
    a, names = found.answered, found.answered.classes
    if not len(found):
        return f"{a.title}: no mistakes, all {len(a):,} pictures are right"
    lines = [f"{a.title}: {len(found):,} of {len(a):,} wrong ({100 * len(found) / len(a):.2f} %)", ""]
    lines.append("  worst: true class, first and second guess")
    for place in found.places[:most].tolist():
        guesses = "   ".join(f"{g['class']} {100 * g['probability']:.1f} %" for g in found._guesses(place))
        lines.append(f"  {a.pictures.names[place]}   is {names[a.labels[place]]}   {guesses}")
    lines += ["", "  most confused"]
    wide = max(len(names[true]) for true, _, _ in found.pairs)
    lines += [
        f"  {count:5,} x {names[true]:<{wide}}  taken for {names[answer]}"
        for true, answer, count in found.pairs[:10]
    ]
    errors = found.label_errors
    lines += [
        "",
        f"  suspected label errors: {len(errors):,} "
        f"(an estimated {100 * errors.share:.2f} % of the labels; or the model errs)",
    ]
    lines += [
        f"  {a.pictures.names[place]}   labelled {names[a.labels[place]]}   seems {names[seems]} "
        f"({100 * float(a.probabilities[place, seems]):.1f} %)"
        for place, seems in zip(errors.places[:10].tolist(), errors.suspected[:10].tolist(), strict=True)
    ]
    if a.split == "train":
        lines += [
            "",
            "  These pictures were trained on: the model may have learnt their wrong labels by heart.",
        ]
    return "\n".join(lines)
