"""Hosts on JAX: real processes that give what one gives, and those that are missing, killed or stuck."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax", reason="needs JAX: pip install 'residua[jax]'")

import host_program
from documents import load_tool
from tiny import paint_folder

from residua import train
from residua.cli import run
from residua.config import RunOptions
from residua.data.batches import Batches
from residua.errors import ConfigError
from residua.training.progress import Quiet
from residua.training.ranks import hosts as ours
from residua.training.ranks.hosts import HostWorld
from residua.training.ranks.opening import open_world

PROGRAM = Path(__file__).parents[2] / "helpers" / "host_program.py"
# What no cluster has: a way to the coordinator by a proxy, which would end nowhere.
PROXY = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
ENVIRONMENT = os.environ | {
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
    "JAX_PLATFORMS": "cpu",
    "RESIDUA_JAX_CACHE": "",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
}
OPTIONS = ["--size", 8, "--model", "resnet8", "--width", 4, "--batch", 16, "--no-final-test"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def begin(*commands, **variables):
    pipe = subprocess.PIPE
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=ENVIRONMENT | variables,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        for command in commands
    ]


def outcomes(jobs, seconds=100):
    return [(*job.communicate(timeout=seconds), job.returncode) for job in jobs]


def two_programs(steps, *more, **variables):
    port = free_port()
    return outcomes(begin(*([PROGRAM, rank, 2, port, steps, *more] for rank in (0, 1)), **variables))


def test_two_hosts_of_two_devices_give_what_one_gives():
    (out, errors, code), (none, _, other) = two_programs(50, JAX_NUM_CPU_DEVICES="2", **PROXY)
    assert (code, other) == (0, 0), errors
    assert '"losses"' not in none
    found = json.loads(out.splitlines()[-1])
    losses, weights = host_program.train(50)
    np.testing.assert_allclose(found["losses"], losses, atol=1e-6)
    for path, array in weights.items():
        np.testing.assert_allclose(found["weights"][path], array, atol=1e-6, err_msg=path)
    assert found["gather"] == [[[0.5]], [[1.5]]]
    assert found["share"] == [[0, 1, 2, 3, 4], 7]
    assert found["said"] == ["ä0", "ä1"]


@pytest.mark.exhaustive
def test_a_host_that_stands_still_is_named_by_the_other():
    (_, errors, code), _ = two_programs(100, "stuck")
    lines = [line for line in errors.splitlines() if line.startswith("residua: ")]
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("residua: host 1 (")
    assert "has not answered for" in lines[0]


def test_each_host_has_its_rows_of_every_batch():
    whole = host_program.batches_of(pictures=37)
    stretches = [whole.rows(number, 4, 16) for number in range(4)]
    for epoch in (0, 1):
        with whole.epoch(epoch) as batches:
            every = list(batches)
        parts = []
        for stretch in stretches:
            with stretch.epoch(epoch) as batches:
                parts.append(list(batches))
        for number, batch in enumerate(every):
            own = [part[number] for part in parts]
            assert [part.whole for part in own] == [len(batch.labels)] * 4
            np.testing.assert_array_equal(np.concatenate([part.images for part in own]), batch.images)
            np.testing.assert_array_equal(np.concatenate([part.indices for part in own]), batch.indices)
    assert len(parts[3][2].labels) == 0  # of the last five pictures nothing is left for the last host
    with pytest.raises(ConfigError, match="a batch of 3 is too small for 4 hosts"):
        host_program.batches_of(batch=3).rows(0, 4, 4)


def test_no_pictures_of_mixed_ones_either():
    whole = host_program.batches_of(pictures=18)
    from residua.data.augmentation.mixup_cutmix import Mix

    mixed = Batches(whole.pictures, whole.preprocessing, whole.augment, 12, 0, Mix(1.0, 0.0))
    batch = mixed.rows(1, 2, 12).make(mixed.order(0), 0, 1)
    assert (len(batch.images), len(batch.others), len(batch.share), batch.whole) == (0, 0, 0, 6)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hosts": 2, "host_id": 2, "coordinator": "a"}, "--host-id takes 0 to 1, as --hosts is 2; it was g"),
        ({"hosts": 2, "coordinator": "a"}, "takes --host-id and --coordinator too; --host-id is missing"),
        ({"hosts": 2, "host_id": 1}, "--coordinator is missing"),
        ({"host_id": 1}, "--host-id is said beside --hosts, which is missing"),
        ({"hosts": "auto", "host_id": 1}, "--hosts auto finds out --host-id by itself: leave it out"),
        ({"hosts": 2, "host_id": 0, "coordinator": "a:b"}, "--coordinator takes host 0's address, such as"),
        (
            {"hosts": 2, "host_id": 0, "coordinator": "a", "engine": "numba"},
            "--hosts takes --engine jax, n",
        ),
        ({"hosts": 2, "exact_ranks": True}, "--exact-ranks is for the engines numba and numpy"),
        ({"hosts": 0}, "--hosts takes 1 or more, or auto; it was given 0"),
    ],
)
def test_options_that_do_not_go_together(options, told):
    with pytest.raises(ConfigError, match=told):
        train("digits", **({"engine": "jax"} | options))


def test_a_port_in_use_and_a_coordinator_that_does_not_answer():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"host 0 cannot listen at port {port} \(Address already"):
            open_world(RunOptions(engine="jax", hosts=2, host_id=0, coordinator=f"localhost:{port}"))
    asked = RunOptions(engine="jax", hosts=2, host_id=1, coordinator=f"localhost:{port}", host_wait=1)
    with pytest.raises(ConfigError, match=rf"localhost:{port} does not answer within 1 s \(Connection"):
        open_world(asked)


def test_the_command_says_what_its_process_says(capfd):
    """In one line, with its exit code; nothing of JAX's own."""
    asked = ["--engine", "jax", "--hosts", "2", "--host-id", "7", "--coordinator", "localhost"]
    assert run(["train", "digits", *asked]) == 2
    out, errors = capfd.readouterr()
    assert out == ""
    assert errors == "residua: --host-id takes 0 to 1, as --hosts is 2; it was given 7\n"


