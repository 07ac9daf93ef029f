# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that the collection rests on, where this runs."""

from __future__ import annotations

import re
from importlib import metadata

from .._wsman.pywinrm import PYWINRM_IMPORT_ERROR
from .._wsman.xml import DEFUSEDXML_IMPORT_ERROR

LEAST_PYWINRM = (0, 5)

_LIBRARIES = ("pywinrm", "defusedxml", "requests", "requests-ntlm", "pyspnego", "cryptography", "pykerberos", "krb5")


def versions() -> dict[str, str]:
    """By name; those that are not installed, or do not say which version they are, are left out."""
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def problem() -> str | None:
    """Which library is missing or too old; None where all are fine."""
    for library, error in (("pywinrm", PYWINRM_IMPORT_ERROR), ("defusedxml", DEFUSEDXML_IMPORT_ERROR)):
        if error is not None:
            return f"{library} cannot be imported: {error}"
    version = versions().get("pywinrm", "")
    if version and not new_enough(version):
        return f"pywinrm {version} is too old: 0.5.0 or later is needed"
    return None


def new_enough(version: str) -> bool:
    """Whether that is a pywinrm that works; a version that cannot be read counts as new."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is None or (int(numbers[1]), int(numbers[2])) >= LEAST_PYWINRM
