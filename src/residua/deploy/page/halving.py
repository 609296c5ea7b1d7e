"""What weights as float16 change: the same pictures answered with the page's weights and with the model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from residua.config import EvaluateConfig, PageConfig
from residua.deploy.agreement import Agreement, compare_answers
from residua.deploy.onnx.verification import MOST_NOISE, NOISE, noise_pictures
from residua.deploy.page.packing import round_to_half
from residua.errors import ResiduaError
from residua.insight.evaluation.predictions import answer, find_pictures_of
from residua.models.model_file import Model

PICTURES = 1000


@dataclass(frozen=True)
class HalfCost:
    """On `pictures` pictures of `data`, the model's answers beside those with its weights as float16."""

    data: str
    pictures: int
    agreement: Agreement


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
    labels = None if before.data == NOISE else before.labels
    agreement = compare_answers(before.probabilities, after.probabilities, labels)
    return HalfCost(Path(before.data).name, len(before), agreement)


def half_text(cost: HalfCost) -> str:
    """One line."""
    found = cost.agreement
    line = (
        f"float16 weights: of {cost.pictures:,} pictures ({cost.data}) {found.same:,} have the same answer, "
        f"probabilities differ by up to {found.largest_difference:.1e}"
    )
    if found.accuracy is None or found.other_accuracy is None:
        return line
    return f"{line}, accuracy {100 * found.other_accuracy:.2f} % against {100 * found.accuracy:.2f} %"
