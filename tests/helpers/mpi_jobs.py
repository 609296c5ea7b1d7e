"""Processes of mpiexec, begun from a process that has never loaded MPI."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import load_tool

PROGRAM = Path(sys.executable).with_name("mpiexec")
there = PROGRAM.exists() or shutil.which("mpiexec") is not None
NEEDS = pytest.mark.skipif(not there, reason="mpiexec is not installed")
OPTIONS = ["--model", "resnet8", "--width", "4", "--size", "8", "--batch", "16", "--engine", "numpy"]
OPTIONS += ["--no-final-test", "--checkpoint-steps", "1"]


def begin(*jobs, **options):
    """mpiexec with so many processes of each kind: (number, arguments), and what their environment has."""
    tool = load_tool("kill_ranks")
    words = [str(PROGRAM if PROGRAM.exists() else "mpiexec"), "--oversubscribe"]
    for number, arguments, *own in jobs:
        words += [":"] * (words[-1] != "--oversubscribe")
        words += ["-n", str(number), *own, sys.executable, "-m", "residua", *map(str, arguments)]
    return subprocess.Popen(
        words, env=tool.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
