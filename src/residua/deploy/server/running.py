"""The server from its first look at the models to its end, which loses no request that was taken."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from residua.config import PredictConfig, ServeConfig
from residua.deploy.server.answering import Served
from residua.deploy.server.application import build_application
from residua.deploy.server.connections import TimedProtocol
from residua.deploy.server.metrics import Metrics
from residua.deploy.server.state import State
from residua.deploy.server.worker import Worker
from residua.engines import installed, open_engine
from residua.errors import ConfigError
from residua.files.regular import require_file
from residua.models.model_file import find_model

MOST_CONNECTIONS = 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
BACKLOG = 2048
TICK_SECONDS = 0.1  # of uvicorn's loop
GRACE_SECONDS = 30  # for requests that are being answered when it ends

Say = Callable[[str], None]


class Server(uvicorn.Server):
    """uvicorn's server, which says that it is not ready before it takes no more, and outlives its signal."""

    should_exit: bool
    force_exit: bool

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self.state, self.drained = state, 0.0

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Told to end: not ready from now on. Ctrl-C a second time ends it at once."""
        if self.state.draining and sig == signal.SIGINT:
            self.force_exit = self.should_exit = True
        self.state.draining = True

    async def on_tick(self, counter: int) -> bool:
        """As uvicorn's, ten times a second; begins to end once it has drained."""
        if self.state.draining and not self.should_exit:
            self.should_exit = self.drained >= self.state.config.drain
            self.drained += TICK_SECONDS
        done: bool = await super().on_tick(counter)
        return done


def open_models(models: Sequence[str], config: ServeConfig) -> list[Served]:
    """The models, each under a name: that before an equals sign, its run's folder, its file without ending.

    NAME@VERSION=FILE gives the version a name too; kernels are compiled. Raises ResiduaError where a model
    cannot be read, ConfigError where two have one name and version.
    """
    name = config.engine
    if name == "auto":
        name = "numba" if installed("numba") else "numpy"
    engine = open_engine(name, threads=config.threads)
    options = PredictConfig(top=config.top, reject=config.reject, reject_accuracy=config.reject_accuracy)
    found: dict[tuple[str, str], Served] = {}
    for model in models:
        title, version, place = split_name(model)
        file = find_model(place)
        if title is None:
            title = file.parent.resolve().name if Path(place).is_dir() else file.name.partition(".")[0]
        served = Served(title, file, engine, options, version)
        if (title, served.version) in found or (version is None and title in {name for name, _ in found}):
            raise ConfigError(f"two models are called {title}: give them names, as in {title}-2={place}")
        found[title, served.version] = served
        served.warm(config.batch)
    return list(found.values())


def split_name(model: str) -> tuple[str | None, str | None, str]:
    """Name, version and place out of NAME=FILE, NAME@VERSION=FILE or FILE alone. Raises ConfigError."""
    before, equals, place = model.partition("=")
    if not equals or Path(model).exists():
        return None, None, model
    name, at, version = before.partition("@")
    if not NAME.fullmatch(name) or (at and not NAME.fullmatch(version)):
        raise ConfigError(
            f"names and versions of models are letters, digits, '.', '_' and '-'; {before!r} is not: "
            "write NAME=FILE or NAME@VERSION=FILE"
        )
    return name, version or None, place


def read_keys(config: ServeConfig) -> frozenset[str]:
    """The keys in --keys. Raises ConfigError where the file holds none."""
    if config.keys is None:
        return frozenset()
    require_file(config.keys, ConfigError, "the keys in")
    try:
        lines = Path(config.keys).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the keys in {config.keys}: {error}") from None
    if not lines:
        raise ConfigError(f"--keys takes a file with a key on each line; {config.keys} is empty")
    return frozenset(lines)


def open_port(config: ServeConfig) -> socket.socket:
    """The socket to listen at. Raises ConfigError where the port is in use or may not be taken."""
    try:
        family = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0][0]
        with contextlib.ExitStack() as unless_bound:
            # Named TCP, for asyncio sends small packets at once on sockets that say so; 40 ms an answer else.
            kind = (family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listening = unless_bound.enter_context(socket.socket(*kind))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((config.host, config.port))
            listening.listen(BACKLOG)  # who reads the address may come at once, and waits
            unless_bound.pop_all()
        return listening
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {config.host}:{config.port}: {error.strerror or error}; choose another --port "
            "(0 takes a free one)"
        ) from None


def check_certificate(config: ServeConfig) -> None:
    """Raise ConfigError unless certificate and key are both there and fit, or neither is."""
    if (config.certificate is None) != (config.private_key is None):
        raise ConfigError("--certificate and --private-key go together: give both or neither")
    if config.certificate is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                config.certificate, config.private_key, password=lambda: ""
            )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"--certificate and --private-key cannot be used: {error}") from None


def serve_models(models: Sequence[str], config: ServeConfig, say: Say) -> None:
    """Answer requests until told to end by a signal. Raises ResiduaError where it cannot begin."""
    check_certificate(config)
    keys, listening = read_keys(config), open_port(config)
    with listening:
        server, worker = build_server(open_models(models, config), config, keys, say)
        host, port = listening.getsockname()[:2]
        scheme = "http" if config.certificate is None else "https"
        address = f"[{host}]" if ":" in host else host
        say(f"Listening at {scheme}://{address}:{port}/ ({', '.join(server.state.names)}); Ctrl-C ends it")
        try:
            server.run([listening])
        finally:
            worker.stop()
    say("Ended; every request that was taken has been answered")


def build_server(
    models: list[Served], config: ServeConfig, keys: frozenset[str], say: Say
) -> tuple[Server, Worker]:
    """The server, ready to run, and its worker, which runs."""
    metrics = Metrics()
    worker = Worker(models, config.queue, config.batch, metrics)
    worker.said = say
    state = State(config, models, worker, metrics)

    def log(entry: dict[str, Any]) -> None:
        if config.log:
            say(json.dumps(entry))

    options = uvicorn.Config(
        build_application(state, keys, log),
        http=TimedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=config.certificate,
        ssl_keyfile=config.private_key,
    )
    worker.start()
    return Server(options, state), worker
