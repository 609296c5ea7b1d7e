"""Several devices: a batch divided among them gives what one device gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).parents[2] / "helpers" / "device_program.py"


def outcome(devices):
    flags = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "RESIDUA_JAX_CACHE": ""}
    command = [sys.executable, str(PROGRAM), "4"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_eight_devices_give_what_one_gives():
    one, eight = outcome(1), outcome(8)
    assert (one["devices"], eight["devices"]) == (1, 8)
    np.testing.assert_allclose(eight["losses"], one["losses"], atol=1e-6)
    for path, weights in one["weights"].items():
        np.testing.assert_allclose(eight["weights"][path], weights, atol=1e-6, err_msg=path)
