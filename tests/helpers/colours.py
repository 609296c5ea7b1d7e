"""An experiment on blue and red pictures, done as its users do it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import TINY, paint_folder

from residua.cli import run


def do_experiment(folder: Path, text: str, count: int, **options: object) -> Path:
    """The folder with colours.toml, pics/ (`count` of each colour) and out/, the experiment done.

    text: the experiment, with {data} and {options} where those of `TINY` and `options` go.
    """
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in (TINY | options).items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "user-cache"))
        pics = paint_folder(folder / "pics", count=count)
        (folder / "colours.toml").write_text(text.format(data=pics.as_posix(), options=lines))
        assert run(["experiment", str(folder / "colours.toml"), "--output", str(folder / "out")]) == 0
    return folder
