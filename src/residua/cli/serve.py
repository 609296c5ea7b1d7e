"""The verb serve."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options
from residua.cli.terminal import to_stderr
from residua.config import ServeConfig
from residua.config.options import check
from residua.deploy.packages import require_packages
from residua.errors import ConfigError


def serve(*models: str, options: Annotated[ServeConfig, Options] = ServeConfig()) -> int:
    """Answer pictures over HTTP, at this computer alone unless told otherwise.

    Parameters
    ----------
    models
        Model files or run folders, each as FILE, NAME=FILE or NAME@VERSION=FILE; a request without a model's
        name is answered by the first.
    """
    if not models:
        raise ConfigError("serve takes one or more models")
    config = check(options)
    require_packages("serve", ("starlette", "uvicorn"), "serve")
    from residua.deploy.server.running import serve_models

    serve_models(models, config, to_stderr)
    return 0
