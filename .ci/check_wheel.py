"""Check that a wheel holds the package, all of it and nothing else, and is small."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

LARGEST = 400_000


def main(wheel: Path) -> None:
    """Print what is in the wheel; exit with a message where it is not what it should be."""
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        infos = {name for name in archive.namelist() if ".dist-info/" in name}
        metadata = next(name for name in infos if name.endswith(".dist-info/METADATA"))
        description = archive.read(metadata).decode().partition("\n\n")[2]
    top = Path(__file__).parent.parent
    wanted = {
        path.relative_to(top).as_posix()
        for package in ("smspartner", "pyspark_smspartner")
        for path in (top / package).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    size = wheel.stat().st_size
    sys.stdout.write("\n".join([*sorted(found), f"{len(found)} files, {size:,} bytes\n"]))
    if found != wanted:
        sys.exit(f"not what the package is made of: {sorted(found ^ wanted)}")
    if not any(name.endswith("licenses/LICENSE") for name in infos):
        sys.exit("the licence is missing")
    if dead := re.findall(r"\]\((?!https:)[^)]*\)", description):
        sys.exit(f"links of the description that lead nowhere outside the repository: {dead}")
    if size > LARGEST:
        sys.exit(f"larger than {LARGEST:,} bytes: what got in?")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
