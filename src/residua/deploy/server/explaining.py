"""Which part of a picture decided, within a time, while others are answered."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from residua.deploy.server.answering import Picture, Served, read_picture
from residua.errors import ConfigError, PictureError, ResiduaError
from residua.insight.saliency.cam_layer import cam_layer
from residua.insight.saliency.figure import overlay
from residua.insight.saliency.methods import default_patch, grad_cam, occlusion, occlusion_corners
from residua.insight.saliency.numbers import denormalize
from residua.insight.shared.class_names import class_index
from residua.insight.shared.scorer import Floats, Labels, Scorer

WAY = Literal["occlusion", "grad-cam"]
LARGE = 256  # pixels of a side, up to which a drawing is enlarged


class TooLong(ResiduaError):
    """An explanation that takes longer than it may."""


@dataclass(frozen=True)
class Wish:
    """What is to be explained. target: a class, or the picture's own. until: by the monotonic clock.

    seconds: that occlusion may compute; squares are larger and fewer where the network takes longer.
    """

    method: WAY
    target: str | None
    seconds: float
    until: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map (H, W) of one picture (H, W, C), as the network sees it."""

    facts: dict[str, Any]
    image: NDArray[np.uint8]
    map: Floats

    def to_dict(self, overlay: bool = False) -> dict[str, Any]:
        """Plain JSON types; the map by rows, and the drawing in base64 where that is asked for."""
        drawn = {"overlay": base64.b64encode(self.png()).decode()} if overlay else {}
        return self.facts | {"map": np.round(self.map.astype(np.float64), 6).tolist()} | drawn

    def png(self) -> bytes:
        """The map over the picture, as `residua explain` draws it; small ones enlarged."""
        from PIL import Image

        drawn = overlay(self.image, self.map, self.facts["method"])
        times = max(1, LARGE // max(drawn.shape[:2]))
        stream = io.BytesIO()
        Image.fromarray(drawn.repeat(times, axis=0).repeat(times, axis=1)).save(stream, "png")
        return stream.getvalue()


@dataclass(frozen=True, eq=False)
class PacedScorer(Scorer):
    """A scorer that takes turns with others between two batches."""

    pauses: list[Callable[[], None]] = field(default_factory=list)

    def scores(self, x: Floats, labels: Labels) -> Floats:
        """As `Scorer.scores`."""
        for pause in self.pauses:
            pause()
        return super().scores(x, labels)


class Explainer:
    """One model's explanations, as its file was read; what it compiles is kept."""

    def __init__(self, served: Served, batch: int) -> None:
        self.served, self.loaded = served, served.loaded
        self.scorer = PacedScorer.of_scores(self.loaded.model, served.engine, batch)

    def explain(self, picture: Picture, wish: Wish, turn: Callable[[], None]) -> Explanation:
        """The map of one picture; `turn` is called between two batches.

        Raises PictureError for what is no picture, ConfigError for a class that does not exist and for
        Grad-CAM of a network without maps, TooLong where the time is over.
        """
        model, scorer, version = self.loaded.model, self.scorer, self.served.version
        target = None if wish.target is None else class_index(model, wish.target)
        pixels = read_picture(model, picture)
        if isinstance(pixels, PictureError):
            raise pixels

        def pause() -> None:
            turn()
            if time.monotonic() > wish.until:
                raise TooLong(
                    "the explanation took longer than it may: ask for grad-cam, which takes one pass"
                )

        scorer.pauses[:] = [pause]
        x = model.preprocessing.normalize(pixels[None])
        # By what the server has compiled; copied, for an engine may only lend it.
        row = self.served.probabilities(self.loaded, pixels[None])[0].copy()
        chosen = int(row.argmax())
        label = chosen if target is None else target
        labels = np.array([label])
        facts: dict[str, Any] = {
            "class": model.classes[chosen],
            "probability": float(row[chosen]),
            "target": model.classes[label],
            "target_probability": float(row[label]),
            "score": float(scorer.scores(x, labels)[0]),
            "unit": scorer.unit,
            "method": wish.method,
        }
        if wish.method == "grad-cam":
            facts["layer"] = self._cam_layer(x)
            pause()
            found = grad_cam(scorer, x, labels, facts["layer"])[0]
        else:
            facts["patch"] = self._patch(x, labels, wish.seconds)
            found = occlusion(scorer, x, labels, facts["patch"])[0]
        facts["model"] = {"name": self.served.name, "version": version}
        return Explanation(facts, denormalize(model, x)[0], found)

    def _cam_layer(self, x: Floats) -> str:
        try:
            return cam_layer(self.scorer, x, None)
        except ConfigError:
            name = self.loaded.model.name
            raise ConfigError(
                f"{name} has no maps that Grad-CAM could take: ask for method=occlusion"
            ) from None

    def _patch(self, x: Floats, labels: Labels, seconds: float) -> int:
        """The side of squares that can all be covered in so many seconds: a fifth of the picture, or more."""
        height, width = x.shape[1:3]
        count = self.scorer.batch
        many, all_labels = np.repeat(x, count, axis=0), np.repeat(labels, count)
        self.scorer.scores(many, all_labels)  # compiles
        begun = time.perf_counter()
        Scorer.scores(self.scorer, many, all_labels)
        each = (time.perf_counter() - begun) / count
        side = default_patch(height, width)
        while len(occlusion_corners(height, width, side)) * each > seconds and side < min(height, width) // 2:
            side += 2
        return side


def check_method(name: str) -> WAY:
    """Raise ConfigError unless there is such a way to explain here."""
    if name not in ("occlusion", "grad-cam"):
        raise ConfigError(f"method takes occlusion or grad-cam; it was given {name[:40]!r}")
    return name  # type: ignore[return-value]
