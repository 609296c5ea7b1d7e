"""How many cores there are: what the system says, and no more than a container or a group may use."""

from __future__ import annotations

import os

import pytest

from residua import cores
from residua.cores import available_cores


@pytest.fixture(autouse=True)
def eight(monkeypatch, tmp_path):
    """Eight cores, and a system's files of control groups below tmp_path."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(cores, "MOUNTS", tmp_path / "cgroup")
    cores.quotas.cache_clear()
    yield
    cores.quotas.cache_clear()


def files(tmp_path, membership, **contents):
    """The system's files, by path below the mount."""
    (tmp_path / "membership").write_text(membership)
    for path, text in contents.items():
        (tmp_path / "cgroup" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cgroup" / path).write_text(f"{text}\n")
    cores.quotas.cache_clear()


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("1000 100000", 1),
        ("150000 100000", 2),
        ("250000 100000", 3),
        ("1600000 100000", 8),
        ("-1 100000", 8),
        ("100000 0", 8),
        ("nonsense", 8),
        ("", 8),
    ],
)
def test_a_containers_quota_counts(tmp_path, quota, expected):
    files(tmp_path, "0::/\n", **{"cpu.max": quota})
    assert available_cores() == expected


def test_the_quota_of_a_service_or_of_a_group_above_it(tmp_path):
    files(
        tmp_path,
        "0::/user.slice/job.scope\n",
        **{"user.slice/cpu.max": "300000 100000", "user.slice/job.scope/cpu.max": "max 100000"},
    )
    assert available_cores() == 3
    files(tmp_path, "0::/user.slice/job.scope\n", **{"user.slice/job.scope/cpu.max": "100000 100000"})
    assert available_cores() == 1


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize("group", ["/", "/docker/4f", "/gone/of/the/host"])
def test_the_first_version_of_control_groups(tmp_path, mount, group):
    place = f"{mount}{group if 'gone' not in group else '/'}/"
    files(
        tmp_path,
        f"4:memory:/elsewhere\n3:{mount}:{group}\n",
        **{f"{place}cpu.cfs_quota_us": "200000", f"{place}cpu.cfs_period_us": "100000"},
    )
    assert available_cores() == 2
    files(tmp_path, f"3:{mount}:{group}\n", **{f"{place}cpu.cfs_quota_us": "-1"})
    assert available_cores() == 8


def test_without_a_quota_all_cores_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert available_cores() == 3


def test_threads_are_as_many(tmp_path):
    from residua.engines import open_engine

    files(tmp_path, "0::/\n", **{"cpu.max": "100000 100000"})
    assert open_engine("numpy").threads == 1


def test_where_the_system_tells_nothing_of_its_processors_nothing_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(cores, "CPUINFO", tmp_path / "none")
    assert cores.cpuinfo() == ""
    (tmp_path / "some").write_bytes(b"model name\t: a \xff\n")
    monkeypatch.setattr(cores, "CPUINFO", tmp_path / "some")
    assert cores.cpuinfo().startswith("model name\t: a ")
