"""Workers of a job of parts that are no processes."""

from __future__ import annotations

from typing import ClassVar

from residua.bulk.answering import answer


class InThisProcess:
    """Workers that answer at once; `deaths` of them end instead, with the part that it names."""

    sharers = 1
    deaths: ClassVar[dict[int, int]] = {}
    given: ClassVar[list] = []

    def __init__(self, count, asked):
        self.asked, self.waiting = asked, []

    @property
    def free(self):
        return 1 - len(self.waiting)

    def give(self, part):
        self.given.append(part)
        self.waiting.append(part)

    def finished(self):
        part = self.waiting.pop()
        if self.deaths.get(part.number, 0):
            self.deaths[part.number] -= 1
            yield part, None
        else:
            yield part, answer(self.asked, part)

    def close(self):
        pass
