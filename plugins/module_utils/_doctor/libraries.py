# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that the collection rests on, where this runs."""

from __future__ import annotations

import re
from importlib import metadata

from .._wsman.transport.connect import IMPORT_ERRORS, LEAST_VERSIONS
from .._wsman.xml import DEFUSEDXML_IMPORT_ERROR

_LIBRARIES = (
    *("pywinrm", "pypsrp", "defusedxml", "requests", "requests-ntlm", "requests-kerberos", "pyspnego", "cryptography"),
    *("pykerberos", "gssapi", "krb5"),
)


def versions() -> dict[str, str]:
    """By name; those that are not installed, or do not say which version they are, are left out."""
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def problem(library: str) -> str | None:
    """Which library is missing or too old; None where all are fine. *library* carries the messages."""
    for needed, error in ((library, IMPORT_ERRORS[library]), ("defusedxml", DEFUSEDXML_IMPORT_ERROR)):
        if error is not None:
            return f"{needed} cannot be imported: {error}"
    version, least = versions().get(library, ""), LEAST_VERSIONS[library]
    if not new_enough(version, least):
        return f"{library} {version} is too old: {least} or later is needed"
    return None


def new_enough(version: str, least: str) -> bool:
    """A version that cannot be read counts as new."""
    numbers = re.match(r"\d+(\.\d+)+", version)
    return numbers is None or _numbers(numbers[0]) >= _numbers(least)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
