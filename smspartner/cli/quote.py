"""``smspartner quote``: what a rental would cost."""

from __future__ import annotations

import re

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.console import show, show_json
from smspartner.cli.options import FORMAT, as_fields
from smspartner.models.quote import Quote, Targeting
from smspartner.models.status import Cost


class _Ages(click.ParamType):  # type: ignore[type-arg]
    """An age, or a range of ages: ``25-35``."""

    name = "ages"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", value.strip(), re.ASCII)
        if found is None:
            self.fail(f"{value!r} is no range of ages such as 25-35", param, ctx)
        youngest, oldest = int(found[1]), int(found[2] or found[1])
        if youngest > oldest:
            self.fail(f"{value!r} goes backwards: the lower age comes first", param, ctx)
        return youngest, oldest


class _Volume(click.ParamType):  # type: ignore[type-arg]
    """A place, and how many numbers there: ``60200=20``."""

    name = "volume"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        place, _, volume = value.partition("=")
        if not re.fullmatch(r"[0-9]{1,9}", volume):
            self.fail(f"{value!r} is no place and volume such as 60200=20", param, ctx)
        return place.strip(), int(volume)


@click.command()
@click.option("--zipcode", multiple=True, metavar="CODES", help="Postcodes, such as 02200,60200.")
@click.option("--department", multiple=True, metavar="CODES", help="Departments, such as 02,60.")
@click.option(
    "--sex",
    type=click.Choice(["all", "men", "women"]),
    default="all",
    show_default=True,
    help="Whom.",
)
@click.option(
    "--age", type=_Ages(), metavar="FROM-TO", default="18-98", show_default=True, help="How old."
)
@click.option("--interest", type=int, metavar="N", help="The service's number of an interest.")
@click.option("--sub-interest", type=int, metavar="N", help="Its number of a narrower one.")
@click.option("--category", type=int, metavar="N", help="102 (CSP+) or 103 (CSP-).")
@click.option(
    "--volume",
    "volumes",
    type=_Volume(),
    multiple=True,
    required=True,
    metavar="PLACE=N",
    help="How many numbers at a place; once for each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
@FORMAT
@service_options
def quote(
    zipcode: tuple[str, ...],
    department: tuple[str, ...],
    sex: str,
    age: tuple[int, int],
    interest: int | None,
    sub_interest: int | None,
    category: int | None,
    volumes: tuple[tuple[str, int], ...],
    format_name: str,
    service: Service,
    *,
    as_json: bool,
) -> None:
    """Show what a rental would cost. Nothing is rented, and nothing paid.

    \b
    smspartner quote --zipcode 60200 --age 25-35 --interest 14 --volume 60200=20
    smspartner quote --department 02,60 --volume 02=500 --volume 60=500 --json
    """
    wanted = dict(volumes)
    if len(wanted) < len(volumes):
        raise click.UsageError("--volume names a place twice", click.get_current_context())
    targeting = Targeting(
        zipcode=",".join(zipcode),
        department=",".join(department),
        sex=sex,
        min_age=age[0],
        max_age=age[1],
        interest=interest,
        sub_interest=sub_interest,
        category=category,
    )
    with service.client() as client:
        found = client.quote(targeting, wanted, format=format_name)
    if as_json:
        show_json(_fields(found))
        return
    for place in found.places:
        show(f"{place.place}  {place.volume or 0:,} numbers")
    if found.cost is not None:  # pragma: no branch - Client.quote refuses what names no price
        show(f"price  {_price(found.cost)}")


def _price(cost: Cost) -> str:
    each = "" if cost.cost_unity is None else f", {cost.cost_unity} each"
    return f"{cost.total} for {cost.quantity or 0:,} numbers{each}"


def _fields(found: Quote) -> dict[str, object]:
    return {
        "places": {str(place.place): place.volume for place in found.places},
        "volume": found.volume,
        "cost": as_fields(found)["cost"],
    }
