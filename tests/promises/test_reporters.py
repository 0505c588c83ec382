"""Tools that report errors with the variables of frames find no key, and no phone, in ours."""

from __future__ import annotations

import importlib
import io
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from leaks import KEY, secrets_in
from rawserver import RawServer, keeps, resets, sends, whole
from twin import Connect

from smspartner import Client, Sandbox, SMSPartnerError

ROOT: Final = Path(__file__).resolve().parents[2]


def tool(name: str) -> Any:
    """Return a package that reports errors."""
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed: pip install 'smspartner[test]'")


def collecting(found: list[str]) -> Any:
    """Return what stands in for the way to sentry's service, and keeps what would be sent."""
    base = tool("sentry_sdk.transport").Transport

    class Collecting(base):  # type: ignore[misc, valid-type] # an Any, as the tool may not be here
        def capture_envelope(self, envelope: Any) -> None:
            found.extend(str(item.payload.json) for item in envelope.items)

    return Collecting()


def sentry(error: BaseException) -> str:
    """Return what sentry-sdk sends of an error."""
    sdk, found = tool("sentry_sdk"), list[str]()
    with sdk.isolation_scope():
        sdk.init(
            "https://public@sentry.invalid/1",
            transport=collecting(found),
            default_integrations=False,
            max_value_length=100_000,
        )
        sdk.capture_exception(error)
        sdk.flush()
        sdk.get_client().close()
        sdk.get_global_scope().set_client(None)
    assert found
    return "".join(found)


def rich(error: BaseException) -> str:
    """Return the traceback that rich shows of an error, with variables."""
    console = tool("rich.console").Console(file=io.StringIO(), width=500)
    trace = tool("rich.traceback").Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=None
    )
    console.print(trace)
    return str(console.file.getvalue())


def stackprinter(error: BaseException) -> str:
    """Return the traceback that stackprinter shows of an error, with variables."""
    return str(tool("stackprinter").format(error, show_vals="all", truncate_vals=100_000))


REPORTERS: Final[dict[str, Callable[[BaseException], str]]] = {
    "sentry": sentry,
    "rich": rich,
    "stackprinter": stackprinter,
}
FAILURES: Final[dict[str, Callable[[Client], object]]] = {
    "download": lambda client: client.download("t"),
    "stream": lambda client: list(client.stream("t")),
    "status": lambda client: client.status("t"),
}
WRONG: Final = {
    "reset": resets(),
    "cut": sends(whole(b'{"success":true,"datas":[{"id":1,"phone":"+33639980042"')[:-9]),
    "wrong record": keeps(whole(b'{"success":true,"datas":[{"id":1,"phone":"+33639980042"}]}')),
    "key repeated": keeps(whole(f'{{"success":false,"code":10,"message":"{KEY}"}}'.encode())),
}


@pytest.mark.parametrize("reporter", REPORTERS)
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("way", FAILURES)
def test_no_reporter_finds_a_secret_in_an_error(
    connect: Connect, way: str, wrong: str, reporter: str
) -> None:
    with (
        RawServer(WRONG[wrong]) as server,
        connect(KEY, base_url=server.url, retries=0) as client,
        pytest.raises(SMSPartnerError) as caught,
    ):
        FAILURES[way](client)
    error = caught.value
    assert not secrets_in(REPORTERS[reporter](from_below(error)))


def from_below(error: BaseException, folder: str = "smspartner") -> BaseException:
    """Return an error without the frames of the tests: their variables are the caller's own."""
    trace = error.__traceback__
    while trace and Path(trace.tb_frame.f_code.co_filename).parent.name != folder:
        trace = trace.tb_next
    assert trace is not None
    return error.with_traceback(trace)


@pytest.mark.parametrize("reporter", REPORTERS)
def test_a_reporter_would_find_a_secret_in_a_variable(reporter: str) -> None:
    def fail(query: dict[str, str]) -> None:
        raise SMSPartnerError(str(len(query)))

    with pytest.raises(SMSPartnerError) as caught:
        fail({"apiKey": KEY})
    assert secrets_in(REPORTERS[reporter](from_below(caught.value, "promises")))


@pytest.fixture
def snippet() -> Iterator[dict[str, Any]]:
    """What SECURITY.md says how to keep the key from breadcrumbs and spans."""
    page = (ROOT / "SECURITY.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    code = textwrap.dedent(block)
    sdk = tool("sentry_sdk")
    names: dict[str, Any] = {}
    sent: list[str] = []
    start = code.index("sentry_sdk.init(")
    exec(code[:start], names)  # noqa: S102 - it is in this repository
    options = {
        "before_breadcrumb": names["without_key"],
        "before_send": names["without_key"],
        "before_send_transaction": names["without_key"],
    }
    assert all(f"{name}=without_key" in code for name in options)
    names.update(sdk=sdk, sent=sent, options=options)
    yield names
    with suppress(Exception):
        sdk.get_client().close()
    sdk.get_global_scope().set_client(None)


@pytest.mark.parametrize("scrubbed", [True, False])
def test_breadcrumbs_and_spans_hold_the_key_unless_they_are_scrubbed(
    snippet: dict[str, Any], *, scrubbed: bool
) -> None:
    sdk, sent = snippet["sdk"], snippet["sent"]
    sdk.init(
        "https://public@sentry.invalid/1",
        transport=collecting(sent),
        traces_sample_rate=1.0,
        **(snippet["options"] if scrubbed else {}),
    )
    with Sandbox(api_key=KEY, numbers=1) as sandbox, Client(KEY, base_url=sandbox.url) as client:
        with sdk.start_transaction(name="rental"):
            client.status(sandbox.token)
        sdk.capture_message("after it")
    sdk.flush()
    assert "location/status" in "".join(sent)
    assert bool(secrets_in("".join(sent))) is not scrubbed
