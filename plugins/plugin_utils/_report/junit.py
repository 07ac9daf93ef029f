# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JUnit's XML, as CI systems show it: a test case for each host. Pure."""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from .kinds import KINDS

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(content: Mapping[str, t.Any]) -> str:
    """Who needs somebody is a failure, who was not seen is skipped."""
    hosts = content["hosts"]
    kinds = {host: KINDS.get(row["status"], "bad") for host, row in hosts.items()}
    numbers = {
        "tests": len(hosts),
        "failures": sum(kind == "bad" for kind in kinds.values()),
        "skipped": sum(kind == "unseen" for kind in kinds.values()),
    }
    suite = ET.Element(
        "testsuite",
        {
            "name": "configmgr.client",
            "timestamp": content["run"]["made"].rstrip("Z"),
            "errors": "0",
            **{name: str(number) for name, number in numbers.items()},
        },
    )
    for host, row in hosts.items():
        case = ET.SubElement(suite, "testcase", {"classname": _text(row["status"]), "name": _text(host)})
        element = {"bad": "failure", "unseen": "skipped"}.get(kinds[host])
        if element:
            ET.SubElement(case, element, {"message": _text(row["message"])})
        else:
            ET.SubElement(case, "system-out").text = _text(row["message"])
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _text(value: t.Any) -> str:
    """Without the characters that no XML may hold."""
    return _NOT_XML.sub("\ufffd", str(value))
