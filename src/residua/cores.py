"""How many cores there are to compute with, and what the system tells of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNTS = Path("/sys/fs/cgroup")
CPUINFO = Path("/proc/cpuinfo")


def cpuinfo() -> str:
    """Linux's account of the processors; empty where there is none."""
    try:
        return CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def available_cores() -> int:
    """The cores that this process may use: its affinity, and the quota of its control group if it has one.

    A quota is rounded to whole cores, halves upwards, and is at least one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(int(quota + 0.5) for quota in quotas())]))


@cache
def quotas() -> tuple[float, ...]:
    """Every quota, in cores, that this process began under; read once."""
    return tuple(_quotas())


def _quotas() -> Iterator[float]:
    """What the control group of this process and each group above it may use, in cores.

    Version 2 has `cpu.max` (quota and period), version 1 two files of microseconds. In a container the path
    that the system tells may be that of the host, which is not there: its mount's root holds for it then.
    """
    for mount, group in _groups():
        place = PurePosixPath("/", group.lstrip("/"))
        for above in (place, *place.parents):
            folder = mount.joinpath(*above.parts[1:])
            yield from _quota(_words(folder / "cpu.max"))
            quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
            yield from _quota(_words(quota) + _words(period))


def _groups() -> list[tuple[Path, str]]:
    """Where control groups are mounted, and which of them is this process's."""
    groups = [(MOUNTS, "/")]
    for line in _words(MEMBERSHIP, separator="\n"):
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if number == "0":
            groups += [(MOUNTS, group), (MOUNTS / "unified", group)]
        elif "cpu" in controllers.split(","):
            groups += [(MOUNTS / name, group) for name in ("cpu", "cpu,cpuacct", controllers)]
    return list(dict.fromkeys(groups))


def _words(path: Path, separator: str | None = None) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").split(separator)
    except OSError:
        return []


def _quota(words: list[str]) -> list[float]:
    """[quota / period], or nothing where there is no limit."""
    try:
        quota, period = map(int, words)
    except ValueError:
        return []
    return [quota / period] if quota > 0 and period > 0 else []
