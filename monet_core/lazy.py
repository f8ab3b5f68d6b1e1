"""Packages whose heavy parts are loaded when they are first asked for (PEP 562).

A window, and whatever lists models or fills in settings, must not wait seconds for torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of `package`, which loads names from its modules.

    `modules` maps a module's name to the names that it defines, separated by blanks. No name may
    be that of a module of the package: once loaded, the module would be taken for it.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
