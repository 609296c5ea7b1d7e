"""The verb augment."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import print_pictures, refuse_two_data_sets, sections
from residua.cli.terminal import to_stderr
from residua.config import DataOptions, SheetOptions

_SHEET, _DATA = sections("Sheet", "Data")


def augment(
    data: str,
    /,
    *,
    sheet: Annotated[SheetOptions, _SHEET] = SheetOptions(),
    options: Annotated[DataOptions, _DATA] = DataOptions(),
) -> int:
    """Show training pictures before and after they are varied; without options, every variation alone.

    Parameters
    ----------
    data
        A data set's name, or a folder of pictures.
    """
    from residua import api

    refuse_two_data_sets(data, options.data, DataOptions.data)
    chosen = vars(options) | {"data": data} | vars(sheet)
    print_pictures([api.augment_sheet(say=to_stderr, **chosen)])
    return 0
