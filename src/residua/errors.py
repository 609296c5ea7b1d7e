"""Errors for people: one line that says what was required, what came and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# What would break a line or move a terminal's cursor, out of names in anybody's files.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ResiduaError(Exception):
    """Anything that the person at the keyboard can mend; the program prints it as one line.

    `exit_code` is what the command line ends with: 2 where the request cannot be carried out. `result` is
    what had been computed already where only a file could not be written.
    """

    exit_code = 2
    result: object = None

    def __str__(self) -> str:
        """The message in one line, whatever the names in it hold."""
        return _CONTROLS.sub(lambda match: repr(match[0])[1:-1], super().__str__())


class ConfigError(ResiduaError, ValueError):
    """An option that does not exist, or a value that an option cannot take."""


class ShapeError(ResiduaError, ValueError):
    """Arrays or pictures of a shape that a layer or a model cannot take; `place` is the layer's path."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message, self.place = message, place

    def within(self, name: str) -> ShapeError:
        """The same error, seen from the container that holds the layer under `name`."""
        return ShapeError(self.message, f"{name}.{self.place}" if self.place else name)


class DataError(ResiduaError, ValueError):
    """A data set, folder, archive or table that cannot be used as it is."""


class PictureError(DataError):
    """One picture that cannot be read; names the file and the reason."""


class ModelFileError(ResiduaError, ValueError):
    """A model file, checkpoint or foreign weights file that cannot be read."""


class RunError(ResiduaError):
    """A run folder that cannot be continued or written."""


class EngineError(ResiduaError, ValueError):
    """An engine that is unknown or not installed."""


class NonFiniteError(ResiduaError, ArithmeticError):
    """The loss stopped being a finite number; training ended at that step."""

    exit_code = 1


def one_line(error: BaseException, most: int = 200) -> str:
    """What an error says, in one line that is not too long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= most else f"{text[: most - 3]}..."


def near(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: ` Did you mean 'x' or 'y'?`, or the whole choice when nothing is near."""
    choices = sorted(known)
    folded = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    if close:
        return " Did you mean " + " or ".join(repr(folded[c]) for c in close) + "?"
    return " Choose from: " + ", ".join(choices) + "."
