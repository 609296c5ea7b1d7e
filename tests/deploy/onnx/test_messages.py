"""What the encoder writes, the onnx package reads."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from onnx_files import onnx
from tiers import examples

from residua.deploy.onnx import messages
from residua.deploy.onnx.messages import Node, Port


@examples(200, 20)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_of_any_size(numbers):
    entry = Node("Op", "a node", ("x",), ("y",), {"numbers": numbers, "one": numbers[0]})
    read = onnx.NodeProto.FromString(b"".join(messages.node(entry)))
    assert list(read.attribute[0].ints) == numbers
    assert read.attribute[1].i == numbers[0]


@examples(200, 20)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1), st.text())
def test_real_numbers_and_texts(numbers, text):
    entry = Node("Op", text, (text,), (), {"numbers": numbers, "one": numbers[0], "text": text})
    read = onnx.NodeProto.FromString(b"".join(messages.node(entry)))
    assert (read.name, read.input[0], read.attribute[2].s.decode()) == (text, text, text)
    assert list(read.attribute[0].floats) == numbers
    assert read.attribute[1].f == numbers[0]


def test_tensors_of_every_type_and_shape(rng):
    for name in messages.TYPES:
        for shape in ((), (0,), (3,), (2, 1, 3)):
            array = (rng.normal(size=shape) * 3).astype(name)
            for given_array in (array, array.astype(array.dtype.newbyteorder(">")), array.T):
                read = onnx.TensorProto.FromString(b"".join(messages.tensor("t", given_array)))
                np.testing.assert_array_equal(onnx.numpy_helper.to_array(read), given_array)


def test_ports_say_what_lies_along_each_axis():
    port = Port("x", (4, 3), "uint8", "IMAGE", ("DATA_BATCH", "DATA_FEATURE", "DATA_CHANNEL"))
    read = onnx.ValueInfoProto.FromString(b"".join(messages.port(port)))
    assert [side.denotation for side in read.type.tensor_type.shape.dim] == list(port.axes)
    assert read.type.denotation == "IMAGE"
