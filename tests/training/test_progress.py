"""What a person sees while a network trains."""

from __future__ import annotations

from residua.training.progress import OnceSaid, Quiet


def test_a_line_is_said_once_however_often_the_data_are_opened():
    lines = []

    class Listening(Quiet):
        def say(self, line):
            lines.append(line)

    reporter = OnceSaid(Listening())
    for line in ("a", "b", "a"):
        reporter.say(line)
    reporter.close()
    assert lines == ["a", "b"]
