"""Coverage-guided fuzzing of reader and decoders with atheris (libFuzzer for Python).

What must hold for any bytes is in ``tests/support/invariants.py``: only own errors come out
(rule R9), neither chunks nor slices change what comes out (rule R12), and a body is a success
exactly where an independent reader says so.

How to run it, once for each format (``json`` or ``xml``)::

    pip install atheris
    python tests/promises/fuzz/fuzz_reader.py json --seeds build/fuzz/json
    python tests/promises/fuzz/fuzz_reader.py json build/fuzz/json -max_total_time=1200 -timeout=10

The first command writes the seed corpus: every small fixture (``fixtures/corpus``, ``documented``
and ``invalid``), and a dictionary of tokens beside it (``build/fuzz/json.dict``, to be given as
``-dict=build/fuzz/json.dict``). The second fuzzes until the time is over or a promise is broken;
the body is then left in a file named ``crash-…``; ``tests/promises/fuzz/fuzz_reader.py json
crash-…`` reads it again. All other options are libFuzzer's.
"""

from __future__ import annotations

import random
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))


def write_seeds(format_: str, folder: Path) -> None:
    """Write the seed corpus of a format, and a dictionary of its tokens beside it."""
    from mutations import TOKENS, seeds  # noqa: PLC0415 - main must instrument first

    folder.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(seeds(format_)):
        (folder / f"seed-{number:03}").write_bytes(body)
    tokens = ("".join(f"\\x{byte:02x}" for byte in token) for token in TOKENS[format_])
    lines = (f'"{token}"\n' for token in tokens if len(token) < 256)
    folder.with_suffix(".dict").write_text("".join(lines))


def fuzz(atheris: Any, format_: str, arguments: list[str]) -> None:
    """Run libFuzzer; it does not come back."""
    with atheris.instrument_imports(include=["smspartner"]):
        import_module("smspartner.decoders.json")
        import_module("smspartner.decoders.xml.decoder")
        check = import_module("invariants").check
    mutations = import_module("mutations")

    def test_one_input(body: bytes) -> None:
        check(body, format_, seed=len(body))

    def mutate(body: bytes, limit: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            wrong: bytes = atheris.Mutate(body, limit)
            return wrong
        return bytes(mutations.mutate(body, chance, mutations.TOKENS[format_])[:limit])

    atheris.Setup([sys.argv[0], *arguments], test_one_input, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> None:
    """Do what the command line says; see the docstring of this file."""
    format_, *arguments = sys.argv[1:]
    if format_ not in {"json", "xml"}:
        sys.exit("the first argument is the format: json or xml")
    if arguments[:1] == ["--seeds"]:
        write_seeds(format_, Path(arguments[1]))
    else:
        fuzz(import_module("atheris"), format_, arguments)


if __name__ == "__main__":
    main()
