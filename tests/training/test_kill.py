"""Training in real processes that are really killed: SIGKILL leaves no time to tidy up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import paint_folder

from residua.cli import run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL does not exist on Windows")

# The engine that a new process has loaded soonest, and pictures that it need not split.
OPTIONS = ["--model", "resnet8", "--width", "4", "--size", "8", "--epochs", "4", "--batch", "6"]
OPTIONS += ["--no-final-test", "--engine", "numpy"]

# Runs the command line, and kills its own process at the n-th call of one of the system calls that a
# durable write consists of: there is no better aim at the middle of a checkpoint.
SUICIDE = """
import os, signal, sys
from pathlib import Path
call, left = sys.argv[1], int(sys.argv[2])
def deadly(function):
    def wrapped(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return wrapped
if call == "fsync":
    os.fsync = deadly(os.fsync)
else:
    Path.replace = deadly(Path.replace)
from residua.cli import run
sys.exit(run(sys.argv[3:]))
"""


def _environment() -> dict[str, str]:
    # One thread: many small processes on few cores, and the same sums in all of them.
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}


def _start(arguments: list[str], suicide: tuple[str, int] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "residua"]
    if suicide is not None:
        command = [sys.executable, "-c", SUICIDE, suicide[0], str(suicide[1])]
    return subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(),
    )


def _kill_after(process: subprocess.Popen[str], folder: Path, seconds: float) -> None:
    """Kill the process some time after it has begun to train."""
    limit = time.monotonic() + 60
    while not any(folder.glob("checkpoint-*")) and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.01)
    time.sleep(seconds)
    process.kill()


@pytest.mark.parametrize(
    ("wanted", "least"), [(3, 1), pytest.param(20, 3, marks=pytest.mark.exhaustive)], ids=["3", "20"]
)
def test_killed_many_times_and_resumed_equals_never_killed(tmp_path, wanted, least):
    whole, killed, pictures = tmp_path / "whole", tmp_path / "killed", tmp_path / "pictures"
    paint_folder(pictures / "train", count=60)
    paint_folder(pictures / "validation", count=4, seed=5000)
    # What is not killed needs no process of its own.
    assert run(["train", str(pictures), *OPTIONS, "--run", str(whole)]) == 0

    dice = random.Random(20151210)
    kills = middle = 0
    first = ["train", str(pictures), *OPTIONS, "--checkpoint-steps", "1", "--run", str(killed)]
    while kills < wanted:
        arguments = ["train", "--resume", str(killed)] if any(killed.glob("checkpoint-*")) else first
        if arguments is first and killed.exists():
            # Killed before the first checkpoint: nothing was lost, the run begins anew.
            for path in killed.iterdir():
                path.unlink()
        if kills % 2:
            process = _start(arguments)
            _kill_after(process, killed, dice.uniform(0.0, 1.0) if kills == 1 else dice.uniform(0.0, 0.3))
        else:
            call = dice.choice(("fsync", "replace"))
            process = _start(arguments, (call, dice.randint(2, 9)))
        output, _ = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, output
        kills += 1
        middle += any(killed.glob(".checkpoint-*.partial"))
    assert kills == wanted, f"training was over after {kills} kills: give it more steps"
    assert middle >= least, "too few kills in the middle of a checkpoint to prove anything"

    assert run(["train", "--resume", str(killed)]) == 0
    for name in ("log.jsonl", "best.safetensors", "last.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    assert not list(killed.glob(".*.partial")), "what killed writers left behind is still there"
