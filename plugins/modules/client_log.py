#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads logs of a ConfigMgr client and of Windows Setup, and says what they tell about provisioning mode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_log
short_description: Reads logs of a ConfigMgr client and gives diagnoses
version_added: 1.0.0
description:
  - Reads the newest end of logs of the client and of Windows Setup, returns their records with times in UTC, and looks
    for two known reasons why a client cannot enter provisioning mode or stays in it.
  - Changes nothing. B(Starts PowerShell on the endpoint), once and only where there is a log to read, unlike the other
    modules. WMI tells whether a file exists and how large it is, but cannot read it, and the other way without a file
    transfer is a shell that prints the whole file. The script reads only the bytes that are asked for, while the client
    goes on writing the log.
  - The account needs to be an administrator of the endpoint. PowerShell must not be confined to the constrained
    language mode.
options:
  name:
    description:
      - A log's file name, such as V(CcmExec.log), in the folder that the registry names as the client's.
      - V(smsts.log) is looked for in C(SMSTSLog) below it and in C(_SMSTaskSequence\Logs) as well, V(setupact.log) and
        V(setuperr.log) in C(Windows\Panther) and C(Panther\UnattendGC), V(ccmsetup.log) in C(Windows\ccmsetup\Logs).
      - Or a set of logs.
      - V(provisioning) is C(smsts.log) and C(setupact.log), which the diagnoses look at.
      - V(client) is C(CcmExec.log), C(CcmRestart.log), C(CcmEval.log), C(SmsClientMethodProvider.log) and
        C(PolicyAgent.log).
      - V(task_sequence) is C(smsts.log) and C(execmgr.log). V(setup) is C(setupact.log) and C(setuperr.log).
      - The default is V(provisioning), unless O(path) is given.
    type: str
  path:
    description:
      - Full path of a log instead of O(name). It must end with C(.log) or C(.lo_) and lie in C(CCM\Logs) or its
        C(SMSTSLog), in C(_SMSTaskSequence\Logs) or its C(SMSTSLog), in C(ccmsetup\Logs), in C(Windows\Panther), or in
        C(Windows\Panther\UnattendGC).
    type: str
  component:
    description: Returns only records of this component, in any case.
    type: str
  severity:
    description: Returns only records that are at least this severe.
    type: str
    choices: [info, warning, error]
    default: info
  since:
    description:
      - Leaves out older records. Either minutes back from the endpoint's own clock, such as V(90), or a date and time
        in UTC, such as V(2026-11-02T08:00:00Z).
      - A record without a time counts as old as the one before it in its log, or else as the first one that has a time.
      - A record whose time cannot be read is never left out, and neither is one of a log that tells no times at all. A
        warning says so.
    type: str
  until:
    description: Leaves out newer records. As O(since).
    type: str
  pattern:
    description:
      - Returns only records in whose message this regular expression of Python occurs. V((?i\)) at its start ignores
        case.
      - The task fails if the search takes more than ten seconds.
    type: str
  max_bytes:
    description: Bytes to read of each log, from its newest end. From 1024 to 4194304.
    type: int
    default: 262144
  max_records:
    description: Records to return, the newest ones. From 1 to 10000.
    type: int
    default: 200
  rotated:
    description:
      - Reads the older generations of each log as well, C(NAME-YYYYMMDD-HHMMSS.log) and C(NAME.lo_), the newest first,
        until O(max_bytes) of that log are used up.
    type: bool
    default: false
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._connection
seealso:
  - module: configmgr.client.provisioning_mode_info
  - module: configmgr.client.smstsmgr_dependency
  - ref: ansible_collections.configmgr.client.docsite.guide_logs
    description: The diagnoses, and how the logs are read.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look for known reasons in the logs
  configmgr.client.client_log:
  register: logs

- name: Say what was found, and what to do
  ansible.builtin.debug:
    msg: "{{ logs.diagnoses | selectattr('found', 'true') }}"

- name: Read the warnings and errors of the last two hours
  configmgr.client.client_log:
    name: client
    severity: warning
    since: 120

- name: Follow one component through a task sequence and the logs before
  configmgr.client.client_log:
    path: C:\Windows\CCM\Logs\smsts.log
    component: OSDUpgradeWindows
    rotated: true
    max_bytes: 1048576
