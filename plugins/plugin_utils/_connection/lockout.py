# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops a wrong password from locking its account: after some rejected logins, an account is not tried again in a run.

Each host is worked on in a process of its own, so what they all see is a file: in Ansible's temporary directory of the
run, which ends with it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...module_utils._wsman.settings import Settings

MOST_REJECTIONS = 3
"""Below the lockout thresholds that Active Directory domains commonly set. Logins under way at once come on top."""


class Lockout:
    """For the account of *settings*. A local account is another one on each host, and so is a certificate's."""

    def __init__(self, directory: str, settings: Settings) -> None:
        certificate = settings.cert_pem if settings.auth == "certificate" else None
        username = certificate or (settings.username or "").casefold()
        local = certificate is not None or "\\" not in username or username.startswith(".\\")
        of_domain = settings.auth == "kerberos" or (certificate is None and "@" in username) or not local
        account = username if of_domain else f"{settings.host.casefold()}\\{username}"
        digest = hashlib.sha256(account.encode()).hexdigest()[:32]
        # Negotiate may try a wrong password twice, with Kerberos and with NTLM.
        self._marks = b".." if settings.auth == "negotiate" else b"."
        self._file = Path(directory, f"configmgr-client-rejected-{digest}")

    def problem(self) -> str | None:
        """Why no login is to be tried; None where one may be."""
        try:
            rejections = self._file.stat().st_size
        except FileNotFoundError:
            return None
        if rejections < MOST_REJECTIONS:
            return None
        return (
            "No login was tried: this account was rejected too often in this run, and could get locked."
            " Check ansible_user and ansible_password"
        )

    def rejected(self) -> None:
        with self._file.open("ab") as file:  # appending is atomic: the size is the count
            file.write(self._marks)
