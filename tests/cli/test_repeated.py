"""An option given twice: added up, counted, or refused, by every command."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from smspartner.cli import cli, run
from smspartner.cli.repeated import may_repeat, refuse_repeated


def commands(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


OPTIONS = [
    pytest.param(path, option, id=" ".join((*path, option.opts[-1])))
    for path, command in commands()
    for option in command.params
    if isinstance(option, click.Option) and not option.is_eager
]


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_an_option_given_twice_never_drops_the_first(
    path: tuple[str, ...], option: click.Option, capsys: pytest.CaptureFixture[str]
) -> None:
    value = [] if option.is_flag or option.count else ["1"]
    args = [*path, option.opts[0], *value, option.opts[-1], *value]
    if may_repeat(option):
        refuse_repeated(cli, args, None)
        return
    assert run(args) == 2
    assert f"{option.opts[-1]} is given twice; give it once" in capsys.readouterr().err


def test_opt_out_lists_add_up_by_either_name() -> None:
    for name in ("download", "decode"):
        command = dict(commands())[(name,)]
        lists = {option.opts[-1] for option in command.params if isinstance(option, click.Option)}
        assert lists >= {"--opt-outs", "--suppress"}
        for option in command.params:
            if isinstance(option, click.Option) and option.opts[-1] in {"--opt-outs", "--suppress"}:
                assert may_repeat(option)


def test_a_group_in_a_group_is_looked_into() -> None:
    @click.group()
    def outer() -> None: ...

    @outer.group()
    @click.option("--shape")
    def inner() -> None: ...

    @inner.command()
    @click.option("--size")
    def leaf() -> None: ...

    refuse_repeated(outer, ["inner", "--shape", "a", "leaf", "--size", "1"], None)
    refuse_repeated(outer, ["unknown", "--size", "1", "--size", "2"], None)
    for args in (["--shape", "a", "--shape", "b"], ["leaf", "--size", "1", "--size=2"]):
        with pytest.raises(click.UsageError, match="is given twice"):
            refuse_repeated(outer, ["inner", *args], None)


def test_what_ends_the_program_may_come_twice() -> None:
    assert run(["decode", "--help", "-h"]) == 0


def test_a_verbose_command_may_be_more_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-v", "-vv", "completion", "bash"]) == 0
    assert capsys.readouterr().out
