"""Pictures explained: for each, the maps of all methods that were asked for, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import ExplainConfig
from residua.engines import Engine, open_engine
from residua.errors import ConfigError
from residua.insight.saliency import methods as compute
from residua.insight.saliency.cam_layer import cam_layer, has_relu
from residua.insight.saliency.integrated import Integrated, integrated_gradients
from residua.insight.saliency.passes import explaining_passes
from residua.insight.shared.class_names import class_index
from residua.insight.shared.scorer import Floats, Labels, Scorer
from residua.models.model_file import Model
from residua.training.work import model_work


@dataclass(frozen=True)
class Method:
    """How a method's maps are drawn and named.

    signed: whether they speak for (above 0) and against the class. low, high: what the ends of its colours
    mean.
    """

    title: str
    signed: bool
    low: str
    high: str


METHODS: dict[str, Method] = {
    "gradient": Method("gradient", False, "0", "sensitive"),
    "smooth": Method("SmoothGrad", False, "0", "sensitive"),
    "integrated": Method("integrated gradients", True, "against", "for the class"),
    "guided": Method("guided backprop.", False, "0", "strong"),
    "grad-cam": Method("Grad-CAM", False, "0", "for the class"),
    "occlusion": Method("occlusion", True, "score rises", "score falls"),
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
    targets: Labels
    scores: Floats
    unit: str
    maps: dict[str, Floats]
    layer: str = ""
    integrated: Integrated | None = None
    labels: Labels | None = None

    def __len__(self) -> int:
        return len(self.images)

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain JSON types, a picture each; without the maps."""
        classes, rows = self.model.classes, []
        for index, name in enumerate(self.names):
            chosen = int(self.probabilities[index].argmax())
            row: dict[str, Any] = {
                "file": name,
                "class": classes[chosen],
                "probability": float(self.probabilities[index, chosen]),
                "target": classes[self.targets[index]],
                "target_probability": float(self.probabilities[index, self.targets[index]]),
                "score": float(self.scores[index]),
                "unit": self.unit,
                "methods": list(self.maps),
            }
            if self.labels is not None:
                row["label"] = classes[self.labels[index]]
            if "grad-cam" in self.maps:
                row["layer"] = self.layer
            if self.integrated is not None:
                row["completeness"] = {
                    "difference": float(self.integrated.difference[index]),
                    "gap": float(self.integrated.gap[index]),
                    "steps": int(self.integrated.steps[index]),
                }
            rows.append(row)
        return rows


def explain_pictures(
    model: Model,
    images: NDArray[np.uint8],
    config: ExplainConfig = ExplainConfig(),
    *,
    names: Sequence[str] = (),
    labels: Labels | None = None,
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
        passes = explaining_passes(model, len(images), config)
        work = model_work(model, passes.forward, passes.gradients)
        engine = open_engine(config.engine, threads=config.threads, work=work)
    target = None if config.target is None else class_index(model, config.target)
    scorer = Scorer.of_scores(model, engine, config.batch)
    x = model.preprocessing.normalize(images)
    layer = ""
    if "grad-cam" in chosen:
        try:
            layer = cam_layer(scorer, x, config.stage)
        except ConfigError as error:
            if config.methods or config.stage:
                raise
            chosen = tuple(name for name in chosen if name != "grad-cam")
            say(f"Without Grad-CAM: {error}")
    elif config.stage is not None:
        raise ConfigError("--stage says whose maps Grad-CAM takes: add grad-cam to --methods")
    if "guided" in chosen and not has_relu(scorer.network):
        say(f"{model.name} has no ReLU: guided backpropagation is then the gradient")
    answers = scorer.probabilities(x)
    targets = answers.argmax(axis=1) if target is None else np.full(len(x), target)
    maps, integrated = compute_maps(scorer, x, targets, chosen, config, layer)
    return Explained(
        model,
        tuple(names) or tuple(f"picture {number}" for number in range(1, len(x) + 1)),
        denormalize(model, x),
        answers,
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
    targets: Labels,
    methods: Sequence[str],
    config: ExplainConfig,
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
            smooth = compute.smooth_gradient(scorer, x, targets, config.samples, config.noise, config.seed)
            maps[name] = _largest(smooth)
        elif name == "integrated":
            start = baseline(scorer.model, config.baseline)
            integrated = integrated_gradients(scorer, x, targets, start, most=config.most_steps)
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
    sides = (shape.height, shape.width, shape.channels)
    if kind == "mean":
        return np.zeros(sides, np.float32)
    stored = np.full((1, *shape.stored, shape.channels), 0 if kind == "black" else 255, np.uint8)
    normal: Floats = shape.normalize(stored)[0]
    return normal


def denormalize(model: Model, x: Floats) -> NDArray[np.uint8]:
    """Normalised pictures as pictures again, (N, H, W, C) uint8, red first."""
    shape = model.preprocessing
    pixels = x * np.array(shape.std, np.float32) + np.array(shape.mean, np.float32)
    if shape.order == "BGR":
        pixels = pixels[..., ::-1]
    return (pixels * 255).round().clip(0, 255).astype(np.uint8)
