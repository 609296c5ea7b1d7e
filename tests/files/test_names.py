"""Names as terminals, shells and eyes may have them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import odd_names
import pytest

from residua.files.names import alike_pairs, alike_text, command, distinct, first_names, printable


def test_what_a_terminal_would_obey_is_written_out():
    assert printable("\x1b[31mred\a") == r"\x1b[31mred\x07"
    assert printable("a\tb\r\n\x7f") == r"a\tb\r\n\x7f"
    assert printable("\x9b2J\u202ex\u2066\u2028") == r"\u009b2J\u202ex\u2066\u2028"
    assert printable("caf\udce9 \ud800") == r"caf\xe9 \ud800"
    assert printable("one\ntwo", keep="\n") == "one\ntwo"
    assert [name for name in odd_names.ALL if odd_names.obeyed(printable(name))] == []


@pytest.mark.parametrize("name", ["plain", "猫 مرحبا 🐟", r"50 % of $x_ C:\y", "<b>'it' \"is\"</b>"])
def test_what_is_only_odd_stays(name):
    assert printable(name) == name


def test_names_that_look_the_same_are_told_apart():
    names = ["caf\u00e9", "cafe\u0301", "dog", "d\u043eg", "cat", "cat\u200b", "a b", "a\u00a0b", "猫"]
    shown = distinct(names)
    assert shown == [
        r"caf\u00e9", r"cafe\u0301", "dog", r"d\u043eg", "cat", r"cat\u200b", "a b", r"a\u00a0b", "猫",
    ]  # fmt: skip
    assert distinct(["caf\u00e9", "猫"]) == ["caf\u00e9", "猫"]
    assert alike_pairs(["a", "b"]) == []
    assert alike_text(["caf\u00e9", "x", "cafe\u0301"]) == [
        r"The names caf\u00e9 and cafe\u0301 look the same but are not: if they mean one class, "
        "give it one name"
    ]


def test_a_letter_and_the_byte_of_the_same_number_are_told_apart():
    assert len(set(distinct(odd_names.ALL))) == len(odd_names.ALL)


def test_commands_can_be_pasted():
    assert (
        command("train", "--resume", Path("runs/my photos-1")) == "residua train --resume 'runs/my photos-1'"
    )
    assert command("train", Path("-x"), "--rate", "-0.5") == "residua train ./-x --rate -0.5"
    assert command("train", Path("--config")) == "residua train ./--config"
    assert odd_names.obeyed(command("train", *map(Path, odd_names.ALL))) == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_shell_reads_a_command_as_it_was_meant():
    words = [*odd_names.ALL, "a'b\\c\nd", "$(id)", "*", "~", "#", ""]
    pasted = command(*words).removeprefix("residua ")
    script = f"printf '%s\\0' {pasted}".encode()
    done = subprocess.run(
        ["bash", "-s"], input=script, env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, check=True
    )
    read = done.stdout.decode(errors="surrogateescape").split("\0")[:-1]
    assert read == [f"./{word}" if word.startswith("-") else word for word in words]


def test_the_first_of_many_names_are_listed():
    assert first_names(["a", "b"], 2) == "a, b"
    assert first_names(["a", "b", "c", "d"], 2) == "a, b and 2 more"
