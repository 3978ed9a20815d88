"""Reads gateway.h, the C ABI itself: what cffi shall declare, and the constants.

The package carries the header that applications are compiled against, so nothing here can differ
from it: no structure is written down a second time.
"""

from __future__ import annotations

import re


def declarations(header: str) -> str:
    """The structures and functions of the header, as cffi's parser takes them."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = text.replace("\\\n", " ")
    # C++ and the table of names are for compilers; the names are read by `name_ids`.
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.DOTALL)
    text = re.sub(r"enum gw_name_id \{.*?\};", "", text, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
    # cffi reads constants from compilers and variables from libraries.
    return text.replace("extern GW_EXPORT const", "extern")


def constants(header: str) -> dict[str, int | str]:
    """The constants of the header by their names without `GW_`."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL).replace("\\\n", " ")
    known: dict[str, object] = {"UINT64_C": int, "UINT64_MAX": 2**64 - 1, "__builtins__": {}}
    found: dict[str, int | str] = {}
    for name, value in re.findall(r"^#define (GW_[A-Z0-9_]+) +(\S.*?) *$", text, re.MULTILINE):
        if "__attribute__" in value:
            continue
        # C's integers, strings, shifts and unions are Python's as well.
        known[name] = found[name[3:]] = eval(value, known)
    return found


def name_ids(header: str) -> dict[bytes, int]:
    """The ids of well-known field names, from GW_NAMES."""
    rows = re.findall(r'X\((\d+), [A-Z0-9_]+, "([a-z0-9-]+)"\)', header)
    return {name.encode(): int(number) for number, name in rows}
