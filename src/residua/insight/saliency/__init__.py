"""Which parts of a picture a class score depends on.

`methods` computes the maps, `cam_layer` chooses the layer of Grad-CAM, `randomization` tests whether maps
depend on what was learned. `explain_pictures` is for programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from residua.insight.saliency.numbers import explain_pictures

__all__ = ["explain_pictures"]


def __getattr__(name: str) -> object:
    # Loaded when asked for: the figures and texts beside it need no engine.
    if name == "explain_pictures":
        from residua.insight.saliency.numbers import explain_pictures

        return explain_pictures
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
