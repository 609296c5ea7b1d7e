"""What every case measures with, and the comparison of two sides that most of them are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from residua.bench.results import OURS, THEIRS, Goal, Result
from residua.bench.timing import Limits, Workload, choose_fastest, sgemm_peak, time_in_turn
from residua.engines import Engine

Modes = Mapping[str, Callable[[], Workload]]


@dataclass(frozen=True)
class Harness:
    """What computes, for how long, and PyTorch's side (`residua.bench.pytorch`) where PyTorch is there.

    installed: the peers that were asked for and are there, names of `PEERS`.
    engine_option: what programs of residua are told of the engine; auto leaves it to them.
    """

    engine: Engine
    limits: Limits
    peer: ModuleType | None
    installed: tuple[str, ...] = ()
    engine_option: str = "auto"

    @property
    def threads(self) -> int:
        """The engine's, and PyTorch's."""
        return self.engine.threads

    def modes(self, build: Callable[[Any, str], Workload]) -> Modes:
        """build(peer, layout) for each of PyTorch's layouts; nothing where it is not installed."""
        if self.peer is None:
            return {}
        return {layout: partial(build, self.peer, layout) for layout in self.peer.LAYOUTS}


def time_both_sides(
    harness: Harness,
    case: str,
    work: str,
    flops: float,
    ours: Workload,
    theirs: Modes,
    goal: Goal | None = None,
) -> Result:
    """One piece of work by residua, and in turn by PyTorch in its faster layout."""
    workloads, chosen = {OURS: ours}, {}
    if theirs:
        chosen[THEIRS], workloads[THEIRS] = choose_fastest(theirs, harness.limits)
    samples = time_in_turn(workloads, harness.limits)
    peak = sgemm_peak(harness.threads)
    return Result(case, work, harness.threads, "ms", samples, goal=goal, modes=chosen, flops=flops, peak=peak)


def compare_conditions(
    harness: Harness,
    case: str,
    work: str,
    workloads: Mapping[tuple[str, str], Workload],
    over: tuple[str, str],
    goal: Goal,
    mode: str,
) -> Iterator[Result]:
    """One result a side, condition against condition. workloads: {(side, condition): one}, all in turn."""
    named = {f"{side}, {condition}": workload for (side, condition), workload in workloads.items()}
    samples = time_in_turn(named, harness.limits)
    conditions = dict.fromkeys(condition for _, condition in workloads)
    for side in dict.fromkeys(side for side, _ in workloads):
        yield Result(
            case,
            f"{work}: {side}" + (f" {mode}" if side == THEIRS else ""),
            harness.threads,
            "ms",
            {condition: samples[f"{side}, {condition}"] for condition in conditions},
            over=over,
            goal=goal if side == OURS else None,
        )
