"""What weights as float16 change: the same pictures answered with the page's weights and with the model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from residua.config import EvaluateConfig, PageConfig
from residua.deploy.onnx.verification import MOST_NOISE, NOISE, noise_pictures
from residua.deploy.page.packing import round_to_half
from residua.errors import ResiduaError
from residua.insight.evaluation.predictions import answer, find_pictures_of
from residua.models.model_file import Model

PICTURES = 1000


@dataclass(frozen=True)
class HalfCost:
    """Of `pictures` pictures of `data` so many have the `same` answer; of noise accuracies are None."""

    data: str
    pictures: int
    same: int
    largest_difference: float
    accuracy: float | None
    half_accuracy: float | None


def measure_half(model: Model, config: PageConfig, say: Callable[[str], None]) -> HalfCost:
    """Answers on validation pictures, or on noise where there are none, of both."""
    options = EvaluateConfig.of(config, split="validation")
    try:
        part = find_pictures_of(model, options, say, most=PICTURES)
    except ResiduaError as error:
        say(f"What float16 changes is measured on noise, for there are no validation pictures ({error})")
        part = noise_pictures(model, MOST_NOISE)
    network, variables = model.frozen()
    halved = replace(model, network=network, variables=round_to_half(variables), calibration=None)
    before, after = answer(model, options, part), answer(halved, options, part)
    chosen = [found.probabilities.argmax(axis=1) for found in (before, after)]
    right = [float((one == before.labels).mean()) for one in chosen]
    noise = before.data == NOISE
    return HalfCost(
        Path(before.data).name,
        len(before),
        int((chosen[0] == chosen[1]).sum()),
        float(np.abs(before.probabilities - after.probabilities).max()),
        None if noise else right[0],
        None if noise else right[1],
    )


def half_text(cost: HalfCost) -> str:
    """One line."""
    line = (
        f"float16 weights: of {cost.pictures:,} pictures ({cost.data}) {cost.same:,} have the same answer, "
        f"probabilities differ by up to {cost.largest_difference:.1e}"
    )
    if cost.accuracy is None or cost.half_accuracy is None:
        return line
    return f"{line}, accuracy {100 * cost.half_accuracy:.2f} % against {100 * cost.accuracy:.2f} %"
