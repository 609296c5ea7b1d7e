"""Drawing what training makes of pictures, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.api.output import picture_file
from residua.config import SheetConfig
from residua.config.options import configure
from residua.files.output import make_parent


def augment_sheet(data: str | Path, *, say: Any = print, **options: Any) -> Path:
    """Draw training pictures before and after they are varied: augment-DATA.png here, or `output`.

    options: the fields of `DataOptions` and `SheetOptions`; without any variation among them, each is shown
    alone. Returns the picture's path. Raises ResiduaError.
    """
    from residua.data import open_dataset
    from residua.insight.data_quality.augmentation import draw_sheet, title_of, vary

    config = configure(SheetConfig, {"data": data} | options)
    name = Path(data).name or "pictures"
    path = picture_file(config.sheet.output, Path(f"augment-{name}.png"))
    opened = open_dataset(config.data, config.sheet.seed, say=say)
    rows = vary(opened, config.data, config.sheet)
    return draw_sheet(rows, f"{name}  {title_of(config.data)}", make_parent(path))
