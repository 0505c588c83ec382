"""A real PostgreSQL server, started for the tests and stopped again, as fixtures."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import posix_only
import pytest


def binaries() -> Path:
    """Find the server's programs: Debian keeps them off the path."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found is None and not places:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    return Path(found).parent if found else places[-1].parent


def run(*command: str | Path) -> None:
    """Run as the server's user where we are root, which PostgreSQL refuses to be."""
    user = "postgres" if posix_only.geteuid() == 0 else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd="/", timeout=60)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server in a folder of its own, on a socket there, and return its address."""
    programs = binaries()
    # Not pytest's own folder: only its owner may enter that, and a socket's path must be short.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    data = home / "data"
    try:
        if posix_only.geteuid() == 0:
            shutil.chown(home, "postgres")
        run(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        )
        hba = data / "pg_hba.conf"
        hba.write_text("local all renter scram-sha-256\n" + hba.read_text())
        settings = f"-k {home} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB"
        start = ("-D", data, "-o", settings, "-l", home / "log", "-w", "start")
        run(programs / "pg_ctl", *start)
        try:
            yield f"?host={home}"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture
def address(server: str) -> Iterator[str]:
    """Return the address of a database that is new and empty."""
    psycopg = pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    with psycopg.connect(f"postgresql://postgres@/postgres{server}", autocommit=True) as admin:
        admin.execute("CREATE DATABASE rentals")
        yield f"postgresql://postgres@/rentals{server}"
        admin.execute("DROP DATABASE rentals WITH (FORCE)")
