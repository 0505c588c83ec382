"""The code blocks of the README and the docs, and how each kind of block is run.

=========  ========================================================================================
python     runs; the blocks of a page share their names
console    each line is a command line; ``smspartner`` runs in this process
sh         one script, run by bash with the installed command
cron       each line's command is run by ``sh``, as cron would
php        one script, run by php where it is installed
text       directly after one of those: what it prints; ``…`` stands for anything
json, xml  a body; a pair of neighbours must carry the same
=========  ========================================================================================

Comments that a reader of the page does not see: ``<!-- setup`` with Python that runs before what
follows, ``<!-- exit: 7 -->`` for the exit code of the next block, ``<!-- body: RentalStatus -->``
for a body that is not one of numbers.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from smspartner.cli import cli, run

ROOT: Final = Path(__file__).resolve().parent.parent.parent
RUNNABLE: Final = ("python", "console", "sh", "cron", "php")
BODIES: Final = ("json", "xml")

#: Commands that only end with Ctrl-C: their options are checked, and that is all.
_ENDLESS: Final = {"sandbox"}
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HIDDEN: Final = re.compile(r"^<!-- (setup|exit|body)\b:?(.*?)-->$", re.MULTILINE | re.DOTALL)
_CRON_TIMES: Final = 5


@dataclass
class Block:
    """One block of a page.

    Attributes:
        page: the page, from the top of the project.
        line: where its content begins, counted from 1.
        kind: what stands after the fence; ``setup`` for hidden code.
        text: its content.
        prints: what the page says it prints, None where it says nothing.
        exit: the exit code it ends with.
        body: the name of the struct that a body is read as.
    """

    page: str
    line: int
    kind: str
    text: str
    prints: str | None = None
    exit: int = 0
    body: str = "RentalAnswer"

    @property
    def first(self) -> str:
        """Its first line, by which lists name it."""
        return self.text.split("\n", 1)[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page in order, each with what is said about it."""
    text = (ROOT / page).read_text()
    found = sorted([*_FENCE.finditer(text), *_HIDDEN.finditer(text)], key=re.Match.start)
    blocks: list[Block] = []
    said: dict[str, Any] = {}
    end = 0
    for match in found:
        kind, content = match[1], match[2]
        line = text.count("\n", 0, match.start(2)) + 1
        directly = not text[end : match.start()].strip()
        if kind == "text" and blocks and blocks[-1].kind in RUNNABLE and directly:
            blocks[-1].prints = content
        elif kind in {"exit", "body"} and not match[0].startswith("`"):
            said[kind] = int(content) if kind == "exit" else content.strip()
        else:
            blocks.append(Block(page, line, kind, content, **said))
            said = {}
        end = match.end()
    return blocks


@dataclass
class Runner:
    """Runs the blocks of one page, in order.

    Attributes:
        names: what the Python blocks of the page know.
        environment: what its commands have in their environment beyond this process's.
    """

    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "docs"})
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, block: Block) -> str:
        """Run a block and return what it printed; assert how it ended."""
        ways = {"setup": self._python, "python": self._python, "console": self._console}
        ways |= {"sh": self._script, "cron": self._crontab, "php": self._php}
        with _captured() as printed:
            ways[block.kind](block)
        return printed.text()

    def _python(self, block: Block) -> None:
        # The empty lines before it make a traceback name the line of the page.
        code = "\n" * (block.line - 1) + block.text
        exec(compile(code, block.page, "exec", dont_inherit=True), self.names)  # noqa: S102 - ours

    def _console(self, block: Block) -> None:
        codes = [self._command(line, block) for line in _lines(block.text)]
        assert codes[-1:] == [block.exit], f"{block} ended with {codes}"
        assert not any(codes[:-1]), f"{block} ended with {codes}"

    def _command(self, line: str, block: Block) -> int:
        words = shlex.split(line, comments=True)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            assert name in os.environ, f"{block}: only what the test puts back is set"
            os.environ[name] = value
            return 0
        assert words[0] == "smspartner", f"{block}: {line!r} is no command that can be run here"
        if words[1] in _ENDLESS:
            check_options(words[1:])
            return 0
        if ">" in words:
            return self._redirected(words)
        return run(words[1:])

    def _redirected(self, words: list[str]) -> int:
        *command, _, target = words
        with _captured(words=False) as printed:
            code = run(command[1:])
        Path(target).write_bytes(printed.bytes())
        return code

    def _script(self, block: Block) -> None:
        assert self._shell("bash", "-eu", "-o", "pipefail", "-c", block.text) == block.exit, block

    def _crontab(self, block: Block) -> None:
        for line in _lines(block.text):
            *times, command = line.split(maxsplit=_CRON_TIMES)
            assert len(times) == _CRON_TIMES, f"{block}: {line!r} is no line of a crontab"
            unescaped = re.fullmatch(r"(?:[^%\\]|\\.)*", command)
            assert unescaped, f"{block}: to cron, a bare % ends the command"
            assert self._shell("sh", "-c", command.replace("\\%", "%")) == block.exit, block

    def _php(self, block: Block) -> None:
        Path("page.php").write_text(block.text)
        assert self._shell("php", "page.php") == block.exit, block

    def _shell(self, *command: str) -> int:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, **self.environment}
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        sys.stdout.write(done.stdout.decode())
        return done.returncode


def check_options(words: list[str]) -> None:
    """Assert that a command line is one that the command takes, without running it."""
    context = click.Context(cli, info_name="smspartner", **cli.context_settings)
    command = cli.get_command(context, words[0])
    assert command is not None, words
    command.make_context(words[0], words[1:], parent=context)


def matches(printed: str, expected: str) -> bool:
    """Say whether what was printed is what a page shows; ``…`` stands for anything."""
    parts = [re.escape(part) for part in _tidy(expected).split("…")]
    return re.fullmatch(".*".join(parts), _tidy(printed), re.DOTALL) is not None


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))


def _lines(text: str) -> Iterator[str]:
    """Yield the commands of a block: no comments, and lines that end in a backslash joined."""
    joined = text.replace("\\\n", " ")
    yield from (line for line in joined.splitlines() if line.strip() and line.lstrip()[0] != "#")


class _Printed:
    def __init__(self) -> None:
        self._raw = io.BytesIO()
        self.file = io.TextIOWrapper(self._raw, encoding="utf-8", write_through=True)

    def bytes(self) -> bytes:
        return self._raw.getvalue()

    def text(self) -> str:
        return self.bytes().decode()


@contextmanager
def _captured(*, words: bool = True) -> Iterator[_Printed]:
    """Catch what is printed on standard output and, with ``words``, on standard error."""
    printed = _Printed()
    with redirect_stdout(printed.file), ExitStack() as both:
        if words:
            both.enter_context(redirect_stderr(printed.file))
        yield printed


def prose_of(page: str) -> str:
    """Return a page without its blocks and hidden comments."""
    return _HIDDEN.sub("", _FENCE.sub("", (ROOT / page).read_text()))


def headings_of(page: str) -> list[tuple[int, str]]:
    """Return level and text of each heading of a page."""
    found = re.finditer(r"^(#+) (.+)$", prose_of(page), re.MULTILINE)
    return [(len(match[1]), match[2]) for match in found]


def slug(heading: str) -> str:
    """Return the anchor of a heading, the same in the built site and on a code host."""
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\s-]", "", plain).replace(" ", "-")
