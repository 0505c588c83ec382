"""The floor plan, read from the source: at most nine rooms, imports go down, none in a circle."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Final

import pytest
from floor_plan import PACKAGE, loads, module_imports, needs, reaches, rooms

#: Each room, from the top of the house down, and the rooms below that it may import.
MAY_IMPORT: Final = {
    "cli": {"engines", "client", "files", "decoders", "sandbox", "transport", "models", "errors"},
    "engines": {"client", "files", "decoders", "models", "errors"},
    "client": {"files", "decoders", "transport", "models", "errors"},
    "files": {"decoders", "models", "errors"},
    "decoders": {"models", "errors"},
    "sandbox": {"models", "errors"},
    "transport": {"models", "errors"},
    "models": {"errors"},
    "errors": set(),
}
#: What stands beside the rooms: the door, the command's start, and the version.
BESIDE: Final = {"__init__", "__main__", "_version"}


def test_there_are_at_most_nine_rooms() -> None:
    assert set(rooms()) - BESIDE <= set(MAY_IMPORT)
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} <= {
        *(f"{name}.py" for name in BESIDE),
        "errors.py",
        "py.typed",
    }


@pytest.mark.parametrize("room", sorted(set(rooms()) - BESIDE))
def test_imports_go_down(room: str) -> None:
    assert reaches(room) - {"_version"} <= MAY_IMPORT[room]


def test_no_module_imports_itself_by_way_of_others() -> None:
    TopologicalSorter(module_imports()).prepare()


def test_the_start_of_the_command_loads_no_room() -> None:
    assert loads("__main__") == set()


@pytest.mark.parametrize(
    ("library", "room"),
    [("requests", "transport"), ("lxml", "decoders"), ("defusedxml", "decoders"), ("click", "cli")],
)
def test_a_library_is_imported_in_one_room_only(library: str, room: str) -> None:
    assert {each for each in rooms() if library in needs(each)} == {room}
