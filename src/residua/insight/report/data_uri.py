"""Pictures as addresses that hold them (data URIs), so that one file holds everything."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.insight.shared.sheets import without_grey_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 160  # pixels of the longer side, above which pictures are made smaller
LOSSLESS = 96  # pixels up to which they stay as they are


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as an address that holds them; kind: svg+xml, png or jpeg."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def picture_uri(image: NDArray[np.uint8]) -> str:
    """A picture (H, W, C) uint8: small ones to the last bit, larger ones as JPEG and not above 160 pixels."""
    from PIL import Image

    plain = Image.fromarray(without_grey_axis(image))
    buffer = io.BytesIO()
    if max(plain.size) <= LOSSLESS:
        plain.save(buffer, "PNG", optimize=True)
        return data_uri(buffer.getvalue(), "png")
    plain.thumbnail((SIDE, SIDE))
    plain.save(buffer, "JPEG", quality=85)
    return data_uri(buffer.getvalue(), "jpeg")


def figure_png(figure: Figure) -> bytes:
    """A figure as PNG, for what is made of many small squares."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, transparent=True, metadata={"Software": "residua"})
    return buffer.getvalue()


def figure_svg(figure: Figure) -> bytes:
    """A figure as SVG without a background, the same bytes whenever it is the same figure."""
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "residua", "font.size": 10}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": "residua"})
    return buffer.getvalue()
