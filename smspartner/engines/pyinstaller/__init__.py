"""For programs frozen with PyInstaller: it asks here where this package's hook is."""

from __future__ import annotations

from pathlib import Path


def hook_dirs() -> list[str]:
    """Return the folder of the hook; the entry point ``pyinstaller40`` names this function."""
    return [str(Path(__file__).parent)]
