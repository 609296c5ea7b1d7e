"""Which layer's maps Grad-CAM takes, and whether guided backpropagation has a ReLU to guide."""

from __future__ import annotations

from residua.errors import ConfigError, near
from residua.insight.inspection.stages import frozen_chain
from residua.insight.shared.scorer import Floats, Scorer, layer_shapes
from residua.layers import Ensemble, Layer
from residua.layers.hooks import ends_in_relu, with_hooks
from residua.models.model_file import Model
from residua.variables import count_parameters


def cam_layer(scorer: Scorer, x: Floats, stage: str | None) -> str:
    """The layer whose maps Grad-CAM takes. Raises ConfigError where there is none, or no such one."""
    model, instead = scorer.model, "use --methods gradient smooth integrated guided occlusion instead"
    if stage is None:
        if isinstance(scorer.network, Ensemble):
            raise ConfigError(
                f"{model.name} is several networks: name a layer of one with --stage, or {instead}"
            )
        last = _last_maps(model)
        if last is None:
            raise ConfigError(f"{model.name} has no layer that gives maps, as Grad-CAM needs: {instead}")
        return last
    shapes = layer_shapes(scorer.engine, scorer.network, scorer.variables, x)
    if stage not in shapes:
        raise ConfigError(f"{model.name} has no stage or layer {stage!r}.{near(stage, shapes)}")
    if len(shapes[stage]) != 3:
        raise ConfigError(f"{stage} gives no maps, as Grad-CAM needs: {_choice(shapes)}, or {instead}")
    return stage


def _last_maps(model: Model) -> str | None:
    """The last layer of the outermost row that has weights and gives maps, before the head."""
    _, variables, chain = frozen_chain(model)
    sides = model.preprocessing
    shape: tuple[int, ...] = (sides.height, sides.width, sides.channels)
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


def _choice(shapes: dict[str, tuple[int, ...]]) -> str:
    with_maps = [name for name, shape in shapes.items() if len(shape) == 3 and "." not in name]
    return f"name one of {', '.join(with_maps)}" if with_maps else "none of its layers does"


def has_relu(network: Layer) -> bool:
    """Whether any of the network's layers is a ReLU: without one guided backpropagation is the gradient."""
    answers: list[bool] = []

    def ask(name: str, layer: Layer) -> bool:
        answers.append(ends_in_relu(layer))
        return False

    with_hooks(network, lambda name, layer, y: None, ask)
    return any(answers)
