"""The bytes of a download are on disk before they are judged, whatever the headers say of them."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Final

import pytest
from number_files import left_in
from rawserver import RawServer, Script, head

from smspartner import Client, SMSPartnerError
from smspartner.cli import run
from smspartner.sandbox.bodies import render

COUNT: Final = 3_000
BODY: Final = b"".join(render(COUNT, "json"))
ZIPPED: Final = gzip.compress(BODY)
#: Changed where the stream can no longer be decoded.
DAMAGED: Final = ZIPPED[:2_000] + b"\xff" * 40 + ZIPPED[2_040:]

#: What the head says of the coding, what comes, and the name of what is kept if it cannot be read.
WHOLE: Final = {
    "no label": ("", BODY),
    "utf-8 as a label": ("utf-8", BODY),
    "called gzip, and none": ("gzip", BODY),
    "called br, and none": ("br", BODY),
    "a label nobody knows": ("x-made-up", BODY),
    "two labels": ("gzip, br", BODY),
    "gzip": ("gzip", ZIPPED),
    "gzip without a label": ("", ZIPPED),
    "gzip called identity": ("identity", ZIPPED),
    "gzip called deflate": ("deflate", ZIPPED),
}
WRONG: Final = {
    "deflate": ("deflate", zlib.compress(BODY), "n.csv.body.json"),
    "bytes of a coding that nobody has": ("br", b"\x8b\x07\x00" + BODY[9:], "n.csv.body.json"),
    "damaged gzip": ("gzip", DAMAGED, "n.csv.body.json.incomplete"),
    "gzip that stops early": ("gzip", ZIPPED[:-20], "n.csv.body.json.incomplete"),
    "gzip without a label that stops early": ("", ZIPPED[:-20], "n.csv.body.json.incomplete"),
    "one byte of gzip": ("gzip", ZIPPED[:1], "n.csv.body.json.incomplete"),
}


def service(label: str, sent: bytes) -> Script:
    headers = [f"Content-Encoding: {label}"] if label else []

    def script(peer: object) -> None:
        peer.send(head("Content-Type: application/json", f"Content-Length: {len(sent)}", *headers))  # type: ignore[attr-defined]
        for start in range(0, len(sent), 5_000):
            peer.send(sent[start : start + 5_000])  # type: ignore[attr-defined]

    return script


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSPARTNER_API_KEY", "k" * 20)
    return tmp_path


@pytest.mark.parametrize("case", WHOLE)
def test_the_body_decides_and_not_its_label(case: str, folder: Path) -> None:
    label, sent = WHOLE[case]
    with RawServer(service(label, sent)) as server:
        command = ["download", "t", "-q", "-o", "n.csv", "--raw", "b.json"]
        assert run([*command, "--base-url", server.url]) == 0
        with Client("k" * 20, base_url=server.url) as client:
            saved = client.save("t", "saved.json")
    assert left_in(folder) == ["b.json", "n.csv", "saved.json"]
    assert (folder / "b.json").read_bytes() == (folder / "saved.json").read_bytes() == BODY
    assert saved.bytes == len(BODY)


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_decoded_is_kept_as_it_came(
    case: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label, sent, name = WRONG[case]
    with RawServer(service(label, sent)) as server:
        assert run(["download", "t", "-q", "-o", "n.csv", "--base-url", server.url]) in {1, 5, 7}
        with (
            Client("k" * 20, base_url=server.url) as client,
            pytest.raises(SMSPartnerError) as caught,
        ):
            client.save("t", "saved.json")
    assert f"is kept in {name}" in capsys.readouterr().err
    saved = name.replace("n.csv.body.json", "saved.json")
    assert left_in(folder) == [name, saved]
    assert caught.value.kept == Path(saved)
    assert (folder / name).read_bytes() == (folder / saved).read_bytes() == sent
