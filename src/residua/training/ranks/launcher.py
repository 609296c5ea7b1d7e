"""The process that has started this one, mpiexec: where it is gone nobody would ever end the job."""

from __future__ import annotations

import os
import threading
import time

from residua.training.ranks.supervisor import tell

LOOK_SECONDS = 2.0


def end_with_launcher(where: str) -> None:
    """End this process, in a few seconds, once the one that has started it is gone.

    where: what to say of how to go on. Most MPIs do so by themselves; one process that computes for long, or
    waits for another, may not hear of it.
    """
    parent = os.getppid()
    if parent > 1:  # the first process of a container is never gone before the others
        watch = threading.Thread(target=_watch, args=(parent, where), name="residua-launcher", daemon=True)
        watch.start()


def _watch(parent: int, where: str) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    tell(f"mpiexec is gone; this process ends. {where}", 2)
    os._exit(2)
