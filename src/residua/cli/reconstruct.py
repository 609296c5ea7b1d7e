"""The verb reconstruct."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, print_pictures
from residua.cli.terminal import Notes
from residua.config import ReconstructConfig


def reconstruct(
    model: str, /, *, options: Annotated[ReconstructConfig, Options] = ReconstructConfig()
) -> int:
    """Draw what a capsule network's decoder makes of pictures, and what each of its dimensions means.

    Parameters
    ----------
    model
        A model file or a run folder of capsnet.
    """
    from residua import api

    print_pictures(api.reconstruct(model, say=Notes(), **vars(options)))
    return 0
