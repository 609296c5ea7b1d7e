"""What the processes of a job must have alike to train together, and what the first tells the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from residua.config import TrainConfig
from residua.config.options import configure, to_toml
from residua.errors import RunError
from residua.training.checkpoint import Position
from residua.training.environment import versions_with
from residua.training.ranks.world import World
from residua.variables import Tree, fill, flatten

T = TypeVar("T")

# Where the same data lie on each machine, and how many threads it has, is its own affair.
_OWN = ("data_dir", "labels", "run", "threads", "host_wait")


def check_options(world: World, config: TrainConfig) -> None:
    """Raise ConfigError where a process has other options than the first."""
    every = {name: value for section in asdict(config).values() for name, value in section.items()}
    every["data"] = Path(str(every["data"])).name
    world.compare("options", {name: value for name, value in every.items() if name not in _OWN})


def check_versions(world: World) -> None:
    """Raise ConfigError where a process has other versions than the first."""
    world.compare("versions", versions_with("jax" if world.word == "host" else ""))


def check_data(world: World, fingerprint: str, validation: int, begun_with: str) -> None:
    """Raise ConfigError where a process has other pictures, or begins with other weights, than the first."""
    world.compare(
        "pictures or weights",
        {"training pictures": fingerprint, "validation pictures": validation, "weights": begun_with},
    )


def shared_config(world: World | None, read: Callable[[], TrainConfig]) -> TrainConfig:
    """The options of a run whose folder only the first process need see. Raises AgreedError."""
    if world is None:
        return read()
    text = by_first(world, lambda: json.dumps(to_toml(read())), "")
    return configure(TrainConfig, json.loads(world.share_text(text)), source=f"{world.word} 0: ")


def by_first(world: World | None, work: Callable[[], T], otherwise: T) -> T:
    """What the first process does for all, with its result in that one alone."""
    if world is None:
        return work()
    result = otherwise
    with world.all_or_none():
        if world.first:
            result = work()
    return result


def shared_run(world: World | None, make: Callable[[], Path]) -> Path:
    """The run folder, which the first process makes."""
    if world is None:
        return make()
    return Path(world.share_text(by_first(world, lambda: str(make()), "")))


def require_base(world: World | None, base: Path) -> None:
    """Raise RunError where a process does not see the model that a run has begun with."""
    if world is not None and not base.exists():
        raise RunError(
            f"{base} is not here, the model that the run began with: such a run goes on from a folder that "
            f"every {world.word} sees; share it, or copy that file there"
        )


def shared_checkpoint(
    world: World | None, template: Tree, read: Callable[[], tuple[Tree, Position, str]]
) -> tuple[Tree, Position, str]:
    """State, position and fingerprint as the first process reads them, in all processes."""
    if world is None:
        return read()
    state, position, fingerprint = by_first(world, read, (template, Position(), ""))
    words = json.dumps({"position": asdict(position), "fingerprint": fingerprint})
    document: dict[str, Any] = json.loads(world.share_text(words))
    arrays = {path: world.share(array) for path, array in flatten(state).items()}
    return (
        fill(template, arrays, f"{world.word} 0"),
        Position(**document["position"]),
        document["fingerprint"],
    )


def in_turn(world: World | None, work: Callable[[], T]) -> T:
    """Work done first by one process of each machine, whose cache the others then find.

    Raises what a process raises, under its name, in all of them.
    """
    if world is None:
        return work()
    leads = world.hosts.index(world.hosts[world.rank]) == world.rank
    done: list[T] = []
    for turn in (True, False):
        with world.all_or_none():
            if leads is turn:
                done.append(work())
    return done[0]
