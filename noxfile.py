"""Run the tests on every Python from 3.11 on that this machine has: ``nox``."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the tests that a contributor runs, in an environment of their own."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-n", "auto", *session.posargs)


@nox.session(python="3.11", venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest versions that ``pyproject.toml`` allows, extras included."""
    session.install("--resolution", "lowest-direct", "-e", ".[test,spark]")
    session.run("pytest", "-q", "-n", "auto", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Run 10,000 downloads, 200 threads, 500 clients and 300 kills."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-s", "-m", "soak", "tests/promises", *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Change the code and see whether the tests notice: hours, or ``-- ROOM --sample 20``."""
    session.install("-e", ".[test]")
    session.run("python", ".ci/mutation.py", *session.posargs)
