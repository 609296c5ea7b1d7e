"""Pictures that several processes hold, taken out as from an array."""

from __future__ import annotations

import numpy as np

from residua.data.pictures.selection import Selection
from residua.data.pictures.spread import Spread, each_own, is_spread


class Two:
    """The first of two processes, of which the other holds the odd pictures."""

    rank, size, disks = 0, 2, (0, 1)

    def __init__(self, other):
        self.other = other

    def serve(self, images):
        return 0

    def fetch(self, rank, number, rows):
        assert (rank, number) == (1, 0)
        return self.other[rows]

    def tell(self, own):
        return [own, np.array([[7]]).tobytes()]


def spread(images):
    rows = np.arange(len(images))
    return Spread(Two(images[1::2]), images[::2], rows % 2, rows % 2, rows // 2)


def test_whatever_is_asked_for_is_what_an_array_gives():
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), np.uint8)
    parts = spread(images)
    assert parts.shape == images.shape
    assert len(parts) == 7
    for key in (3, np.int64(4), slice(1, 6, 2), [5, 0, 5], np.array([6, 1]), images[:, 0, 0, 0] > 99):
        np.testing.assert_array_equal(parts[key], images[key])
    chosen = Selection(parts, np.array([5, 2, 3]))
    assert is_spread(chosen)
    np.testing.assert_array_equal(chosen, images[[5, 2, 3]])
    np.testing.assert_array_equal(chosen.window(1, 2, 2, 3)[1:], images[[2, 3], 1:3, 2:5])


def test_work_on_all_pictures_is_done_by_those_who_have_them():
    images = np.zeros((7, 2, 2, 3), np.uint8)
    seen = []

    def count(part):
        seen.append(len(part))
        return np.array([[len(part)]])

    assert [part.tolist() for part in each_own(Selection(spread(images), np.arange(7)), count)] == [
        [[4]],
        [[7]],
    ]
    assert [part.tolist() for part in each_own(images, count)] == [[[7]]]
    assert seen == [4, 7]
