"""A step whose loss, gradient or statistics are not finite numbers: what it was given, and what to say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from residua.data.batches import Batch
from residua.errors import NonFiniteError
from residua.files.durable import write_durably
from residua.training.checkpoint import Position
from residua.training.task import Task


def not_finite_error(task: Task, position: Position, batch: Batch, results: dict[str, Any]) -> NonFiniteError:
    """Write down which pictures the batch held; the error that tells of it."""
    names = [task.train.pictures.names[index] for index in batch.indices.tolist()]
    report = {
        "epoch": position.epoch + 1,
        "step": position.step + 1,
        "loss": str(float(results["loss"])),
        "gradient_norm": str(float(results["norm"])),
        "pictures": names,
    }
    run = task.run
    write_durably(run / "not-finite.json", json.dumps(report, indent=1).encode())
    if not np.isfinite(results["loss"]):
        problem = f"the loss is {report['loss']}"
    elif not np.isfinite(results["norm"]):
        problem = f"the gradient's norm is {report['gradient_norm']}"
    else:
        problem = "the running statistics are no longer finite"
    return NonFiniteError(
        f"{problem} at step {report['step']}, on {', '.join(names[:3])} "
        f"and {max(len(names) - 3, 0)} more (all in {run / 'not-finite.json'}); "
        f"the weights before it are in {run / 'last.safetensors'}: "
        "try a lower --rate, --clip 1, or look at these pictures"
    )
