"""Classes by name: in any case, by one of several names, and what is said where none is meant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_models import linear_model

from residua.errors import ConfigError
from residua.insight.shared.class_names import class_index

CLASSES = ("goldfish, Carassius auratus", "tench, Tinca tinca", "crane", "Crane, machine")


def model_of(*classes):
    return replace(linear_model(np.zeros((1, 1, 1, len(classes)))), classes=classes)


def refusal(model, *asked):
    with pytest.raises(ConfigError) as caught:
        class_index(model, *asked)
    return str(caught.value)


def test_classes_by_name():
    model = model_of(*CLASSES)
    assert class_index(model, "tench") == 1
    assert class_index(model, " Goldfish ") == 0
    assert class_index(model, "crane") == 2
    assert class_index(model, "crane, MACHINE") == 3


def test_a_name_of_several_classes_is_refused_with_their_names():
    line = "--target 'CRANE' may mean several classes: write 'crane' or 'Crane, machine'"
    assert refusal(model_of(*CLASSES), "CRANE") == line


def test_an_unknown_name_is_answered_by_the_nearest():
    model = model_of(*CLASSES)
    assert refusal(model, "tanch") == (
        "--target: linear has no class 'tanch'. Did you mean 'tench, Tinca tinca'?"
    )
    assert "Did you mean 'goldfish, Carassius auratus'?" in refusal(model, "ius aur")
    assert refusal(model_of("a"), "zzz", "--class") == "--class: linear has no class 'zzz'. Choose from: a."
    many = model_of(*(f"thing number {number}, object" for number in range(1000)))
    assert "It has 1,000, such as 'thing number 0, object' or" in refusal(many, "zzz")
