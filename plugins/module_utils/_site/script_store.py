# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the collection's scripts a site has, and whether they are as they should be and approved."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._adminservice.row import Row
from .._adminservice.service import AdminService
from .errors import ScriptUnusable
from .own_scripts import Script
from .site import quoted

_SCRIPTS = "wmi/SMS_Scripts"
_APPROVALS = {0: "waiting", 1: "denied", 3: "approved"}
_POWERSHELL = 0


@dataclass(frozen=True)
class Stored:
    """A script of that name on the site. ``approval`` is waiting, denied, approved or unknown."""

    guid: str
    hash: str | None
    approval: str
    author: str | None
    approver: str | None


def find(service: AdminService, script: Script) -> Stored | None:
    """Raises ScriptUnusable where the site has several of that name, so that nobody knows which would run."""
    rows = service.members(
        _SCRIPTS,
        select="ScriptGuid,ScriptName,ScriptHash,ApprovalState,Author,Approver",
        filter=f"ScriptName eq {quoted(script.name)}",
    )
    if len(rows) > 1:
        raise ScriptUnusable(f"the site has {len(rows)} scripts named {script.name!r}: delete all but one")
    return _stored(rows[0]) if rows else None


def usable(service: AdminService, script: Script) -> Stored:
    """The stored one, which is word for word the one here, and approved. Raises ScriptUnusable."""
    stored = find(service, script)
    if stored is None:
        raise ScriptUnusable(
            f"the site has no script {script.name!r}, or does not show it to this account: create it with the module"
            " site_script, and have somebody approve it in the console"
        )
    if (stored.hash or "").upper() != script.hash:
        raise ScriptUnusable(
            f"the site's script {script.name!r} is not the one of this collection: somebody has changed it, or it is of"
            " another version. Its SHA-256 there is"
            f" {stored.hash}, here {script.hash}. Delete it, and create it with the module site_script"
        )
    if stored.approval != "approved":
        raise ScriptUnusable(
            f"the site's script {script.name!r} is not approved (state: {stored.approval}): somebody else than its"
            f" author {stored.author or ''} with the right to approve scripts has to, in the console"
        )
    return stored


def create(service: AdminService, script: Script, author: str) -> None:
    """It then waits for approval, which is never given here."""
    service.post(
        f"{_SCRIPTS}.CreateScripts",
        {
            "ParamsDefinition": "",
            "ScriptName": script.name,
            "Author": author,
            "Script": script.encoded,
            "ScriptVersion": "1",
            "ScriptType": _POWERSHELL,
            "ParameterlistXML": "",
            "ScriptGuid": script.guid,
        },
    )


def delete(service: AdminService, stored: Stored) -> None:
    service.delete(f"{_SCRIPTS}/{stored.guid}")


def _stored(row: Row) -> Stored:
    approval = row.integer("ApprovalState")
    return Stored(
        guid=row.text("ScriptGuid") or "",
        hash=row.text("ScriptHash"),
        approval=_APPROVALS.get(t.cast(int, approval), "unknown"),
        author=row.text("Author"),
        approver=row.text("Approver"),
    )
