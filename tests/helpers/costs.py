"""`pytest --costs=N`: the N files and the N tests that take most time of processors, with all they start.

What a test is the first to need counts for it: fixtures that many share, kernels, imports. Whoever looks for
time should look at sums, with RESIDUA_KERNEL_CACHE naming an empty folder.
"""

from __future__ import annotations

import time
from collections import Counter
from os import times

import pytest

NOW = {"spent": 0.0}
BY_TEST: Counter[str] = Counter()


def _spent() -> float:
    """Seconds of this process and of the ended ones that it started."""
    children = times()
    return time.process_time() + children.children_user + children.children_system


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption("--costs", type=int, default=0, metavar="N", help="the N costliest files and tests")


def pytest_runtest_logstart() -> None:
    """What was spent before, such as on collecting, is no test's."""
    NOW["spent"] = _spent()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> object:
    """Every phase of a test tells what it has cost; workers send it along."""
    report = yield
    before, NOW["spent"] = NOW["spent"], _spent()
    report.cost = NOW["spent"] - before
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add it up."""
    BY_TEST[report.nodeid] += getattr(report, "cost", 0.0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Two tables."""
    if not config.option.costs:
        return
    by_file: Counter[str] = Counter()
    for name, cost in BY_TEST.items():
        by_file[name.partition("::")[0]] += cost
    terminalreporter.section(f"seconds of processors: {sum(by_file.values()):.0f} in tests")
    for table in (by_file, BY_TEST):
        for name, cost in table.most_common(config.option.costs):
            terminalreporter.write_line(f"{cost:8.2f}  {name}")
        terminalreporter.write_line("")
