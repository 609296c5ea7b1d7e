"""How often pictures go through a network while their answers are explained."""

from __future__ import annotations

from residua.config import ExplainConfig
from residua.insight.saliency.integrated import USUAL_STEPS
from residua.insight.saliency.methods import occlusion_corners
from residua.models.model_file import Model
from residua.training.work import Passes

METHODS = ("gradient", "smooth", "integrated", "guided", "grad-cam", "occlusion")


def method_passes(model: Model, name: str, config: ExplainConfig) -> Passes:
    """What one method takes for one picture."""
    shape = model.preprocessing
    if name == "smooth":
        return Passes(0, config.samples)
    if name == "integrated":
        return Passes(0, min(USUAL_STEPS, config.most_steps) + 1)
    if name == "occlusion":
        return Passes(1 + len(occlusion_corners(shape.height, shape.width, config.patch)), 0)
    return Passes(0, 1)


def explaining_passes(model: Model, pictures: int, config: ExplainConfig) -> Passes:
    """What all methods that were asked for take for so many pictures, their answers included."""
    each = Passes(2)
    for name in config.methods or METHODS:
        each += method_passes(model, name, config)
    return each * pictures
