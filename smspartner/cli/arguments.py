"""Arguments that several commands share."""

from __future__ import annotations

import os

import click


class _NumbersFile(click.Path):
    """A file of numbers that is there, ``-`` for standard input, or ``sqlite:///file.db``.

    Args:
        folders: whether a folder will do.
    """

    def __init__(self, *, folders: bool = False) -> None:
        super().__init__(exists=True, dir_okay=folders, allow_dash=True)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        name = os.fspath(value)
        path = name.removeprefix("sqlite:///")
        if "://" in path:
            self.fail("give the name of a file; addresses cannot be read here", param, ctx)
        super().convert(path, param, ctx)
        return name


NUMBERS_FILE = _NumbersFile()
NUMBERS_FILES = _NumbersFile(folders=True)
