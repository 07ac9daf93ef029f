# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM_DataFile, for the few files and programs that a machine has."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping

from ..cim.model import Row, WmiError
from ..files import File
from ..programs.shell import program_files
from .base import BaseProvider


class CimDataFile(BaseProvider):
    def instances(self, class_name: str) -> list[Row]:
        installed = self._world.processes.boot_time
        programs = (File(path, b"", installed, installed) for path in program_files(self._world))
        return [self._row(file) for file in (*self._world.files, *programs)]

    def _row(self, file: File) -> Row:
        path = file.path.lower()
        drive, rest = ntpath.splitdrive(path)
        folder, name = ntpath.split(rest)
        stem, extension = ntpath.splitext(name)
        return {
            "Archive": True,
            "Caption": path,
            "Compressed": False,
            "CreationDate": file.created,
            "CreationClassName": "CIM_LogicalFile",
            "CSName": self._world.spec.netbios_name,
            "Description": path,
            "Drive": drive,
            "Extension": extension.lstrip("."),
            "FileName": stem,
            "FileSize": file.size,
            "FileType": "Text Document",
            "FSName": "NTFS",
            "Hidden": False,
            "LastAccessed": file.modified,
            "LastModified": file.modified,
            "Name": path,
            "Path": folder + "\\",
            "Readable": True,
            "Status": "OK",
            "System": False,
            "Writeable": True,
        }

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        if method != "Delete":
            raise WmiError("not_supported")
        self._world.journal.written("file.delete", keys["Name"])
        if not self._world.access.is_administrator:
            return {"ReturnValue": 2}
        self._world.files.delete(keys["Name"])
        return {"ReturnValue": 0}
