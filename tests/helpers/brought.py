"""Folders as people bring them: painted by a plan of paths and numbers of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tiny import TINY

ONE_EPOCH = [
    part
    for name, value in (TINY | {"epochs": 1, "engine": "numpy"}).items()
    for part in (f"--{name}", str(value))
]
# Of classes, so that a network can tell them apart.
_COLOURS = {"cat": (200, 80, 60), "dog": (60, 90, 200), "glioma": (90, 90, 90), "healthy": (170, 170, 170)}


def paint_plan(root: Path, plan: dict[str, int], start: int = 0) -> Path:
    """Pictures 0.png, 1.png, ... in each folder of the plan, in the colour of its name; returns the root."""
    seed = start
    for folder, count in plan.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        colour = _COLOURS.get(Path(folder).name, (128, 128, 128))
        for number in range(count):
            noise = np.random.default_rng(seed).integers(-40, 41, (10, 10, 3))
            seed += 1
            pixels = (np.asarray(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{number}.png")
    return root
