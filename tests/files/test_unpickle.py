"""Pickles are read as data: what is plain comes back equal, everything else is refused by name."""

import collections
import datetime
import io
import os
import pickle
import pickletools
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from residua.errors import DataError, ModelFileError
from residua.files.unpickle import load_plain


def complaint(content):
    """What is said against a pickle; nothing where it is read."""
    try:
        load_plain(content)
    except DataError as problem:
        return str(problem)
    return ""


PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False).map(lambda z: z.real),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.binary(), inner)
    ),
    max_leaves=20,
)


@examples(100, 25)
@given(value=plain, protocol=st.sampled_from(PROTOCOLS))
def test_plain_data_comes_back_equal(value, protocol):
    assert load_plain(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=">f4").reshape(3, 4)),
        np.zeros((0, 5), np.int16),
        np.array(2.5),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.float32(1.5),
        np.int64(-3),
    ],
    ids=str,
)
def test_arrays_of_every_protocol(array, protocol):
    back = load_plain(pickle.dumps({"a": array, "again": array}, protocol))
    assert np.array_equal(back["a"], array)
    assert back["a"].dtype == array.dtype
    assert np.array_equal(back["again"], array)


def test_shared_and_streamed():
    row = [1, 2]
    back = load_plain(io.BytesIO(pickle.dumps([row, row])))
    assert back[0] is back[1]


def test_python_2_text_is_latin_1():
    # What Python 2 wrote for {'data': '\xff\x00'}.
    assert load_plain(b"\x80\x02}q\x00U\x04dataq\x01U\x02\xff\x00q\x02s.") == {"data": "\xff\x00"}


class Evil:
    def __reduce__(self):
        return os.system, ("exit 1",)


class Stateful:
    def __init__(self):
        self.x = 1


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Evil(), "system"),
        (Stateful(), "_reconstructor"),
        (print, "print"),
        (datetime.date(2020, 1, 1), "datetime.date"),
        (collections.OrderedDict(a=1), "collections.OrderedDict"),
        (np.array([object()]), "'O"),
        (np.zeros(2, [("a", "i4")]), "'V4'"),
        (np.array(["2020-01-01"], "M8[D]"), "'M8'"),
        (np.array(["text"]), "'U4'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_everything_else_is_refused_by_name(value, named):
    with pytest.raises(DataError, match="refused") as caught:
        load_plain(pickle.dumps(value, 1 if named == "_reconstructor" else 2), name="batch")
    assert named in str(caught.value)
    assert str(caught.value).startswith("batch is refused: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'echo'\ntR.",
        b"(S'echo'\nios\nsystem\n.",
        b"(cos\nsystem\nS'echo'\no.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
        b"\x80\x02\x82\x01.",  # an entry of the extension registry
        b"cbuiltins\ngetattr\n.",
        b"cnumpy\nload\n.",
        b"cnumpy\nndarray\n(tR.",  # known as a name, never to be called
        b"(tc__builtin__\nbytes\n\x85R.",
    ],
)
def test_programs_are_refused(program):
    with pytest.raises(DataError):
        load_plain(program)


def test_extra_names_and_persistent_ids():
    class Writer(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", 7) if isinstance(value, Stateful) else None

    stream = io.BytesIO()
    Writer(stream, 2).dump(collections.OrderedDict(a=Stateful()))
    got = load_plain(
        stream.getvalue(),
        extra={"collections.OrderedDict": collections.OrderedDict},
        persistent_load=lambda key: ["loaded", *key],
    )
    assert got == {"a": ["loaded", "storage", 7]}
    with pytest.raises(DataError, match="outside itself"):
        load_plain(stream.getvalue(), extra={"collections.OrderedDict": dict})


def test_attributes_of_a_dictionary_are_dropped():
    value = collections.OrderedDict(a=1)
    value.note = "kept by pickle"
    got = load_plain(pickle.dumps(value, 2), extra={"collections.OrderedDict": collections.OrderedDict})
    assert got == {"a": 1}
    assert not hasattr(got, "note")


def test_a_name_that_is_no_function_cannot_be_called():
    with pytest.raises(DataError, match="no function"):
        load_plain(b"ctorch\nFloatStorage\n(tR.", extra={"torch.FloatStorage": "float32"})


def test_array_bytes_must_match_its_shape():
    honest = pickle.dumps(np.zeros(4, np.uint8), 2)
    # The shape is written as the small integer 4 (K 04); a forger claims 200.
    forged = honest.replace(b"K\x04\x85", b"K\xc8\x85")
    assert forged != honest
    with pytest.raises(DataError, match=r"shape \(200,\)"):
        load_plain(forged)


def test_lengths_that_are_not_there_take_no_memory():
    for claim in (b"\x8e" + struct.pack("<Q", 2**60), b"B" + struct.pack("<I", 2**32 - 1)):
        with pytest.raises(DataError, match="cut off or damaged"):
            load_plain(b"\x80\x04" + claim + b"abc.")


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_damage_gives_one_line_or_plain_data(data):
    whole = pickle.dumps({"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "labels": [1, 2]}, 2)
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    damaged = whole[:place] + bytes([byte]) + whole[place + 1 :]
    for content in (whole[:place], damaged):
        assert "\n" not in complaint(content)


def test_the_error_is_the_caller_s():
    with pytest.raises(ModelFileError, match=r"^old\.pth is cut off"):
        load_plain(b"", name="old.pth", error=ModelFileError)


def test_every_operation_of_pickle_is_either_read_or_refused():
    for opcode in pickletools.opcodes:
        assert "\n" not in complaint(opcode.code.encode("latin-1") + b"\x00" * 12 + b"\n\n.")


def test_unknown_escapes_warn_nobody():
    """Texts of old pickles; what `pickletools` says of them is no news for whoever reads the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_plain(b"S'a\\qb'\n.", name="old.pkl") == "a\\qb"
