# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry below HKEY_LOCAL_MACHINE, through the WMI class StdRegProv (64-bit view).

Source: Microsoft's StdRegProv reference. Its ReturnValue is 0 or a Win32 error; for a value that is missing, 1 and 2
have both been reported, and only the list of a key's values tells a missing value from a missing key.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from .._wsman.cim import CimObject
from .._wsman.errors import ProtocolError
from .._wsman.session import Session
from .errors import PermissionRefused, WindowsError

HKEY_LOCAL_MACHINE = 0x80000002

_INVALID_FUNCTION, _NOT_FOUND = 1, 2
_DENIED = (5, 0x80041003)
_SET_VALUE, _CREATE_SUB_KEY = 0x2, 0x4

RegistryData: t.TypeAlias = "str | int | bytes | list[str]"


class RegistryType(enum.IntEnum):
    """Types by their Windows numbers, as EnumValues reports them."""

    SZ = 1
    EXPAND_SZ = 2
    BINARY = 3
    DWORD = 4
    MULTI_SZ = 7
    QWORD = 11


@dataclass(frozen=True)
class _Accessor:
    get: str
    set: str
    field: str
    maximum: int = 0


_ACCESSORS = {
    RegistryType.SZ: _Accessor("GetStringValue", "SetStringValue", "sValue"),
    RegistryType.EXPAND_SZ: _Accessor("GetExpandedStringValue", "SetExpandedStringValue", "sValue"),
    RegistryType.BINARY: _Accessor("GetBinaryValue", "SetBinaryValue", "uValue"),
    RegistryType.DWORD: _Accessor("GetDWORDValue", "SetDWORDValue", "uValue", 2**32 - 1),
    RegistryType.MULTI_SZ: _Accessor("GetMultiStringValue", "SetMultiStringValue", "sValue"),
    RegistryType.QWORD: _Accessor("GetQWORDValue", "SetQWORDValue", "uValue", 2**64 - 1),
}


@dataclass(frozen=True)
class StoredValue:
    """A value as it stands: ``data`` None where it is absent, ``type`` its Windows number."""

    data: RegistryData | None = None
    type: int | None = None

    def data_for_result(self) -> str | int | list[str] | None:
        """Plain JSON: binary data in hexadecimal digits."""
        return self.data.hex() if isinstance(self.data, bytes) else self.data


ABSENT = StoredValue()


class KeyAbsent(WindowsError):
    """The key does not exist."""


