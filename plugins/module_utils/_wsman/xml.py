# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads XML that an endpoint, or whoever stands in its place, has sent.

defusedxml refuses DTDs and entities; the bounds on size and depth are ours, since it has none.
"""

from __future__ import annotations

import typing as t
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from .errors import ProtocolError

try:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser
except ImportError as error:
    DEFUSEDXML_IMPORT_ERROR: ImportError | None = error
else:
    DEFUSEDXML_IMPORT_ERROR = None

MAX_BYTES = 4 * 1024 * 1024
"""Windows answers within MaxEnvelopeSize, 500 KiB by default and 150 KiB as this client asks."""
MAX_DEPTH = 64


class _BoundedTreeBuilder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: t.Any, attrs: t.Any) -> t.Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ProtocolError(f"the answer nests XML elements more than {MAX_DEPTH} deep")
        return super().start(tag, attrs)

    def end(self, tag: t.Any) -> t.Any:
        self._depth -= 1
        return super().end(tag)


def parse(document: bytes) -> Element:
    """The root element of *document*; raises ProtocolError for anything that is not plain, small XML."""
    if len(document) > MAX_BYTES:
        raise ProtocolError(f"the answer has {len(document)} bytes, more than the {MAX_BYTES} that are accepted")
    parser = DefusedXMLParser(target=_BoundedTreeBuilder(), forbid_dtd=True)
    try:
        parser.feed(document)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise ProtocolError(f"the answer holds XML that is never accepted: {type(error).__name__}") from error
    except (ParseError, LookupError, ValueError) as error:
        raise ProtocolError(f"the answer is not XML: {error}") from error
    return root


def local_name(tag: str) -> str:
    return tag.rpartition("}")[2]
