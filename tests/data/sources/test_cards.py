"""The table of data sets, and the defaults that documents promise."""

from __future__ import annotations

import inspect

import pytest

from residua.config import OptimizerOptions, ScheduleOptions
from residua.config.defaults import BATCH, DECAY, MOMENTUM, RATES
from residua.data.sources import cards
from residua.data.sources.card import Recipe, folder_card
from residua.data.sources.cards import DATASETS

pytestmark = pytest.mark.usefixtures("own_cache")


def test_cards():
    card = DATASETS["cifar10"]
    own, others = card.recipe_of(None), card.recipe_of("resnet20")
    assert (card.validation, own.model, own.crop, own.flip) == (5000, "airbench94", 2, True)
    assert (others.model, others.crop, others.flip) == ("resnet20", 4, True)
    assert DATASETS["cifar100"].classes[0] == "apple"
    assert DATASETS["notmnist"].classes == tuple("ABCDEFGHIJ")


def test_the_table_is_whole():
    for name, card in DATASETS.items():
        assert card.name == name
        count = 0 if card.layout else 100 if name == "cifar100" else 10  # of files, the folders tell
        assert len(set(card.classes)) == len(card.classes) == count
        for wanted in card.files:
            if not wanted.urls:  # to be fetched by hand
                continue
            algorithm, digits = wanted.checksum.split(":")
            assert len(digits) == {"md5": 32, "sha256": 64}[algorithm]
            assert all(url.endswith("/" + wanted.name) for url in wanted.urls)


def test_no_name_stands_twice_in_the_table():
    assert len(cards._CARDS) == len(DATASETS)


def test_options_promise_the_defaults_that_the_recipes_and_the_one_table_of_defaults_hold():
    """What the help says of rate, batch, decay and epochs, put together from where they are written."""
    recipe = {name: DATASETS[name].recipe_of("resnet20") for name in ("cifar10", "digits", "mnist")}
    folder = folder_card("photos", 64, ()).recipe
    own = DATASETS["cifar10"].recipe
    cifar, digits = recipe["cifar10"], recipe["digits"]
    assert (digits.rate, digits.batch) == (folder.rate, folder.batch)
    assert DATASETS["cifar100"].recipe == cifar
    promises = {
        OptimizerOptions: [
            f"(sgd {RATES['sgd']:g}, CIFAR {cifar.rate:g}, CIFAR-10's recipe {own.rate:g}, digits, folders "
            f"{digits.rate:g}; muon {RATES['muon']:g}; others {RATES['adam']:g})",
            f"({DECAY:g}; {cifar.decay:g} for CIFAR; CIFAR-10's recipe: {own.decay:g})",
            f"({MOMENTUM:g}; CIFAR-10's recipe: {own.momentum:g})",
            f"(0; CIFAR-10's recipe: {own.smoothing:g})",
            f"(1; CIFAR-10's recipe: {own.bias_rate:g})",
            f"(all of them; CIFAR-10's recipe: {own.whitening_epochs})",
        ],
        ScheduleOptions: [
            f"({BATCH}; {digits.batch} for digits and folders; CIFAR-10's recipe: {own.batch})",
            f"({cifar.schedule}; CIFAR-10's recipe: {own.schedule})",
        ],
    }
    for options, texts in promises.items():
        source = inspect.getsource(options)
        assert [text for text in texts if text not in source] == []
    plain = Recipe("resnet8", width=8, epochs=1, crop=0, flip=False)
    assert (plain.rate, plain.batch, plain.decay) == (RATES["sgd"], BATCH, DECAY)
    assert len({RATES[name] for name in ("adam", "adamw", "rmsprop")}) == 1
