"""Modules that are imported by a name in a text, which PyInstaller cannot see."""

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_submodules, is_module_satisfies

# Spark's workers have their own Python: the data source is never part of a frozen program. The
# command line needs click, which a program that imports the library may not have.
_LEFT_OUT = ["smspartner.engines.spark", "smspartner.engines.pyinstaller"]
if not is_module_satisfies("click"):
    _LEFT_OUT.append("smspartner.cli")

hiddenimports = collect_submodules(
    "smspartner", filter=lambda name: not name.startswith(tuple(_LEFT_OUT))
)

# Of the extras, those that are small. A program that needs Arrow (150 MB) names it, as
# docs/in-a-program.md says.
_SMALL = ("xlsxwriter", "python_calamine", "zstandard", "psycopg", "psycopg.conninfo")
hiddenimports += [name for name in _SMALL if find_spec(name.partition(".")[0])]
