"""What a page draws over a picture is what `residua explain` and a server draw."""

from __future__ import annotations

import numpy as np
import pytest
from page_scripts import run_in_node

from residua.deploy.page.sources import read_source
from residua.insight.saliency.figure import OVERLAY, overlay

DRAW = """
const drawn = input.payload.map(({ bytes, falls, shape, colours }) => {
  let image = null;
  const context = {
    createImageData: (width, height) => ({ data: new Uint8ClampedArray(4 * width * height) }),
    putImageData: (given) => { image = given; },
  };
  drawMap({ getContext: () => context }, bytes, falls, shape, colours);
  return Array.from(image.data);
});
console.log(JSON.stringify(drawn));
"""


@pytest.mark.parametrize("channels", [1, 3])
def test_a_map_has_the_colours_of_explain(rng, channels):
    given, expected = [], []
    for falls in (rng.normal(size=(7, 9)), np.zeros((7, 9)), np.abs(rng.normal(size=(7, 9))) * 1e-3):
        image = rng.integers(0, 256, (7, 9, channels), np.uint8)
        given.append(
            {
                "bytes": image.ravel().tolist(),
                "falls": falls.ravel().tolist(),
                "shape": [7, 9, channels],
                "colours": OVERLAY,
            }
        )
        expected.append(overlay(image, falls, "occlusion").astype(int))
    drawn = run_in_node(f"{read_source('interface/occlusion.js')}\n{DRAW}", given)
    for pixels, wanted in zip(drawn, expected, strict=True):
        found = np.array(pixels).reshape(7, 9, 4)
        assert (found[..., 3] == 255).all()
        assert np.abs(found[..., :3] - wanted).max() <= 1
        assert (found[..., :3] == wanted).mean() > 0.99