class Registry:
    """Writes are made inside ``Session.judged_by``; one whose answer is lost is not sent again."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def types(self, key: str, *, strict: bool = False) -> dict[str, int]:
        """Type number of each value of *key*, by the value's name in lower case; raises KeyAbsent.

        *strict* takes code 1 for an error, not for "absent".
        """
        output = self._call("EnumValues", key)
        if self._absent(output, key, strict=strict):
            raise KeyAbsent(f"registry key HKLM\\{key} does not exist", 2)
        names, types = output.strings("sNames"), output.integers("Types")
        if len(names) != len(types):
            raise ProtocolError(f"EnumValues of {key} names {len(names)} values and {len(types)} types")
        return dict(zip((name.lower() for name in names), types, strict=True))

    def get(self, key: str, name: str, value_type: int) -> RegistryData | None:
        """The value, None where it (or its key) is absent; WindowsError for a type that cannot be read."""
        try:
            accessor = _ACCESSORS[RegistryType(value_type)]
        except ValueError:
            raise WindowsError(
                f"HKLM\\{key}: {name} is of registry type {value_type}, which has no reader", 0
            ) from None
        output = self._call(accessor.get, key, name)
        if self._absent(output, f"{key}: {name}"):
            return None
        return _decoded(output, accessor.field, RegistryType(value_type))

    def stored(self, key: str, name: str, types: t.Mapping[str, int] | None = None) -> StoredValue:
        """A value with its type. *types* are the key's, where they were read before; else raises KeyAbsent.

        WindowsError where the key lists the value, and the value itself is then said to be absent.
        """
        value_type = (self.types(key, strict=True) if types is None else types).get(name.lower())
        if value_type is None:
            return StoredValue()
        data = self.get(key, name, value_type)
        if data is None:
            raise WindowsError(f"HKLM\\{key} lists {name}, which is then said to be absent", _INVALID_FUNCTION)
        return StoredValue(data, value_type)

    def get_string(self, key: str, name: str) -> str | None:
        return t.cast("str | None", self.get(key, name, RegistryType.SZ))

    def get_dword(self, key: str, name: str) -> int | None:
        return t.cast("int | None", self.get(key, name, RegistryType.DWORD))

    def get_strings(self, key: str, name: str) -> list[str]:
        """A REG_MULTI_SZ; absent and empty are the same."""
        return t.cast("list[str] | None", self.get(key, name, RegistryType.MULTI_SZ)) or []

    def number(self, key: str, name: str) -> int | None:
        """A number by the type that the key itself tells; None where the value or the key is absent for certain.

        A key that lists nothing at all proves nothing: so answers a provider in trouble.
        """
        try:
            types = self.types(key, strict=True)
        except KeyAbsent:
            return None
        if not types:
            raise ProtocolError(f"HKLM\\{key} is there and lists no value, not even {name}")
        value_type = types.get(name.lower())
        if value_type is None:
            return None
        data = self.get(key, name, value_type)
        if not isinstance(data, int):
            raise ProtocolError(f"HKLM\\{key}: {name} is not a number")
        return data

    def key_exists(self, key: str, *, strict: bool = False) -> bool:
        """*strict* takes code 1 for an error, not for "absent"."""
        return not self._absent(self._call("EnumKey", key), key, strict=strict)

    def keys(self, key: str) -> list[str]:
        """The names of the keys directly below *key*; none where it does not exist."""
        output = self._call("EnumKey", key)
        return [] if self._absent(output, key) else output.strings("sNames")

    def may_write(self, key: str) -> bool:
        """Whether the account may set values and create keys below *key*; asks, and writes nothing.

        PermissionRefused where it may not even ask.
        """
        output = self._call("CheckAccess", key, data={"uRequired": _SET_VALUE | _CREATE_SUB_KEY})
        return not self._absent(output, key) and bool(output.boolean("bGranted"))

    def set(self, key: str, name: str, value_type: RegistryType, data: RegistryData) -> None:
        """Creates or replaces a value of an existing key."""
        accessor = _ACCESSORS[value_type]
        if isinstance(data, int) and not 0 <= data <= accessor.maximum:
            raise ValueError(f"{name}={data} does not fit into a REG_{value_type.name}")
        encoded = list(data) if isinstance(data, bytes) else data
        self._write(accessor.set, key, name, {accessor.field: encoded})

    def delete_value(self, key: str, name: str) -> None:
        """Removes a value; one that is absent is no error."""
        self._write("DeleteValue", key, name, {})

    def create_key(self, key: str) -> None:
        """Creates a key with its parents; one that exists is no error."""
        self._write("CreateKey", key, None, {})

    def delete_key(self, key: str) -> None:
        """Removes a key that has no subkeys; one that is absent is no error."""
        self._write("DeleteKey", key, None, {})

    def _write(self, method: str, key: str, name: str | None, data: dict[str, t.Any]) -> None:
        output = self._call(method, key, name, data, writes=True)
        if self._absent(output, key) and not method.startswith("Delete"):
            raise KeyAbsent(f"registry key HKLM\\{key} does not exist", 2)

    def _call(
        self,
        method: str,
        key: str,
        name: str | None = None,
        data: t.Mapping[str, t.Any] | None = None,
        *,
        writes: bool = False,
    ) -> CimObject:
        parameters: dict[str, t.Any] = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key}
        if name is not None:
            parameters["sValueName"] = name
        return self._session.invoke(
            "root/default", "StdRegProv", method, {**parameters, **(data or {})}, repeatable=not writes, writes=writes
        )

    @staticmethod
    def _absent(output: CimObject, what: str, *, strict: bool = False) -> bool:
        code = output.integer("ReturnValue")
        if code is None:
            raise ProtocolError(f"{output.class_name} has no ReturnValue")
        code &= 0xFFFFFFFF
        if code in _DENIED:
            raise PermissionRefused(f"no access to registry HKLM\\{what}", code)
        absent = (_NOT_FOUND,) if strict else (_NOT_FOUND, _INVALID_FUNCTION)
        if code not in (0, *absent):
            raise WindowsError(f"registry HKLM\\{what} failed with code {code:#x}", code)
        return code in absent


def _decoded(output: CimObject, field: str, value_type: RegistryType) -> RegistryData:
    if value_type is RegistryType.MULTI_SZ:
        return output.strings(field)
    if value_type is RegistryType.BINARY:
        try:
            return bytes(output.integers(field))
        except ValueError:
            raise ProtocolError(f"{output.class_name}.{field} holds numbers that are no bytes") from None
    if value_type in (RegistryType.DWORD, RegistryType.QWORD):
        number = output.integer(field)
        if number is None:
            raise ProtocolError(f"{output.class_name} succeeded without a {field}")
        return number
    return output.string(field) or ""
