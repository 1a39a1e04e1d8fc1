"""Put a mutant into a process: into the functions that already live there, or into the import of its module.

A function is given the code of its mutant in place, so that everybody who holds it (a test module, a class, a table)
runs the mistake; nothing is imported anew. What runs at the import itself (constants, defaults, fields) is planted
before the module is imported. Both are for a process that ends afterwards: nothing is put back.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, FunctionType, ModuleType

from tests.mutation.mutants import Mutant

#: A function's file, qualified name and first line.
Key = tuple[str, str, int]


def living_functions() -> dict[Key, list[FunctionType]]:
    """Find every function of this process by where it was written."""
    found: defaultdict[Key, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if type(one) is FunctionType:
            code = one.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(one)
    return dict(found)


def plant_in_place(mutant: Mutant, functions: dict[Key, list[FunctionType]]) -> bool:
    """Give the living functions the mutant's code; False when it cannot be told which they are."""
    assert mutant.function is not None
    key = (str(mutant.path), *mutant.function)
    codes = [code for code in _outermost(mutant.compiled()) if (code.co_qualname, code.co_firstlineno) == key[1:]]
    if len(codes) != 1 or key not in functions:
        return False
    for function in functions[key]:
        if function.__code__.co_freevars != codes[0].co_freevars:
            return False
        function.__code__ = codes[0]
    return True


def _outermost(code: CodeType) -> Iterator[CodeType]:
    """Give the code of a module's functions and methods, not what is inside them."""
    for inner in code.co_consts:
        if not isinstance(inner, CodeType):
            continue
        # the body of a class keeps its names in a dictionary, a function's has fast locals
        if inner.co_flags & 0x2:
            yield inner
        else:
            yield from _outermost(inner)


class _Planted(importlib.abc.Loader):
    def __init__(self, code: CodeType) -> None:
        self._code = code

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102  # this is how a module is run


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        spec.loader = _Planted(self._code)
        return spec


def plant_at_import(mutant: Mutant) -> None:
    """Have the mutant's module imported with its mistake; it must not have been imported yet."""
    assert mutant.module not in sys.modules
    sys.meta_path.insert(0, _Finder(mutant.module, mutant.compiled()))
