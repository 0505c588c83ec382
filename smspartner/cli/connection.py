"""Options that say how the service is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from smspartner.cli.options import gathered
from smspartner.client.client import Client
from smspartner.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Service:
    """How the service is reached; one attribute for each option of ``service_options``.

    It has no repr, as the address of a proxy may hold a password.
    """

    base_url: str | None
    key_file: Path | None
    timeout: float
    deadline: float
    retries: int
    proxy: str | None
    ca_bundle: str | None

    def client(self) -> Client:
        """Return the client that the options describe.

        Raises:
            ConfigurationError: the key file cannot be read, or an option cannot work.
        """
        return Client(
            _read_key(self.key_file),
            base_url=self.base_url,
            timeout=self.timeout,
            deadline=self.deadline,
            retries=self.retries,
            proxies={"all": self.proxy} if self.proxy else None,
            verify=self.ca_bundle or True,
        )


_SERVICE: Final = (
    click.option(
        "--deadline",
        default=3600.0,
        show_default=True,
        help="Seconds that it may take in all; with --wait, at most so long to wait, and then at "
        "most so long again.",
    ),
    click.option(
        "--timeout",
        default=10.0,
        show_default=True,
        help="Seconds to wait for a connection, and for each next byte.",
    ),
    click.option(
        "--retries",
        default=3,
        show_default=True,
        help="How often to try again by itself while no byte of a body has come.",
    ),
    click.option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file with the API key in it, instead of SMSPARTNER_API_KEY.",
    ),
    click.option(
        "--base-url",
        metavar="URL",
        help="Another address of the API.  [env var: SMSPARTNER_BASE_URL]",
    ),
    click.option(
        "--proxy",
        metavar="URL",
        envvar="SMSPARTNER_PROXY",
        show_envvar=True,
        help="A proxy, such as http://proxy.example:3128; no other variable is looked at.",
    ),
    click.option(
        "--ca-bundle",
        metavar="FILE",
        envvar="SMSPARTNER_CA_BUNDLE",
        show_envvar=True,
        type=click.Path(exists=True),
        help="Certificates to trust instead of the usual ones, such as a company's.",
    ),
)

#: Adds the options that say how the service is reached; they arrive as ``service``.
service_options: Final = gathered(Service, "service", _SERVICE)


def _read_key(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        lines = path.read_text("utf-8-sig").strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
    else:
        if len(lines) == 1:
            return lines[0]
        reason = "it holds more than the key" if lines else "it is empty"
    raise ConfigurationError(f"cannot read the key file {str(path)!r}: {reason}")
