"""A check of a data set in words."""

from __future__ import annotations

from residua.data.dataset import SPLITS
from residua.data.pictures.files import passed_over_parts
from residua.data.pictures.notes import group_reasons
from residua.data.quality.findings import Copies, Findings
from residua.files.names import distinct, printable
from residua.insight.shared.text import cells, padded, shorten
from residua.training.train import IMBALANCE

_MOST_CLASSES, _MOST_NAMES = 30, 5
_SHORT = 60  # letters of a name that a line has room for


def findings_text(findings: Findings) -> str:
    """Counts, sizes, damage, copies and leaks, a paragraph each, and what to do about them at the end."""
    parts = [_counts(findings), _files(findings), _bad(findings), _odd(findings)]
    parts += [_copies(findings), _groups(findings)]
    return "\n\n".join(
        part for part in [printable(f"{findings.data}: {findings.title}"), *parts, _advice(findings)] if part
    )


def _counts(findings: Findings) -> str:
    names = [shorten(name, _SHORT) for name in distinct(findings.classes)]
    order = list(range(len(names)))
    omitted = len(names) - _MOST_CLASSES
    if omitted > 0:
        by_size = sorted(order, key=lambda number: -findings.counts["train"][number])
        order = sorted(by_size[:_MOST_NAMES]) + sorted(by_size[-_MOST_NAMES:])
    width = max(len("class"), *(cells(names[number]) for number in order))
    lines = [f"  {'class':<{width}}" + "".join(f"{split:>12}" for split in SPLITS)]
    for number in order:
        lines.append(
            f"  {padded(names[number], width)}"
            + "".join(f"{findings.counts[s][number]:>12,}" for s in SPLITS)
        )
        if omitted > 0 and number == order[_MOST_NAMES - 1]:
            lines.append(f"  ... {len(names) - 2 * _MOST_NAMES:,} classes of sizes between")
    total = "".join(f"{sum(findings.counts[split]):>12,}" for split in SPLITS)
    lines.append(f"  {f'{len(names):,} classes':<{width}}{total}")
    return "\n".join(lines)


def _files(findings: Findings) -> str:
    sizes = findings.sizes
    if not sizes:
        return ""
    if len(sizes) == 1:
        ((w, h),) = sizes
        text = f"  Sizes: all {w}x{h}"
    else:
        areas = sorted(sizes, key=lambda size: (size[0] * size[1], size))
        (w, h), common = sizes.most_common(1)[0]
        text = (
            f"  Sizes: {len(sizes):,} different, from {areas[0][0]}x{areas[0][1]} to "
            f"{areas[-1][0]}x{areas[-1][1]}; most often {w}x{h} ({common:,})"
        )
    modes = ", ".join(f"{_MODES.get(mode, mode)} {count:,}" for mode, count in findings.modes.most_common())
    return f"{text}\n  Modes: {modes}"


_MODES = {
    "L": "grey",
    "RGB": "colour",
    "RGBA": "colour with transparency",
    "LA": "grey with transparency",
    "P": "palette",
    "1": "black and white",
    "CMYK": "CMYK",
    "I;16": "grey of 16 bits",
    "I;16B": "grey of 16 bits",
    "I": "grey of 32 bits",
    "F": "grey, floating point",
}


def _bad(findings: Findings) -> str:
    if not findings.bad:
        return "  Unreadable: none"
    reasons = group_reasons(findings.bad)
    lines = [
        f"  Unreadable: {len(findings.bad):,}",
        *(f"    {printable(reason)}" for reason in reasons[:_MOST_NAMES]),
    ]
    if len(reasons) > _MOST_NAMES:
        lines.append(f"    and for {len(reasons) - _MOST_NAMES:,} more reasons (--json names all)")
    return "\n".join(lines)


def _odd(findings: Findings) -> str:
    """Files that are not read, and what is odd about pictures that are."""
    total = sum(map(len, findings.others.values()))
    lines = [f"  Not read: {total:,} file{'s' * (total > 1)}"] if total else []
    lines += [f"    {printable(part)}" for part in passed_over_parts(findings.others)]
    return "\n".join(lines + [f"  Note: {printable(line)}" for line in findings.notes])


def _copies(findings: Findings) -> str:
    h, w, _ = findings.shape
    lines = _kind(findings, findings.exact, f"  Exact copies (equal pixels at {w}x{h})")
    if findings.near is not None:
        what = "  Near copies (but for a crop, a hue, a compression)"
        if findings.compared < sum(map(len, findings.splits.values())):
            what += ", of the test split with all others"
        lines += _kind(findings, findings.near, what)
    return "\n".join(lines)


def _kind(findings: Findings, copies: Copies, title: str) -> list[str]:
    if not len(copies.pairs):
        return [f"{title}: none"]
    count = len(copies.pairs)
    lines = [f"{title}: {copies.pictures:,} pictures in {count:,} pair{'s' * (count > 1)}"]
    for (earlier, later), count in copies.across.items():
        if count:
            share = 100 * count / max(len(findings.splits[later]), 1)
            lines.append(f"    {later} pictures with a copy in {earlier}: {count:,} ({share:.2f} %)")
    if len(copies.doubts):
        number = int(copies.doubts[0])
        one, other = (
            tuple(map(printable, findings.name(int(places[number]))))
            for places in (copies.pairs.first, copies.pairs.second)
        )
        lines.append(
            f"    pairs with two labels: {len(copies.doubts):,}, such as {one[1]} ({one[2]}) and "
            f"{other[1]} ({other[2]})"
        )
    return lines


def _groups(findings: Findings) -> str:
    if not findings.groups:
        return ""
    if not findings.torn:
        return f"  Groups: {findings.groups:,} {findings.group}s, each in one split"
    names = ", ".join(map(printable, findings.torn[:_MOST_NAMES])) + (
        ", ..." if len(findings.torn) > _MOST_NAMES else ""
    )
    torn = f"{len(findings.torn):,} of {findings.groups:,} {findings.group}s"
    return f"  Groups: {torn} lie in several splits ({names})"


def _advice(findings: Findings) -> str:
    lines = [f"  Training would refuse it: {obstacle}" for obstacle in findings.obstacles]
    test = len(findings.splits["test"])
    if findings.leaks:
        share = 100 * findings.leaks / test
        lines.append(
            f"  Leak: of {test:,} test pictures {findings.leaks:,} ({share:.2f} %) are copies of some in "
            "train or validation; a test result may owe that share to memory."
        )
    if findings.torn:
        lines.append(
            f"  Leak: a network may know a {findings.group} that is in several splits, and not the class. "
            "Split with --groups kept."
        )
    doubts = len(findings.exact.doubts) + (0 if findings.near is None else len(findings.near.doubts))
    if doubts:
        lines.append(f"  Labels: {doubts:,} pairs of copies have two labels. Correct them, or remove both.")
    if findings.imbalance > IMBALANCE:
        train = findings.counts["train"]
        most, least = (printable(findings.classes[train.index(pick(train))]) for pick in (max, min))
        lines.append(
            f"  Imbalance: {most} has {findings.imbalance:.1f} times the training pictures of {least}. "
            "--balance lets all classes count the same."
        )
    left_out = sum(len(files) for kind, files in findings.others.items() if kind.picture)
    if left_out:
        lines.append(
            f"  Left out: {left_out:,} of the files that are not read look like pictures. See above."
        )
    if findings.bad:
        lines.append("  Unreadable pictures are left out of training. Mend or remove them.")
    return "\n".join(lines) if lines else "  Nothing stands against training on it."
