# SPDX-License-Identifier: GPL-3.0-or-later
"""The few types of .NET that scripts read files with, as Microsoft documents them."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..files import File

if TYPE_CHECKING:
    from ..world import World


class NetException(Exception):
    """``name`` is the class of the exception, without its namespace."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        super().__init__(text)


@dataclass
class Console:
    text: str = ""
    slept: float = 0.0
    earlier: list[tuple[float, str]] = field(default_factory=list)
    """What was printed before the last sleep, and when: seconds after the start."""

    def write_line(self, text: str, end: str = "\r\n") -> None:
        self.text += f"{text}{end}"

    def sleep(self, seconds: float) -> None:
        if self.text:
            self.earlier.append((self.slept, self.text))
        self.text = ""
        self.slept += seconds


class Disk:
    """File.Open: what another program has open can be opened only with its sharing."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, path: str, mode: str, access: str, share: str) -> FileStream:
        shared = {word.strip().lower() for word in share.split(",")}
        if mode.lower() != "open" or access.lower() != "read" or not shared <= {"read", "readwrite", "delete"}:
            raise NetException("ArgumentException", f"{mode}, {access} and {share} are not simulated")
        file = self._world.files.find(path)
        if file is None:
            folder = path.rpartition("\\")[0].lower() + "\\"
            known = any(each.path.lower().startswith(folder) for each in self._world.files)
            name = "FileNotFoundException" if known else "DirectoryNotFoundException"
            raise NetException(name, f"Could not find '{path}'.")
        if file.access == "denied" or not self._world.access.is_administrator:
            raise NetException("UnauthorizedAccessException", f"Access to the path '{path}' is denied.")
        if file.access == "locked" or (file.access == "writing" and "readwrite" not in shared):
            raise NetException("IOException", f"The process cannot access the file '{path}'.")
        return FileStream(self._world, file)


@dataclass
class FileStream:
    world: World
    file: File
    position: int = 0
    is_open: bool = True

    def read(self, buffer: bytearray, offset: int, count: int) -> int:
        """At most 64 KiB at once: a stream may return less than it was asked for."""
        if not self.is_open or offset + count > len(buffer):
            raise NetException("ArgumentException", "Offset and length were out of bounds.")
        data = self.file.read(self.position, min(count, 0x10000))
        buffer[offset : offset + len(data)] = data
        self.position += len(data)
        self.world.journal.happened("file.read", f"{self.file.path} {len(data)}")
        return len(data)


@dataclass
class MemoryStream:
    data: bytearray = field(default_factory=bytearray)


@dataclass
class GZipStream:
    """Writes when it is closed, and nothing at all if it was given nothing (.NET Framework)."""

    target: MemoryStream
    data: bytearray = field(default_factory=bytearray)

    def close(self) -> None:
        if self.data:
            self.target.data += gzip.compress(bytes(self.data), mtime=0)


@dataclass(frozen=True)
class NetType:
    name: str


def create(name: str, arguments: list[Any]) -> Any:
    match name.removeprefix("system."), arguments:
        case "byte[]", [int(length)]:
            if length > 64 * 1024 * 1024:
                raise NetException("OutOfMemoryException", "Array dimensions exceeded supported range.")
            return bytearray(length)
        case "io.memorystream", []:
            return MemoryStream()
        case "io.compression.gzipstream", [MemoryStream() as target, "Compress"]:
            return GZipStream(target)
    raise NetException("PSArgumentException", f"A constructor was not found for {name}.")


def static(console: Console, type_name: str, member: str) -> Any:
    match type_name.removeprefix("system."), member.lower():
        case "console", "out":
            return console
        case "io.compression.compressionmode", "compress":
            return "Compress"
    raise NetException("PropertyNotFoundException", f"[{type_name}]::{member} is not simulated")


def call_static(disk: Disk, type_name: str, member: str, arguments: list[Any]) -> Any:
    match type_name.removeprefix("system."), member.lower(), arguments:
        case "io.file", "open", [str(path), str(mode), str(access), str(share)]:
            return disk.open(path, mode, access, share)
        case "math", "max", [int(left), int(right)]:
            return max(left, right)
        case "math", "min", [int(left), int(right)]:
            return min(left, right)
        case "convert", "tobase64string", [bytes() | bytearray() as data]:
            return base64.b64encode(data).decode()
    raise NetException("MethodException", f"[{type_name}]::{member} with {len(arguments)} arguments is not simulated")


def call(target: Any, name: str, arguments: list[Any]) -> Any:
    match target, name.lower(), arguments:
        case FileStream(), "seek", [int(offset), "Begin"]:
            target.position = offset
            return offset
        case FileStream(), "read", [bytearray() as buffer, int(offset), int(count)]:
            return target.read(buffer, offset, count)
        case FileStream(), "close" | "dispose", []:
            target.is_open = False
            return None
        case GZipStream(), "write", [bytearray() as buffer, int(offset), int(count)]:
            target.data += buffer[offset : offset + count]
            return None
        case GZipStream(), "close" | "dispose", []:
            target.close()
            return None
        case MemoryStream(), "toarray", []:
            return bytes(target.data)
        case Console(), "writeline", [value]:
            target.write_line(shown(value))
            return None
        case NetException(), "getbaseexception", []:
            return target
        case NetException(), "gettype", []:
            return NetType(target.name)
    raise NetException(
        "MethodException", f"{type(target).__name__}.{name} with {len(arguments)} arguments is not simulated"
    )


def get(target: Any, name: str) -> Any:
    match target, name.lower():
        case FileStream(), "length":
            return target.file.size
        case bytearray() | bytes() | list(), "length" | "count":
            return len(target)
        case NetType(), "name":
            return target.name
        case NetException(), "message":
            return str(target)
    raise NetException("PropertyNotFoundException", f"{type(target).__name__} has no property {name} here")


def cast(name: str, value: Any) -> Any:
    match name:
        case "void":
            return None
        case "int" | "long" | "int32" | "int64":
            return int(value)
        case "string":
            return shown(value)
    raise NetException("RuntimeException", f"Unable to find type [{name}].")


def formatted(template: str, values: Any) -> str:
    found = values if isinstance(values, list) else [values]

    def place(match: re.Match[str]) -> str:
        number = int(match[1])
        if number >= len(found):
            raise NetException("FormatException", "Index (zero based) must be less than the size of the argument list.")
        return shown(found[number])

    return re.sub(r"\{(\d+)\}", place, template)


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray)):
        return " ".join(shown(each) for each in value)
    return str(value)
