"""Errors for people: hints at near names, exit codes, the place of a layer."""

from __future__ import annotations

import pytest

from residua import errors
from residua.errors import NonFiniteError, ResiduaError, ShapeError, near


def test_near_names_are_offered_and_otherwise_all():
    known = ["resnet20", "resnet32", "vgg16"]
    assert near("resnet2", known) == " Did you mean 'resnet32' or 'resnet20'?"
    assert near("ResNet20", known).startswith(" Did you mean 'resnet20'")
    assert near("zzz", ["vgg16", "lenet5"]) == " Choose from: lenet5, vgg16."


def test_every_error_is_one_of_residua_s_and_says_how_the_program_ends():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    for kind in kinds:
        assert issubclass(kind, ResiduaError)
        assert kind.exit_code == (1 if kind is NonFiniteError else 2)


def test_a_shape_error_collects_the_layers_around_it():
    with pytest.raises(ShapeError, match=r"^stage1\.conv1: too small$") as caught:
        raise ShapeError("too small").within("conv1").within("stage1")
    assert (caught.value.message, caught.value.place) == ("too small", "stage1.conv1")


def test_a_message_is_one_line_whatever_names_it_holds():
    assert (
        str(ResiduaError("no file two\nlines\x1b[31m\u2028 here")) == r"no file two\nlines\x1b[31m\u2028 here"
    )
    assert str(ShapeError("猫 and é stay", "stem")) == "stem: 猫 and é stay"
