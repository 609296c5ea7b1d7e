"""How far a model's confidence can be believed: its temperature, and below which confidence it is not sure.

Both are chosen on pictures that the model was not trained on, and kept in the model file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from residua.errors import ConfigError
from residua.layers import PROBABILITIES, Layer, Logarithm, MultiplyConstant, Sequential
from residua.variables import Tree

HOTTEST = 1e6  # of temperatures: beyond, and below one over it, float32 logits say nothing


@dataclass(frozen=True)
class Coverage:
    """A confidence from which on answers are taken, how many pictures reach it, how many of them right."""

    threshold: float
    accepted: int
    right: int


@dataclass(frozen=True)
class Calibration:
    """What was learnt on `pictures` pictures of `data` about a trained model's confidence.

    temperature: what logits are divided by (Guo et al. 2017, 1706.04599, section 4.2); it changes no
    answer. coverages: risk against coverage (El-Yaniv and Wiener 2010, section 2), by rising threshold.
    """

    temperature: float = 1.0
    data: str = ""
    pictures: int = 0
    coverages: tuple[Coverage, ...] = ()

    def __post_init__(self) -> None:
        if not 1 / HOTTEST <= self.temperature <= HOTTEST:
            raise ValueError(f"a temperature is above 0 and at most {HOTTEST:g}, not {self.temperature}")

    def threshold(self, accuracy: float) -> Coverage:
        """The lowest threshold from which on at least this share of the answers was right.

        Raises ConfigError where none is, or where nothing is known.
        """
        if not self.coverages:
            raise ConfigError("no threshold is known for this model: run `residua calibrate` on it first")
        for entry in self.coverages:
            if entry.right >= accuracy * entry.accepted:
                return entry
        best = max(self.coverages, key=lambda entry: entry.right / entry.accepted)
        raise ConfigError(
            f"no threshold gave {100 * accuracy:g} % right answers on {self.data}: the best is "
            f"{100 * best.right / best.accepted:.2f} %, above a confidence of {best.threshold:.3f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; `from_dict` reads them back without loss."""
        rows = [[entry.threshold, entry.accepted, entry.right] for entry in self.coverages]
        return {
            "temperature": self.temperature,
            "data": self.data,
            "pictures": self.pictures,
            "coverages": rows,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Read what `to_dict` wrote; raises ValueError, TypeError or KeyError for anything else."""
        rows = tuple(
            Coverage(float(t), int(accepted), int(right)) for t, accepted, right in values["coverages"]
        )
        if any(not (entry.accepted > 0 and 0 <= entry.right <= entry.accepted < 2**53) for entry in rows):
            raise ValueError("its coverages are no counts")
        if not all(math.isfinite(entry.threshold) for entry in rows):
            raise ValueError("its thresholds are not finite")
        return cls(float(values["temperature"]), str(values["data"]), int(values["pictures"]), rows)


def tempered(network: Layer, variables: Tree, temperature: float) -> tuple[Layer, Tree]:
    """The network and its variables with logits divided by the temperature; the network itself for 1.

    A network whose outputs are probabilities has their logarithms for logits.
    """
    if temperature == 1:
        return network, variables
    divide = MultiplyConstant(1 / temperature)
    if network.outputs == "logits":
        return Sequential({"network": network, "temperature": divide}), {
            "network": variables,
            "temperature": {},
        }
    layers = {
        "network": network,
        "probabilities": PROBABILITIES[network.outputs],
        "logarithm": Logarithm(),
        "temperature": divide,
    }
    return Sequential(layers), {name: variables if name == "network" else {} for name in layers}
