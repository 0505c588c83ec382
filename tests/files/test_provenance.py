"""The provenance of an export says which body it was made of."""

from __future__ import annotations

import hashlib
import json
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from number_files import SourceError, failing, left_in, numbers

from smspartner import (
    Client,
    Sandbox,
    __version__,
    write,
)
from smspartner.cli import run
from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.provenance import BodyDigest, provenance, provenance_path, write_provenance

CHUNKS = [b'{"success":true,', b"", b'"datas":[]}']


def test_a_digest_is_that_of_the_bytes_that_went_by() -> None:
    digest = BodyDigest()
    assert list(digest.tee(CHUNKS)) == CHUNKS
    assert digest.sha256 == hashlib.sha256(b"".join(CHUNKS)).hexdigest()
    assert digest.size == len(b"".join(CHUNKS))


def test_a_provenance_is_a_private_file_beside_the_export(tmp_path: Path) -> None:
    time = datetime(2026, 5, 6, 9, 30, 15, 999, tzinfo=timezone(timedelta(hours=2)))
    record = provenance(
        token="rental-1",
        format="xml",
        count=10,
        sha256="ab" * 32,
        size=1234,
        time=time,
    )
    path = provenance_path(tmp_path / "numbers.csv")
    write_provenance(record, path)
    assert path == tmp_path / "numbers.csv.provenance.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes()) == {
        "token": "rental-1",
        "time": "2026-05-06T07:30:15+00:00",
        "format": "xml",
        "count": 10,
        "sha256": "ab" * 32,
        "bytes": 1234,
        "version": __version__,
    }


def test_the_time_is_now_unless_given() -> None:
    record = provenance(token="a", format="json", count=0, sha256="", size=0)
    age = datetime.now().astimezone() - datetime.fromisoformat(record.time)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_the_token_is_not_in_the_repr() -> None:
    record = provenance(token="rental-1", format="json", count=3, sha256="ab" * 32, size=0)
    assert repr(record) == "Provenance(json, 3 numbers, sha256=abababababab…)"


@pytest.mark.parametrize("target", ["-", "postgresql://host/database", "sqlite:///"])
def test_an_export_that_is_no_file_has_no_place_beside_it(target: str) -> None:
    with pytest.raises(ConfigurationError, match="goes beside a file"):
        provenance_path(target)


def test_a_database_in_a_file_has_a_place_beside_it_however_it_is_named() -> None:
    assert provenance_path("sqlite:///v.db") == provenance_path("v.db")
    assert provenance_path("v.db") == Path("v.db.provenance.json")


def test_a_provenance_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    record = provenance(token="a", format="json", count=0, sha256="", size=0)
    with pytest.raises(OutputError, match="its folder does not exist"):
        write_provenance(record, tmp_path / "missing" / "x.json")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("format_name", ["json", "xml"])
def test_decode_writes_a_provenance_and_wants_the_token_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(numbers=3) as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        client.save(sandbox.token, "body", format=format_name)
    command = ["decode", "body", "-q", "-o", "n.csv", "--provenance"]
    assert run(command) == 2
    assert run([*command, "--token", "t"]) == 0
    assert '"count": 3' in Path("n.csv.provenance.json").read_text()


@pytest.mark.parametrize("name", ["numbers.csv", "numbers.db"])
def test_a_provenance_never_stays_beside_an_export_that_it_is_not_about(
    tmp_path: Path, name: str
) -> None:
    beside = provenance_path(tmp_path / name)
    beside.write_text("{}")
    with pytest.raises(SourceError):
        write(failing(after=2), tmp_path / name, token="rental-1")
    assert beside.exists()  # it still is about what is there
    write([numbers(3)], tmp_path / name, token="rental-1")
    assert not beside.exists()
