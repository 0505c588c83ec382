"""Modules that are imported by a name in a text, which PyInstaller cannot see."""

from PyInstaller.utils.hooks import collect_submodules, is_module_satisfies

# Spark's workers have their own Python: the data source is never part of a frozen program. The
# command line needs click, which a program that imports the library may not have.
_LEFT_OUT = ["smspartner.engines.spark", "smspartner.engines.pyinstaller"]
if not is_module_satisfies("click"):
    _LEFT_OUT.append("smspartner.cli")

hiddenimports = collect_submodules(
    "smspartner", filter=lambda name: not name.startswith(tuple(_LEFT_OUT))
)
