"""Processes of mpiexec that read shards together: each its own, what another has is fetched over MPI."""

from __future__ import annotations

import pytest
from documents import load_tool
from mpi_jobs import NEEDS, OPTIONS, begin
from shards import samples, write_tar

from residua.cli import run

pytestmark = [NEEDS, pytest.mark.usefixtures("quiet_cache")]


def write(folder, shards=4):
    for number in range(shards):
        numbers = range(20 * number, 20 * number + 20)
        write_tar(folder / f"train-{number}.tar", samples(numbers))
    return folder


def own_caches(tmp_path, number, command):
    """As many processes, each with a cache of its own as if on another machine."""
    return [(1, command, "env", f"XDG_CACHE_HOME={tmp_path}/cache{rank}") for rank in range(number)]


def test_on_disks_of_their_own_they_train_to_the_same_bytes(tmp_path):
    pytest.importorskip("mpi4py")
    folder = write(tmp_path / "shards")
    command = ["train", str(folder), *OPTIONS, "--epochs", "2", "--exact-ranks", "--flip"]
    assert run([*command, "--run", str(tmp_path / "alone")]) == 0
    job = begin(*own_caches(tmp_path, 2, [*command, "--run", tmp_path / "two"]))
    out, _ = job.communicate(timeout=60)
    assert job.returncode == 0, out
    sizes = [path.stat().st_size for k in range(2) for path in (tmp_path / f"cache{k}").rglob("*.npy")]
    assert len(sizes) == 2
    assert max(sizes) < 128 + 41 * 8 * 8 * 3
    tool = load_tool("kill_ranks")
    assert tool.digests(tmp_path / "alone") == tool.digests(tmp_path / "two")


def test_a_damaged_shard_is_named_with_its_rank(tmp_path):
    pytest.importorskip("mpi4py")
    folder = write(tmp_path / "shards", shards=2)
    damaged = folder / "train-1.tar"
    damaged.write_bytes(damaged.read_bytes()[:20_000])
    command = ["train", folder, *OPTIONS, "--run", tmp_path / "run"]
    job = begin(*own_caches(tmp_path, 2, command))
    out, _ = job.communicate(timeout=60)
    assert job.returncode == 2
    lines = [line for line in out.splitlines() if line.startswith("residua: ")]
    assert len(lines) == 1, out
    assert lines[0].startswith("residua: rank 1 (")
    assert f"{damaged} is cut short or no tar archive" in lines[0]
    assert not (tmp_path / "run").exists()
