"""What can be reached from an error, as text, and whether a secret is in it.

A program that reports errors shows messages and tracebacks, often with the variables of every
frame; a queue pickles them; a log keeps them. All that is looked through here. Only frames of the
tests themselves are left out: they hold the key by necessity.
"""

from __future__ import annotations

import json
import logging
import pickle
import re
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Final
from urllib.parse import quote, quote_plus

#: A key that hardly survives any encoding unchanged.
KEY: Final = "k/3y+öß %"
PHONE: Final = "+33639980042"

_TESTS: Final = str(Path(__file__).parents[1])

# Parts of the key in every spelling: as it is, escaped in JSON or a repr, percent-encoded in either
# case and over again, UTF-8 taken for Latin-1.
_KEY: Final = re.compile(
    r"k(?:\\*/|%(?:25)*2f)3y|3y(?:\+|%(?:25)*2b)|öß|\\u00f6|\\xf6|\\xc3\\xb6|%(?:25)*c3%(?:25)*b6|Ã¶",
    re.IGNORECASE,
)
# Phones of this kind are reserved for fiction, and are all that the tests have.
#: Times in seconds, in which some day a phone is found: 1795411639.982 was one.
_CLOCK: Final = {"asctime", "created", "msecs", "relativeCreated", "thread", "process"}
_PHONE: Final = re.compile(r"6[ ./-]?39[ ./-]?98(?:[ ./-]?\d){4}")


def spellings(key: str) -> list[str]:
    """Return the ways a key may come back from a service, or out of a tool."""
    once = [quote(key, safe=""), quote(key), quote_plus(key)]
    lower = [each.replace("%2F", "%2f").replace("%C3%B6", "%c3%b6") for each in once]
    twice = [quote(each, safe="") for each in once]
    escaped = [json.dumps(key)[1:-1], ascii(key), repr(key.encode())]
    return [key, *once, *lower, *twice, *escaped, key.encode().decode("latin-1")]


def secrets_in(text: str, *, phones: bool = True) -> list[str]:
    """Return what of the key and of phones is to be seen in a text, with some text around it."""
    patterns = (_KEY, _PHONE) if phones else (_KEY,)
    return [
        text[max(0, found.start() - 40) : found.end() + 20]
        for pattern in patterns
        for found in pattern.finditer(text)
    ]


def leaks_of(error: BaseException, *, phones: bool = True) -> list[str]:
    """Return every place that can be reached from an error and shows a secret."""
    return [
        f"{place}: {found}"
        for each in chain(error)
        for place, text in reached(each)
        for found in secrets_in(text, phones=phones)
    ]


def chain(error: BaseException) -> list[BaseException]:
    """Return an error and all that lead from it: causes, contexts, errors in its arguments."""
    found: list[BaseException] = []
    ahead: list[object] = [error]
    while ahead:
        each = ahead.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            ahead += (*each.args, *vars(each).values(), each.__cause__, each.__context__)
    return found


def reached(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield what one error shows, and where."""
    name = type(error).__name__
    yield f"str of {name}", str(error)
    yield f"repr of {name}", repr(error)
    yield f"arguments of {name}", repr(error.args)
    yield f"attributes of {name}", repr(vars(error))
    yield f"notes of {name}", repr(getattr(error, "__notes__", ()))
    for protocol in (0, pickle.HIGHEST_PROTOCOL):
        pickled = pickle.dumps(error, protocol)
        yield f"pickle of {name}", pickled.decode("utf-8", "replace")
        yield f"pickle of {name}", pickled.decode("latin-1")
    summary = traceback.TracebackException.from_exception(error)
    yield f"last lines of {name}", "".join(summary.format_exception_only())
    frames = traceback.StackSummary.extract(_frames(error), capture_locals=True)
    for frame, shown in zip(frames, frames.format(), strict=True):
        yield f"variables of {frame.name} in {frame.filename}", shown


def without_tests(error: BaseException) -> BaseException:
    """Return an error whose traceback begins where the frames of the tests end."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_TESTS):
        trace = trace.tb_next
    return error.with_traceback(trace)


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        if not frame.f_code.co_filename.startswith(_TESTS):
            yield frame, line


def walked(value: object, depth: int = 8, seen: set[int] | None = None) -> Iterator[str]:
    """Yield every text that is in a value, or in an attribute of it, or in what these hold."""
    seen = set() if seen is None else seen
    if id(value) in seen or not depth:
        return
    seen.add(id(value))
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray | memoryview):
        yield bytes(value).decode("utf-8", "replace")
    else:
        for part in _parts(value):
            yield from walked(part, depth - 1, seen)


def _parts(value: object) -> Iterable[object]:
    """Return what a value holds: entries of a container, attributes of an object of the package."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return value
    kind = type(value)
    if isinstance(value, type | ModuleType | FunctionType) or kind.__module__ == "builtins":
        return ()
    slots = [name for each in kind.__mro__ for name in getattr(each, "__slots__", ())]
    held = [
        getattr(value, name, None) for name in (*slots, *getattr(kind, "__struct_fields__", ()))
    ]
    return [*held, *getattr(value, "__dict__", {}).values()]


def leaks_in_logs(records: Iterable[logging.LogRecord], *, phones: bool = True) -> list[str]:
    """Return what of a secret is in log records, in their exceptions too."""
    shown = logging.Formatter("%(name)s %(message)s")
    found: list[str] = []
    for record in records:
        fields = {name: value for name, value in vars(record).items() if name not in _CLOCK}
        texts = (shown.format(record), repr(fields))
        found += [each for text in texts for each in secrets_in(text, phones=phones)]
        if record.exc_info and record.exc_info[1]:
            found += leaks_of(record.exc_info[1], phones=phones)
    return found
