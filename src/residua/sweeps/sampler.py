"""Which values a trial gets: those of the grid, or what TPE draws from the trials before.

Bergstra, Bardenet, Bengio, Kégl: Algorithms for Hyper-Parameter Optimization (2011), section 4: the
tree-structured Parzen estimator; over all values together, as in Falkner, Klein, Hutter: BOHB (2018),
section 3.

A drawing depends on the sweep's seed, on the trial's number and on the trials that are there: not on who
draws, nor on how often. So a trial whose worker was killed while it drew is drawn the same again.
"""

from __future__ import annotations

import hashlib
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, Trial

from residua.sweeps.plan import Plan
from residua.sweeps.space import Choice, Dimension, Value


class PlanSampler(BaseSampler):
    """Optuna's view of a plan's sampler."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.grid = plan.search.sampler == "grid"

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """What is drawn together: nothing of a grid."""
        return {} if self.grid else self._tpe(trial.number, "").infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw together what `infer_relative_search_space` found."""
        return {} if self.grid else self._tpe(trial.number, "").sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw one value alone: of a grid, or while too few trials are there for an estimate."""
        if self.grid:
            return self.plan.grid(trial.number)[param_name]
        sampler = self._tpe(trial.number, param_name)
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def _tpe(self, number: int, name: str) -> TPESampler:
        digest = hashlib.sha256(f"{self.plan.search.seed} {number} {name}".encode()).digest()
        seed = int.from_bytes(digest[:4], "little")
        return TPESampler(multivariate=True, constant_liar=True, seed=seed)


def suggest(trial: Trial, dimension: Dimension) -> Value:
    """A trial's value of a dimension: drawn now, or by the worker who had it first."""
    value: Value
    if isinstance(dimension, Choice):
        value = trial.suggest_categorical(dimension.name, dimension.labels)
    elif dimension.whole:
        low, high, step = int(dimension.low), int(dimension.high), int(dimension.step or 1)
        value = trial.suggest_int(dimension.name, low, high, step=step, log=dimension.log)
    else:
        ends = (float(dimension.low), float(dimension.high))
        value = trial.suggest_float(dimension.name, *ends, step=dimension.step, log=dimension.log)
    return value
