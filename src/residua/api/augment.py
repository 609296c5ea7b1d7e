"""Drawing what training makes of pictures, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.api.output import picture_file, save_picture
from residua.config import SheetConfig
from residua.config.options import configure


def augment_sheet(data: str | Path, *, say: Any = print, **options: Any) -> Path:
    """Draw training pictures before and after they are varied: augment-DATA.png here, or `output`.

    options: the fields of `DataOptions` and `SheetOptions`; without any variation among them, each is shown
    alone. Returns the picture's path. Raises ResiduaError.
    """
    from residua.data import open_dataset
    from residua.insight.augmentation.figure import augmentation_figure
    from residua.insight.augmentation.numbers import vary_pictures
    from residua.insight.augmentation.text import variations_text

    config = configure(SheetConfig, {"data": data} | options)
    name = Path(config.data.data).name or "pictures"
    path = picture_file(config.sheet.output, Path(f"augment-{name}.png"))
    opened = open_dataset(config.data, config.sheet.seed, say=say, purpose="look")
    rows = vary_pictures(opened, config.data, config.sheet)
    return save_picture(augmentation_figure(rows, f"{name}  {variations_text(config.data)}"), path)
