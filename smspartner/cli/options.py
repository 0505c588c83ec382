"""Options that several commands share: what is written, and where."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec
from msgspec.structs import replace

from smspartner.cli.left_out import EXCLUDE_STOP, of_account, of_file
from smspartner.cli.opt_outs import LIST, opt_outs_option, read_lists
from smspartner.errors import ConfigurationError
from smspartner.files.provenance import provenance_path
from smspartner.files.rows import SEPARATORS, WriteOptions
from smspartner.files.sinks import sink_for
from smspartner.files.targets import STDOUT, check_writable
from smspartner.files.write import check
from smspartner.models.masks import mask_target

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from smspartner.cli.connection import Service
    from smspartner.models.stops import StopList

R = TypeVar("R")


class _NotEmpty(click.ParamType):  # type: ignore[type-arg]
    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("it is empty; the token is in the confirmation of the rental", param, ctx)
        return value.strip()


class _Separator(click.ParamType):  # type: ignore[type-arg]
    name = "character"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = {"tab": "\t", "\\t": "\t"}.get(value.lower(), value)
        if len(found) != 1 or found not in SEPARATORS:
            self.fail(f"it is one of , ; tab |, not {value!r}", param, ctx)
        return found


class _Written(click.ParamType):  # type: ignore[type-arg]
    """A file that the command makes; the shell offers files for it."""

    name = "file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:  # as of a variable of a script that is not set
            self.fail("it is empty; give the name of a file", param, ctx)
        return value

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - what click calls it with
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only Tab needs it

        return [CompletionItem(incomplete, type="file")]


class _Read(_Written):
    """A file, a folder or an address that the command reads."""

    name = "path"


TOKEN = _NotEmpty()
_SEPARATOR: Final = _Separator()
WRITTEN = _Written()
READ = _Read()
#: The types of parameters that are files.
FILES: Final = (click.Path, click.File, _Written, _Read)

#: The format to ask the service for; it arrives as ``format_name``.
FORMAT: Final = click.option(
    "--format",
    "format_name",
    type=click.Choice(["json", "xml"]),
    default="json",
    show_default=True,
    help="Format to ask the service for; the result is the same.",
)


def as_fields(answer: msgspec.Struct, **first: object) -> dict[str, Any]:
    """Return the fields of an answer of the service, under the names of Python."""
    fields = _plain(answer)
    del fields["success"]
    return {**first, **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return {name: _plain(field) for name, field in fields.items() if field is not msgspec.UNSET}
    return [_plain(item) for item in value] if isinstance(value, list) else value


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Where numbers go, and what of them; one attribute for each option of ``output_options``.

    ``opt_outs_account`` is the option first, and the stop list once ``with_account`` fetched it.
    """

    output: str
    to: str | None
    columns: str | None
    e164: bool
    exclude_stop: bool
    opt_outs: tuple[Path, ...]
    suppress: tuple[Path, ...]
    opt_outs_account: bool | StopList
    ignore_unclear: bool
    excel_safe: bool
    csv_separator: str | None
    provenance: bool
    quiet: bool

    def with_account(self, service: Service) -> Output:
        """Return it with the stop list of the account as it is now, if that counts.

        Raises:
            SMSPartnerError: it cannot be had; nothing may be fetched then.
        """
        if self.opt_outs_account is False:  # a stop list that is empty is false too
            return self
        with service.client() as client:
            return replace(self, opt_outs_account=client.stop_list())

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder: by its name, or because there is one."""
        return self.output.endswith(("/", os.sep)) or Path(self.output).is_dir()

    def leaves_out(self) -> tuple[str, ...]:
        """Return what people are left out by, but for the account: each list with a digest.

        To be asked for before the lists are read: what one gains in between is not vouched for.
        """
        return (*((EXCLUDE_STOP,) if self.exclude_stop else ()), *map(of_file, self._lists))

    @property
    def leaves_out_account(self) -> tuple[str, ...]:
        """The same of the stop list of the account."""
        return () if self._stops is None else (of_account(self._stops.phones),)

    @property
    def _lists(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((*self.opt_outs, *self.suppress)))

    def for_decode(self, token: str) -> list[str]:
        """Return the options with which ``decode`` writes the same to the same place."""
        words = [] if self.output == STDOUT else ["-o", mask_target(self.output)]
        for name in self.__struct_fields__:
            value, option = getattr(self, name), f"--{name.replace('_', '-')}"
            if name in {"output", "quiet", "suppress", "opt_outs"}:
                continue
            if isinstance(value, str):
                words += [option, value]
            elif value is not None and value is not False:  # a stop list that is empty is false
                words.append(option)
        for path in self._lists:
            words += ["--opt-outs", str(path)]
        return [*words, "--token", token]

    def with_stops(self, options: WriteOptions) -> WriteOptions:
        """Return options with the stop list of the account in them, where it counts.

        The files stay as they were read: one may be a pipe.
        """
        if (stops := self._stops) is None:
            return options
        from smspartner.files.opt_outs import OptOuts, account_list  # noqa: PLC0415 - few need it

        lists = options.opt_outs.lists if options.opt_outs else ()
        files = lists[len(lists) - len(self._lists) :]
        return replace(options, opt_outs=OptOuts.of([account_list(stops), *files]))

    @property
    def _stops(self) -> StopList | None:
        """The stop list of the account, None where it does not count; an empty one is one."""
        if self.opt_outs_account is True:
            raise ConfigurationError("the stop list of the account was not fetched")
        return None if self.opt_outs_account is False else self.opt_outs_account

    def export_options(
        self,
        token: str | None,
        deadline: float | None = None,
        *,
        target: str | None = None,
        several: bool = False,
        stops_later: bool = False,
    ) -> WriteOptions:
        """Return what is to be written, after checking that it can be.

        Args:
            token: of the rental.
            deadline: seconds that waiting for a database may take.
            target: where, if it is not the output itself but a file in that folder.
            several: the numbers are of several rentals.
            stops_later: ``with_stops`` adds the stop list of the account.

        Raises:
            UsageError, ConfigurationError, OutputError: it cannot; nothing was fetched yet.
        """
        options = WriteOptions(
            columns=None if self.columns is None else self.columns.replace(" ", "").split(","),
            exclude_stop=self.exclude_stop,
            opt_outs=read_lists(
                self._lists,
                None if stops_later else self._stops,
                ignore_unclear=self.ignore_unclear,
                show=not self.quiet,
            ),
            e164=self.e164,
            excel_safe=self.excel_safe,
            csv_separator=self.csv_separator,
            token=token,
            deadline=deadline,
            several=several,
        )
        try:
            sink_for(target or self.output, self.to)
        except ConfigurationError as error:
            raise click.UsageError(str(error), click.get_current_context()) from error
        check(target or self.output, to=self.to, options=options)
        if self.provenance:
            check_writable(provenance_path(self.output))
        return options


def gathered(
    kind: type[Any], name: str, options: Sequence[Callable[[Any], Any]]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return what adds options to a command; they arrive together, as one argument.

    Args:
        kind: the struct of that argument, with an attribute for each option.
        name: what the command calls it.
        options: in the order in which ``--help`` shows them.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @wraps(command)
        def called(**values: Any) -> R:
            taken = {field: values.pop(field) for field in kind.__struct_fields__}
            return command(**{name: kind(**taken)}, **values)

        for option in reversed(options):
            called = option(called)
        return called

    return add


_OUTPUT: Final = (
    click.option(
        "-o",
        "--output",
        default="-",
        metavar="FILE|URL",
        type=WRITTEN,
        help="Output: a file, its format given by the extension (.csv .xlsx .jsonl .json .parquet "
        ".arrow .db), sqlite:///FILE, postgresql://… or - for standard output.",
    ),
    click.option("--to", metavar="KIND", help="Output format; overrides the file extension."),
    click.option("--columns", metavar="NAMES", help="Columns to write, such as id,phone,stop_sms."),
    click.option("--e164", is_flag=True, help="Add a column e164 with the phone in E.164."),
    click.option(
        "--exclude-stop", is_flag=True, help="Leave out people who have opted out of SMS."
    ),
    opt_outs_option(
        "Leave out the phones in this opt-out list, in whatever column they are; can be repeated."
    ),
    click.option("--suppress", type=LIST, multiple=True, hidden=True),
    click.option(
        "--opt-outs-account",
        is_flag=True,
        help="Leave out the phones on the stop list of the account, fetched first.",
    ),
    click.option(
        "--ignore-unclear",
        is_flag=True,
        help="Go on with an opt-out list that has no phone, or lines that cannot be understood.",
    ),
    click.option("--excel-safe", is_flag=True, help="Write CSV that Excel opens safely."),
    click.option(
        "--csv-separator",
        metavar="CHARACTER",
        type=_SEPARATOR,
        help="Put , ; tab or | between the cells of CSV.  [default: , and with --excel-safe ;]",
    ),
    click.option(
        "--provenance",
        is_flag=True,
        help="Write FILE.provenance.json with token, time and checksum.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only, for cron."),
)

#: Adds the options that say what is written and where; they arrive as ``out``.
output_options: Final = gathered(Output, "out", _OUTPUT)
