"""The rows of a report's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from residua.insight.evaluation.numbers import Evaluation
from residua.insight.report.numbers import ReportContents
from residua.layers import CapsuleNetwork, Row, Sequential


def count_rows(counts: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[int]]]:
    """(class, its pictures in each split), in the data's order."""
    names = list(dict.fromkeys(name for own in counts.values() for name in own))
    return [(name, [own.get(name, 0) for own in counts.values()]) for name in names]


def class_rows(contents: ReportContents) -> list[dict[str, Any]]:
    """Every class's metrics, and what it is most often taken for; worst recall first where there are many."""
    e = contents.answered.evaluation
    rows = []
    for index, entry in enumerate(e.classes):
        wrong = e.confusion[index].copy()
        wrong[index] = 0
        most = int(wrong.argmax())
        rows.append(
            {
                "name": entry.name,
                "pictures": entry.pictures,
                "precision": entry.precision,
                "recall": entry.recall,
                "f1": entry.f1,
                "taken_for": e.classes[most].name if wrong[most] else "",
                "taken": int(wrong[most]),
            }
        )
    return rows


def confusion_rows(e: Evaluation) -> list[dict[str, Any]]:
    """Rows of the matrix: the true class; for each answer its pictures, and how dark the cell is (0 to 5)."""
    rows = []
    for index, entry in enumerate(e.classes):
        cells = []
        for answer, number in enumerate(e.confusion[index].tolist()):
            share = number / max(entry.pictures, 1)
            # The root makes the few mistakes visible beside the many right answers.
            depth = 0 if not number else min(5, 1 + int(5 * share**0.5 * 0.999))
            cells.append({"number": number, "depth": depth, "right": answer == index})
        rows.append({"name": entry.name, "cells": cells})
    return rows


def layer_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every layer: name, kind, what it gives, parameters, multiply-adds."""
    return [
        {
            "name": row.name,
            "kind": row.kind,
            "output": format_shape(row.output_shape),
            "parameters": row.parameters,
            "multiply_adds": row.multiply_adds,
        }
        for row in rows
    ]


def stage_rows(contents: ReportContents) -> list[dict[str, Any]]:
    """Layers of one stage taken together: how many, what it gives, parameters, multiply-adds."""
    sides = contents.model.preprocessing
    shape: tuple[int, ...] = (sides.height, sides.width, sides.channels)
    network, outputs = contents.model.network, {}
    if isinstance(network, Sequential | CapsuleNetwork):
        for name, layer in network.layers.items():
            shape = outputs[name] = layer.output_shape(shape)
    stages: dict[str, dict[str, Any]] = {}
    for row in contents.rows:
        name = row.name.split(".")[0]
        output = format_shape(outputs[name]) if name in outputs else ""
        empty = {"name": name, "layers": 0, "output": output, "parameters": 0, "multiply_adds": 0}
        stage = stages.setdefault(name, empty)
        stage["layers"] += 1
        stage["parameters"] += row.parameters
        stage["multiply_adds"] += row.multiply_adds
    return list(stages.values())


def format_shape(shape: Sequence[int]) -> str:
    """A shape as people write it: 32×32×16."""
    return "×".join(map(str, shape))
