"""``smspartner completion``: the script that it prints makes a shell complete the command."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from smspartner.cli import cli, run

SHELLS = ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_for_the_shell_and_says_how_to_install_it(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", shell]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert f"_SMSPARTNER_COMPLETE={shell}_complete" in shown.out
    last = shown.out.splitlines()[-1]
    assert last.startswith("# To install it, ")
    assert f"smspartner completion {shell}" in last


def test_without_a_name_it_is_for_the_shell_in_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/usr/local/bin/fish")
    assert run(["completion"]) == 0
    assert "fish_complete" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["/bin/tcsh", "", None])
def test_a_shell_that_is_not_known_is_asked_for(
    shell: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHELL", raising=False)
    if shell is not None:
        monkeypatch.setenv("SHELL", shell)
    assert run(["completion"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert (
        shown.err.splitlines()[-1]
        == "smspartner: say for which shell: bash, zsh, fish (smspartner completion --help)"
    )


def test_another_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


#: Types what the first argument says, presses Tab after its last word, and prints what is offered.
TYPE_IN_BASH = """
eval "$(smspartner completion bash)"
COMP_WORDS=($1 "$2")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
complete -p smspartner >&2 || exit 3
_smspartner_completion smspartner
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the command on the path, as it is there for its users."""
    script = tmp_path / "bin" / "smspartner"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m smspartner "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("command")
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "word", "offered"),
    [
        ("smspartner", "ins", ["inspect"]),
        ("smspartner", "de", ["decode", "demo"]),
        ("smspartner", "co", ["completion"]),
        ("smspartner completion", "", SHELLS),
        ("smspartner verify a b", "--any", ["--any-order"]),
        ("smspartner download t --format", "", ["json", "xml"]),
    ],
)
def test_bash_completes(words: str, word: str, offered: list[str]) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", TYPE_IN_BASH, "bash", words, word],  # noqa: S607 - found above
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == offered
    assert done.stderr.splitlines()[0].endswith("-F _smspartner_completion smspartner")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.usefixtures("command")
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    "words",
    ["inspect", "verify", "decode", "decode body.xml -o", "download t -o", "decode x --opt-outs"],
)
def test_bash_completes_the_names_of_files(words: str) -> None:
    # click leaves files to the shell: the function asks for them, and offers no word of its own.
    script = TYPE_IN_BASH.replace(
        "printf", 'compopt() { echo "asked: $1 $2"; }\n_smspartner_completion smspartner\nprintf'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", f"smspartner {words}", "num"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split("\n")[0] == "asked: -o default"


@pytest.mark.parametrize(("shell", "check"), [("zsh", "-n"), ("fish", "--no-execute")])
def test_other_shells_can_parse_their_script(
    tmp_path: Path, shell: str, check: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    assert run(["completion", shell]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out)
    done = subprocess.run(
        [program, check, tmp_path / "script"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_that_is_not_there_completes_nothing() -> None:
    assert cli.get_command(click.Context(cli), "nothing") is None
