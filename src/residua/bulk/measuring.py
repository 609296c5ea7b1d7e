"""What the answers to pictures of known classes are worth: added up by part, told as one evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.bulk.manifest import Subject
from residua.data.seen_pictures import NONE, Digests, picture_digests
from residua.insight.evaluation.exposure import Exposure
from residua.insight.evaluation.numbers import Evaluation, evaluation_of
from residua.insight.evaluation.tally import Tally
from residua.models.model_file import Model
from residua.training.inference import LabelledProbabilities


@dataclass
class Measured:
    """What a model says of a part's pictures. labels: {picture: its class}, as the model counts them."""

    model: Model
    labels: Mapping[str, int]
    _labels: list[int] = field(default_factory=list)
    _rows: list[NDArray[np.float32]] = field(default_factory=list)
    _digests: list[Digests] = field(default_factory=list)

    def watch(self, name: str, picture: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
        """One more picture and its probabilities."""
        self._labels.append(self.labels[name])
        self._rows.append(row)
        if self.model.seen is not None:
            self._digests.append(picture_digests(picture[None]))

    def to_dict(self) -> dict[str, Any]:
        """All sums, as plain JSON types."""
        rows = np.array(self._rows, np.float32).reshape(-1, len(self.model.classes))
        tally = Tally.of(LabelledProbabilities(rows, np.array(self._labels, np.int64))).to_dict()
        if self.model.seen is None:
            return {"tally": tally}
        trained, chosen = self.model.seen.known(np.concatenate([NONE, *self._digests]))
        return {"tally": tally, "trained_on": int(trained.sum()), "chosen_by": int(chosen.sum())}


def evaluation_of_parts(
    parts: Iterable[Mapping[str, Any]], model: Model, subject: Subject
) -> tuple[Evaluation, Exposure] | None:
    """The metrics of all parts, by what `Measured` says of each, and what of them the model has seen.

    None where not one picture was answered. Raises KeyError, TypeError, ValueError or IndexError for what
    does not come from there.
    """
    tally, trained, chosen = Tally.none(len(model.classes)), 0, 0
    for part in parts:
        tally += Tally.from_dict(part["tally"])
        trained += part.get("trained_on", 0)
        chosen += part.get("chosen_by", 0)
    if not tally.pictures:
        return None
    exposure = Exposure(tally.pictures, left_out=subject.left_out)
    if model.seen is not None:
        exposure = replace(exposure, trained_on=trained, chosen_by=chosen)
    found = evaluation_of(tally, model.classes, subject.data, subject.split)
    return replace(found, **exposure.to_dict()), exposure
