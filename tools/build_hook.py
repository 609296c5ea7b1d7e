"""Hatchling's hook: a wheel carries what Numba makes of the kernels (`residua.engines.numba.carry`).

Where that cannot be made, the wheel is built without, and Numba does it on the user's machine, at first use.
A folder that is installed to be edited carries nothing: `make kernels` fills it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "residua/engines/numba/carried"


class CustomBuildHook(BuildHookInterface):
    """Called before and after a wheel is built."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the kernels and have them included."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        command = [sys.executable, "-m", "residua.engines.numba.carry", self._folder.name]
        told = {"PYTHONPATH": str(Path(self.root, "src")), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
            self.app.display_warning(
                f"this wheel carries no kernels: Numba will make them, when needed: {last}"
            )
            return
        for file in sorted(Path(self._folder.name).iterdir()):
            build_data["force_include"][str(file)] = f"{PLACE}/{file.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Clear up."""
        if self._folder is not None:
            self._folder.cleanup()
