"""What each member of an ensemble, and each pair of them, is worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import EnsembleConfig, EvaluateConfig
from residua.data.batches import Batches
from residua.engines.borrowing import borrow_engine
from residua.errors import ConfigError, ResiduaError
from residua.insight.evaluation.predictions import SplitPictures, find_pictures_of
from residua.insight.shared.engine_choice import settle_engine
from residua.layers.ensemble import combine
from residua.models.ensemble import best_weights, check_members, join_models
from residua.models.model_file import Model
from residua.progress import advance, bar
from residua.training.inference import LabelledProbabilities, predict_probabilities
from residua.training.work import model_work

Say = Callable[[str], None]


@dataclass(frozen=True)
class Member:
    """One member: accuracies between 0 and 1.

    alone: its own. without: that of all others together. weight: its share in the probabilities.
    """

    name: str
    alone: float
    without: float
    weight: float


@dataclass(frozen=True)
class EnsembleReport:
    """An ensemble on one split: accuracies between 0 and 1; pairs are (place, place, accuracy).

    trained_on, chosen_by, left_out: see `Evaluation`, of all members together.
    """

    data: str
    split: str
    pictures: int
    method: str
    accuracy: float
    members: tuple[Member, ...]
    pairs: tuple[tuple[int, int, float], ...]
    trained_on: int | None = None
    chosen_by: int | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def build_ensemble(
    models: Sequence[Model], names: Sequence[str], config: EnsembleConfig, say: Say
) -> tuple[Model, EnsembleReport | None]:
    """The joined model and its report; no report where no data is known and none is needed.

    Weights are chosen on the validation split of the data that the first member was trained on, or of
    --data. Raises ResiduaError where members or data do not fit.
    """
    # Members are joined as they were trained; a temperature is found for all together.
    models = [replace(model, calibration=None) for model in models]
    if len(models) > 1:
        check_members(models, names)
    common = join_models(models, names)
    known = config.data is not None or common.training.get("data") is not None
    if not known:
        if config.method == "weighted":
            raise ConfigError(
                "weights are chosen on validation pictures, and the members were not trained on the same "
                "named data: name some with --data"
            )
        say("No report: the members were not trained on the same named data; --data names some")
        return join_models(models, names, config.method), None
    _warn_of_other_splits(models, names, config, say)
    try:
        part, answers = _answers(common, models, config, config.split, say)
    except ResiduaError as error:
        # To join them takes no pictures: only what was asked for has to be there.
        if config.data is not None or config.method == "weighted":
            raise
        say(f"No report: {error}")
        return join_models(models, names, config.method), None
    tuned = answers
    if config.method == "weighted" and part.split != "validation":
        tuned = _answers(common, models, config, "validation", say)[1]

    def weigh(indices: Sequence[int]) -> tuple[float, ...]:
        if config.method != "weighted":
            return (1 / len(indices),) * len(indices)
        return best_weights([tuned[index].probabilities for index in indices], tuned[0].labels)

    def accuracy(indices: Sequence[int]) -> float:
        parts = [answers[index].probabilities for index in indices]
        together: NDArray[np.float32] = combine(np, parts, config.method, weigh(indices))
        return float((together.argmax(axis=1) == answers[0].labels).mean())

    every = range(len(models))
    weights = weigh(every)
    members = tuple(
        Member(
            names[index],
            answers[index].accuracy,
            accuracy([other for other in every if other != index]),
            weights[index],
        )
        for index in every
    )
    pairs = tuple((a, b, accuracy((a, b))) for a, b in combinations(every, 2))
    count = len(answers[0].labels)
    report = EnsembleReport(
        part.data,
        part.split,
        count,
        config.method,
        accuracy(every),
        members,
        pairs,
        **part.exposure.to_dict(),
    )
    chosen = weights if config.method == "weighted" else ()
    return join_models(models, names, config.method, chosen), report


def _answers(
    common: Model, models: Sequence[Model], config: EnsembleConfig, split: str, say: Say
) -> tuple[SplitPictures, list[LabelledProbabilities]]:
    """The pictures, and each member's answers."""
    evaluate_config = EvaluateConfig.of(config, split=split)
    part = find_pictures_of(common, evaluate_config, say)
    config = settle_engine(config, model_work(common, len(part.pictures)), say)
    part.tell(say)
    pictures = part.pictures
    every = []
    with bar("Pictures", len(models) * len(pictures)):
        for model in models:
            batches = Batches(pictures, model.preprocessing, None, config.batch)
            with borrow_engine(config.engine, threads=config.threads) as engine:
                every.append(predict_probabilities(engine, *model.frozen(), batches, advance))
    return part, every


def _warn_of_other_splits(
    models: Sequence[Model], names: Sequence[str], config: EnsembleConfig, say: Say
) -> None:
    """Say which members were trained on pictures that others were not."""
    first = models[0].training
    if config.data is not None and config.data != first.get("data"):
        return
    others = [
        name
        for model, name in zip(models, names, strict=True)
        if model.training.get("fingerprint") != first.get("fingerprint")
    ]
    if not others:
        return
    data = str(first.get("data"))
    whole = os.path.isdir(data) and not os.path.isdir(os.path.join(data, "test"))
    what = "validation or test" if whole else "validation"
    say(
        f"{', '.join(others)} had another split than {names[0]}: the {what} split holds pictures from their "
        "training, so that figures on it flatter them; the same --seed gives the same split"
    )
