"""Between the parser and the person: defaults in the help, complaints in our words, output that ends well."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from itertools import pairwise
from typing import Any, get_args, get_type_hints

import cyclopts

from residua.config.options import describe_type
from residua.errors import ConfigError
from residua.files.names import printable


def show_default(value: object) -> str | None:
    """A default in the words of the help; None where the description tells what is done without."""
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value)


def options_file(arguments: Sequence[str]) -> str | None:
    """The file that --config names, before anything is parsed: its options are defaults for the parser."""
    for index, argument in enumerate(arguments):
        if argument == "--config" and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith("--config="):
            return argument.removeprefix("--config=")
    return None


def picture_shape(size: int, channels: int) -> tuple[int, int, int]:
    """(H, W, C) of square pictures. Raises ConfigError."""
    return (
        require_positive("size", size),
        require_positive("size", size),
        require_positive("channels", channels),
    )


def require_positive(name: str, value: int) -> int:
    """The value, which must be 1 or more. Raises ConfigError."""
    if value < 1:
        raise ConfigError(f"--{name} takes 1 or more; it was given {value}")
    return value


def refuse_fractions(verb: Callable[..., Any] | None, arguments: Sequence[str]) -> None:
    """The parser would round 1.5 where a verb's option takes a whole number. Raises ConfigError."""
    whole = _whole_numbers(get_type_hints(verb))
    words = [part for argument in arguments for part in argument.split("=", 1)]
    for option, value in pairwise(words):
        name = option.removeprefix("--").replace("-", "_")
        if option.startswith("--") and name in whole and re.fullmatch(r"[+-]?\d*\.\d*", value):
            raise ConfigError(f"{option} takes a whole number; it was given {value!r}")


def _whole_numbers(hints: Mapping[str, Any]) -> set[str]:
    """The options that take whole numbers, and those within groups of options."""
    names: set[str] = set()
    for name, hint in hints.items():
        if is_dataclass(hint):
            names |= _whole_numbers(get_type_hints(hint))
        elif hint is int or int in get_args(hint):
            names.add(name)
    return names


def explain_parser_error(error: cyclopts.CycloptsError, arguments: Sequence[str]) -> str:
    """A parser's complaint in our words, on one line."""
    verb = next((f" {argument}" for argument in arguments[:1] if not argument.startswith("-")), "")
    token = getattr(error, "token", None)
    if isinstance(error, cyclopts.UnusedCliTokensError):
        left = " ".join(map(repr, error.unused_tokens or ()))
        return f"there is no use for {left}: `residua{verb} --help` says what can be given"
    if isinstance(error, cyclopts.CoercionError) and error.target_type in (int, float, bool) and token:
        return f"{token.keyword} takes {describe_type(error.target_type)}; it was given {token.value!r}"
    text = " ".join(str(error).split())
    if isinstance(error, cyclopts.UnknownOptionError) and "Did you mean" not in text:
        text += f" `residua{verb} --help` lists those that there are."
    return text


def drop_output() -> None:
    """Let Python's own last flush go nowhere: it would complain while the program ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def accept_all_names() -> None:
    """Let any file's name be printed: it may be no valid text, and not every terminal knows every letter."""
    for name in ("stdin", "stdout", "stderr"):  # a shell's `>&-` closes it, and the next file takes its place
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            utf8 = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def to_stdout(text: object = "", end: str = "\n") -> None:
    """Print lines of results, what a terminal would obey (names may hold anything) written out."""
    print(printable(text, keep="\n"), end=end, flush=True)


def to_stderr(line: str) -> None:
    """Print one line where errors go, at once, whatever name is in it; not where nobody can hear it."""
    with contextlib.suppress(OSError, ValueError):
        print(printable(line), file=sys.stderr, flush=True)


class Notes:
    """What a verb has to say beside its result, on the error output: first of all which engine answers.

    What is said before that is known waits for it.
    """

    def __init__(self) -> None:
        self._waiting: list[str] | None = []
        _notes[:] = [self]

    def __call__(self, line: str) -> None:
        """Say it, now or behind the engine's line."""
        if getattr(line, "goes_first", False):  # an `EngineLine`, whose module loads NumPy
            to_stderr(line)
            self.tell()
        elif self._waiting is None:
            to_stderr(line)
        else:
            self._waiting.append(line)

    def tell(self) -> None:
        """Wait no longer."""
        waiting, self._waiting = self._waiting or [], None
        for line in waiting:
            to_stderr(line)


_notes: list[Notes] = []


def tell_notes() -> None:
    """Say what still waits: a verb has ended before any engine was chosen."""
    while _notes:
        _notes.pop().tell()


def tell_undrawn_letters() -> None:
    """Say once which letters no figure could show, and what helps."""
    fonts = sys.modules.get("residua.insight.shared.fonts")  # only where figures were drawn
    if fonts is not None and (letters := fonts.written_out_letters()):
        to_stderr(fonts.missing_text(letters))
