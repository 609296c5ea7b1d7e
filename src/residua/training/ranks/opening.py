"""The job that this process is one of: of mpiexec, or of several hosts on JAX."""

from __future__ import annotations

import importlib.util
import os
import socket
import time

from residua.config import RunOptions
from residua.config.options import flag
from residua.errors import ConfigError, EngineError
from residua.training.ranks.mpi import find_mpi
from residua.training.ranks.supervisor import fear
from residua.training.ranks.world import World

PORT = 8476  # of the coordinator, where none is said
ASKED = ("hosts", "host_id", "coordinator", "host_wait")  # the options that say who is one of a job

_hosts: list[World] = []  # a process joins others once


def find_world() -> World | None:
    """The job that this process is one of; None where it is alone. Raises ConfigError without MPI."""
    return _hosts[-1] if _hosts and not _hosts[-1].left else None if _hosts else find_mpi()


def open_world(options: RunOptions) -> World | None:
    """The same, once this process has joined the hosts that its options name.

    Raises ConfigError where they do not fit together, where the coordinator does not answer, or where its
    port is in use.
    """
    if options.hosts is None:
        for name in ASKED[1:3]:
            if getattr(options, name) is not None:
                raise ConfigError(f"{flag(name)} is said beside --hosts, which is missing")
        return find_mpi()
    if _hosts:
        raise ConfigError("this process has joined hosts already: start another one for another job")
    if options.engine != "jax":
        raise ConfigError(f"--hosts takes --engine jax, not {options.engine}; others go on with mpiexec")
    if options.exact_ranks:
        raise ConfigError("--exact-ranks is for the engines numba and numpy: leave it out, or --hosts")
    if importlib.util.find_spec("jax") is None:
        raise EngineError("the engine 'jax' needs jax, which is not installed: pip install 'residua[jax]'")
    if isinstance(options.hosts, str):
        said = [name for name in ASKED[1:3] if getattr(options, name) is not None]
        if said:
            raise ConfigError(f"--hosts auto finds out {flag(said[0])} by itself: leave it out")
        return _join(None, None, None, options.host_wait, "--hosts auto")
    if options.host_id is None or options.coordinator is None:
        missing = "--host-id" if options.host_id is None else "--coordinator"
        raise ConfigError(
            f"--hosts {options.hosts} takes --host-id and --coordinator too; {missing} is missing"
        )
    if options.host_id >= options.hosts:
        raise ConfigError(
            f"--host-id takes 0 to {options.hosts - 1}, as --hosts is {options.hosts}; it was given "
            f"{options.host_id}"
        )
    if options.hosts == 1:
        return None
    name, port = _address(options.coordinator)
    began = time.monotonic()
    if options.host_id == 0:
        _require_free(port)
    else:
        _require_answer(name, port, options.host_wait)
    rest = max(5.0, options.host_wait - (time.monotonic() - began))
    again = f"--hosts {options.hosts} --host-id K --coordinator {options.coordinator}"
    fear(
        f"not all of the {options.hosts} hosts came within {options.host_wait:.0f} s: start each with its "
        f"--host-id, 0 to {options.hosts - 1}, and --coordinator {options.coordinator}"
    )
    address = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return _join(options.hosts, options.host_id, address, rest, again)


def _join(
    count: int | None, number: int | None, address: str | None, seconds: float, again: str
) -> World | None:
    from residua.engines.jax.hosts import Messages, join_hosts, place_among_hosts
    from residua.training.ranks.hosts import HostWorld

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if count is None:
        fear(f"the hosts did not find each other within {seconds:.0f} s")
    join_hosts(count, number, address, seconds)
    rank, size = place_among_hosts()
    if size == 1:
        return None
    world = HostWorld(rank, size, Messages(), again)
    _hosts.append(world)
    return world


def _address(text: str) -> tuple[str, int]:
    name, found, port = text.rpartition(":")
    if not found or (name.count(":") and not name.endswith("]")):  # none, or an address of IPv6 alone
        name, port = text, str(PORT)
    name = name.strip("[]")
    if not name or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(
            f"--coordinator takes host 0's address, such as 10.0.0.1:{PORT}; it was given {text}"
        )
    return name, int(port)


def _require_free(port: int) -> None:
    """Raise ConfigError where something listens at this port: JAX itself would share it, and wait."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as problem:
            raise ConfigError(
                f"host 0 cannot listen at port {port} ({problem.strerror}): name another in --coordinator, "
                "on all hosts"
            ) from None


def _require_answer(name: str, port: int, seconds: float) -> None:
    """Wait for host 0. Raises ConfigError where it does not answer within the time."""
    end, reason = time.monotonic() + seconds, "it does not answer"
    while True:
        try:
            socket.create_connection((name, port), timeout=max(0.1, min(5.0, end - time.monotonic()))).close()
            return
        except socket.gaierror as problem:
            reason = str(problem.strerror)
        except OSError as problem:
            reason = problem.strerror or "it does not answer"
        if time.monotonic() + 0.2 > end:
            raise ConfigError(
                f"the coordinator {name}:{port} does not answer within {seconds:.0f} s ({reason}): start "
                "host 0 there (--host-id 0), see that its port can be reached, or wait longer (--host-wait)"
            )
        time.sleep(0.2)
