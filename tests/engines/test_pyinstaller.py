"""A program frozen with PyInstaller finds what is imported when it is first used."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from smspartner.engines.pyinstaller import hook_dirs

PROGRAM = """
import smspartner
from smspartner import Client, Sandbox

with Sandbox(numbers=100) as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
    for form in ("json", "xml"):
        print(len(client.download(sandbox.token, format=form)), form)
    client.save(sandbox.token, "body.xml", format="xml")
with open("body.xml", "rb") as body:
    print(sum(1 for _ in smspartner.iter_decode(body)), "again")
smspartner.write(smspartner.open_bodies("body.xml"), "numbers.xlsx")
with smspartner.open_numbers("numbers.xlsx") as numbers:
    print(sum(len(batch["phone"]) for batch in numbers.batches()), "in a workbook")
"""
PRINTED = "100 json\n100 xml\n100 again\n100 in a workbook\n"


def test_the_entry_point_names_the_folder_of_the_hook() -> None:
    (found,) = entry_points(group="pyinstaller40", name="hook-dirs").select(
        module="smspartner.engines.pyinstaller"
    )

    assert found.load() is hook_dirs
    assert [path.name for path in Path(hook_dirs()[0]).glob("hook-*")] == ["hook-smspartner.py"]


@pytest.mark.slow
def test_a_frozen_program_reads_both_formats(tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller", reason="it is in the group dev")
    (tmp_path / "program.py").write_text(PROGRAM)
    frozen = [sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", "program.py"]
    subprocess.run(frozen, cwd=tmp_path, check=True, timeout=300)

    done = subprocess.run(
        [tmp_path / "dist" / "program" / "program"],
        cwd=tmp_path,
        env={"HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == (PRINTED, "")
