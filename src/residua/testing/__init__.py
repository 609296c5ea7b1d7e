"""The contracts as functions: hold a layer or an engine of your own to what residua's own must keep.

May import: engines, layers, variables.

    from residua.testing import check_layer
    check_layer(MyLayer(16), (2, 7, 5, 16))

Both raise AssertionError with a message that says which promise was broken and by how much.
"""

from residua.testing.engine_check import check_engine
from residua.testing.layer_check import check_layer

__all__ = ["check_engine", "check_layer"]
