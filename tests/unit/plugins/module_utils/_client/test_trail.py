# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end of an attempt says of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.errors import MethodFailed
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Blocked, Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import Record, Write
from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from tests.unit import wire
from tests.unit.fakes import Wire

ANSWER = wire.output("SMS_Client", "TriggerSchedule", "")
TIMED_OUT = wire.wsman_fault(2150858793, "w:TimedOut")
STALE, LOST = errors.StaleConnection("closed"), errors.ConnectionLost("no answer")
UNREADABLE = errors.ProtocolError("garbage")


class Killed(Exception):
    """Stands for whatever is no failure of the endpoint's."""


class Judge(Guard):
    """Says what it is told to, one answer after the other; then that all may be written."""

    answers: t.ClassVar[list[str | Exception]] = []

    def blocker(self, *, armed_is_fine: bool = False) -> str:
        answer = self.answers.pop(0) if self.answers else ""
        if isinstance(answer, Exception):
            raise answer
        return answer


def attempt(replies: list[bytes | Exception], judged: list[str | Exception], then: Exception | None = None) -> Record:
    """The end of one request, after which its sender ran into *then*."""
    kept: list[Record] = []
    endpoint = Endpoint(Wire(replies).session())
    guard = Judge(endpoint, "", "off", kept.append)
    guard.answers = judged
    try:
        with guard.writing(Write("trigger_schedule", "one", before=1, after=2)):
            endpoint.session.invoke("root/ccm", "SMS_Client", "TriggerSchedule", {}, writes=True)
            if then is not None:
                raise then
    except (errors.WSManError, WindowsError, MethodFailed, Blocked, Killed):
        pass
    begin, end = kept
    assert (begin["event"], end["event"], begin["attempt"]) == ("begin", "end", end["attempt"])
    assert (begin["after"], end["after"]) == (2, 2 if end["result"] == "done" else None)
    return end


@pytest.mark.parametrize(
    ("replies", "judged", "then", "result", "reason"),
    [
        ([ANSWER], [], None, "done", ""),
        ([STALE, ANSWER], [], None, "done", ""),
        ([], ["something runs"], None, "refused", "something runs"),
        ([], [UNREADABLE], None, "refused", "what decides could not be read: garbage"),
        ([], [WindowsError("damaged", 0)], None, "refused", "damaged"),
        ([], [Killed("by hand")], None, "refused", "by hand"),
        ([STALE], ["", "something runs"], None, "refused", "something runs"),
        ([STALE, STALE], [], None, "failed", "closed"),
        ([wire.wsman_fault(5, "w:AccessDenied")], [], None, "failed", "ACCESS_DENIED"),
        ([ANSWER], [], WindowsError("returned 5", 5), "failed", "returned 5"),
        ([ANSWER], [], MethodFailed("code 1"), "failed", "code 1"),
        ([TIMED_OUT], [], None, "unknown", "0x80338029"),
        ([LOST], [], None, "unknown", "no answer"),
        ([b"<garbage"], [], None, "unknown", ""),
        ([Killed("by hand")], [], None, "unknown", "by hand"),
        ([ANSWER], [], errors.ConnectionLost("of its output"), "unknown", "of its output"),
        ([ANSWER], [], Killed("by hand"), "unknown", "by hand"),
    ],
)
def test_result(
    replies: list[bytes | Exception],
    judged: list[str | Exception],
    then: Exception | None,
    result: str,
    reason: str,
) -> None:
    end = attempt(list(replies), list(judged), then)
    assert end["result"] == result, end
    assert reason in end["reason"]
    assert (end["reason"] == "") == (result == "done")