"""

RETURN = r"""
records:
  description: The records that were asked for, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    time:
      description:
        - Time in UTC; null where the record tells none, or one that cannot be read, which is then in
          RV(records[].unread_time).
        - The logs of Windows Setup are in local time. It is taken for the time zone that the endpoint has now.
      type: str
      sample: "2026-11-02T07:15:30.123Z"
    unread_time:
      description:
        - What the record gives as its time where that cannot be read, and empty otherwise.
        - A date such as V(02/11/2026), which may be in February or in November, is not read.
      type: str
      sample: ""
    component:
      description: Part of the client, or program, that wrote the record; empty where it is not told.
      type: str
      sample: OSDUpgradeWindows
    severity:
      description:
        - V(info), V(warning) or V(error).
        - The older format of CMTrace has no place for it. There it is taken from a message that begins with C(Error:)
          or C(Warning:), and V(info) otherwise.
      type: str
      sample: error
    thread:
      description: Number of the thread; empty where it is not told.
      type: str
      sample: "10216"
    source:
      description: File and line of the source code that wrote the record; empty where it is not told.
      type: str
      sample: upgradewindows.cpp:704
    message:
      description:
        - The message, which may have several lines.
        - A code in brackets that a line of Windows Setup has before its component stands at its beginning.
      type: str
      sample: Failed to put client in provisioning mode (0x80004005)
    log:
      description: Path of the log.
      type: str
      sample: C:\Windows\CCM\Logs\smsts.log
    complete:
      description: Whether the whole record was there. False at the border of what was read, and for damaged records.
      type: bool
      sample: true
records_left_out:
  description: Older records that were asked for too, beyond O(max_records).
  returned: success
  type: int
  sample: 0
counts:
  description: Numbers of records that were asked for, by severity, those left out included.
  returned: success
  type: dict
  sample: {info: 120, warning: 2, error: 7}
times_unreadable:
  description: Number of records, of the period that was asked for, whose time cannot be read. A warning shows one.
  returned: success
  type: int
  sample: 0
diagnoses:
  description:
    - Conclusions from all records of the period, whatever O(component), O(severity), O(pattern) and O(max_records).
    - V(failed_entry) is an in-place upgrade that could not put the client into the mode. V(oem_key) is Windows Setup
      that did not run C(SetupComplete.cmd), so that the task sequence did not go on. V(nothing_seen) is neither.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: V(failed_entry), V(oem_key) or V(nothing_seen).
      type: str
      sample: failed_entry
    found:
      description: Whether the logs show it; null where no log was read that would.
      type: bool
      sample: true
    means:
      description: What that means, in a sentence.
      type: str
      sample: No attempt to enter the mode that failed was seen in smsts.log.
    evidence:
      description: The records that show it, at most ten, as in RV(records).
      type: list
      elements: dict
      sample: []
    what_to_do:
      description: What to do about it.
      type: list
      elements: str
      sample: []
files:
  description: The files that were looked for.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Full path.
      type: str
      sample: C:\Windows\CCM\Logs\smsts.log
    exists:
      description: Whether there is such a file.
      type: bool
      sample: true
    size:
      description: Bytes of the file.
      type: int
      sample: 1840233
    modified:
      description: Last write in UTC as WMI tells it; null where there is no such file.
      type: str
      sample: "2026-11-02T07:15:30.123Z"
    bytes_read:
      description: Bytes that were read of it.
      type: int
      sample: 262144
    truncated:
      description: Whether older bytes were left out.
      type: bool
      sample: true
    problem:
      description: Why it could not be read; empty where it could.
      type: str
      sample: ""
  sample: []
msg:
  description: What was read and found, in a sentence.
  returned: always
  type: str
  sample: Read 262144 bytes of 1 log with 129 records. Found failed_entry.
