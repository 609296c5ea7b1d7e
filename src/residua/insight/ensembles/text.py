"""An ensemble in words: each member, each pair, all."""

from __future__ import annotations

from residua.files.names import printable
from residua.insight.ensembles.numbers import EnsembleReport
from residua.insight.shared.text import cells, padded, split_name

_METHODS = {"mean": "mean of probabilities", "weighted": "weighted mean", "vote": "majority vote"}
MOST_PAIRS = 20


def ensemble_text(report: EnsembleReport) -> str:
    """The report as a page of text: each member, each pair, all."""
    lines = [
        f"{printable(report.data)}, {split_name(report.split)}: {report.pictures:,} pictures, "
        f"{_METHODS[report.method]}",
        "",
    ]
    names = [printable(member.name) for member in report.members]
    width = max(len("member"), *map(cells, names))
    weighed = report.method == "weighted"
    lines.append(
        f"      {'member':<{width}}     alone  others without it  it adds" + ("  weight" if weighed else "")
    )
    for number, member in enumerate(report.members, start=1):
        figures = (
            f"{100 * member.alone:6.2f} %  {100 * member.without:15.2f} %"
            f"  {100 * (report.accuracy - member.without):+7.2f}"
        )
        weight = f"  {member.weight:6.3f}" if weighed else ""
        lines.append(f"  {number:>2}  {padded(names[number - 1], width)}  {figures}{weight}")
    if len(report.members) > 2:
        pairs = sorted(report.pairs, key=lambda pair: -pair[2])
        heading = f"the best {MOST_PAIRS} of {len(pairs)} pairs" if len(pairs) > MOST_PAIRS else "pair"
        lines += ["", f"  {heading:<12}  together  more than the better one"]
        for a, b, accuracy in pairs[:MOST_PAIRS]:
            better = max(report.members[a].alone, report.members[b].alone)
            name = f"{a + 1} + {b + 1}"
            lines.append(f"  {name:<12}  {100 * accuracy:6.2f} %  {100 * (accuracy - better):+21.2f}")
    best = max(member.alone for member in report.members)
    lines += [
        "",
        f"  all {len(report.members)}: {100 * report.accuracy:.2f} %, "
        f"{100 * (report.accuracy - best):+.2f} to the best member",
    ]
    return "\n".join(lines)
