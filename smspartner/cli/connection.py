"""Options that say how the service is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from smspartner.cli.options import gathered
from smspartner.client.client import Client
from smspartner.models.masks import Hidden


class Service(Hidden, frozen=True, kw_only=True):
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
            APIKeyMissingError: there is no key anywhere.
            ConfigurationError: the key file cannot be read, or an option cannot work.
        """
        return Client(
            key_file=self.key_file,
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
        help="Seconds the whole command may take; with --wait, the wait and the download each.",
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
        help="Retries while no byte of a body has arrived.",
    ),
    click.option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File with the API key; overrides SMSPARTNER_API_KEY and SMSPARTNER_KEY_FILE.",
    ),
    click.option(
        "--base-url",
        metavar="URL",
        help="Address of the API.  [env var: SMSPARTNER_BASE_URL]",
    ),
    click.option(
        "--proxy",
        metavar="URL",
        envvar="SMSPARTNER_PROXY",
        show_envvar=True,
        help="Proxy, such as http://proxy.example:3128; HTTPS_PROXY is not used.",
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
