"""Change the code in small ways, one at a time, and see whether the tests notice.

``python .ci/mutation.py ROOM… [--sample 200] [--seed 1]`` works in a copy of the checkout. A change
that no test notices is printed, unless ``tests/mutation.md`` names it as one that changes nothing.
``--again FILE`` tries what a run has printed.
The exit code is 1 where fewer than 95 % of the others are noticed.

Not changed are annotations, docstrings, and words for people (texts with a space, f-strings).
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
EQUIVALENT: Final = ROOT / "tests" / "mutation.md"
#: What must be noticed, of a hundred.
ENOUGH: Final = 95
#: Seconds for the tests of one change: it may never end.
PATIENCE: Final = 150
QUIET: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
#: Loaded once for all changes: most of the time of a short test.
LOADED: Final = (
    "pytest", "hypothesis", "_hypothesis_pytestplugin", "xdist.plugin", "pytest_cov.plugin",
    "click", "rich.console", "lxml.etree", "defusedxml", "requests", "msgspec", "pyarrow",
    "http.server",    "hypothesis.strategies", "sqlite3", "python_calamine", "phonenumbers",
)  # fmt: skip

#: Of each room: its code, and the tests that answer for it, the fastest first.
ROOMS: Final = {
    "decoders": (
        ["smspartner/decoders"],
        ["tests/decoders/test_records.py", "tests/decoders"],
    ),
    "opt-outs": (
        ["smspartner/files/opt_outs"],
        [
            "tests/files/test_opt_outs.py",
            "tests/files/test_opt_out_blocks.py",
            "tests/files/test_opt_out_readings.py",
            "tests/files/test_opt_out_spellings.py",
            "tests/files/test_number_set.py",
            "tests/files/test_write.py",
            "tests/cli/test_opt_outs.py",
        ],
    ),
    "streams": (
        [
            "smspartner/client/stream.py",
            "smspartner/client/boundary.py",
            "smspartner/transport/body.py",
            "smspartner/transport/call.py",
        ],
        [
            "tests/client/test_client.py",
            "tests/promises/test_bytes_first.py",
            "tests/transport",
            "tests/client",
        ],
    ),
    "lost downloads": (
        [
            "smspartner/client/asking.py",
            "smspartner/client/many.py",
            "smspartner/client/stopped.py",
            "smspartner/client/waiting.py",
            "smspartner/files/journal.py",
        ],
        [
            "tests/files/test_journal.py",
            "tests/client/test_asking.py",
            "tests/client/test_many.py",
            "tests/client/test_waiting.py",
            "tests/client/test_base.py",
            "tests/cli/test_download_once.py",
            "tests/cli/test_download_many.py",
            "tests/test_public_api.py",
        ],
    ),
}

COMPARED: Final = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED: Final = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.BitXor: ast.BitOr, ast.Div: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip


class Mutant(NamedTuple):
    """A change: the bytes from ``start`` to ``end`` of a file become ``new``."""

    path: str
    start: int
    end: int
    new: str

    def apply(self, source: bytes) -> bytes:
        """Return the file with the change."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def lines(self, source: bytes) -> tuple[str, str]:
        """Return what is changed, and what it becomes, with the rest of the lines around."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        finish = source.find(b"\n", self.end)
        changed = self.apply(source)
        after = finish + len(changed) - len(source)
        was, new = source[begin:finish].decode(), changed[begin:after].decode()
        return " ".join(was.split()), " ".join(new.split())


def mutants(path: str, source: bytes) -> Iterator[Mutant]:
    """Yield every change of a file."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    uncovered = {
        number for number, line in enumerate(source.splitlines(), 1) if b"pragma: no cover" in line
    }
    for node, new in _changes(ast.parse(source)):
        if node.lineno in uncovered or node.end_lineno is None or node.end_col_offset is None:
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        text = new if isinstance(new, str) else f"({ast.unparse(new)})"
        yield Mutant(path, start, end, text)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.expr | str]]:
    for node in _walk(tree):
        if isinstance(node, ast.expr):
            yield from ((node, new) for new in _other_values(node))
        yield from _other_ways(node)


