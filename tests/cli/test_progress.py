"""What a terminal shows meanwhile: a spinner from the first moment, then a bar with its rate."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodies import as_json, json_body, people
from number_files import batches
from terminal import on_terminal

from smspartner.cli.progress import asked, is_seen, watched
from smspartner.models.number import RentedNumber

SANDBOX = {"numbers": 5}
pytestmark = pytest.mark.usefixtures("service")

_ASK = """
import logging, time
from smspartner.cli.progress import asked
def ask():
    time.sleep(0.3)
    logging.getLogger("smspartner").warning("HTTP 503; trying again (attempt %d of %d)", 2, 4)
    logging.getLogger("smspartner").warning("something else")
    time.sleep(0.3)
    return 7
print(asked(ask, show=True))
"""


def test_a_spinner_says_which_attempt_it_is() -> None:
    code, out, screen = on_terminal(sys.executable, "-c", _ASK)
    assert (code, out) == (0, b"7\n")
    assert "waiting for the service …" in screen
    assert "waiting for the service, attempt 2 of 4 …" in screen


def test_a_download_shows_a_spinner_and_then_a_bar_with_percent_and_rate() -> None:
    command = (sys.executable, "-m", "smspartner", "download", "n-300000", "-o", "n.csv")
    code, _, screen = on_terminal(*command)
    assert code == 0
    assert "waiting for the service …" in screen
    bar = re.sub(r"\x1b\[[\d;]*m", "", screen[screen.rindex("waiting for the service …") :])
    assert re.search(r" \d+% ", bar)
    assert "/300000" in bar
    assert re.search(r"\d/s", bar)
    assert Path("n.csv").stat().st_size > 0


@pytest.mark.parametrize("target", ["n.csv", "-"])
def test_nothing_is_shown_where_nobody_watches(target: str) -> None:
    assert not is_seen(target, quiet=False)
    assert asked(lambda: 7, show=False) == 7


def test_numbers_pass_the_bar_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    class Numbers:
        declared = None

        def batches(self) -> Iterator[list[RentedNumber]]:
            return batches(1200)

    for show in (True, False):
        with watched(Numbers(), show=show) as passed:
            assert list(passed) == list(batches(1200))
    assert capsys.readouterr().out == ""


def test_many_bodies_have_a_bar_too(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(json_body(as_json(people(3))))
    command = (sys.executable, "-m", "smspartner", "decode", "a.json", "b.json", "-o", "out/")
    code, _, screen = on_terminal(*command)
    assert code == 0
    assert "bodies" in screen
    assert sorted(path.name for path in (tmp_path / "out").glob("*.csv")) == [
        "a.json.csv",
        "b.json.csv",
    ]
