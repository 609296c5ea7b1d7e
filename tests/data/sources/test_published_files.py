"""The files that publishers offer: each at its mirrors, and none of two data sets the same."""

from __future__ import annotations

from residua.data.sources.cards import DATASETS
from residua.data.sources.published_files import FILES


def test_every_entry_belongs_to_a_card():
    assert {name: DATASETS[name].files for name in FILES} == FILES
    assert {name for name, card in DATASETS.items() if card.files} == set(FILES)


def test_no_two_files_have_one_checksum():
    checksums = [file.checksum for files in FILES.values() for file in files if file.checksum]
    assert len(set(checksums)) == len(checksums) == 16
