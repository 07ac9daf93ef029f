# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the logs of the client and of Windows Setup are, and which of them may be read. Pure.

Sources: Microsoft's reference of Configuration Manager's log files, and KB 4494015 for Windows Setup's.
"""

from __future__ import annotations

import ntpath
import re
import typing as t
from dataclasses import dataclass

LOGGING_KEY = r"SOFTWARE\Microsoft\CCM\Logging\@GLOBAL"
LOG_DIRECTORY = "LogDirectory"

SETS = {
    "provisioning": ("smsts.log", "setupact.log"),
    "client": ("CcmExec.log", "CcmRestart.log", "CcmEval.log", "SmsClientMethodProvider.log", "PolicyAgent.log"),
    "task_sequence": ("smsts.log", "execmgr.log"),
    "setup": ("setupact.log", "setuperr.log"),
}
"""Logs to be read together. ``provisioning`` is what the diagnoses look at."""

_SETUP_LOGS = ("setupact.log", "setuperr.log")
_INSTALLER_LOGS = ("ccmsetup.log", "client.msi.log", "ccmsetup-ccmeval.log")
_EXTENSIONS = (".log", ".lo_")
_LOCAL = re.compile(r"[A-Za-z]:\\[^\\]")
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_ALLOWED = (
    re.compile(r"[a-z]:\\(?:.+\\)?ccm\\logs(?:\\smstslog)?", re.IGNORECASE),
    re.compile(r"[a-z]:\\(?:.+\\)?_smstasksequence\\logs(?:\\smstslog)?", re.IGNORECASE),
    re.compile(r"[a-z]:\\(?:.+\\)?ccmsetup\\logs", re.IGNORECASE),
    re.compile(r"[a-z]:\\windows\\panther(?:\\unattendgc)?", re.IGNORECASE),
)
_FOLDERS_FOR_PEOPLE = (
    r"…\CCM\Logs (with SMSTSLog), …\_SMSTaskSequence\Logs (with SMSTSLog), …\ccmsetup\Logs, Windows\Panther or"
    r" Windows\Panther\UnattendGC"
)


@dataclass(frozen=True)
class Folders:
    """``logs`` as the registry names it; ``windows`` such as C:\\Windows."""

    logs: str
    windows: str


def folders(log_directory: str | None, system_directory: str) -> Folders:
    """Raises ValueError where the client logs to a place that is not read from."""
    windows = ntpath.dirname(system_directory)
    logs = (log_directory or rf"{windows}\CCM\Logs").rstrip("\\")
    if _path_problem(rf"{logs}\any.log") is not None:
        raise ValueError(f"the client's {LOG_DIRECTORY} is {logs}, which is not a folder on a local disk")
    return Folders(logs, windows)


def paths(name: str, where: Folders) -> list[str]:
    """Full paths at which the logs of a set, or a log of that name, may be."""
    return [rf"{folder}\{log}" for log in SETS.get(name, (name,)) for folder in _folders_of(log, where)]


def _folders_of(log: str, where: Folders) -> list[str]:
    match log.lower():
        case "smsts.log":
            drive = ntpath.splitdrive(where.windows)[0]
            sequence = rf"{drive}\_SMSTaskSequence\Logs"
            return [rf"{where.logs}\SMSTSLog", where.logs, rf"{sequence}\SMSTSLog", sequence]
        case known if known in _SETUP_LOGS:
            return [rf"{where.windows}\Panther\UnattendGC", rf"{where.windows}\Panther"]
        case known if known in _INSTALLER_LOGS:
            return [rf"{where.windows}\ccmsetup\Logs"]
    return [where.logs]


def generations(path: str, names: t.Iterable[str]) -> list[str]:
    """Those of *names* that are *path* itself or an older generation of it: NAME-YYYYMMDD-HHMMSS.log or NAME.lo_."""
    stem, extension = ntpath.splitext(ntpath.basename(path))
    own = re.compile(
        rf"{re.escape(stem)}(?:-\d{{8}}-\d{{6}})?{re.escape(extension)}|{re.escape(stem)}\.lo_", re.IGNORECASE
    )
    return [name for name in names if own.fullmatch(ntpath.basename(name))]


def shares(sizes: t.Iterable[int], max_bytes: int) -> list[int]:
    """How many of *max_bytes* are for each generation of a log, the newest first; 0 where nothing is left.

    The newest gets all of it whatever its size, since the size of a file that is being written to lags behind.
    """
    left, found = max_bytes, []
    for size in sizes:
        found.append(left)
        left = max(0, left - size)
    return found


def is_log(path: str, log: str) -> bool:
    """Whether *path* is a generation of the log that is called *log*."""
    return bool(generations(log, [path]))


def name_problem(name: str) -> str | None:
    """Why *name* is neither a set nor the file name of a log."""
    if name in SETS:
        return None
    if _NOT_IN_A_NAME.search(name) or ".." in name or not _is_log_name(name):
        return (
            f"name={name!r} is neither a log's file name, such as CcmExec.log, nor one of {', '.join(SETS)}:"
            " give one of these, or the full path in the option path"
        )
    return None


def path_problem(path: str) -> str | None:
    """Why *path* must not be read: only logs in folders of the client and of Windows Setup are."""
    problem = _path_problem(path)
    if problem is None and not any(folder.fullmatch(ntpath.dirname(path)) for folder in _ALLOWED):
        problem = "lies outside the folders that are read"
    return problem and f"path={path} {problem}: give the full path of a log in {_FOLDERS_FOR_PEOPLE}"


def _path_problem(path: str) -> str | None:
    if not _LOCAL.match(path):
        return "is not a full path on a local disk"
    parts = path[3:].split("\\")
    if any(_NOT_IN_A_NAME.search(part) for part in parts):
        return "holds a character that no file name has (wildcards are not expanded)"
    # Windows drops blanks and dots at the end of a name, so ". ." would be "..".
    if any(not part or part != part.rstrip(" .") for part in parts):
        return "holds an empty part or one that ends with a dot or a blank"
    return None if _is_log_name(parts[-1]) else "does not end with .log or .lo_"


def _is_log_name(name: str) -> bool:
    stem, extension = ntpath.splitext(name)
    return bool(stem) and extension.lower() in _EXTENSIONS
