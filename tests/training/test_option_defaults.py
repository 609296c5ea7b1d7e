"""What training takes where an option is left open: the data set's advice for that network."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from residua.config import TrainConfig
from residua.config.options import configure
from residua.data import DataSet
from residua.data.sources.cards import DATASETS
from residua.training.option_defaults import resolve_options


def resolved(data: str, **options: Any) -> TrainConfig:
    card = DATASETS[data]
    opened = cast("DataSet", SimpleNamespace(card=card, height=card.height))
    return resolve_options(configure(TrainConfig, {"data": data} | options), opened)


def numbers(config: TrainConfig) -> tuple[Any, ...]:
    optimizer, schedule, data = config.optimizer, config.schedule, config.data
    return (
        *(config.model.model, config.model.width, schedule.epochs, schedule.batch, schedule.schedule),
        *(optimizer.rate, optimizer.momentum, optimizer.nesterov, optimizer.decay, optimizer.smoothing),
        *(optimizer.lookahead, optimizer.bias_rate, optimizer.whitening_epochs),
        *(data.crop, data.flip, data.alternate_flip, data.border, data.validation),
    )


FAST = (
    "airbench94",
    None,
    10,
    1024,
    "triangle",
    1.5,
    0.85,
    True,
    0.00133,
    0.2,
    True,
    64.0,
    3,
    2,
    True,
    True,
    "reflect",
)
PAPER = (
    "resnet20",
    16,
    70,
    128,
    "one-cycle",
    0.15,
    0.9,
    True,
    0.0005,
    0.0,
    False,
    1.0,
    None,
    4,
    True,
    False,
    "mean",
)


def test_cifar_10_alone_takes_the_fast_recipe_whole_and_any_option_of_it_can_be_another():
    assert numbers(resolved("cifar10")) == (*FAST, 5000)
    assert numbers(resolved("cifar10", model="airbench94")) == (*FAST, 5000)
    asked = resolved(
        "cifar10", schedule="cosine", lookahead=False, smoothing=0.0, border="mean", momentum=0.9
    )
    assert (asked.schedule.schedule, asked.optimizer.lookahead, asked.optimizer.smoothing) == (
        "cosine",
        False,
        0,
    )
    assert (asked.data.border, asked.optimizer.momentum, asked.model.model) == ("mean", 0.9, "airbench94")


@pytest.mark.parametrize("options", [{"model": "resnet20"}, {"width": 16}, {"shortcut": "A"}])
def test_another_network_on_cifar_10_takes_the_advice_for_residual_networks(options):
    assert numbers(resolved("cifar10", **options)) == (*PAPER, 5000)


def test_another_optimiser_takes_it_too_with_the_rate_that_suits_it():
    adam = resolved("cifar10", optimizer="adam")
    assert (adam.model.model, adam.optimizer.rate, adam.optimizer.bias_rate) == ("resnet20", 0.001, 1.0)


def test_the_recipe_s_rate_is_in_proportion_to_the_batch_and_a_rate_asked_for_stays():
    assert resolved("cifar10", batch=256).optimizer.rate == 0.375
    assert resolved("cifar10", batch=256, rate=0.5).optimizer.rate == 0.5
    assert resolved("cifar10", model="resnet20", batch=256).optimizer.rate == 0.15


def test_pictures_that_are_not_mirrored_are_not_mirrored_by_turns():
    assert resolved("cifar10", flip=False).data.alternate_flip is False


def test_other_data_sets_stay_as_they_are():
    assert numbers(resolved("cifar100")) == (*PAPER, 5000)
    digits = resolved("digits")
    assert (digits.model.model, digits.schedule.schedule, digits.optimizer.smoothing) == (
        "resnet8",
        "one-cycle",
        0,
    )


def test_what_is_resolved_is_resolved_to_itself():
    config = resolved("cifar10")
    opened = cast("DataSet", SimpleNamespace(card=DATASETS["cifar10"], height=32))
    assert resolve_options(config, opened) == config
    assert replace(config, model=config.model) == config
