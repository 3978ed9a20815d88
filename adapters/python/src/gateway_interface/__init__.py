"""Serves applications of the Gateway Interface (Rust, C, ...) under Python's web servers.

`gateway_interface.wsgi.load("libapp.so")` is a WSGI callable, `gateway_interface.asgi.load(...)` an
ASGI callable.
"""

from .instance import StartError
from .module import LoadError

__all__ = ["LoadError", "StartError"]
__version__ = "0.1.0"
