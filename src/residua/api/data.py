"""Looking through data before training, in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.config import (
    CheckConfig,
    DataOptions,
    SheetConfig,
)
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.data.quality.findings import Findings


def check_data(
    data: str | Path,
    *,
    say: Any = print,
    watch: Callable[[int, int], object] = lambda done, total: None,
    **options: Any,
) -> tuple[Findings, Path]:
    """Look through a data set or folder before training: counts, sizes, damage, copies, leaks.

    options: the fields of `CheckConfig`. watch: hears how many pictures of how many were compared. Returns
    what was found and the picture of it, check-DATA.png here or `output`. Raises ResiduaError.
    """
    from residua.data import open_dataset
    from residua.data.quality.check import check_dataset
    from residua.insight.data_quality.figure import draw_check

    config = configure(CheckConfig, options)
    asked = DataOptions(
        data=str(data),
        data_dir=config.data_dir,
        labels=config.labels,
        size=config.size,
        validation=config.validation,
        test=config.test,
        groups=config.groups,
    )
    # However many pictures are bad, that is what was asked for.
    opened = open_dataset(asked, config.seed, say=say, most_bad=1.0)
    findings = check_dataset(opened, near=config.near, watch=watch)
    path = Path(config.output or f"check-{Path(data).name or 'pictures'}.png")
    return findings, draw_check(findings, path)


def augment_sheet(data: str | Path, *, say: Any = print, **options: Any) -> Path:
    """Draw training pictures before and after they are varied: augment-DATA.png here, or `output`.

    options: the fields of `DataOptions` and `SheetOptions`; without any variation among them, each is shown
    alone. Returns the picture's path. Raises ResiduaError.
    """
    from residua.data import open_dataset
    from residua.insight.data_quality.augmentation import draw_sheet, title_of, vary

    config = configure(SheetConfig, {"data": str(data)} | options)
    opened = open_dataset(config.data, config.sheet.seed, say=say)
    rows = vary(opened, config.data, config.sheet)
    name = Path(data).name or "pictures"
    path = Path(config.sheet.output or f"augment-{name}.png")
    return draw_sheet(rows, f"{name}  {title_of(config.data)}", path)
