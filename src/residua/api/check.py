"""Looking through data before training, in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.api.output import OnResult, ignore, picture_file, save_picture, written_after
from residua.config import CheckConfig, DataOptions
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.data.quality.findings import Findings


def check_data(
    data: str | Path,
    *,
    say: Any = print,
    watch: Callable[[int, int], object] = lambda done, total: None,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[Findings, Path]:
    """Look through a data set or folder before training: counts, sizes, damage, copies, leaks.

    options: the fields of `CheckConfig`. watch: hears how many pictures of how many were compared.
    on_result: hears the findings before they are drawn. Returns the findings and the picture of them,
    check-DATA.png here or `output`. Raises ResiduaError.
    """
    from residua.data import open_dataset
    from residua.data.quality.check import check_dataset
    from residua.insight.data_quality.figure import check_figure

    config = configure(CheckConfig, options)
    data = named_path(data, "the data")
    path = picture_file(config.output, Path(f"check-{Path(data).name or 'pictures'}.png"))
    chosen = DataOptions(
        data=str(data),
        data_dir=config.data_dir,
        labels=config.labels,
        size=config.size,
        validation=config.validation,
        test=config.test,
        groups=config.groups,
    )
    # However many pictures are bad, that is what was asked for.
    read_as: list[str] = []

    def note(line: str) -> None:
        read_as.append(line)
        say(line)

    opened = open_dataset(chosen, config.seed, say=note, most_bad=1.0, purpose="look")
    opening = tuple(read_as)
    findings = replace(check_dataset(opened, near=config.near, watch=watch), read_as=opening)
    with written_after(findings, on_result):
        save_picture(check_figure(findings), path)
    return findings, path
