"""Small folders of pictures, a network trained on them in a second, and the program as its users meet it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from residua.cli import run

# Colours that a network of a few thousand numbers tells apart at once.
COLOURS = {"blue": (20, 40, 200), "green": (30, 190, 50), "red": (210, 40, 30)}
TINY = {"size": 8, "model": "resnet8", "width": 4, "batch": 8, "epochs": 2, "threads": 1}
OPTIONS = [part for name, value in TINY.items() for part in (f"--{name}", str(value))]


def paint(path: Path, colour: tuple[int, int, int], seed: int, mode: str = "RGB") -> Path:
    """A noisy picture of one colour."""
    noise = np.random.default_rng(seed).integers(-25, 26, (14, 11, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.asarray(colour) + noise).clip(0, 255).astype(np.uint8)).convert(mode).save(path)
    return path


def paint_folder(root: Path, classes=("blue", "red"), count: int = 12, seed: int = 0) -> Path:
    """One folder per class, `count` pictures in each."""
    for place, name in enumerate(classes):
        colour = COLOURS.get(name, (90 + 40 * place, 200 - 30 * place, 60))
        for number in range(count):
            paint(root / name / f"{number}.png", colour, seed + 100 * place + number)
    return root


def call(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, output and error output of `residua` with these arguments, in this process."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def answered(capsys, *arguments) -> str:
    """The output of a call that succeeds."""
    code, out, err = call(capsys, *arguments)
    assert code == 0, err
    return out


def refused(capsys, *arguments) -> str:
    """The one line with which a call is refused; exit code 2."""
    code, _, err = call(capsys, *arguments)
    lines = [line for line in err.splitlines() if "Engine: " not in line]
    assert code == 2, (code, err)
    assert len(lines) == 1, err
    assert lines[0].startswith("residua: "), err
    assert "Traceback" not in err
    return lines[0].removeprefix("residua: ")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, to see that nothing was touched."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
