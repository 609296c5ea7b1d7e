"""The second process that compiles while the first one does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")


def test_the_second_process_makes_what_it_is_asked_for(tmp_path):
    lines = "linear.softmax softmax\nupdates.reductions reduce_pieces 0 0 0 0\n"
    command = [sys.executable, "-W", "ignore", "-m", "residua.engines.numba.runtime.compile_worker"]
    environment = os.environ | {"RESIDUA_KERNEL_CACHE": str(tmp_path)}
    done = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True)
    expected = [f"{word} {line}" for line in lines.splitlines() for word in ("begin", "done")]
    assert done.stdout.splitlines() == expected
    assert len(list(tmp_path.rglob("*.o"))) == 2
