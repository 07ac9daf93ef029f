# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds collections to the virtual environment whose Python runs this: add_collections.py REQUIREMENTS NAMESPACE.NAME...

Galaxy may be out of reach where PyPI is not: they are taken from the package `ansible`, which holds many more.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path


def main() -> None:
    requirements, *names = sys.argv[1:]
    site = sysconfig.get_path("purelib")
    wanted = tuple(f"ansible_collections/{name.replace('.', '/')}/" for name in names)
    with tempfile.TemporaryDirectory() as directory:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", "download", "--no-deps"]
        subprocess.run([*pip, "--dest", directory, "--requirement", requirements], check=True)
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site, [name for name in archive.namelist() if name.startswith(wanted)])


main()
