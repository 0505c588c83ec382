"""A million numbers go anywhere with flat memory: measured in a process of its own each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from number_files import batches
from smspartner import write

written = write(batches(1_000_000), sys.argv[1], token="a")
assert written.rows == 1_000_000
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "mebibytes", "extra"),
    [
        # Measured: 22 to 26 MiB without pyarrow, 87 (Arrow) and 100 (Parquet) with it.
        ("numbers.csv", 40, None),
        ("numbers.jsonl", 40, None),
        ("numbers.json", 40, None),
        ("numbers.db", 40, None),
        ("numbers.parquet", 120, "pyarrow"),
        ("numbers.arrow", 120, "pyarrow"),
    ],
)
def test_a_million_numbers_are_written_with_flat_memory(
    tmp_path: Path, name: str, mebibytes: int, extra: str | None
) -> None:
    if extra:
        pytest.importorskip(extra, reason="the extra arrow is not installed")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / name],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1] / "support",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) / 1024 < mebibytes
