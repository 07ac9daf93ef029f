# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a response envelope: one line, no XML declaration, headers in the recorded order."""

from __future__ import annotations

from collections.abc import Iterable

from . import names
from .request import Request
from .text import escape, new_id


def envelope(
    request: Request,
    action: str,
    body: str,
    prefixes: Iterable[str],
    *,
    language: str = "en-US",
    activity_id: bool = False,
) -> str:
    """A response. `prefixes` are those that Windows declares for this kind of answer, which differ (recorded)."""
    declared = "".join(f' xmlns:{prefix}="{names.PREFIXES[prefix]}"' for prefix in prefixes)
    # OperationID and SequenceId come back where they were sent (specified, Windows 8 and later).
    echoed = ""
    microsoft = f' xmlns:p="{names.MICROSOFT}"' if "p" not in prefixes else ""
    if request.operation_id:
        echoed += f'<p:OperationID s:mustUnderstand="false"{microsoft}>{escape(request.operation_id)}</p:OperationID>'
    if request.sequence_id:
        echoed += f"<p:SequenceId{microsoft}>{escape(request.sequence_id)}</p:SequenceId>"
    activity = f"<p:ActivityId{microsoft}>{new_id()}</p:ActivityId>" if activity_id else ""
    return (
        f'<s:Envelope xml:lang="{escape(language)}"{declared}><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{new_id()}</a:MessageID>{activity}{echoed}<a:To>{names.ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(request.message_id)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
