"""Pictures as addresses: small ones to the last bit, larger ones smaller."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from residua.insight.report.data_uri import data_uri, figure_svg, picture_uri
from residua.insight.shared.plotting import new_figure


def opened(uri):
    kind, _, data = uri.partition(";base64,")
    return kind, Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_small_picture_stays_as_it_is(rng):
    picture = rng.integers(0, 256, (20, 30, 3), np.uint8)
    kind, image = opened(picture_uri(picture))
    assert kind == "data:image/png"
    np.testing.assert_array_equal(np.asarray(image), picture)


def test_a_large_picture_is_made_smaller(rng):
    kind, image = opened(picture_uri(rng.integers(0, 256, (400, 200, 1), np.uint8)))
    assert kind == "data:image/jpeg"
    assert image.size == (80, 160)


def test_the_same_chart_has_the_same_address():
    def chart():
        figure = new_figure(2, 2)
        figure.subplots().plot([1, 2])
        return data_uri(figure_svg(figure), "svg+xml")

    assert chart() == chart()
    assert chart().startswith("data:image/svg+xml;base64,")
