"""What happens inside a network: features, strongest pictures of a channel, channels that are never on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import EngineName
from residua.engines import Engine, open_engine
from residua.insight.evaluation.predictions import Predictions
from residua.insight.inspection.stages import choose_stage, frozen_chain, stages
from residua.insight.shared.scorer import layer_shapes
from residua.layers import Conv2d, Layer, Linear, Sequential
from residua.layers.hooks import Hooked, ends_in_relu, with_hooks
from residua.models.model_file import Model
from residua.progress import advance
from residua.training.work import model_work

Floats = NDArray[np.float32]
BATCH = 64


@dataclass(frozen=True)
class DeadUnits:
    """The channels of a layer whose ReLU was off for every picture and pixel, of how many there are."""

    layer: str
    channels: tuple[int, ...]
    of: int


@dataclass(frozen=True, eq=False)
class Inside:
    """A sample of a split under a network.

    places: (n,) of the pictures in the split. features: (n, F) what the head reads. stage: whose channels
    the following are about; peaks: (n, C) each channel's largest value in each picture; spots: (n, C, 2)
    where it is, down and right between 0 and 1. rectified: whether a peak of 0 means that the channel was
    off. dead: layers with channels that were never on; looked_at: how many layers were asked.
    """

    answered: Predictions
    places: NDArray[np.int64]
    features: Floats
    stage: str
    peaks: Floats
    spots: Floats
    rectified: bool
    dead: tuple[DeadUnits, ...]
    looked_at: int

    @property
    def images(self) -> NDArray[np.uint8]:
        """(n, H, W, C) uint8, as stored."""
        return np.stack([self.answered.pictures.images[index] for index in self.places])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "data": self.answered.data,
            "split": self.answered.split,
            "pictures": len(self.places),
            **self.answered.exposure.to_dict(),
            "stage": self.stage,
            "dead": [{"layer": d.layer, "channels": list(d.channels), "of": d.of} for d in self.dead],
            "layers": self.looked_at,
        }


def activation_maps(model: Model, images: NDArray[np.uint8], engine: Engine) -> dict[str, Floats]:
    """{stage: (N, H, W, C)} what the stages make of pictures, (N, H, W, C) uint8 as stored."""
    names = stages(model)
    network, variables, _ = frozen_chain(model)
    maps: dict[str, Floats] = {}

    def store(name: str, layer: Layer, y: Any) -> None:
        maps[name] = np.array(y, np.float32)

    hooked = with_hooks(network, store, lambda name, layer: name in names)
    hooked.infer(engine, variables, model.preprocessing.normalize(images))
    return {name: maps[name] for name in names}


@dataclass(eq=False)
class _Recorder:
    """What is kept of the batches as they pass."""

    features_from: str
    stage: str
    features: list[Floats] = field(default_factory=list)
    peaks: list[Floats] = field(default_factory=list)
    spots: list[Floats] = field(default_factory=list)
    on: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    rectified: bool = False

    def store(self, name: str, layer: Layer, y: Any) -> None:
        """A layer's results for a batch."""
        numbers = np.asarray(y, np.float32)
        inner = layer.inner if isinstance(layer, Hooked) else layer
        if ends_in_relu(inner):
            on = (numbers.reshape(-1, numbers.shape[-1]) > 0).any(axis=0)
            self.on[name] = self.on.get(name, np.zeros_like(on)) | on
        if name == self.features_from:
            maps = numbers.ndim == 4
            self.features.append(
                numbers.mean(axis=(1, 2)) if maps else numbers.reshape(len(numbers), -1).copy()
            )
        if name == self.stage:
            self.rectified = _ends_rectified(inner)
            n, h, w, c = numbers.shape
            flat = numbers.reshape(n, h * w, c)
            best = flat.argmax(axis=1)
            self.peaks.append(np.take_along_axis(flat, best[:, None], axis=1)[:, 0])
            down, right = np.divmod(best, w)
            spots = np.stack([(down + 0.5) / h, (right + 0.5) / w], axis=-1)
            self.spots.append(spots.astype(np.float32))


def look_inside(
    answered: Predictions,
    sample: int = 1000,
    stage: str | None = None,
    engine: EngineName = "auto",
    threads: int | None = None,
) -> Inside:
    """Run up to `sample` pictures, taken evenly out of the split, and keep what passes.

    stage: the layer whose channels are shown, by name; without it the last stage with maps. Raises
    ConfigError for a stage that does not exist or gives no maps, and for a network that is no row of layers.
    """
    model = answered.model
    network, variables, chain = frozen_chain(model)
    indices = np.unique(
        np.linspace(0, len(answered) - 1, min(sample, len(answered))).round().astype(np.int64)
    )
    computing = open_engine(engine, threads=threads, work=model_work(model, len(indices)))
    first = answered.pictures.images[indices[:1]]
    normal = model.preprocessing.normalize(first)
    shapes = layer_shapes(computing, network, variables, normal)
    recorder = _Recorder(_features_from(chain, shapes), choose_stage(model, shapes, stage))
    # All layers that can be off, and the two that are asked for.
    names = {recorder.features_from, recorder.stage}
    hooked = with_hooks(network, recorder.store, lambda name, layer: name in names or ends_in_relu(layer))
    for start in range(0, len(indices), BATCH):
        images = answered.pictures.images[indices[start : start + BATCH]]
        hooked.infer(computing, variables, model.preprocessing.normalize(images))
        advance(len(images))
    none = np.zeros((len(indices), 0), np.float32)
    dead = tuple(
        DeadUnits(name, tuple(np.flatnonzero(~on).tolist()), len(on))
        for name, on in recorder.on.items()
        if not on.all()
    )
    return Inside(
        answered,
        indices,
        np.concatenate(recorder.features) if recorder.features else none,
        recorder.stage,
        np.concatenate(recorder.peaks) if recorder.peaks else none,
        np.concatenate(recorder.spots) if recorder.spots else none[..., None].repeat(2, axis=-1),
        recorder.rectified,
        dead,
        len(recorder.on),
    )


def _ends_rectified(layer: Layer) -> bool:
    """Whether the last thing that a layer, or a row of them, does is a ReLU."""
    if isinstance(layer, Hooked):
        return _ends_rectified(layer.inner)
    if isinstance(layer, Sequential) and layer.layers:
        return _ends_rectified(list(layer.layers.values())[-1])
    return ends_in_relu(layer)


def _features_from(chain: dict[str, Layer], shapes: dict[str, tuple[int, ...]]) -> str:
    """The layer whose result the head reads: before the last with weights; the first where there is none."""
    names = list(chain)
    heads = [index for index, name in enumerate(names) if isinstance(chain[name], Linear | Conv2d)]
    before = names[: heads[-1]] if heads else names[:-1]
    return next((name for name in reversed(before) if name in shapes), names[0])
