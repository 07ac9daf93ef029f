# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the logs say about a client that cannot enter provisioning mode, or cannot leave it. Pure.

Sources: the failed entry from a published smsts.log, with what its readers found; the OEM key from KB 4494015. Lines
that tell that the mode was entered or left are not known, so nothing else is concluded from a log.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .locations import is_log
from .query import Entry

MOST_EVIDENCE = 10
"""Records that a diagnosis shows, the newest ones."""

_ATTEMPT = re.compile(r"Setting the client into provisioning mode", re.IGNORECASE)
_ABOUT_MODE = re.compile(r"provisioning ?mode", re.IGNORECASE)
_ABOUT_CALL = re.compile(r"ExecMethod\(.*HRESULT=", re.IGNORECASE | re.DOTALL)
_ENTRY_FAILED = re.compile(
    r"(?:Failed to put client in provisioning mode|Exiting SetClientProvisioningMode)\W+(0x[0-9a-f]{8})", re.IGNORECASE
)
_NO_SETUP_COMPLETE = re.compile(r"will not run SetupComplete\.cmd", re.IGNORECASE)
_SUCCESS = "0x00000000"


@dataclass(frozen=True)
class Diagnosis:
    """``found`` None: no log that would tell was read."""

    id: str
    found: bool | None
    means: str
    evidence: list[Entry]
    what_to_do: list[str]


def diagnose(entries: t.Sequence[Entry], logs: t.Iterable[str], looked_at: str) -> list[Diagnosis]:
    """*entries* in the order of time, from the *logs* that were read; *looked_at* tells how much that was."""
    logs = list(logs)
    found = [
        _failed_entry(entries, any(is_log(log, "smsts.log") for log in logs)),
        _oem_key(entries, any(is_log(log, "setupact.log") for log in logs)),
    ]
    return [*found, _nothing_seen(any(diagnosis.found for diagnosis in found), looked_at)]


def _failed_entry(entries: t.Sequence[Entry], was_read: bool) -> Diagnosis:
    """The last attempt decides: a task sequence that was run again may have succeeded."""
    attempt: list[Entry] = []
    code, earlier = "", ""
    for entry in entries:
        message = entry.record.message
        under_way = bool(attempt) and not code
        about_it = _ABOUT_MODE.search(message) or (under_way and _ABOUT_CALL.search(message))
        if not about_it or not is_log(entry.log, "smsts.log"):
            continue
        if _ATTEMPT.search(message):
            attempt, code, earlier = [], "", code or earlier
        attempt.append(entry)
        failed = _ENTRY_FAILED.search(message)
        if failed and failed[1] != _SUCCESS:
            code = failed[1].lower()
    name = "failed_entry"
    if code:
        return Diagnosis(
            name,
            True,
            f"The task sequence could not put the client into the mode ({code}), so the upgrade did not start.",
            attempt[-MOST_EVIDENCE:],
            [
                "Run the task sequence again: right after a restart the client may not have been ready.",
                "Where it restarts the computer before the step Upgrade Operating System, let it wait three minutes.",
                "Look at the dependencies of smstsmgr with configmgr.client.smstsmgr_dependency in check mode.",
                "With client 1802, one on the client's service was reported as the cause, and 1806 as the fix.",
                "If it fails again, repair the client and WMI.",
            ],
        )
    if not was_read:
        return Diagnosis(name, None, "No smsts.log was read, so nothing can be said about it.", [], [])
    if earlier:
        return Diagnosis(
            name, False, f"An earlier attempt to enter the mode failed ({earlier}), the last did not.", [], []
        )
    return Diagnosis(name, False, "No attempt to enter the mode that failed was seen in smsts.log.", [], [])


def _oem_key(entries: t.Sequence[Entry], was_read: bool) -> Diagnosis:
    evidence = [
        entry
        for entry in entries
        if is_log(entry.log, "setupact.log") and _NO_SETUP_COMPLETE.search(entry.record.message)
    ]
    name = "oem_key"
    if evidence:
        return Diagnosis(
            name,
            True,
            "Windows Setup found an OEM product key and did not run SetupComplete.cmd, so the task sequence did not go"
            " on after Setup and the client was left in provisioning mode (KB 4494015).",
            evidence[-MOST_EVIDENCE:],
            [
                "Release this client with configmgr.client.provisioning_mode and enabled=false.",
                "Do by hand what the task sequence was to do after Windows Setup.",
                "Give the KMS client setup key in the step Upgrade Operating System or Apply Windows Settings.",
                "Where the OEM key is needed, set it in a later step with changepk.exe or slmgr.vbs.",
            ],
        )
    if not was_read:
        return Diagnosis(name, None, "No setupact.log was read, so nothing can be said about it.", [], [])
    return Diagnosis(name, False, "No setupact.log says that SetupComplete.cmd was not run.", [], [])


def _nothing_seen(something: bool, looked_at: str) -> Diagnosis:
    if something:
        return Diagnosis("nothing_seen", False, "Something was seen, see above.", [], [])
    return Diagnosis(
        "nothing_seen",
        True,
        f"None of these was seen in {looked_at}. That proves no absence: logs are cut off when they are full.",
        [],
        ["Read further back with max_bytes and rotated=true, or ask configmgr.client.provisioning_mode_info."],
    )
