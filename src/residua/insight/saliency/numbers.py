"""Pictures explained: for each, the maps of all methods that were asked for, and what is told beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import ExplainConfig
from residua.engines import Engine, open_engine
from residua.errors import ConfigError, near
from residua.insight.inspection.numbers import frozen_chain
from residua.insight.saliency import methods as compute
from residua.insight.saliency.methods import Integrated
from residua.insight.shared.gradients import Floats, Places, Scorer, class_number, layer_shapes, probabilities
from residua.layers import Ensemble, Layer
from residua.layers.hooks import ends_in_relu, with_hooks
from residua.models.model_file import Model
from residua.variables import count_parameters


@dataclass(frozen=True)
class Method:
    """What is told of a method's maps.

    signed: whether they speak for (above 0) and against the class. low, high: what the ends of its colours
    mean. passes: through the network, forward ones, as a rule.
    """

    title: str
    signed: bool
    low: str
    high: str
    passes: float


METHODS: dict[str, Method] = {
    "gradient": Method("gradient", False, "0", "sensitive", 3),
    "smooth": Method("SmoothGrad", False, "0", "sensitive", 150),
    "integrated": Method("integrated gradients", True, "against", "for the class", 400),
    "guided": Method("guided backprop.", False, "0", "strong", 3),
    "grad-cam": Method("Grad-CAM", False, "0", "for the class", 3),
    "occlusion": Method("occlusion", True, "score rises", "score falls", 140),
}


@dataclass(frozen=True, eq=False)
class Explained:
    """Pictures with the maps that explain their class scores.

    images: (N, H, W, C) uint8, as the network sees them. probabilities: (N, classes) as `residua predict`
    gives them. targets: (N,) the classes explained; scores: (N,) theirs, called `unit`. maps: for each
    method (N, H, W): one number a pixel, in a unit of its own. layer: Grad-CAM's. integrated: how complete
    the integrated gradients are. labels: (N,) the true classes, where they are known.
    """

    model: Model
    names: tuple[str, ...]
    images: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    targets: Places
    scores: Floats
    unit: str
    maps: dict[str, Floats]
    layer: str = ""
    integrated: Integrated | None = None
    labels: Places | None = None

    def __len__(self) -> int:
        return len(self.images)

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain JSON types, a picture each; without the maps."""
        classes, rows = self.model.classes, []
        for place, name in enumerate(self.names):
            chosen = int(self.probabilities[place].argmax())
            row: dict[str, Any] = {
                "file": name,
                "class": classes[chosen],
                "probability": float(self.probabilities[place, chosen]),
                "target": classes[self.targets[place]],
                "target_probability": float(self.probabilities[place, self.targets[place]]),
                "score": float(self.scores[place]),
                "unit": self.unit,
                "methods": list(self.maps),
            }
            if self.labels is not None:
                row["label"] = classes[self.labels[place]]
            if "grad-cam" in self.maps:
                row["layer"] = self.layer
            if self.integrated is not None:
                found = self.integrated
                row["completeness"] = {
                    "difference": float(found.difference[place]),
                    "gap": float(found.gap[place]),
                    "steps": int(found.steps[place]),
                }
            rows.append(row)
        return rows


