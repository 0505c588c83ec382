"""The command line: what appears where, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from smspartner import (
    Sandbox,
)
from smspartner.cli import run

SANDBOX: Final = {"numbers": 500}

pytestmark = pytest.mark.usefixtures("service")

HEADER = b"id,phone,stop_sms\n"


def expected_csv(sandbox: Sandbox) -> bytes:
    lines = (f"{n.id},{n.phone},{str(n.stop_sms).lower()}\n" for n in sandbox.expected())
    return HEADER + "".join(lines).encode()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format_name", ["json", "xml"])
def test_download_writes_a_private_csv_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path, format_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", sandbox.token, "-o", "n.csv", "--format", format_name]) == 0
    assert (tmp_path / "n.csv").read_bytes() == expected_csv(sandbox)
    assert stat.S_IMODE((tmp_path / "n.csv").stat().st_mode) == 0o600
    assert names(tmp_path) == ["n.csv"]
    shown = capsys.readouterr()
    assert shown.out == ""
    stops = sum(number.stop_sms for number in sandbox.expected())
    assert shown.err == (
        f"500 numbers written to n.csv; {stops} of them have opted out "
        "(--exclude-stop leaves them out)\n"
    )


def test_download_to_standard_output_leaves_words_to_standard_error(
    sandbox: Sandbox, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["download", sandbox.token]) == 0
    shown = capfdbinary.readouterr()
    assert shown.out == expected_csv(sandbox)
    assert b"500 numbers" in shown.err
    assert names(tmp_path) == []


def test_quiet_says_nothing_at_all(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["download", sandbox.token, "-q", "-o", "n.csv"]) == 0
    assert capsys.readouterr() == ("", "")


def test_raw_keeps_the_body_and_decode_reads_it_again(sandbox: Sandbox, tmp_path: Path) -> None:
    assert run(["download", sandbox.token, "--format=xml", "--raw=b.xml", "-o", "a.csv"]) == 0
    assert run(["decode", "b.xml", "-o", "b.csv"]) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert names(tmp_path) == ["a.csv", "b.csv", "b.xml"]


def test_exclude_stop_leaves_out_who_opted_out(sandbox: Sandbox, tmp_path: Path) -> None:
    assert run(["download", sandbox.token, "--exclude-stop", "-o", "n.jsonl"]) == 0
    ids = [json.loads(line)["id"] for line in (tmp_path / "n.jsonl").read_text().splitlines()]
    assert ids == [number.id for number in sandbox.expected() if not number.stop_sms]


def test_decode_reads_standard_input(sandbox: Sandbox, tmp_path: Path) -> None:
    assert run(["download", sandbox.token, "--raw", "b.json", "-o", "a.csv"]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "smspartner", "decode", "-", "--to", "csv"],
        input=(tmp_path / "b.json").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert done.stdout == expected_csv(sandbox)


CASES = {
    "no key": (["download", "t"], 4, "SMSPARTNER_API_KEY"),
    "wrong key": (["download", "t"], 4, "Clé API incorrecte (code 10, HTTP 200)"),
    "empty token": (["download", " "], 2, "it is empty"),
    "unknown token": (["download", "t"], 5, "Location introuvable (code 32, HTTP 200)"),
    "unknown format": (["download", "t", "--format", "yaml"], 2, "'json', 'xml'"),
    "unknown ending": (["download", "t", "-o", "n.docx"], 2, "'n.docx': known are .csv"),
    "ending nearly right": (["download", "t", "-o", "n.parqet"], 2, "did you mean .parquet?"),
    "no ending": (["download", "t", "-o", "n"], 2, "'n': it has no extension; known are .csv"),
    "unknown format of output": (["download", "t", "--to", "cvs"], 2, "did you mean csv?"),
    "unknown scheme": (["download", "t", "-o", "postgre://h/d"], 2, "did you mean postgres://?"),
    "no such folder": (["download", "t", "-o", "no/n.csv"], 1, "folder does not exist"),
    "empty key file": (["download", "t", "--key-file", "empty"], 4, "'empty': it is empty"),
    "too much in the key file": (["download", "t", "--key-file", "two"], 4, "more than the key"),
    "no such key file": (["download", "t", "--key-file", "none"], 4, "cannot read the key file"),
    "no such body": (["decode", "none.xml"], 2, "none.xml"),
    "no such command": (["fetch"], 2, "there are download"),
    "nobody there": (["download", "t", "--base-url", "http://127.0.0.1:1/v1"], 6, "127.0.0.1:1"),
    "output is the body": (["download", "t", "-o", "n.csv", "--raw", "./n.csv"], 4, "both"),
    "database is the body": (["download", "t", "-o", "sqlite:///n.db", "--raw", "n.db"], 4, "both"),
    "both to a pipe": (["download", "t", "--raw", "-"], 4, "both go to standard output"),
    "a device that cannot be read": (["decode", "/proc/self/mem"], 4, "cannot be read: Input"),
    "plain http": (["download", "t", "--base-url", "http://example.com/v1"], 4, "https"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_line_and_leaves_nothing_behind(
    case: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    args, code, words = CASES[case]
    (tmp_path / "empty").touch()
    (tmp_path / "two").write_text("key\nanother\n")
    if case == "no key":
        monkeypatch.delenv("SMSPARTNER_API_KEY")
    if case == "wrong key":
        monkeypatch.setenv("SMSPARTNER_API_KEY", "wrong-key-in-sight")
    assert run(args) == code
    shown = capsys.readouterr()
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert "wrong-key-in-sight" not in shown.err
    assert shown.out == ""
    assert names(tmp_path) == ["empty", "two"]


def test_a_key_file_may_begin_with_a_byte_order_mark(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{sandbox.api_key}\r\n", "utf-8-sig")
    command = ["download", sandbox.token, "--key-file", "key", "-o", "n.csv", "--columns"]
    assert run([*command, "id, phone, stop_sms"]) == 0
    assert (tmp_path / "n.csv").read_bytes() == expected_csv(sandbox)


def test_a_body_that_is_not_understood_is_kept_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", "n-100.declared-7", "-o", "n.csv"]) == 7
    shown = capsys.readouterr().err
    assert "declared 7 numbers and sent 100" in shown
    assert names(tmp_path) == ["n.csv.body.json"]
    assert "smspartner decode n.csv.body.json" in shown


@pytest.mark.parametrize(
    ("command", "use"),
    [
        (["decode", "b.json", "-o", "b.json", "--to", "csv"], "FILE and --output"),
        (["decode", "b.json", "-o", "link.json", "--to", "csv"], "FILE and --output"),
        (["download", "t", "-o", "b.json", "--suppress", "b.json"], "--output and --suppress"),
        (["download", "t", "-o", "b.json", "--ca-bundle", "b.json"], "--output and --ca-bundle"),
        (["download", "t", "--raw", "b.json", "--ca-bundle", "b.json"], "--raw and --ca-bundle"),
        (["download", "t", "-o", "sqlite:///b.json", "--raw=b.json"], "--output and --raw"),
        (["download", "t", "-o", "b.json", "--key-file", "b.json"], "--output and --key-file"),
        (
            ["download", "t", "-o", "b", "--to=csv", "--raw=b.provenance.json", "--provenance"],
            "--raw and --provenance",
        ),
    ],
)
def test_no_file_is_used_twice(
    tmp_path: Path, command: list[str], use: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.json").write_bytes(b"what was there before")
    (tmp_path / "link.json").symlink_to("b.json")
    assert run(command) == 4
    assert f"cannot be both {use}" in capsys.readouterr().err
    assert (tmp_path / "b.json").read_bytes() == b"what was there before"
    assert names(tmp_path) == ["b.json", "link.json"]


def shell(line: str, locale: str = "C.UTF-8") -> subprocess.CompletedProcess[bytes]:
    """Run a command line in a shell, which can close what a process has open from the start."""
    command = line.replace("smspartner", f"{sys.executable} -m smspartner")
    return subprocess.run(  # noqa: S602 - a line of our own
        command,
        shell=True,
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    )


LOCALES: Final = ("C", "C.UTF-8")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("error", ["2>&-", "2>/dev/full"])
def test_nobody_to_hear_the_words_is_no_failure(
    sandbox: Sandbox, tmp_path: Path, error: str, locale: str
) -> None:
    done = shell(f"smspartner download {sandbox.token} -o n.csv {error}", locale)
    assert done.returncode == 0
    assert (tmp_path / "n.csv").read_bytes() == expected_csv(sandbox)
    assert names(tmp_path) == ["n.csv"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("smspartner download TOKEN >&-", (1, b"standard output: it is closed")),
        ("smspartner decode - <&-", (7, b"the answer is empty")),
        ("smspartner inspect - <&-", (7, b"it is empty")),
        ("smspartner status TOKEN >/dev/full", (1, b"No space left on device")),
    ],
)
@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_closed_or_full_is_one_clear_line(
    sandbox: Sandbox, tmp_path: Path, line: str, expected: tuple[int, bytes], locale: str
) -> None:
    code, words = expected
    asked = len(sandbox.requests)
    done = shell(line.replace("TOKEN", sandbox.token), locale)
    assert done.returncode == code
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert names(tmp_path) == []
    downloads = [each for each in sandbox.requests[asked:] if each.path.endswith("download")]
    assert downloads == []


def test_an_existing_file_survives_a_failure(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_bytes(b"old")
    assert run(["download", "n-100.declared-7", "-o", "n.csv"]) == 7
    assert (tmp_path / "n.csv").read_bytes() == b"old"


def test_demo_shows_both_formats_and_writes_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--numbers", "300"]) == 0
    shown = capsys.readouterr().out
    assert "JSON and XML gave equal objects" in shown
    assert "+33639" not in shown
    assert len((tmp_path / "demo.csv").read_bytes().splitlines()) == 301


def test_a_demo_is_written_as_its_ending_says(tmp_path: Path) -> None:
    assert run(["demo", "--numbers", "3", "-o", "demo.jsonl"]) == 0
    assert (tmp_path / "demo.jsonl").read_text().count('{"id":') == 3


@pytest.mark.parametrize("command", ["inspect demo.csv", "download n-5 --once -o n.csv", "demo"])
def test_a_command_whose_standard_streams_are_closed_does_its_work(command: str) -> None:
    run(["demo", "--numbers", "3"])
    done = shell(f"smspartner {command} <&- >&-")
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0)


def test_a_demo_into_a_pipe_leaves_words_to_standard_error(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["demo", "--numbers", "3", "-o", "-"]) == 0
    shown = capfdbinary.readouterr()
    assert shown.out.startswith(HEADER)
    assert len(shown.out.splitlines()) == 4
    assert b"3 numbers are on standard output" in shown.err


def test_a_terminal_with_few_letters_gets_question_marks() -> None:
    done = shell("PYTHONIOENCODING=latin-1 smspartner download --help")
    assert done.returncode == 0
    assert b"-o, --output" in done.stdout
    assert b"?" in done.stdout
    assert done.stderr == b""


def start(*args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "smspartner", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def some_arrived(folder: Path) -> bool:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # one that only tried whether it could be made
            if path.stat().st_size > 100_000:
                return True
    return False


def test_sandbox_prints_an_environment_that_works(tmp_path: Path) -> None:
    with start("sandbox", "--numbers", "5") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode() for _ in range(3)]
        settings = dict(line.removeprefix("export ").strip().split("=") for line in lines[:2])
        token = lines[2].split("download ")[1].split()[0]
        subprocess.run(
            [sys.executable, "-m", "smspartner", "download", token, "-o", "n.csv"],
            env={**os.environ, **settings},
            check=True,
            capture_output=True,
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert len((tmp_path / "n.csv").read_bytes().splitlines()) == 6


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_download_leaves_no_half_file(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with start("download", "n-50000.fault-stall", "-o", "n.csv") as process:
        waited = time.monotonic() + 10
        while not some_arrived(tmp_path):
            assert time.monotonic() < waited
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(10) == code
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert "n.csv" not in names(tmp_path)
    assert [name for name in names(tmp_path) if not name.startswith("n.csv.body")] == []


def test_a_reader_that_has_seen_enough_is_no_failure_to_talk_about() -> None:
    with start("download", "n-200000", "-q") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == HEADER
        process.stdout.close()
        assert process.wait(20) == 141
        said = process.stderr.read().decode().splitlines()
    # What is left behind is named: there are phones in it.
    assert len(said) == 1
    assert said[0].startswith("smspartner: the body is kept in smspartner-body.json; to read it")


@pytest.mark.parametrize(
    "command", ["verify n.csv n.csv", "inspect n.csv", "status n-1", "completion bash", "--help"]
)
def test_a_closed_pipe_has_its_own_exit_code(command: str) -> None:
    assert run(["download", "n-3", "-q", "-o", "n.csv"]) == 0
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "smspartner", *command.split()],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/null"])
def test_a_device_gets_the_numbers_and_its_folder_nothing(
    tmp_path: Path, sandbox: Sandbox, target: str
) -> None:
    done = shell(f"smspartner download {sandbox.token} --to csv -q -o {target}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (expected_csv(sandbox) if "stdout" in target else b"")
    assert names(tmp_path) == []


def test_a_body_on_its_way_to_a_device_is_kept_in_the_current_folder(tmp_path: Path) -> None:
    done = shell("smspartner download n-9.declared-7 --to csv -q -o /dev/null")
    assert done.returncode == 7
    assert names(tmp_path) == ["smspartner-body.json"]


def test_an_empty_name_for_the_body_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["download", "n-9", "-q", "-o", "n.csv", "--raw", ""]) == 2
    assert "'--raw': it is empty; give the name of a file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["download", "status"])
def test_proxy_and_certificates_are_options(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = "http://me:secret@127.0.0.1:9"
    assert run([command, "n-9", "-q", "--retries", "0", "--proxy", proxy]) == 6
    monkeypatch.setenv("SMSPARTNER_PROXY", proxy)
    assert run([command, "n-9", "-q", "--retries", "0"]) == 6
    monkeypatch.delenv("SMSPARTNER_PROXY")
    said = capsys.readouterr().err
    assert said.count("the proxy 127.0.0.1:9 could not be used") == 2
    assert "secret" not in said
    Path("not.pem").write_text("nothing")
    assert run([command, "n-9", "--ca-bundle", "not.pem"]) == 4
    assert run([command, "n-9", "--ca-bundle", "absent.pem"]) == 2


def test_retries_are_counted(sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    for retries in ("0", "2"):
        run(["download", "n-1.fault-503", "-q", "--retries", retries, "-o", "n.csv"])
    assert len(sandbox.requests) - before == 1 + 3


def test_without_click_the_command_says_what_to_install() -> None:
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('click', 'rich') else find(name, *a)\n"
        "from smspartner.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'smspartner[cli]'" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_one_clear_line(unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smspartner", "completion", "bash"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    assert done.stderr == b"smspartner: cannot read or write: No space left on device\n"


def test_a_name_that_is_too_long_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(numbers=3) as sandbox:
        monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
        command = ["download", "t", "--base-url", sandbox.url, "--raw", "x" * 300]
        assert run(command) == 1
        assert sandbox.requests == []
    assert capsys.readouterr().err.endswith("the name is too long; choose a shorter one\n")


@pytest.mark.parametrize("name", ["-", "page.html"])
def test_a_page_is_named_where_it_has_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "page.html").write_text("hello")
    done = subprocess.run(
        [sys.executable, "-m", "smspartner", "decode", name, "-q"],
        input=b"hello",
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 7
    assert (b"'page.html': it is neither" in done.stderr) is (name != "-")


def test_a_name_that_is_none_is_left_to_whoever_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(numbers=3) as sandbox:
        monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
        monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
        assert run(["download", sandbox.token, "-o", "n\0.csv"]) == 1
    assert "is not the name of a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "first"),
    [
        (["--raw", "body.xml"], b"<"),
        (["--raw", "body.XML"], b"<"),
        (["--raw", "body.json"], b"{"),
        (["--raw", "body"], b"{"),
        (["--raw", "body.xml", "--format", "json"], b"{"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_name_of_the_body_says_its_format(
    sandbox: Sandbox, tmp_path: Path, more: list[str], first: bytes
) -> None:
    assert run(["download", sandbox.token, "-q", "-o", "n.csv", *more]) == 0
    assert (tmp_path / more[1]).read_bytes()[:1] == first


def test_a_body_that_is_there_is_kept_and_the_new_one_is_named(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.json").write_text("an earlier one")
    assert run(["download", sandbox.token, "-q", "-o", "n.csv", "--raw", "b.json"]) == 0
    assert "b.json is there already: the body is kept in b-2.json" in capsys.readouterr().err
    assert (tmp_path / "b.json").read_text() == "an earlier one"
    assert b'"success":true' in (tmp_path / "b-2.json").read_bytes()


def test_what_a_killed_run_has_left_is_named(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".smspartner-1.part").touch()
    (tmp_path / ".smspartner-2.body.part").touch()
    assert run(["download", sandbox.token, "-q", "-o", "n.csv"]) == 0
    assert capsys.readouterr().err == (
        "smspartner: a run that was killed has left an unfinished export; "
        "delete it: rm .smspartner-1.part\n"
        "smspartner: a run that was killed has left a body as far as it came; "
        "look at it, then delete it: smspartner inspect .smspartner-2.body.part\n"
    )


@pytest.mark.parametrize("place", ["transfer", "write_provenance"])
@pytest.mark.parametrize("stop", [SystemExit(143), KeyboardInterrupt()], ids=repr)
def test_a_stop_says_once_where_the_body_is(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    stop: BaseException,
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise type(stop)(*stop.args)

    monkeypatch.setattr(f"smspartner.cli.download.{place}", stopped)
    command = ["download", sandbox.token, "-q", "-o", "n.csv", "--raw", "b", "--provenance"]
    try:
        code = run(command)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    assert code == (143 if isinstance(stop, SystemExit) else 130)
    assert capsys.readouterr().err.count(" is kept in b") == 1
