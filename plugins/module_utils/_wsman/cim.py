# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM values to XML and back, as Windows writes them (DSP0230 with the deviations that recordings show).

In replies a null scalar is ``xsi:nil`` and a null or empty array is no element at all. Replies carry no types, so the
reader of a property asks for the type that the class declares.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from . import uris
from .errors import ProtocolError
from .xml import local_name

Scalar: t.TypeAlias = "bool | int | str | dt.datetime | None"
Value: t.TypeAlias = "Scalar | t.Sequence[Scalar]"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ISO = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})T(?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d{2}:\d{2})?"
)
_DMTF = re.compile(r"(?P<stamp>\d{14})\.(?P<micro>\d{6})(?P<offset>[+-]\d{3})")
_ISO_INTERVAL = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_DMTF_INTERVAL = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})\.(\d{6}):000")


@dataclass(frozen=True)
class Reference:
    """A CIM reference (endpoint reference): the resource URI and its selectors."""

    resource_uri: str
    selectors: dict[str, str]


class CimObject:
    """A WMI row, instance or method result: properties by name, in any case, under the class's own name.

    The typed readers return None (``strings`` and ``objects``: an empty list) for a null or absent
    property and raise ProtocolError for a value of another type.
    """

    def __init__(self, element: Element) -> None:
        self.class_name = local_name(element.tag)
        self._elements: dict[str, list[Element]] = {}
        for child in element:
            self._elements.setdefault(local_name(child.tag).lower(), []).append(child)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._elements

    def _present(self, name: str) -> list[Element]:
        nil = f"{{{uris.XSI}}}nil"
        found = self._elements.get(name.lower(), [])
        return [element for element in found if element.get(nil, "false") not in ("true", "1")]

    def _text(self, name: str) -> str | None:
        found = self._present(name)
        if not found:
            return None
        if len(found) > 1 or len(found[0]):
            raise self._wrong(name, "one plain value")
        return found[0].text or ""

    def _wrong(self, name: str, wanted: str) -> ProtocolError:
        return ProtocolError(f"{self.class_name}.{name} is not {wanted}")

    def string(self, name: str) -> str | None:
        return self._text(name)

    def strings(self, name: str) -> list[str]:
        if any(len(element) for element in self._present(name)):
            raise self._wrong(name, "a list of plain values")
        return [element.text or "" for element in self._present(name)]

    def integer(self, name: str) -> int | None:
        text = self._text(name)
        return None if text is None else self._integer(name, text)

    def integers(self, name: str) -> list[int]:
        return [self._integer(name, text) for text in self.strings(name)]

    def _integer(self, name: str, text: str) -> int:
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", text):
            raise self._wrong(name, "an integer")
        return int(text)

    def boolean(self, name: str) -> bool | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        except KeyError:
            raise self._wrong(name, "a boolean") from None

    def datetime(self, name: str) -> dt.datetime | None:
        """In UTC. Both spellings: ``cim:Datetime`` (ISO 8601) and DMTF (minutes of offset from UTC)."""
        text = self._nested_text(name, "Datetime")
        if text is None:
            return None
        try:
            return parse_datetime(text)
        except ValueError:
            raise self._wrong(name, "a date and time") from None

    def interval(self, name: str) -> dt.timedelta | None:
        text = self._nested_text(name, "Interval")
        if text is None:
            return None
        try:
            return parse_interval(text)
        except ValueError:
            raise self._wrong(name, "an interval") from None

    def _nested_text(self, name: str, child_name: str) -> str | None:
        found = self._present(name)
        if not found:
            return None
        element = found[0]
        if len(element) == 1 and local_name(element[0].tag) == child_name:
            element = element[0]
        return (element.text or "").strip()

    def objects(self, name: str) -> list[CimObject]:
        """Embedded rows, each under its own class."""
        rows = []
        for element in self._present(name):
            inner = CimObject(element)
            xsi_type = element.get(f"{{{uris.XSI}}}type", "")
            inner.class_name = xsi_type.rpartition(":")[2].removesuffix("_Type") or inner.class_name
            rows.append(inner)
        return rows

    def reference(self, name: str) -> Reference | None:
        found = self._present(name)
        if not found:
            return None
        uri = found[0].find(f".//{{{uris.WSMAN}}}ResourceURI")
        if uri is None:
            raise self._wrong(name, "a reference")
        selectors = {item.get("Name", ""): item.text or "" for item in found[0].iter(f"{{{uris.WSMAN}}}Selector")}
        return Reference(uri.text or "", selectors)


def parse_datetime(text: str) -> dt.datetime:
    """An aware UTC time from either spelling of a CIM datetime; ValueError for anything else."""
    iso, dmtf = _ISO.fullmatch(text), _DMTF.fullmatch(text)
    try:
        if iso:
            fraction = (iso["fraction"] or "").ljust(6, "0")[:6]
            zone = "+00:00" if iso["zone"] in (None, "Z") else iso["zone"]
            local = dt.datetime.fromisoformat(f"{iso['date']}T{iso['time']}.{fraction}{zone}")
            return local.astimezone(dt.timezone.utc)
        if dmtf:
            stamp = dt.datetime.strptime(dmtf["stamp"], "%Y%m%d%H%M%S")
            utc = stamp.replace(microsecond=int(dmtf["micro"]), tzinfo=dt.timezone.utc)
            return utc - dt.timedelta(minutes=int(dmtf["offset"]))
    except OverflowError:
        pass  # outside the calendar
    raise ValueError(f"not a CIM datetime: {text!r}")


def parse_interval(text: str) -> dt.timedelta:
    """A CIM interval in either spelling; ValueError for anything else, years and months included."""
    iso, dmtf = _ISO_INTERVAL.fullmatch(text), _DMTF_INTERVAL.fullmatch(text)
    try:
        if iso and len(text) > 1 and not iso[1] and not iso[2]:
            days, hours, minutes, seconds = (float(group or 0) for group in iso.groups()[2:])
            return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if dmtf:
            days, hours, minutes, seconds, micro = (int(group) for group in dmtf.groups())
            return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)
    except OverflowError:
        pass
    raise ValueError(f"not a CIM interval: {text!r}")


def text_of(value: str) -> str:
    """*value* escaped for XML; ValueError where XML cannot carry a character."""
    bad = _NOT_XML.search(value)
    if bad:
        raise ValueError(f"character {bad.group()!r} at position {bad.start()} cannot be sent in XML")
    return escape(value, {"\r": "&#13;"})


def _scalar(name: str, value: Scalar) -> str:
    if value is None:
        return f'<p:{name} xmlns:xsi="{uris.XSI}" xsi:nil="true"/>'
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, dt.datetime):
        utc = value.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = f'<cim:Datetime xmlns:cim="{uris.CIM_COMMON}">{utc}</cim:Datetime>'
    else:
        text = text_of(str(value))
    return f"<p:{name}>{text}</p:{name}>"


def encode(parameters: t.Mapping[str, Value]) -> str:
    """Elements in prefix ``p``: arrays repeat the element, an empty array is no element."""
    out: list[str] = []
    for name, value in parameters.items():
        if isinstance(value, (list, tuple)):
            out.extend(_scalar(name, item) for item in value)
        else:
            out.append(_scalar(name, t.cast(Scalar, value)))
    return "".join(out)
