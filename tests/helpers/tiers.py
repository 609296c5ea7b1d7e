"""Two tiers of tests: `pytest` runs the first, in minutes; `pytest -m ""` runs everything.

A test marked `exhaustive` belongs to the second tier. Of a test marked `sample(count, by=names)` the first
tier runs `count` of its cases, drawn at random (with `by`: of the cases that have the same value of the
parameters named), the second all. `examples(everything, some)` says how many examples hypothesis draws in
each. The seed of all drawing is printed; RESIDUA_TEST_SEED repeats a run. A test that is named on the
command line (`file::test`) runs, whichever tier it belongs to.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, seed, settings

SEED = "RESIDUA_TEST_SEED"
FIRST_TIER = "not exhaustive"


class State:
    """What is known once pytest is configured."""

    everything = True
    seed = 0


def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed, where none is set; worker processes inherit it."""
    config.addinivalue_line("markers", "exhaustive: second tier: not run unless -m says so")
    config.addinivalue_line("markers", "sample(count, by=''): of its cases, so many in the first tier")
    if any("::" in argument for argument in config.args) and config.option.markexpr == FIRST_TIER:
        config.option.markexpr = ""
    State.everything = config.option.markexpr != FIRST_TIER
    State.seed = int(os.environ.setdefault(SEED, str(random.randrange(10**6))))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the cases that are not drawn the mark of the second tier."""
    groups: dict[tuple[str, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if mark := item.get_closest_marker("sample"):
            names = mark.kwargs.get("by", "").split()
            test = item.nodeid.partition("[")[0]
            groups[(test, *(repr(item.callspec.params[name]) for name in names))].append(item)
    for group, cases in groups.items():
        count = cases[0].get_closest_marker("sample").args[0]
        drawn = random.Random(f"{State.seed} {group}").sample(range(len(cases)), min(count, len(cases)))
        for number, item in enumerate(cases):
            if number not in drawn:
                item.add_marker("exhaustive")


def pytest_report_header() -> str:
    """The first lines of a run."""
    tier = "everything" if State.everything else 'first tier (everything: pytest -m "")'
    return f"residua: {tier}, {SEED}={State.seed}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """How to repeat the run: where something failed, or nothing else has said so."""
    if exitstatus == pytest.ExitCode.TESTS_FAILED:
        terminalreporter.write_line(f"The same samples again: {SEED}={State.seed}")


def draw(cases, count):
    """All cases in the second tier, `count` of them in the first: for loops inside of a test."""
    cases = list(cases)
    if State.everything:
        return cases
    return random.Random(f"{State.seed} {len(cases)}").sample(cases, min(count, len(cases)))


def examples(everything: int, some: int):
    """Settings for hypothesis: the same `everything` examples always, or `some` of the run's own seed."""

    def decorate(test):
        count = everything if State.everything else some
        options = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
        test = settings(max_examples=count, derandomize=State.everything, **options)(test)
        return test if State.everything else seed(State.seed)(test)

    return decorate
