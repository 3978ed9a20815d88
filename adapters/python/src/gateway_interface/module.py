"""From a file to a checked module."""

from __future__ import annotations

import os
import struct
import sys
from typing import Any

from .abi import GW, NULL, ffi


class LoadError(Exception):
    """A file is not a module that this host can serve; the message says why."""


class Module:
    """A loaded module whose descriptor has been checked; never unloaded (LOAD-07).

    Loading runs the constructors of the file: load only what you would run.
    """

    def __init__(self, path: str, honoured: int) -> None:
        """`honoured` are the critical flags of a module that this host keeps to.

        Raises `LoadError`.
        """
        self.path = path
        image = _image(path)
        try:
            self._library = ffi.dlopen(image, ffi.RTLD_NOW | ffi.RTLD_LOCAL | os.RTLD_NODELETE)
        except OSError as error:
            raise LoadError(f"{path}: the dynamic loader refused it: {error}") from None
        try:
            self.raw = ffi.addressof(self._library, GW.MODULE_SYMBOL)
        except AttributeError:
            raise LoadError(
                f"{path}: no symbol {GW.MODULE_SYMBOL}: is it a gateway application "
                "(export! in a cdylib)?"
            ) from None
        refusal = _refusal(self.raw, honoured)
        if refusal is not None:
            raise LoadError(f"{path}: {refusal}")
        self.name = ffi.string(self.raw.name).decode("utf-8", "replace")
        self.version = ffi.string(self.raw.version).decode("utf-8", "replace")
        self.flags = self.raw.flags


def _image(path: str) -> str:
    """A name for the dynamic loader: of a copy in memory, where the system has such a thing.

    What happens to the file afterwards changes nothing for this process (LOAD-08).
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise LoadError(f"{path}: cannot read it: {error.strerror}") from None
    if not sys.platform.startswith("linux"):
        return os.path.abspath(path)
    _check_elf(path, content)
    descriptor = os.memfd_create(os.path.basename(path))
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    # The descriptor stays open: the loader knows libraries by their names.
    return f"/proc/self/fd/{descriptor}"


def _check_elf(path: str, content: bytes) -> None:
    """Refuses what is no whole ELF file, which the loader would map, to end the process later."""
    if len(content) < 64 or not content.startswith(b"\x7fELF\x02"):
        start = content[:8].decode("ascii", "backslashreplace")
        found = f'it begins with "{start}"' if content else "it is empty"
        raise LoadError(f"{path}: expected an ELF shared object for this machine, but {found}")
    order = "<" if content[5] == 1 else ">"
    (sections,) = struct.unpack_from(order + "Q", content, 40)
    size, count = struct.unpack_from(order + "HH", content, 58)
    if sections + size * count > len(content):
        raise LoadError(
            f"{path}: it is cut short: its parts reach beyond its {len(content)} bytes"
        )


def _refusal(raw: Any, honoured: int) -> str | None:
    """Why a descriptor is refused, checked in the order of LOAD-01."""
    if raw.magic != GW.MAGIC:
        found = raw.magic.to_bytes(8, sys.byteorder)
        return f'expected the magic "GATEWAY1", found {found!r}'
    # Magic, size and version stand at fixed places in every version.
    ours = f"{GW.ABI_MAJOR}.{GW.ABI_MINOR}"
    if raw.abi_major != GW.ABI_MAJOR:
        theirs = f"{raw.abi_major}.{raw.abi_minor}"
        return f"built for gateway ABI {theirs}; this host speaks {ours}"
    least = GW.MODULE_MIN_SIZE
    if raw.struct_size < least:
        return f"expected a descriptor of at least {least} bytes, found {raw.struct_size}"
    if raw.min_host_minor > GW.ABI_MINOR:
        needed = f"{GW.ABI_MAJOR}.{raw.min_host_minor}"
        return f"needs a host of gateway ABI {needed} or later; this one speaks {ours}"
    unknown = raw.flags & GW.MODULE_CRITICAL_MASK & ~honoured
    if unknown:
        known = ("BLOCKING", "LOCAL_CALLS", "SINGLE_THREAD")
        names = ", ".join(name for name in known if unknown & getattr(GW, "MODULE_" + name))
        names = f" ({names})" if names else ""
        return f"sets critical flags that this host cannot honour: {unknown:#018x}{names}"
    if raw.create == NULL:
        return "the descriptor has no create function"
    return None
