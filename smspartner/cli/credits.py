"""``smspartner credits``: what is left on the account."""

from __future__ import annotations

from typing import Any

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.console import show, show_json
from smspartner.cli.options import FORMAT, as_fields
from smspartner.models.account import Account


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
@FORMAT
@service_options
def credits(format_name: str, service: Service, *, as_json: bool) -> None:  # noqa: A001 - the command
    """Show what is left on the account that the API key belongs to. It costs nothing.

    \b
    smspartner credits
    smspartner credits --json
    """
    with service.client() as client:
        account = client.credits(format=format_name)
    if as_json:
        show_json(as_fields(account))
        return
    rows = [(label, value) for label, value in _facts(account) if value]
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        show(f"{label:{width}}  {value}")


def _facts(account: Account) -> list[tuple[str, str]]:
    user, left = account.user, account.credits
    facts = [("account", (user.username if user else None) or "")]
    if left is None:
        return [*facts, ("credits", "the service did not say")]
    balance = left.balance if left.solde is None else left.solde
    return [
        *facts,
        ("SMS", _count(left.sms)),
        ("SMS, economy", _count(left.sms_eco)),
        ("HLR look-ups", _count(left.hlr)),
        ("SMS planned", _count(left.to_send)),
        ("balance", "" if balance is None else f"{balance} {left.currency or ''}".rstrip()),
    ]


def _count(value: Any) -> str:
    return "" if value is None else f"{value:,}"
