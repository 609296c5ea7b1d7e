"""The verb serve."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from residua.cli.shared import Options
from residua.cli.terminal import to_stderr
from residua.config import ServeConfig
from residua.config.options import check
from residua.errors import ConfigError


def serve(*models: str, options: Annotated[ServeConfig, Options] = ServeConfig()) -> int:
    """Answer pictures over HTTP, at this computer alone unless told otherwise.

    Parameters
    ----------
    models
        Model files or run folders; a request without a model's name is answered by the first.
    """
    if not models:
        raise ConfigError("serve takes one or more models")
    config = check(options)
    if absent := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        are = "is" if len(absent) == 1 else "are"
        raise ConfigError(
            f"serve takes {' and '.join(absent)}, which {are} not installed: pip install 'residua[serve]'"
        )
    from residua.deploy.server.running import serve_models

    serve_models(models, config, to_stderr)
    return 0
