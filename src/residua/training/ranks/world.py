"""The processes of a job: what they have alike, what they tell each other, and how the job ends.

How they talk is `mpi.py`'s, under mpiexec, or `hosts.py`'s, by JAX.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from numpy.typing import NDArray

from residua.errors import ConfigError, ResiduaError

Array = NDArray[Any]
NO_LIMIT = float("inf")
_GOES_ON = b"\0"  # before what is told by a process that has not failed


class AgreedError(ConfigError):
    """What ends all processes of a job at once: each of them raises it."""


class World(ABC):
    """This process among the others: `rank` of `size`.

    stall_seconds: how long the others are waited for; whoever does not answer then is named, and the job
    ends. where: what to say of how to go on. places: each process's machine and number there.
    """

    word: ClassVar[str] = "rank"  # what one of them is called
    all_speak: ClassVar[bool] = False  # of what all meet at once; else the first alone
    rank: int
    size: int
    places: list[str]
    stall_seconds: float = NO_LIMIT
    where: str = "start it again"
    left: bool = False  # whether this process is one of the job no longer

    @property
    def first(self) -> bool:
        """Whether this is the process that says and writes what all have to say and write."""
        return self.rank == 0

    @property
    def hosts(self) -> list[str]:
        """The machine of each process."""
        return [place.split(",")[0] for place in self.places]

    # ------------------------------------------------------------------ numbers and words
    @abstractmethod
    def gather(self, array: Array) -> Array:
        """(size, ...) what each process gives, all of one shape."""

    @abstractmethod
    def share(self, array: Array) -> Array:
        """The first process's array; what the others give says its shape."""

    @abstractmethod
    def _gather_bytes(self, own: bytes) -> list[bytes]:
        """What each process gives."""

    @abstractmethod
    def abort(self, line: str, code: int = 2) -> None:
        """Say why, and end every process of the job."""

    def another(self) -> Any:
        """A way for messages that nobody else sees, from threads too; None where there is none."""
        return None

    def goes_on_with(self, command: str) -> None:
        """Keep what to say of how to go on, by that command."""
        self.where = f"Go on, under mpiexec as before, with: {command}"

    def leave(self) -> None:
        """Be one of the job no longer, once all have come to this point."""
        self.left = True

    def gather_texts(self, text: str) -> list[str]:
        """What each process says."""
        every = self._gather_bytes(text.encode(errors="surrogateescape"))
        return [own.decode(errors="surrogateescape") for own in every]

    def tell(self, own: bytes) -> list[bytes]:
        """What each process tells, within `all_or_none`.

        Raises AgreedError where one has failed meanwhile, or has nothing more to tell.
        """
        every = self._gather_bytes(_GOES_ON + own)
        for rank, text in enumerate(every):
            if not text.startswith(_GOES_ON):
                reason = text.decode(errors="surrogateescape")
                raise AgreedError(f"{self.name(rank)}: {reason}" if text else self._finds_others(rank))
        return [text[1:] for text in every]

    def _finds_others(self, rank: int) -> str:
        return (
            f"{self.name(rank)} finds other data than {self.word} {self.rank} where they should be the same: "
            "name the same for every process"
        )

    def share_text(self, text: str) -> str:
        """What the first process says."""
        return self.gather_texts(text if self.first else "")[0]

    def any(self, flag: bool) -> bool:
        """Whether any process says yes."""
        return "yes" in self.gather_texts("yes" if flag else "")

    # ------------------------------------------------------------------ agreement
    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        """What all do each by itself: where one cannot, all end with what it says, under its name.

        Nobody is limited in time here: decoding pictures may take hours.
        """
        before, self.stall_seconds = self.stall_seconds, NO_LIMIT
        problem: ResiduaError | None = None
        try:
            yield
        except ResiduaError as error:
            problem = error
            if isinstance(error, AgreedError):  # all have heard of it
                self.stall_seconds = before
                raise
        words = self.gather_texts("" if problem is None else f"{problem}")
        self.stall_seconds = before
        # Others may still read while this one has come to the end: they have other data.
        late = [rank for rank, text in enumerate(words) if text.startswith("\0")]
        failed = [rank for rank, text in enumerate(words) if text and rank not in late]
        if not failed and not late:
            return
        if not failed:
            raise AgreedError(self._finds_others(late[0]))
        alike = len(failed) == self.size and len(set(words)) == 1
        raise AgreedError(words[0] if alike else f"{self.name(failed[0])}: {words[failed[0]]}")

    def compare(self, what: str, own: dict[str, Any]) -> None:
        """Raise AgreedError, in all processes, where one was given something else than the first."""
        texts = self.gather_texts(json.dumps(own, sort_keys=True, default=str))
        if len(set(texts)) == 1:
            return
        rank = next(rank for rank, text in enumerate(texts) if text != texts[0])
        first, other = json.loads(texts[0]), json.loads(texts[rank])
        key = next(key for key in first | other if first.get(key) != other.get(key))
        raise AgreedError(
            f"{self.name(rank)} has {what} other than {self.word} 0: {key} is {_short(other.get(key))} there "
            f"and {_short(first.get(key))} on {self.word} 0; start all of them alike"
        )

    def name(self, rank: int) -> str:
        """A process as people find it."""
        return f"{self.word} {rank} ({self.places[rank]})"

    def names_have(self, ranks: Iterable[int]) -> str:
        """Processes, and the verb of which they are the subject."""
        names = [self.name(rank) for rank in sorted(ranks)]
        return f"{', '.join(names)} {'have' if len(names) > 1 else 'has'}"

    # ------------------------------------------------------------------ ends
    @contextlib.contextmanager
    def taking_part(self, *expected: type[Exception] | type[KeyboardInterrupt]) -> Iterator[None]:
        """End the whole job where this process alone fails.

        expected: what all meet at once, beside AgreedError; of that the first process alone speaks.
        """
        try:
            yield
        except BaseException as error:
            if self.left or isinstance(error, SystemExit):
                raise
            self._end(error, expected)

    def _end(self, error: BaseException, expected: tuple[Any, ...]) -> None:
        """Raise what all meet, or end them all."""
        if isinstance(error, (AgreedError, *expected)):
            if self.first or self.all_speak:
                self.leave()
                raise error
            sys.exit(getattr(error, "exit_code", 130))
        name = self.name(self.rank)
        if isinstance(error, ResiduaError):
            self.abort(f"{name}: {error}", error.exit_code)
        elif isinstance(error, KeyboardInterrupt):
            self.abort(f"{name} was interrupted", 130)
        else:
            traceback.print_exception(error)
            self.abort(f"{name} has failed", 1)


def this_place() -> str:
    """This process as people find it."""
    return f"{platform.node()}, process {os.getpid()}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
