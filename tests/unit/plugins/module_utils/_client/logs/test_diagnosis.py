# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.logs.cmtrace import Record
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.diagnosis import MOST_EVIDENCE, diagnose
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.query import Entry

SMSTS, SETUPACT = r"C:\Windows\CCM\Logs\smsts.log", r"C:\Windows\Panther\UnattendGC\setupact.log"
ATTEMPT = "Setting the client into provisioning mode"
CALL = r"ns.ExecMethod( c_szWmiClass_SmsClient, inParams, &outParams ), HRESULT=80004005 (..\WmiNamespace.cpp,1391)"
FAILED = "Failed to put client in provisioning mode (0x80004005)"
OEM = "[windeploy.exe] OEM license detected, will not run SetupComplete.cmd"
MESSAGES = st.lists(
    st.tuples(st.sampled_from([SMSTS, SETUPACT, "x.log"]), st.sampled_from([ATTEMPT, CALL, FAILED, OEM, "", "else"])),
    max_size=30,
)


def found(messages: list[tuple[str, str]], logs: tuple[str, ...] = (SMSTS, SETUPACT)) -> dict[str, bool | None]:
    entries = [Entry(log, Record(message)) for log, message in messages]
    return {each.id: each.found for each in diagnose(entries, logs, "2 logs")}


@pytest.mark.parametrize(
    ("messages", "failed"),
    [
        ([], False),
        ([ATTEMPT], False),
        ([ATTEMPT, CALL, FAILED], True),
        ([FAILED], True),
        ([ATTEMPT, FAILED, ATTEMPT], False),
        ([ATTEMPT, ATTEMPT, FAILED, "else"], True),
        ([ATTEMPT, "Exiting SetClientProvisioningMode 0x00000000"], False),
        ([ATTEMPT, "Exiting SetClientProvisioningMode 0x80070005"], True),
        ([CALL, OEM], False),
    ],
)
def test_last_attempt_decides(messages: list[str], failed: bool) -> None:
    result = found([(SMSTS, message) for message in messages])
    assert result == {"failed_entry": failed, "oem_key": False, "nothing_seen": not failed}


def test_log_decides_what_a_line_means() -> None:
    assert found([(SETUPACT, FAILED), (SMSTS, OEM)])["nothing_seen"] is True
    rotated = r"C:\Windows\CCM\Logs\smsts-20261102-080000.log"
    assert found([(rotated, FAILED)], (rotated,))["failed_entry"] is True


@given(MESSAGES)
def test_every_diagnosis_has_its_evidence_and_its_advice(messages: list[tuple[str, str]]) -> None:
    entries = [Entry(log, Record(message)) for log, message in messages]
    result = {each.id: each for each in diagnose(entries, [SMSTS, SETUPACT], "2 logs")}
    assert list(result) == ["failed_entry", "oem_key", "nothing_seen"]
    for name in ("failed_entry", "oem_key"):
        each = result[name]
        assert bool(each.found) == bool(each.evidence) == bool(each.what_to_do)
        assert len(each.evidence) <= MOST_EVIDENCE
        assert all(entry in entries for entry in each.evidence)
        assert each.means.endswith((".", ")."))
    assert result["nothing_seen"].found is not (result["failed_entry"].found or result["oem_key"].found)


@given(st.sets(st.sampled_from([SMSTS, SETUPACT, "CcmExec.log"])))
def test_nothing_is_said_of_logs_that_were_not_read(logs: set[str]) -> None:
    result = found([], tuple(logs))
    assert result["failed_entry"] is (False if SMSTS in logs else None)
    assert result["oem_key"] is (False if SETUPACT in logs else None)
    assert result["nothing_seen"] is True
