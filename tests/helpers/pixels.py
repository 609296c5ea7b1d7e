"""Pictures as arrays for tests: smooth, random, and of scenes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from residua.data.preprocessing import Preprocessing

SMOOTH = Preprocessing(20, 24, 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))  # of the pictures that `smooth` makes


def smooth(n=4, h=20, w=24, c=3, seed=0):
    """(N, H, W, C) uint8 pictures without sharp edges."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (n, 6, 6, c), np.uint8)
    planes = [
        [np.asarray(Image.fromarray(picture[..., k]).resize((w, h), 3)) for k in range(c)]
        for picture in small
    ]
    return np.ascontiguousarray(np.array(planes).transpose(0, 2, 3, 1))


def light(images):
    """Values from 0 to 1."""
    return images.astype(np.float32) / 255


def picture(array):
    """Pillow's picture of values from 0 to 1."""
    pixels = np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def scenes(count, size=32, seed=0, channels=3):
    """Unrelated smooth pictures, as photographs are: noise that was enlarged, and some fine grain."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        layers = np.zeros((size, size, channels))
        for cells in (4, 8, 16):
            noise = rng.integers(0, 256, (cells, cells, channels), np.uint8)
            planes = [Image.fromarray(noise[..., c]).resize((size, size), 3) for c in range(channels)]
            layers += np.stack([np.asarray(plane, float) for plane in planes], -1) * cells**-0.5
        layers -= layers.min()
        found.append(255 * layers / layers.max())
    return np.array(found).reshape(count, size, size, channels).astype(np.uint8)


def random_pixels(n=5, h=6, w=6, c=3, seed=0):
    """(N, H, W, C) uint8 without any structure."""
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, c), np.uint8)
