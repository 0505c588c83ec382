"""Where the API key comes from, and what a key file may look like."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from smspartner.client.key import default_key_file, find_key
from smspartner.errors import APIKeyMissingError, ConfigurationError


def key_file(folder: Path, content: str | bytes, name: str = "key") -> Path:
    path = folder / name
    path.touch(0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SMSPARTNER_API_KEY", raising=False)
    monkeypatch.delenv("SMSPARTNER_KEY_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_first_place_that_has_a_key_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(APIKeyMissingError, match="smspartner key set"):
        find_key()
    default_key_file().parent.mkdir(parents=True)
    key_file(default_key_file().parent, "four")
    assert find_key().reveal() == "four"
    monkeypatch.setenv("SMSPARTNER_KEY_FILE", str(key_file(tmp_path, "three", "named")))
    assert find_key().reveal() == "three"
    monkeypatch.setenv("SMSPARTNER_API_KEY", " two\n")
    assert find_key().reveal() == "two"
    assert find_key(key_file=key_file(tmp_path, "one")).reveal() == "one"
    assert find_key("zero").reveal() == "zero"


def test_the_default_is_in_the_folder_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert default_key_file() == Path.home() / ".config" / "smspartner" / "key"


def test_where_no_file_can_be_looked_for_a_key_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(self: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(APIKeyMissingError, match=r"= \('.*' could not be looked at: p"):
        find_key()

    def homeless(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(APIKeyMissingError, match=r"= \(this user has no home: set HOME"):
        find_key()
    assert find_key(key_file=key_file(tmp_path, "one")).reveal() == "one"


def test_an_empty_key_is_no_reason_to_look_elsewhere(tmp_path: Path) -> None:
    default_key_file().parent.mkdir(parents=True)
    key_file(default_key_file().parent, "key")
    with pytest.raises(APIKeyMissingError):
        find_key(" ")
    with pytest.raises(ConfigurationError, match="not both"):
        find_key("key", tmp_path / "key")
    with pytest.raises(ConfigurationError, match="not text"):
        find_key(b"key")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        "the-key",
        "the-key\r\n",
        "\n  the-key  \n\n",
        b"\xef\xbb\xbfthe-key\n",
        "# of the shop\nthe-key\n",
        "SMSPARTNER_API_KEY=the-key\n",
        "export SMSPARTNER_API_KEY='the-key'\n",
        'DEBUG=1\nSMSPARTNER_API_KEY = "the-key"\nOTHER=x\n',
    ],
)
def test_a_key_file_is_the_key_or_a_dotenv_file(tmp_path: Path, content: str | bytes) -> None:
    assert find_key(key_file=key_file(tmp_path, content)).reveal() == "the-key"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is empty"),
        ("# nothing\n", "it is empty"),
        ("one\ntwo\n", "more than the key"),
        (b"\xff\xfe", "it is not text"),
        ("SMSPARTNER_API_KEY=\n", "empty in it"),
        ("SMSPARTNER_API_KEY=a\nSMSPARTNER_API_KEY=b\n", "more than once"),
        ("API_KEY=secret\n", "no line SMSPARTNER_API_KEY=…"),
        (b"x" * 100_000, "larger than any key"),
    ],
)
def test_what_is_no_key_file_says_so(tmp_path: Path, content: str | bytes, reason: str) -> None:
    path = key_file(tmp_path, content)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        find_key(key_file=path)
    assert str(path) in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["none", ".", "nul\0"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read the key file .*key set"):
        find_key(key_file=tmp_path / name)


def test_a_device_without_an_end_is_not_read_through() -> None:
    with pytest.raises(ConfigurationError, match="larger than any key"):
        find_key(key_file="/dev/zero")


def test_a_key_file_that_others_can_read_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = key_file(tmp_path, "key")
    find_key(key_file=path)
    assert not caplog.records
    os.chmod(path, 0o640)  # noqa: PTH101 - the mode is what is tested
    find_key(key_file=path)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"others can read the key file '{path}'" in caplog.text