def explain_pictures(
    model: Model,
    images: NDArray[np.uint8],
    config: ExplainConfig = ExplainConfig(),
    *,
    names: Sequence[str] = (),
    labels: Places | None = None,
    engine: Engine | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Explained:
    """Maps of pictures (N, H, W, C) uint8, as stored: for the class `config.target`, or each one's own.

    engine: one that is open already. say: hears of a method that the network does not have, where all were
    asked for. Raises ConfigError for a class or a layer that does not exist, and for Grad-CAM of a network
    without maps; ShapeError for pictures of another size.
    """
    chosen: tuple[str, ...] = config.methods or tuple(METHODS)
    if engine is None:
        work = model.work(len(images)) * sum(METHODS[name].passes for name in chosen)
        engine = open_engine(config.engine, threads=config.threads, work=work)
    target = None if config.target is None else class_number(config.target, model.classes)
    scorer = Scorer.of(model, engine, config.batch)
    x = model.preprocessing.normalize(images)
    layer = ""
    if "grad-cam" in chosen:
        try:
            layer = cam_layer(model, scorer, x, config.stage)
        except ConfigError as error:
            if config.methods or config.stage:
                raise
            chosen = tuple(name for name in chosen if name != "grad-cam")
            say(f"Without Grad-CAM: {error}")
    elif config.stage is not None:
        raise ConfigError("--stage says whose maps Grad-CAM takes: add grad-cam to --methods")
    if "guided" in chosen and not has_relu(scorer.network):
        say(f"{model.name} has no ReLU: guided backpropagation is then the gradient")
    found = probabilities(model, engine, x, scorer.batch)
    targets = found.argmax(axis=1) if target is None else np.full(len(x), target)
    maps, integrated = compute_maps(scorer, x, targets, chosen, config, model, layer)
    return Explained(
        model,
        tuple(names) or tuple(f"picture {number}" for number in range(1, len(x) + 1)),
        as_seen(model, x),
        found,
        targets,
        scorer.scores(x, targets),
        scorer.unit,
        maps,
        layer,
        integrated,
        labels,
    )


def compute_maps(
    scorer: Scorer,
    x: Floats,
    targets: Places,
    methods: Sequence[str],
    config: ExplainConfig,
    model: Model,
    layer: str,
) -> tuple[dict[str, Floats], Integrated | None]:
    """{method: (N, H, W)} of normalised pictures, and what is known of the integrated gradients.

    Of gradients by colours the largest size counts (Simonyan et al. 2013, section 3.1), of attributions
    their sum.
    """
    maps: dict[str, Floats] = {}
    integrated = None
    for name in methods:
        if name == "gradient":
            maps[name] = _largest(compute.gradient(scorer, x, targets))
        elif name == "smooth":
            found = compute.smooth_gradient(scorer, x, targets, config.samples, config.noise, config.seed)
            maps[name] = _largest(found)
        elif name == "integrated":
            start = baseline(model, config.baseline)
            integrated = compute.integrated_gradients(scorer, x, targets, start, most=config.most_steps)
            maps[name] = integrated.maps.sum(axis=-1)
        elif name == "guided":
            maps[name] = _largest(compute.guided_gradient(scorer, x, targets))
        elif name == "grad-cam":
            maps[name] = compute.grad_cam(scorer, x, targets, layer)
        else:
            maps[name] = compute.occlusion(scorer, x, targets, config.patch)
    return maps, integrated


def _largest(gradients: Floats) -> Floats:
    largest: Floats = np.abs(gradients).max(axis=-1)
    return largest


def baseline(model: Model, kind: str) -> Floats:
    """(H, W, C) normalised: a black or white picture, or the mean colour of the training pictures."""
    shape = model.preprocessing
    seen = (shape.height, shape.width, shape.channels)
    if kind == "mean":
        return np.zeros(seen, np.float32)
    stored = np.full((1, *shape.stored, shape.channels), 0 if kind == "black" else 255, np.uint8)
    started: Floats = shape.normalize(stored)[0]
    return started


def as_seen(model: Model, x: Floats) -> NDArray[np.uint8]:
    """Normalised pictures as pictures again, (N, H, W, C) uint8, red first."""
    shape = model.preprocessing
    pixels = x * np.array(shape.std, np.float32) + np.array(shape.mean, np.float32)
    if shape.order == "BGR":
        pixels = pixels[..., ::-1]
    return (pixels * 255).round().clip(0, 255).astype(np.uint8)


def cam_layer(model: Model, scorer: Scorer, x: Floats, stage: str | None) -> str:
    """The layer whose maps Grad-CAM takes. Raises ConfigError where there is none, or no such one."""
    instead = "use --methods gradient smooth integrated guided occlusion instead"
    if stage is None:
        if isinstance(scorer.network, Ensemble):
            raise ConfigError(
                f"{model.name} is several networks: name a layer of one with --stage, or {instead}"
            )
        last = _last_maps(model)
        if last is None:
            raise ConfigError(f"{model.name} has no layer that gives maps, as Grad-CAM needs: {instead}")
        return last
    shapes = layer_shapes(scorer, x)
    if stage not in shapes:
        raise ConfigError(f"{model.name} has no stage or layer {stage!r}.{near(stage, shapes)}")
    if len(shapes[stage]) != 3:
        raise ConfigError(f"{stage} gives no maps, as Grad-CAM needs: {_told(shapes)}, or {instead}")
    return stage


def _last_maps(model: Model) -> str | None:
    """The last layer of the outermost row that has weights and gives maps, before the head."""
    _, variables, chain = frozen_chain(model)
    seen = model.preprocessing
    shape: tuple[int, ...] = (seen.height, seen.width, seen.channels)
    with_maps = []
    for name, layer in chain.items():
        shape = layer.output_shape(shape)
        if len(shape) == 3:
            with_maps.append(name)
    weighted = [name for name in chain if count_parameters(variables[name])]
    for choice in ([name for name in with_maps if name in weighted[:-1]], with_maps):
        if choice:
            return choice[-1]
    return None


def _told(shapes: dict[str, tuple[int, ...]]) -> str:
    with_maps = [name for name, shape in shapes.items() if len(shape) == 3 and "." not in name]
    return f"name one of {', '.join(with_maps)}" if with_maps else "none of its layers does"


def has_relu(network: Layer) -> bool:
    """Whether any of the network's layers is a ReLU: without one guided backpropagation is the gradient."""
    found: list[bool] = []

    def ask(name: str, layer: Layer) -> bool:
        found.append(ends_in_relu(layer))
        return False

    with_hooks(network, lambda name, layer, y: None, ask)
    return any(found)
