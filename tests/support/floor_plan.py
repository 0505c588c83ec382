"""Which room of the house imports which: read from the source, nothing is loaded.

A *room* is a module of the package, or a folder in it with all that is in there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

PACKAGE: Final = Path(__file__).resolve().parent.parent.parent / "smspartner"
NAME: Final = PACKAGE.name


class Import(NamedTuple):
    """One import.

    Attributes:
        module: its full name.
        loads: whether it happens when the room is loaded, not when something in it is called.
    """

    module: str
    loads: bool


@cache
def rooms() -> tuple[str, ...]:
    """Return the rooms by name."""
    names = {
        path.stem if path.is_file() else path.name
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    return tuple(sorted(names))


@cache
def imports_of(room: str) -> frozenset[Import]:
    """Return every import in a room, those for type checkers alone aside."""
    files = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    return frozenset(found for file in files for found in _imports(ast.parse(file.read_bytes())))


def loads(room: str) -> set[str]:
    """Return the other rooms that a room imports when it is loaded."""
    return _rooms(found for found in imports_of(room) if found.loads) - {room}


def calls(room: str) -> set[str]:
    """Return the other rooms that a room imports only when something in it is called."""
    return _rooms(imports_of(room)) - loads(room) - {room}


def reaches(room: str) -> set[str]:
    """Return the other rooms that a room imports at any time."""
    return loads(room) | calls(room)


def module_imports() -> dict[str, set[str]]:
    """Return the modules of this package that each of them imports when it is loaded."""
    files = {_name_of(path): path for path in PACKAGE.rglob("*.py")}
    return {
        name: {
            found.module
            for found in _imports(ast.parse(path.read_bytes()))
            if found.loads and found.module in files and found.module != name
        }
        for name, path in files.items()
    }


def needs(room: str) -> set[str]:
    """Return the libraries beyond the standard one that a room imports, at any time."""
    tops = {found.module.partition(".")[0] for found in imports_of(room)}
    return {top for top in tops if top != NAME and top not in sys.stdlib_module_names}


def _name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if path.stem == "__init__" else parts)


def _rooms(imports: Iterator[Import] | frozenset[Import]) -> set[str]:
    parts = (found.module.split(".") for found in imports)
    return {each[1] for each in parts if each[0] == NAME and len(each) > 1}


def _imports(node: ast.AST, *, at_load: bool = True) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, at_load) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(name, at_load) for name in _targets(child))
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, at_load=at_load and not inside)


def _targets(node: ast.ImportFrom) -> Iterator[str]:
    """Yield what a ``from … import`` loads; of this package's own top, each name is a room."""
    module = node.module or ""
    if module == NAME:
        yield from (f"{NAME}.{alias.name}" for alias in node.names)
    else:
        yield module
