"""Real processes: a picture that ends its decoder, workers and the job killed, and no byte that differs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from documents import load_tool
from small_models import small_model
from tiny import paint

from residua.models.model_file import save_model

# Takes the place of Pillow's own damage: whoever opens such a file is killed by its decoder, or waits for
# ever in machine code that lets no other thread of Python go on.
POISON = """
import ctypes, os, sys
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith("poison.png"):
        os.kill(os.getpid(), 9)
    if event == "open" and str(arguments[0]).endswith("endless.png"):
        ctypes.PyDLL(None).pause()
sys.addaudithook(hook)
"""


@pytest.fixture
def place(tmp_path):
    """A model and forty pictures, of which one ends every process that reads it."""
    save_model(tmp_path / "model.safetensors", small_model(width=4))
    for number in range(40):
        paint(tmp_path / "pictures" / f"{number:02d}.png", (200, 40, 30), number)
    (tmp_path / "sitecustomize.py").write_text(POISON)
    return tmp_path


def command(place, output, workers, *more):
    words = ["predict", "model.safetensors", "pictures", "--output", output, "--workers", str(workers), *more]
    return [sys.executable, "-m", "residua", *words, "--part", "8", "--engine", "numpy", "--threads", "1"]


def environment(place):
    path = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def finish(place, output, workers, *more):
    return subprocess.run(
        command(place, output, workers, *more),
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def table(place, output):
    return (place / output / "predictions.csv").read_bytes()


def test_a_picture_that_its_decoder_does_not_survive_is_named_and_all_others_are_answered(place):
    sound = finish(place, "sound", 1)
    assert sound.returncode == 0, sound.stderr
    (place / "pictures" / "19-poison.png").write_bytes(b"GIF89a")
    (place / "pictures" / "29-endless.png").write_bytes(b"GIF89a")
    done = finish(place, "out", 2, "--stall", "3")
    assert done.returncode == 1, done.stderr
    rows = table(place, "out").splitlines(keepends=True)
    poisoned = [row for row in rows if b"poison" in row or b"endless" in row]
    assert len(poisoned) == 2
    assert all(b"reading it ends the process, or never ends" in row for row in poisoned)
    assert b"".join(row for row in rows if row not in poisoned) == table(place, "sound")


def test_workers_and_job_killed_at_any_moment_come_to_the_same_bytes(place):
    assert finish(place, "whole", 2).returncode == 0
    job = subprocess.Popen(
        command(place, "killed", 2), cwd=place, env=environment(place), stderr=subprocess.PIPE, text=True
    )
    tool = load_tool("kill_prediction")
    workers = []
    wait_for(lambda: workers.extend(tool.children(job.pid)) or workers)
    os.kill(workers[0], signal.SIGKILL)
    wait_for(lambda: (place / "killed" / "part-00001.json").exists() or job.poll() is not None)
    workers = tool.children(job.pid)
    job.kill()
    job.wait()
    job.stderr.close()
    assert tool.left_of(workers) <= tool.MOST_SECONDS  # nobody goes on without the job
    again = finish(place, "killed", 2)
    assert again.returncode == 0, again.stderr
    assert table(place, "killed") == table(place, "whole")


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
