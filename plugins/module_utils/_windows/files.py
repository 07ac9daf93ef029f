# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as the WMI class CIM_DataFile tells them: whether they exist, and how large they are.

A query by one full name, or by drive and folder, is answered at once; any other may walk over whole disks, by LIKE for
minutes (Microsoft's WMI blog). So nothing else is asked, and several files are several queries.
"""

from __future__ import annotations

import datetime as dt
import ntpath
from dataclasses import dataclass

from .._wsman.cim import CimObject
from .._wsman.session import Session

_COLUMNS = "SELECT Name,FileSize,LastModified FROM CIM_DataFile"


@dataclass(frozen=True)
class DataFile:
    """``path`` is in lower case, as WMI spells it. Of a file that is being written to, ``size`` may lag behind."""

    path: str
    size: int
    modified: dt.datetime | None


class Files:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, path: str) -> DataFile | None:
        rows = self._session.query("root/cimv2", f"{_COLUMNS} WHERE Name='{_escaped(path)}'")
        return _file(rows[0]) if rows else None

    def in_folder(self, folder: str) -> list[DataFile]:
        """The files directly in *folder*; none where it does not exist."""
        drive, path = ntpath.splitdrive(folder)
        where = rf"Drive='{_escaped(drive)}' AND Path='{_escaped(path)}\\'"
        return [_file(row) for row in self._session.query("root/cimv2", f"{_COLUMNS} WHERE {where}")]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _file(row: CimObject) -> DataFile:
    return DataFile(row.string("Name") or "", row.integer("FileSize") or 0, row.datetime("LastModified"))
