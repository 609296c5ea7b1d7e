"""What every case is given, and the race that most of them are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from residua.bench.race import Limits, Turn, alternate, better, sgemm_peak
from residua.bench.results import OURS, THEIRS, Goal, Result
from residua.engines import Engine

Modes = Mapping[str, Callable[[], Turn]]


@dataclass(frozen=True)
class Setup:
    """What computes, for how long, and PyTorch's side (`residua.bench.peer`) where PyTorch is there."""

    engine: Engine
    limits: Limits
    peer: ModuleType | None

    @property
    def threads(self) -> int:
        """The engine's, and PyTorch's."""
        return self.engine.threads

    def modes(self, build: Callable[[Any, str], Turn]) -> Modes:
        """build(peer, layout) for each of PyTorch's layouts; nothing where it is not installed."""
        if self.peer is None:
            return {}
        return {layout: partial(build, self.peer, layout) for layout in self.peer.LAYOUTS}


def race(
    setup: Setup,
    case: str,
    work: str,
    flops: float,
    ours: Turn,
    theirs: Modes,
    goal: Goal | None = None,
) -> Result:
    """residua's turn and the better of PyTorch's, one after the other."""
    turns, chosen = {OURS: ours}, {}
    if theirs:
        chosen[THEIRS], turns[THEIRS] = better(theirs, setup.limits)
    found = alternate(turns, setup.limits)
    peak = sgemm_peak(setup.threads)
    return Result(case, work, setup.threads, "ms", found, goal=goal, modes=chosen, flops=flops, peak=peak)


def against_itself(
    setup: Setup,
    case: str,
    work: str,
    turns: Mapping[tuple[str, str], Turn],
    over: tuple[str, str],
    goal: Goal,
    mode: str,
) -> Iterator[Result]:
    """turns: {(side, condition): turn}, all in turn; one result a side, condition against condition."""
    found = alternate(
        {f"{side}, {condition}": turn for (side, condition), turn in turns.items()}, setup.limits
    )
    conditions = dict.fromkeys(condition for _, condition in turns)
    for side in dict.fromkeys(side for side, _ in turns):
        yield Result(
            case,
            f"{work}: {side}" + (f" {mode}" if side == THEIRS else ""),
            setup.threads,
            "ms",
            {condition: found[f"{side}, {condition}"] for condition in conditions},
            over=over,
            goal=goal if side == OURS else None,
        )
