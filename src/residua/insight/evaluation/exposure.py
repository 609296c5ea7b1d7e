"""Which of the pictures that a model is measured on it has seen in training: known by their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from residua.data.pictures.selection import Images
from residua.models.model_file import Model


@dataclass(frozen=True)
class Exposure:
    """What a model has seen of so many pictures, and what was not measured.

    trained_on: how many of them it was trained on; None where its file keeps no record. chosen_by: how many
    others chose its best epoch. left_out: pictures of each class that it does not know.
    """

    pictures: int = 0
    trained_on: int | None = None
    chosen_by: int | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"trained_on": self.trained_on, "chosen_by": self.chosen_by, "left_out": dict(self.left_out)}

    def tell(self, say: Callable[[str], None], *, same: bool, split: str) -> None:
        """Say what should be known of figures on them, unless it is what was asked for.

        same: whether they are what the model was trained on, unchanged, and split: of these.
        """
        if same and split == "train":
            return
        seen = replace(self, chosen_by=0) if same and split == "validation" else self
        if seen.line is not None:
            say(seen.line)

    @property
    def line(self) -> str | None:
        """What should be known of figures on these pictures, in one line; None for nothing."""
        trained, chosen = self.trained_on or 0, self.chosen_by or 0
        parts = []
        if trained:
            parts.append(f"{_share(trained, self.pictures)} among those that the model was trained on")
        if chosen:
            parts.append(f"{_share(chosen, self.pictures)} among those by which its best epoch was chosen")
        if not parts:
            return None
        return f"{', and '.join(parts)}: the figures say less than they seem to"


def exposure(model: Model, images: Images, left_out: dict[str, int] | None = None) -> Exposure:
    """What the model has seen of (N, H, W, C) pictures, as it reads them."""
    if model.seen is None:
        return Exposure(len(images), left_out=left_out or {})
    trained, chosen = model.seen.find(images)
    return Exposure(len(images), int(trained.sum()), int(chosen.sum()), left_out or {})


def _share(number: int, pictures: int) -> str:
    if number == pictures:
        return "the one picture is" if pictures == 1 else f"all {pictures:,} pictures are"
    return f"{number:,} of these {pictures:,} pictures {'is' if number == 1 else 'are'}"