def _other_values(node: ast.expr) -> Iterator[ast.expr | str]:
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in COMPARED:
            yield ast.Compare(left, [COMPARED[type(operator)]()], [right])
        case ast.BinOp(left, operator, right) if type(operator) in COMPUTED:
            yield ast.BinOp(left, COMPUTED[type(operator)](), right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Subscript(value, ast.Slice(lower, upper, None)):
            yield from (ast.Subscript(value, ast.Slice(None, upper)) for _ in (lower,) if lower)
            yield from (ast.Subscript(value, ast.Slice(lower, None)) for _ in (upper,) if upper)
        case ast.Constant(bool() as value):
            yield str(not value)
        case ast.Constant(int() as value):
            yield str(value + 1)
        case ast.Constant(str() | bytes() as value) if len(value.split()) <= 1:
            yield repr(("X" if isinstance(value, str) else b"X") + value)
        case _:
            pass


def _other_ways(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.expr | str]]:
    match node:
        case ast.If(test) | ast.While(test) | ast.IfExp(test):
            yield test, ast.UnaryOp(ast.Not(), test)
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield value, "None"
        case ast.Expr(ast.Call() | ast.Await()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield node, "pass"
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"
        case _:
            pass


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs and is not made of words for people."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            match child:
                case ast.Expr(ast.Constant()) | ast.JoinedStr() | ast.alias():
                    continue
                case ast.If(ast.Name("TYPE_CHECKING")) | ast.Assign([ast.Name("__all__")]):
                    continue
                case ast.AST():
                    yield child
                    yield from _walk(child)
                case _:
                    pass


def listed(file: Path) -> set[tuple[str, str, str]]:
    """Return the changes in a table: the file, what is changed, and what it becomes."""
    row = re.compile(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \| ", re.MULTILINE)
    return set(row.findall(file.read_text("utf-8")))


def tests_of(paths: list[str], file: str) -> tuple[list[str], list[str]]:
    """Return the files with tests: those named like a file, else the first; and all others."""
    found = dict.fromkeys(
        str(test)
        for path in paths
        for test in ([Path(path)] if path.endswith(".py") else sorted(Path(path).glob("test_*.py")))
    )
    first = [test for test in found if f"test_{Path(file).stem}" in test] or paths[:1]
    return first, [test for test in found if test not in first]


def run(tests: list[str]) -> int:
    """Run tests in a process that begins with the libraries loaded; return its exit code."""
    child = os.fork()
    if not child:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        import pytest  # noqa: PLC0415

        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--tb=no", *QUIET, *tests]))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def try_room(room: str, size: int, seed: int, again: Path | None) -> bool:
    """Print the score of a room and its survivors; return whether it is enough."""
    paths, tests = ROOMS[room]
    files = [
        str(file)
        for path in paths
        for file in ([Path(path)] if path.endswith(".py") else sorted(Path(path).rglob("*.py")))
    ]
    sources = {file: Path(file).read_bytes() for file in files}
    every = [mutant for file in files for mutant in mutants(file, sources[file])]
    if again is not None:
        wanted = listed(again)
        every = [each for each in every if (each.path, *each.lines(sources[each.path])) in wanted]
    sample = random.Random(seed).sample(every, min(size, len(every)))  # noqa: S311
    first, others = tests_of(tests, "")
    if code := run([*first, *others]):
        print(f"{room}: the tests fail ({code}) without a change")
        return False
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for cached in Path("smspartner").rglob("*.pyc"):
        cached.unlink()
    named = listed(EQUIVALENT)
    noticed = equivalent = 0
    for number, mutant in enumerate(sample, 1):
        source = sources[mutant.path]
        before, after = mutant.lines(source)
        if (mutant.path, before, after) in named:
            equivalent += 1
            continue
        Path(mutant.path).write_bytes(mutant.apply(source))
        try:
            survived = not any(run(some) for some in tests_of(tests, mutant.path))
        finally:
            Path(mutant.path).write_bytes(source)
        noticed += not survived
        if survived:
            print(f"| `{mutant.path}` | `{before}` | `{after}` | survived |", flush=True)
        if not number % 20:
            print(f"{room}: {number} of {len(sample)}, {noticed} noticed", flush=True)
    tried = len(sample) - equivalent
    share = 100 * noticed / max(tried, 1)
    print(
        f"{room}: {len(every)} changes, {len(sample)} taken, {equivalent} of them equivalent; of "
        f"the others {noticed} noticed, {tried - noticed} not: {share:.1f} %",
        flush=True,
    )
    return share >= ENOUGH


def main() -> int:
    """Try the rooms that are named, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], metavar="ROOM")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, help="try only the changes that a run has printed")
    given = parser.parse_args()
    for library in LOADED:
        importlib.import_module(library)

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "site")
        shutil.copytree(ROOT, copy, ignore=ignored)
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        os.environ["PYTHONPATH"] = str(copy)
        enough = [
            try_room(room, given.sample, given.seed, given.again) for room in given.rooms or ROOMS
        ]
    return 0 if all(enough) else 1


if __name__ == "__main__":
    sys.exit(main())
