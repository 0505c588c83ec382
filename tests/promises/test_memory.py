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

count = int(sys.argv[2])
written = write(batches(count), sys.argv[1], token="a")
assert written.rows == count
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def memory_of(target: Path, count: int) -> float:
    """Return the most memory that a process takes to write so many numbers, in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, target, str(count)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1] / "support",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout) / 1024


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
    assert memory_of(tmp_path / name, 1_000_000) < mebibytes


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_workbook_takes_as_much_memory_for_few_numbers_as_for_many(tmp_path: Path) -> None:
    """Measured for a million too, which take a minute: 4 MiB more than before the first."""
    pytest.importorskip("xlsxwriter", reason="the extra excel is not installed")
    few, many = (memory_of(tmp_path / "numbers.xlsx", count) for count in (2_000, 60_000))
    assert many < few + 6
