# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest ends of files, by PowerShell over WinRS: WMI tells of files and cannot read them.

One process reads all files of a task, and only the bytes that were asked for; it compresses them, since WinRS carries
output slowly and logs are repetitive. The script is text that the endpoint's own audit logs can show, not an encoded
command, and what it prints is ASCII whatever the language of Windows.
"""

from __future__ import annotations

import base64
import re
import typing as t
import zlib
from dataclasses import dataclass

from .._wsman.errors import FileMissing, ProtocolError
from .commands import POWERSHELL, Commands, failure_text, literal
from .errors import WindowsError

_CONSTRAINED = 87
"""The script's own exit code: PowerShell does not let it call .NET (a policy of AppLocker or App Control)."""

# FileShare is what lets a log be read while the client writes it. The start is even, so that characters of UTF-16 stay
# whole. A stream that was given nothing compresses to nothing.
_SCRIPT = """
$ErrorActionPreference = 'Stop';
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {{ exit {constrained} }};
$paths = @({paths});
$limits = @({limits});
for ($i = 0; $i -lt $paths.Count; $i++) {{
  try {{
    $file = [IO.File]::Open($paths[$i], 'Open', 'Read', 'ReadWrite, Delete');
    try {{
      $size = $file.Length;
      $start = [Math]::Max([long]0, $size - $limits[$i]);
      $start += $start % 2;
      $bytes = New-Object byte[] ($size - $start);
      [void]$file.Seek($start, 'Begin');
      $count = 0;
      while ($count -lt $bytes.Length) {{
        $more = $file.Read($bytes, $count, $bytes.Length - $count);
        if ($more -eq 0) {{ break }};
        $count += $more;
      }};
    }} finally {{ $file.Close() }};
    $packed = New-Object IO.MemoryStream;
    $zip = New-Object IO.Compression.GZipStream($packed, [IO.Compression.CompressionMode]::Compress);
    $zip.Write($bytes, 0, $count);
    $zip.Close();
    $text = [Convert]::ToBase64String($packed.ToArray());
    [Console]::Out.WriteLine(('{{0}} {{1}} {{2}} {{3}}' -f $i, $size, $start, $text));
  }} catch {{
    [Console]::Out.WriteLine(('{{0}} {{1}}' -f $i, $_.Exception.GetBaseException().GetType().Name));
  }};
}};
"""

_READ = re.compile(r"(\d+) (\d+) (\d+) ([A-Za-z0-9+/=]*)")
_FAILED = re.compile(r"(\d+) ([A-Za-z]+)")
_PROBLEMS = {
    "FileNotFoundException": "it does not exist any more",
    "DirectoryNotFoundException": "its folder does not exist any more",
    "UnauthorizedAccessException": "access is denied",
    "IOException": "another program has locked it",
}
# Base64 adds a third, and what cannot be compressed grows a little, on old versions of .NET by up to a half.
_GROWTH = 2
_LINE = 256


@dataclass(frozen=True)
class FileEnd:
    """``size`` of the whole file and the ``start`` of ``data`` in it; ``problem`` says why there is nothing."""

    size: int = 0
    start: int = 0
    data: bytes = b""
    problem: str = ""


def read(commands: Commands, wanted: t.Sequence[tuple[str, int]]) -> list[FileEnd]:
    """For each path its newest bytes, no more than the number with it. Starts PowerShell once."""
    script = " ".join(line.strip() for line in _SCRIPT.splitlines()).format(
        constrained=_CONSTRAINED,
        paths=", ".join(literal(path) for path, _limit in wanted),
        limits=", ".join(str(limit) for _path, limit in wanted),
    )
    try:
        result = commands.run(
            POWERSHELL,
            ["-NoProfile", "-NonInteractive", "-Command", script],
            writes=False,
            max_output=sum(limit * _GROWTH + _LINE for _path, limit in wanted),
        )
    except FileMissing as error:
        raise WindowsError(
            f"reading a file needs powershell.exe, which this endpoint does not have: {error}", 2
        ) from error
    if result.exit_code == _CONSTRAINED:
        raise WindowsError(
            "PowerShell runs in constrained language mode here (AppLocker or App Control), which keeps it from reading"
            " the end of a file",
            result.exit_code,
        )
    if result.exit_code != 0:
        raise WindowsError(
            f"reading files by PowerShell failed with code {result.exit_code}: {failure_text(result)}",
            result.exit_code,
        )
    return _ends(result.stdout, [limit for _path, limit in wanted])


def _ends(output: str, limits: t.Sequence[int]) -> list[FileEnd]:
    found: dict[int, FileEnd] = {}
    for line in output.splitlines():
        read, failed = _READ.fullmatch(line), _FAILED.fullmatch(line)
        if read and int(read[1]) < len(limits):
            found[int(read[1])] = FileEnd(int(read[2]), int(read[3]), _unpacked(read[4], limits[int(read[1])]))
        elif failed:
            found[int(failed[1])] = FileEnd(problem=_PROBLEMS.get(failed[2], failed[2]))
    if sorted(found) != list(range(len(limits))):
        raise ProtocolError(f"PowerShell was to read {len(limits)} files and tells of {len(found)}")
    return [found[index] for index in range(len(limits))]


def _unpacked(text: str, limit: int) -> bytes:
    """The content of gzip in base64, if it is no more than *limit* bytes."""
    try:
        packed = base64.b64decode(text, validate=True)
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        data = unpacker.decompress(packed, limit + 1)
    except (ValueError, zlib.error):
        raise ProtocolError("what PowerShell read arrived damaged") from None
    if len(data) > limit or (packed and not unpacker.eof):
        raise ProtocolError("what PowerShell read is not as long as was asked for")
    return data
