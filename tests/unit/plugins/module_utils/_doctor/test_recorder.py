# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._doctor.recorder import Recorder
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ConnectionLost, Fault
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from tests.unit import wire
from tests.unit.fakes import SETTINGS, Wire

FAULT = wire.wsman_fault(5)


def test_all_that_is_said_is_kept_and_goes_through() -> None:
    lost = ConnectionLost("gone")
    endpoint, recorder = Wire([FAULT, lost]), Recorder()
    with Session(SETTINGS, recorder.through(endpoint.connect), Deadline(60)) as session:
        recorder.topic = "first"
        with pytest.raises(Fault):
            session.get("root/ccm", "SMS_Client")
        recorder.topic = "second"
        with pytest.raises(ConnectionLost):
            session.get("root/ccm", "SMS_Client")
    first, second = recorder.exchanges
    assert (first.topic, first.reply, first.error) == ("first", FAULT, None)
    assert (second.topic, second.reply, second.error) == ("second", None, lost)
    assert b"SMS_Client" in first.request
    assert endpoint.closed == 1


def test_how_a_message_is_to_be_sent_goes_through() -> None:
    endpoint, recorder = Wire([wire.envelope("")] * 2), Recorder()
    with (
        Session(SETTINGS, recorder.through(endpoint.connect), Deadline(60)) as session,
        session.judged_by(lambda: None),
    ):
        session.request("x/Get", "uri", "")
        session.request("x/Put", "uri", "", writes=True)
    assert endpoint.single == [False, True]