class Ended(Exception):
    """Instead of the end of the process."""


class Words:
    """The coordinator's table, and what the other hosts would say in it."""

    def __init__(self, others):
        self.table, self.others = {}, others

    def put(self, key, text, again=False):
        self.table[key] = text
        if key.startswith("residua/said/"):
            for rank in range(1, 3):
                self.table[f"{key[: key.rindex('/')]}/{rank}"] = f"host{rank}, process {rank}".encode()

    def look(self, key):
        return self.table.get(key)

    def remove(self, key):
        self.table.pop(key, None)

    def all(self, folder):
        if folder == "residua/alive":
            return self.others()
        return {key.rpartition("/")[2]: text for key, text in self.table.items() if key.startswith(folder)}


@pytest.fixture
def watched(monkeypatch):
    """watched(others) -> what ends the job; others() -> {rank: "number seconds-it-waits"}."""
    said, over = [], threading.Event()

    def abort(world, line, code=2):
        said.append(line)
        world._over.set()
        over.set()

    def watch(others, stall=float("inf"), waits=None):
        world = HostWorld(0, 3, Words(others), "--hosts 3 --host-id K --coordinator a")
        world.stall_seconds = stall
        world._waiting_since = waits
        assert over.wait(10)
        assert world.places[2] == "host2, process 2"
        return said[0]

    monkeypatch.setattr(HostWorld, "abort", abort)
    monkeypatch.setattr(ours, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(ours, "GONE_SECONDS", 0.2)
    return watch


def test_a_host_without_a_sign_of_life_is_named(watched):
    beats = iter(range(10**9))
    line = watched(lambda: {"1": b"%d 0.0" % next(beats), "2": b"5 0.0"})
    assert line.startswith("host 2 (host2, process 2) has not been heard of for 0 s: killed, or cut off; ")
    assert line.endswith("residua train --resume RUN --hosts 3 --host-id K --coordinator a")


def test_who_is_waited_for_is_who_does_not_wait(watched):
    beats = iter(range(10**9))

    def others():
        beat = next(beats)
        return {"1": b"%d 49.0" % beat, "2": b"%d 0.0" % beat}

    line = watched(others, stall=40, waits=time.monotonic() - 50)
    assert line.startswith("host 2 (host2, process 2) has not answered for 50 s; the job ends. Go on, on ")


def test_where_all_wait_nobody_is_named(watched):
    beats = iter(range(10**9))

    def others():
        beat = next(beats)
        return {"1": b"%d 49.0" % beat, "2": b"%d 49.0" % beat}

    line = watched(others, stall=40, waits=time.monotonic() - 50)
    assert line.startswith("all hosts have been waiting for 50 s; the job ends")


def jobs_in(pictures, folder, *more):
    port = free_port()
    shared = ["-m", "residua", "train", *([] if pictures is None else [pictures, *OPTIONS, "--run", folder])]
    shared += ["--engine", "jax"] if pictures else ["--resume", folder]
    hosts = ["--hosts", 2, "--coordinator", f"localhost:{port}"]
    return begin(*([*shared, *hosts, "--host-id", rank, *more] for rank in (0, 1)))


def workers(folder):
    """The processes that train, apart from those that look after them: host 0's first."""
    found = {}
    for pid in load_tool("kill_ranks").members(folder):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        supervised = b"RESIDUA_SUPERVISED=" in Path(f"/proc/{pid}/environ").read_bytes()
        if supervised:
            found[int(words[words.index(b"--host-id") + 1])] = pid
    return found


@pytest.mark.exhaustive
def test_killed_and_resumed_to_the_same_bytes_and_by_one_host_alone(tmp_path):
    pictures = tmp_path / "pics"
    paint_folder(pictures / "train", count=20)
    paint_folder(pictures / "val", count=4, seed=5000)
    more = ["--epochs", 4, "--checkpoint-steps", 1]
    whole, broken, alone = tmp_path / "whole", tmp_path / "broken", tmp_path / "alone"
    assert [code for *_, code in outcomes(jobs_in(pictures, whole, *more))] == [0, 0]
    jobs = jobs_in(pictures, broken, *more)
    limit = time.monotonic() + 60
    while not (broken / "log.jsonl").exists() and time.monotonic() < limit:
        time.sleep(0.02)
    os.kill(workers(broken)[1], signal.SIGKILL)
    since = time.monotonic()
    (_, errors, code), (_, own, _) = outcomes(jobs)
    assert time.monotonic() - since < 15
    assert code == 2
    assert len(errors.splitlines()) == 1, errors
    assert "host 1 (" in errors
    assert "--resume" in errors
    assert own == "residua: the process that trains was ended by SIGKILL\n"
    shutil.copytree(broken, alone)
    assert [code for *_, code in outcomes(jobs_in(None, broken))] == [0, 0]
    tool = load_tool("kill_ranks")
    assert tool.digests(broken) == tool.digests(whole)
    train(resume=alone, reporter=Quiet())
    mine, theirs = (json.loads((run / "log.jsonl").read_text().splitlines()[-1]) for run in (alone, whole))
    assert mine["train_loss"] == pytest.approx(theirs["train_loss"], abs=1e-4)
