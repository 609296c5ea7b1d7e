"""A task divided among the processes of a job, or into parts that are always the same."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from residua.errors import NonFiniteError
from residua.training.full_batches import full_size
from residua.training.interruption import Interrupted
from residua.training.ranks.agreement import check_data
from residua.training.ranks.crew import Crew, threads_each
from residua.training.ranks.mpi import MpiWorld
from residua.training.ranks.world import World
from residua.training.task import Task
from residua.variables import Tree, flatten


def divided(task: Task, world: World | None) -> Task:
    """The task with its part of every batch; itself where one process computes whole batches.

    Raises ConfigError where a batch is too small; of several processes AgreedError, where they differ too.
    """
    options = task.config.run
    if world is None and not options.exact_ranks:
        return task
    if world is not None:
        validation = 0 if task.validation is None else len(task.validation.pictures)
        check_data(world, task.fingerprint, validation, _digest(task.model.variables))
        if world.word == "host":
            return _among_hosts(task, world)
        options = replace(options, threads=threads_each(world, options.threads))
    assert world is None or isinstance(world, MpiWorld)
    with contextlib.nullcontext() if world is None else world.all_or_none():
        crew = Crew(world, options, task.stop_requested.is_set)
        task = replace(task, train=task.train.part(*crew.parts), crew=crew)
    return task


def _among_hosts(task: Task, world: World) -> Task:
    from residua.training.ranks.host_crew import HostCrew
    from residua.training.ranks.hosts import HostWorld

    assert isinstance(world, HostWorld)
    world.compare("devices", {"devices": task.engine.divides})
    crew = HostCrew(world, task.config.run, task.stop_requested.is_set)
    rows = full_size(task.train, crew.divides)
    with world.all_or_none():
        return replace(task, train=task.train.rows(world.rank, world.size, rows), crew=crew)


def taking_part(world: World | None) -> contextlib.AbstractContextManager[None]:
    """Work in which one process that fails ends all of them."""
    return contextlib.nullcontext() if world is None else world.taking_part(Interrupted, NonFiniteError)


def _digest(variables: Tree) -> str:
    import hashlib

    digest = hashlib.sha256()
    for path, array in sorted(flatten(variables).items()):
        numbers: Any = array
        digest.update(path.encode() + numbers.tobytes())
    return digest.hexdigest()[:16]
