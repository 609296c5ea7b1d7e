"""What happens inside a network: features, strongest pictures of a channel, channels that are never on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import EngineName
from residua.engines import Engine, open_engine
from residua.errors import ConfigError, near
from residua.insight.evaluation.answers import Answered
from residua.layers import CapsuleNetwork, Conv2d, Layer, Linear, Sequential
from residua.layers.hooks import Hooked, ends_in_relu, with_hooks
from residua.models.model_file import Model
from residua.variables import Tree

Floats = NDArray[np.float32]
BATCH = 64
MOST_STAGES = 7  # that are shown side by side


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

    answered: Answered
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
        return np.stack([self.answered.pictures.images[place] for place in self.places])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "data": self.answered.data,
            "split": self.answered.split,
            "pictures": len(self.places),
            "stage": self.stage,
            "dead": [{"layer": d.layer, "channels": list(d.channels), "of": d.of} for d in self.dead],
            "layers": self.looked_at,
        }


def frozen_chain(model: Model) -> tuple[Layer, Tree, dict[str, Layer]]:
    """The inference network, its variables, and its layers in a row.

    Raises ConfigError for a network that is no row of layers, such as an ensemble.
    """
    network, variables = replace(model, calibration=None).frozen()
    if not isinstance(network, Sequential | CapsuleNetwork):
        raise ConfigError(
            f"{model.name} is no row of layers to look into: give one of the models that it was made of"
        )
    return network, variables, dict(network.layers)


def stages(model: Model) -> dict[str, tuple[int, int, int]]:
    """The names of the network's stages with maps, and the shapes (H, W, C) of what they give.

    The layers of the outermost row that give maps; of more than seven, the last ones of each size. None
    for a network without maps.
    """
    _, _, chain = frozen_chain(model)
    shape: tuple[int, ...] = _input_shape(model)
    found: dict[str, tuple[int, int, int]] = {}
    for name, layer in chain.items():
        shape = layer.output_shape(shape)
        if len(shape) != 3:
            break
        found[name] = (shape[0], shape[1], shape[2])
    if len(found) <= MOST_STAGES:
        return found
    names = list(found)
    ends = [a for a, b in zip(names, [*names[1:], ""], strict=True) if not b or found[a][:2] != found[b][:2]]
    chosen = (
        ends
        if len(ends) <= MOST_STAGES
        else [ends[i] for i in np.linspace(0, len(ends) - 1, MOST_STAGES).astype(int)]
    )
    return {name: found[name] for name in chosen}


def activation_maps(model: Model, images: NDArray[np.uint8], engine: Engine) -> dict[str, Floats]:
    """{stage: (N, H, W, C)} what the stages make of pictures, (N, H, W, C) uint8 as stored."""
    names = stages(model)
    network, variables, _ = frozen_chain(model)
    found: dict[str, Floats] = {}

    def hear(name: str, layer: Layer, y: Any) -> None:
        found[name] = np.array(y, np.float32)

    tapped = with_hooks(network, hear, lambda name, layer: name in names)
    tapped.infer(engine, variables, model.preprocessing.normalize(images))
    return {name: found[name] for name in names}


@dataclass(eq=False)
class _Listener:
    """What is kept of the batches as they pass."""

    features_from: str
    stage: str
    features: list[Floats] = field(default_factory=list)
    peaks: list[Floats] = field(default_factory=list)
    spots: list[Floats] = field(default_factory=list)
    on: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    rectified: bool = False

    def hear(self, name: str, layer: Layer, y: Any) -> None:
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
    answered: Answered,
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
    places = np.unique(np.linspace(0, len(answered) - 1, min(sample, len(answered))).round().astype(np.int64))
    computing = open_engine(engine, threads=threads, work=model.work(len(places)))
    first = answered.pictures.images[places[:1]]
    shapes = _shapes(network, variables, computing, model, first)
    listener = _Listener(_features_from(chain, shapes), _stage(model, shapes, stage))
    # All layers that can be off, and the two that are asked for.
    wanted = {listener.features_from, listener.stage}
    tapped = with_hooks(network, listener.hear, lambda name, layer: name in wanted or ends_in_relu(layer))
    for start in range(0, len(places), BATCH):
        images = answered.pictures.images[places[start : start + BATCH]]
        tapped.infer(computing, variables, model.preprocessing.normalize(images))
    none = np.zeros((len(places), 0), np.float32)
    dead = tuple(
        DeadUnits(name, tuple(np.flatnonzero(~on).tolist()), len(on))
        for name, on in listener.on.items()
        if not on.all()
    )
    return Inside(
        answered,
        places,
        np.concatenate(listener.features) if listener.features else none,
        listener.stage,
        np.concatenate(listener.peaks) if listener.peaks else none,
        np.concatenate(listener.spots) if listener.spots else none[..., None].repeat(2, axis=-1),
        listener.rectified,
        dead,
        len(listener.on),
    )


def _input_shape(model: Model) -> tuple[int, int, int]:
    shape = model.preprocessing
    return (shape.height, shape.width, shape.channels)


def _ends_rectified(layer: Layer) -> bool:
    """Whether the last thing that a layer, or a row of them, does is a ReLU."""
    if isinstance(layer, Hooked):
        return _ends_rectified(layer.inner)
    if isinstance(layer, Sequential) and layer.layers:
        return _ends_rectified(list(layer.layers.values())[-1])
    return ends_in_relu(layer)


def _shapes(
    network: Layer, variables: Tree, engine: Engine, model: Model, image: NDArray[np.uint8]
) -> dict[str, tuple[int, ...]]:
    """{name: shape of its result for one picture} of every layer at any depth."""
    found: dict[str, tuple[int, ...]] = {}

    def hear(name: str, layer: Layer, y: Any) -> None:
        found[name] = tuple(y.shape[1:])

    with_hooks(network, hear, lambda name, layer: True).infer(
        engine, variables, model.preprocessing.normalize(image)
    )
    return found


def _features_from(chain: dict[str, Layer], shapes: dict[str, tuple[int, ...]]) -> str:
    """The layer whose result the head reads: before the last with weights; the first where there is none."""
    names = list(chain)
    heads = [place for place, name in enumerate(names) if isinstance(chain[name], Linear | Conv2d)]
    before = names[: heads[-1]] if heads else names[:-1]
    return next((name for name in reversed(before) if name in shapes), names[0])


def _stage(model: Model, shapes: dict[str, tuple[int, ...]], stage: str | None) -> str:
    if stage is None:
        return next(reversed(stages(model)), "")
    if stage not in shapes:
        raise ConfigError(f"{model.name} has no stage or layer {stage!r}.{near(stage, shapes)}")
    if len(shapes[stage]) != 3:
        maps = ", ".join(stages(model)) or "none"
        raise ConfigError(f"{stage} gives no maps to show; stages that do: {maps}")
    return stage


def dead_text(inside: Inside) -> str:
    """The dead units by layer and number."""
    count = len(inside.places)
    if not inside.dead:
        return f"  dead units: none; in {inside.looked_at} layers all channels were on, on {count:,} pictures"
    total = sum(len(layer.channels) for layer in inside.dead)
    lines = [f"  dead units: {total:,}, off for all of {count:,} pictures"]
    for layer in inside.dead:
        told = ", ".join(map(str, layer.channels[:20]))
        more = f" and {len(layer.channels) - 20} more" if len(layer.channels) > 20 else ""
        lines.append(f"    {layer.layer}: {len(layer.channels)} of {layer.of} channels: {told}{more}")
    return "\n".join(lines)
