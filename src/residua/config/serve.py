"""The options of `residua serve`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName


@dataclass(frozen=True)
class ServeConfig:
    """Everything that `residua serve` can be told."""

    host: str = "127.0.0.1"
    """Address to listen at; this one lets nobody else in, 0.0.0.0 everybody who reaches the computer."""
    port: int = 8000
    """Port to listen at; 0 takes a free one."""
    top: int = 3
    """How many names to give for each picture, where a request does not say."""
    reject: float | None = None
    """Say that an answer is not sure where the first name's probability is below this."""
    reject_accuracy: float | None = None
    """Say so as needed to be right so often on the pictures of `residua calibrate`, such as 0.99."""
    keys: str | None = shared.path("File of keys, one a line, of which a request must bring one.")
    certificate: str | None = shared.path("Certificate for https, as PEM; --private-key goes with it.")
    private_key: str | None = shared.path("Private key of the certificate, as PEM.")
    trusted: tuple[str, ...] = ()
    """Names of hosts, beside this computer's own and --host, under which requests may come."""
    queue: int = 256
    """Requests that may wait; more are told to come again."""
    batch: int = shared.described(8, "Pictures that are answered at once, where as many wait.")
    megabytes: float = 20.0
    """The largest picture file that is taken."""
    many: int = 1000
    """Pictures that one body may hold, in lines or in a zip."""
    many_megabytes: float = 100.0
    """The largest such body, and the most that all pictures of a zip may have unpacked."""
    seconds: float = 30.0
    """How long a request may take to send, and then to answer; each picture of many by itself."""
    explain_seconds: float = 4.0
    """How long an explanation may compute: occlusion takes larger squares where the network takes longer."""
    client_rate: float | None = None
    """Requests a second of each client, on the average; more are told when to come again."""
    concurrent: int = 512
    """Requests that are carried out at once; more are told to come again."""
    drain: float = 0.0
    """Seconds between being told to end, from which on it says that it is not ready, and taking no more."""
    log: bool = True
    """Whether each request is told on standard error, as a line of JSON; pictures never are."""
    engine: EngineName = shared.described("auto", "What computes; auto takes numba where it is installed.")
    threads: int | None = shared.threads()
