"""What each member of an ensemble, and each pair of them, is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import EnsembleConfig, EvaluateConfig
from residua.data.batches import Batches
from residua.engines import open_engine
from residua.errors import ConfigError
from residua.insight.evaluation.answers import read_pictures
from residua.layers.ensemble import combine
from residua.models.ensemble import best_weights, check_members, join_models
from residua.models.model_file import Model
from residua.training.inference import Answers, answer

Say = Callable[[str], None]
MOST_PAIRS = 20


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
    """An ensemble on one split: accuracies between 0 and 1; pairs are (place, place, accuracy)."""

    data: str
    split: str
    pictures: int
    method: str
    accuracy: float
    members: tuple[Member, ...]
    pairs: tuple[tuple[int, int, float], ...]

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
    _tell_of_seen(models, names, config, say)
    data, split, answers = _answers(common, models, config, config.split, say)
    tuned = answers
    if config.method == "weighted" and split != "validation":
        tuned = _answers(common, models, config, "validation", say)[2]

    def weigh(places: Sequence[int]) -> tuple[float, ...]:
        if config.method != "weighted":
            return (1 / len(places),) * len(places)
        return best_weights([tuned[place].probabilities for place in places], tuned[0].labels)

    def accuracy(places: Sequence[int]) -> float:
        parts = [answers[place].probabilities for place in places]
        together: NDArray[np.float32] = combine(np, parts, config.method, weigh(places))
        return float((together.argmax(axis=1) == answers[0].labels).mean())

    every = range(len(models))
    weights = weigh(every)
    members = tuple(
        Member(
            names[place],
            answers[place].accuracy,
            accuracy([other for other in every if other != place]),
            weights[place],
        )
        for place in every
    )
    pairs = tuple((a, b, accuracy((a, b))) for a, b in combinations(every, 2))
    count = len(answers[0].labels)
    report = EnsembleReport(data, split, count, config.method, accuracy(every), members, pairs)
    chosen = weights if config.method == "weighted" else ()
    return join_models(models, names, config.method, chosen), report


def _answers(
    common: Model, models: Sequence[Model], config: EnsembleConfig, split: str, say: Say
) -> tuple[str, str, list[Answers]]:
    """The data's and the split's names, and each member's answers."""
    asked = EvaluateConfig.of(config, split=split)
    data, part, pictures = read_pictures(common, asked, say)
    found = []
    for model in models:
        engine = open_engine(config.engine, threads=config.threads, work=model.work(len(pictures)))
        batches = Batches(pictures, model.preprocessing, None, config.batch)
        found.append(answer(engine, *model.frozen(), batches))
    return data, part, found


def _tell_of_seen(models: Sequence[Model], names: Sequence[str], config: EnsembleConfig, say: Say) -> None:
    """Say which members were trained on pictures that others were not."""
    first = models[0].training
    if config.data is not None and config.data != first.get("data"):
        return
    strange = [
        name
        for model, name in zip(models, names, strict=True)
        if model.training.get("fingerprint") != first.get("fingerprint")
    ]
    if not strange:
        return
    whole = Path(str(first.get("data"))).is_dir() and not (Path(str(first["data"])) / "test").is_dir()
    what = "validation or test" if whole else "validation"
    say(
        f"{', '.join(strange)} had another split than {names[0]}: the {what} split holds pictures from their "
        "training, so that figures on it flatter them; the same --seed gives the same split"
    )


def report_text(report: EnsembleReport) -> str:
    """The report as a page of text: each member, each pair, all."""
    part = f"{report.split} split" if report.split in ("train", "validation", "test") else report.split
    lines = [f"{report.data}, {part}: {report.pictures:,} pictures, {_METHODS[report.method]}", ""]
    wide = max(len("member"), *(len(member.name) for member in report.members))
    weighed = report.method == "weighted"
    lines.append(
        f"      {'member':<{wide}}     alone  others without it  it adds" + ("  weight" if weighed else "")
    )
    for number, member in enumerate(report.members, start=1):
        figures = (
            f"{100 * member.alone:6.2f} %  {100 * member.without:15.2f} %"
            f"  {100 * (report.accuracy - member.without):+7.2f}"
        )
        weight = f"  {member.weight:6.3f}" if weighed else ""
        lines.append(f"  {number:>2}  {member.name:<{wide}}  {figures}{weight}")
    if len(report.members) > 2:
        pairs = sorted(report.pairs, key=lambda pair: -pair[2])
        shown = f"the best {MOST_PAIRS} of {len(pairs)} pairs" if len(pairs) > MOST_PAIRS else "pair"
        lines += ["", f"  {shown:<12}  together  more than the better one"]
        for a, b, accuracy in pairs[:MOST_PAIRS]:
            better = max(report.members[a].alone, report.members[b].alone)
            name = f"{a + 1} + {b + 1}"
            lines.append(f"  {name:<12}  {100 * accuracy:6.2f} %  {100 * (accuracy - better):+21.2f}")
    best = max(member.alone for member in report.members)
    lines += [
        "",
        f"  all {len(report.members)}: {100 * report.accuracy:.2f} %, "
        f"{100 * (report.accuracy - best):+.2f} to the best member",
    ]
    return "\n".join(lines)


_METHODS = {"mean": "mean of probabilities", "weighted": "weighted mean", "vote": "majority vote"}
