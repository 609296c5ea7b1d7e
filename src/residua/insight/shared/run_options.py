"""The options in which training runs differ: what tells runs apart in figures and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from residua.config import TrainConfig

# What says where and how a run is computed, and changes nothing of its result.
NOT_COMPARED = {
    "run", "engine", "threads", "checkpoint_seconds", "checkpoint_steps", "final_test", "data_dir",
}  # fmt: skip


def flat_options(config: TrainConfig) -> dict[str, Any]:
    """Every option of a run by its name alone."""
    sections = [getattr(config, entry.name) for entry in fields(config)]
    return {entry.name: getattr(part, entry.name) for part in sections for entry in fields(part)}


def differing_options(configs: Sequence[TrainConfig], most: int | None = None) -> list[dict[str, Any]]:
    """For each run the options in which the runs differ, by their flags' names; of many the first `most`."""
    options = [flat_options(config) for config in configs]
    names = [
        name
        for name in (options[0] if options else {})
        if name not in NOT_COMPARED and len({str(own[name]) for own in options}) > 1
    ][:most]
    return [{name.strip("_").replace("_", "-"): own[name] for name in names} for own in options]
