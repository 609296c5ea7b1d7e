"""What kernels are called in the cache and between processes."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")
from residua.engines.numba.kernels.updates import reductions
from residua.engines.numba.runtime.kernel_names import as_line, from_line, name_of, narrow

KERNEL = reductions.combine


@pytest.mark.parametrize("function", [KERNEL, narrow(KERNEL)])
def test_a_line_of_text_stands_for_a_kernel(function):
    assert from_line(as_line((function, (24, 64)))) == (function, (24, 64))


def test_a_narrow_kernel_has_a_name_of_its_own():
    assert narrow(KERNEL) is narrow(KERNEL) is not KERNEL
    assert name_of(KERNEL, (8,)) == "updates-reductions-combine-8"
    assert name_of(narrow(KERNEL), (8,)) == "updates-reductions-combine@narrow-8"


def test_a_narrow_kernel_is_not_called_in_python():
    with pytest.raises(TypeError, match="combine for narrow vectors"):
        narrow(KERNEL)(0, 0, 0, 0, 0, 0, 0)