"""

import datetime as dt

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client.logs import cmtrace, locations, query, reader
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.diagnosis import Diagnosis, diagnose
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.query import Entry
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.reader import Log
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.search import TookTooLong
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main

DEFAULT_NAME = "provisioning"
LIMITS = {"max_bytes": (1024, 4 * 1024 * 1024), "max_records": (1, 10_000)}

ARGUMENT_SPEC = {
    "name": {"type": "str"},
    "path": {"type": "str"},
    "component": {"type": "str"},
    "severity": {"type": "str", "choices": list(cmtrace.SEVERITIES), "default": "info"},
    "since": {"type": "str"},
    "until": {"type": "str"},
    "pattern": {"type": "str"},
    "max_bytes": {"type": "int", "default": 262144},
    "max_records": {"type": "int", "default": 200},
    "rotated": {"type": "bool", "default": False},
    **CONNECTION_SPEC,
}
ARGUMENT_RULES = {"mutually_exclusive": [("name", "path")]}


def check(params: Result) -> str | None:
    """What is wrong with the options, before anything is sent."""
    for option, (least, most) in LIMITS.items():
        if not least <= params[option] <= most:
            return f"{option}={params[option]} is out of range: give {least} to {most}"
    if params["name"] is not None and (wrong := locations.name_problem(params["name"])):
        return wrong
    if params["path"] is not None and (wrong := locations.path_problem(params["path"])):
        return wrong
    since, until = params["since"], params["until"]
    return (
        query.moment_problem("since", since)
        or query.moment_problem("until", until)
        or query.order_problem(since, until)
        or query.pattern_problem(params["pattern"])
    )


def run(task: Task) -> Result:
    params = task.params
    here = task.endpoint.system.operating_system()
    found = reader.read_logs(
        task.endpoint,
        _paths(task, here.system_directory),
        max_bytes=params["max_bytes"],
        rotated=params["rotated"],
    )
    offset = here.offset_minutes or 0
    everything = [Entry(log.path, record) for log in found for record in cmtrace.read(log.end.data, offset)]
    entries = query.in_period(everything, query.period(params["since"], params["until"], here.now))
    unread = [entry for entry in entries if entry.record.unread_time]
    wanted = _matching(task, entries)
    shown = wanted[-params["max_records"] :]
    readable = [log.path for log in found if log.was_read]
    amount = (
        f"{sum(len(log.end.data) for log in found)} bytes of {len(readable)} log{'' if len(readable) == 1 else 's'}"
    )
    diagnoses = diagnose(entries, readable, amount + _span(entries))
    return {
        "changed": False,
        "records": [_record(entry) for entry in shown],
        "records_left_out": len(wanted) - len(shown),
        "counts": {
            severity: sum(entry.record.severity == severity for entry in wanted) for severity in cmtrace.SEVERITIES
        },
        "times_unreadable": len(unread),
        "diagnoses": [_diagnosis(each) for each in diagnoses],
        "files": [_file(log) for log in found],
        "msg": _message(found, amount, len(wanted), diagnoses),
        "warnings": _warnings(task, unread, query.logs_without_times(everything)),
    }


def _paths(task: Task, system_directory: str) -> list[str]:
    if task.params["path"] is not None:
        return [task.params["path"]]
    try:
        where = locations.folders(reader.log_directory(task.endpoint), system_directory)
    except ValueError as error:
        raise TaskFailed(f"Nothing was read: {error}. Name one log with the option path.") from error
    return locations.paths(task.params["name"] or DEFAULT_NAME, where)


def _matching(task: Task, entries: list[Entry]) -> list[Entry]:
    component, severity, pattern = (task.params[option] for option in ("component", "severity", "pattern"))
    try:
        return query.matching(entries, component=component, severity=severity, pattern=pattern)
    except TookTooLong as error:
        raise TaskFailed(
            f"Searching for pattern={pattern!r} took more than {query.SEARCH_SECONDS:g} s: it backtracks too much."
            " Give one without repetitions inside of repetitions."
        ) from error


def _span(entries: list[Entry]) -> str:
    times = [entry.record.time for entry in entries if entry.record.time]
    return f" from {_iso(times[0])} to {_iso(times[-1])}" if times else ""


def _message(found: list[Log], amount: str, records: int, diagnoses: list[Diagnosis]) -> str:
    if not any(log.file for log in found):
        return f"There is no such log: {', '.join(log.path for log in found)}."
    problems = "".join(f" {log.path}: {log.end.problem}." for log in found if log.end.problem)
    seen = ", ".join(each.id for each in diagnoses if each.found and each.evidence)
    return f"Read {amount}, {records} records asked for.{problems}{f' Found {seen}.' if seen else ''}"


def _warnings(task: Task, unread: list[Entry], timeless: list[str]) -> list[str]:
    """What the filters by time do not know."""
    bounds = [option for option in ("since", "until") if task.params[option] is not None]
    kept = f" {' and '.join(bounds)} left none of them out." if bounds else ""
    warnings = []
    if unread:
        example, logs = unread[0], dict.fromkeys(entry.log for entry in unread)
        warnings.append(
            f"The time of {len(unread)} record{'' if len(unread) == 1 else 's'} cannot be read, such as"
            f" {example.record.unread_time[:60]!r}, in {', '.join(logs)}.{kept}"
        )
    if bounds and (timeless := [log for log in timeless if log not in {entry.log for entry in unread}]):
        warnings.append(f"No record has a time in {', '.join(timeless)}.{kept}")
    return warnings


def _record(entry: Entry) -> Result:
    record = entry.record
    return {
        "time": record.time and _iso(record.time),
        "unread_time": record.unread_time,
        "component": record.component,
        "severity": record.severity,
        "thread": record.thread,
        "source": record.source,
        "message": record.message,
        "log": entry.log,
        "complete": record.complete,
    }


def _diagnosis(diagnosis: Diagnosis) -> Result:
    return {
        "id": diagnosis.id,
        "found": diagnosis.found,
        "means": diagnosis.means,
        "evidence": [_record(entry) for entry in diagnosis.evidence],
        "what_to_do": diagnosis.what_to_do,
    }


def _file(log: Log) -> Result:
    return {
        "path": log.path,
        "exists": log.file is not None,
        "size": log.file.size if log.file and log.end.problem else log.end.size,
        "modified": _iso(log.file.modified) if log.file and log.file.modified else None,
        "bytes_read": len(log.end.data),
        "truncated": log.end.start > 0,
        "problem": log.end.problem,
    }


def _iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check, **ARGUMENT_RULES)
