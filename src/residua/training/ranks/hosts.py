"""The hosts of a job on JAX: what they tell each other, and how one that is gone or stuck ends it.

JAX notices neither at once: a process that is stuck would be waited for for ever. So each host says every
half second that it lives and how long it has been waiting for others, and looks at what they say.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

from residua.engines.jax.hosts import Messages, gather_arrays, leave_hosts, share_array
from residua.errors import ResiduaError, one_line
from residua.training.ranks.supervisor import fear, on_orphaned, tell
from residua.training.ranks.world import Array, World, this_place

BEAT_SECONDS = 0.5
GONE_SECONDS = 11.0  # without a sign of life
SUSPECT_SECONDS = 3.0  # where a connection to one of them has broken
_LEAVE_SECONDS = 20.0
# What JAX says where another host no longer answers.
_BROKEN = re.compile(r"gloo|nccl|collective|coordination|UNAVAILABLE|connection|peer", re.IGNORECASE)


class HostWorld(World):
    """The processes that `join_hosts` has joined."""

    word = "host"
    all_speak = True

    def __init__(self, rank: int, size: int, messages: Messages, again: str) -> None:
        """again: the options by which every host finds the others, for the command to go on with."""
        self.rank, self.size = rank, size
        self._messages, self._again, self._round = messages, again, 0
        self._waiting_since: float | None = None
        self._ending = threading.Lock()
        self._over = threading.Event()
        self.gone_seconds = GONE_SECONDS
        self.places = [f"of {size}"] * size
        self.places[rank] = this_place()
        on_orphaned(lambda: self.abort(f"{self.name(rank)}: its command was killed. {self.where}"))
        self.goes_on_with("residua train --resume RUN")
        threading.Thread(target=self._watch, name="residua-watch", daemon=True).start()
        self.places = self.gather_texts(self.places[rank])

    def goes_on_with(self, command: str) -> None:
        self.where = f"Go on, on every host with its own K, by: {command} {self._again}"
        fear(f"host 0 is gone, and with it the coordinator; the job ends. {self.where}")

    # ------------------------------------------------------------------ numbers and words
    def gather(self, array: Array) -> Array:
        with self.reaching():
            every: Array = gather_arrays(array)
        return every

    def share(self, array: Array) -> Array:
        with self.reaching():
            shared: Array = share_array(array)
        return shared

    def _gather_bytes(self, own: bytes) -> list[bytes]:
        self._round += 1
        with self.reaching():
            self._messages.put(f"residua/said/{self._round}/{self.rank}", own)
            every = [self._read(f"residua/said/{self._round}/{rank}") for rank in range(self.size)]
            if self._round > 2:  # all have read what was said before the last time
                self._messages.remove(f"residua/said/{self._round - 2}/{self.rank}")
        return every

    def _read(self, key: str) -> bytes:
        while (text := self._messages.look(key)) is None:
            pass
        return text

    @contextlib.contextmanager
    def reaching(self, counts: bool = True) -> Iterator[None]:
        """Work in which the others are waited for; where one is gone, the job ends under its name.

        counts: whether those that keep it waiting are too late after `stall_seconds`.
        """
        self._waiting_since = time.monotonic() if counts else None
        try:
            yield
        except (RuntimeError, ValueError) as problem:
            if isinstance(problem, ResiduaError) or not _BROKEN.search(str(problem)):
                raise
            self._lost(problem)
        finally:
            self._waiting_since = None

    def _lost(self, problem: Exception) -> None:
        """Give the watch the time to find out who; it ends this process."""
        self.gone_seconds = SUSPECT_SECONDS
        self._over.wait(GONE_SECONDS)
        self.abort(f"a host no longer answers ({one_line(problem, 120)}); the job ends. {self.where}")

    # ------------------------------------------------------------------ ends
    def leave(self) -> None:
        if self.left:
            return
        self.left = True
        with contextlib.suppress(Exception):  # the others may be gone by now
            self._messages.put(f"residua/left/{self.rank}", b"")
            end = time.monotonic() + _LEAVE_SECONDS
            while len(self._messages.all("residua/left")) < self.size and time.monotonic() < end:
                time.sleep(0.05)
            self._over.set()
            leave_hosts()

    def abort(self, line: str, code: int = 2) -> None:
        if not self._ending.acquire(blocking=False):
            time.sleep(60)  # another thread is saying why
        tell(line, code)
        done = threading.Thread(target=self._announce, args=(line,), daemon=True)
        done.start()
        done.join(2.0)
        if self.first:
            time.sleep(4 * BEAT_SECONDS)  # for the others to read it: the table of words ends with host 0
        os._exit(code)

    def _announce(self, line: str) -> None:
        with contextlib.suppress(Exception):
            self._messages.put("residua/end/line", line.encode(errors="surrogateescape"))

    # ------------------------------------------------------------------ watch
    def _watch(self) -> None:
        began, beat = time.monotonic(), 0
        others = [rank for rank in range(self.size) if rank != self.rank]
        seen: dict[int, tuple[bytes, float]] = dict.fromkeys(others, (b"", began))
        while not self._over.wait(BEAT_SECONDS):
            beat += 1
            try:
                beat_text = f"{beat} {self._waited():.1f}"
                self._messages.put(f"residua/alive/{self.rank}", beat_text.encode(), again=True)
                alive = self._messages.all("residua/alive")
                end = self._messages.all("residua/end")
            except Exception:
                if not self._over.is_set() and not self.left:
                    self.abort(f"{self.name(0)} does not answer any more; the job ends. {self.where}")
                return
            if self.left:
                continue
            if end:
                self.abort(end["line"].decode(errors="surrogateescape"))
            now = time.monotonic()
            for rank in others:
                word = alive.get(str(rank), b"")
                if word != seen[rank][0]:
                    seen[rank] = word, now
            self._judge(seen, now)

    def _judge(self, seen: dict[int, tuple[bytes, float]], now: float) -> None:
        """End the job where a host has not been heard of, or keeps this one waiting for too long.

        seen: of each other host its latest word, and since when.
        """
        silent = {rank: now - since for rank, (_, since) in seen.items()}
        if gone := [rank for rank, seconds in silent.items() if seconds > self.gone_seconds]:
            self.abort(
                f"{self.names_have(gone)} not been heard of for {silent[gone[0]]:.0f} s: killed, or cut off; "
                f"the job ends. {self.where}"
            )
        waited = self._waited()
        if waited <= self.stall_seconds:
            return
        # Who has begun to wait since then, or does not wait, is who is waited for.
        late = [rank for rank, (word, _) in seen.items() if float((word or b"0 0").split()[1]) < waited / 2]
        who = f"{self.names_have(late)} not answered" if late else "all hosts have been waiting"
        self.abort(f"{who} for {waited:.0f} s; the job ends. {self.where}")

    def _waited(self) -> float:
        since: Any = self._waiting_since
        return 0.0 if since is None else time.monotonic() - since
