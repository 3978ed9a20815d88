"""Which application, from arguments or the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from .instance import Instance
from .module import LoadError, Module


@dataclass(frozen=True)
class Configuration:
    """What an application is loaded with."""

    # The module's file.
    path: str
    # One free-form argument of the application's.
    argument: bytes = b""
    # Settings of the application's.
    settings: Mapping[str, str] = field(default_factory=dict)
    # On how many threads calls run: the server's number of threads.
    threads: int = 1
    # Seconds that calls, and then the application's shutdown, are given at the end.
    grace: float = 30.0

    @classmethod
    def of_environment(cls) -> Configuration:
        """From GATEWAY_APP and the variables beside it. Raises `LoadError`."""
        path = os.environ.get("GATEWAY_APP")
        if not path:
            raise LoadError("expected the path of an application in GATEWAY_APP, found none")
        argument = os.fsencode(os.environ.get("GATEWAY_ARGUMENT", ""))
        threads, grace = _number("GATEWAY_THREADS", 1), _number("GATEWAY_GRACE", 30)
        return cls(path, argument=argument, threads=threads, grace=grace)

    def module(self, honoured: int) -> Module:
        """Loads the module: checks it, and calls nothing of it. Raises `LoadError`."""
        return Module(self.path, honoured)

    def instance(self, module: Module) -> Instance:
        """Creates the application. Raises `StartError`."""
        return Instance(module, self.argument, self.settings, self.threads)


def _number(name: str, default: int) -> int:
    digits = os.environ.get(name, str(default))
    if not digits.isascii() or not digits.isdigit() or int(digits) < 1:
        raise LoadError(f"expected a number of at least 1 in {name}, found {digits!r}")
    return int(digits)
