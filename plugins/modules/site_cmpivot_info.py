#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks all clients of a collection at once, by CMPivot, whether they are in provisioning mode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_cmpivot_info
short_description: Asks all clients of a collection at once whether they are in provisioning mode
version_added: 1.0.0
description:
  - One question by CMPivot to all clients of a collection that are online, for the mode, the time of entry and the
    limit. What it costs the site does not depend on how many there are, but for the pages of the answer.
  - A client that did not answer is in RV(no_answer) or RV(offline), and never taken for one outside of the mode.
    Whether CMPivot reaches a client that is in the mode is not certain.
  - With O(evidence) seven more questions tell what else decides, and each client in the mode has its verdict. Without
    it, and where the site does not tell who answered, such a client is V(unknown).
  - The site gives 100,000 cells of an answer and no more. Of a collection of more than 8,333 clients only those are
    told one by one that are in the mode, or half out of it, with the verdict V(unknown); who answered without a row is
    V(normal), and O(evidence) has no effect. Ask a smaller collection for their verdicts.
  - Nothing is changed on a client, and nothing needs an approval on the site.
options:
  collection:
    description: Id or name of a collection of devices.
    type: str
    default: SMS00001
  evidence:
    description:
      - Asks as well for what runs there. Command lines are not seen this way, so that a C(setup.exe) counts by its
        place alone. M(configmgr.client.site_provisioning_mode) sees them.
    type: bool
    default: false
  minimum_age:
    description: Minutes that a client must have been in the mode before it can count as V(stuck).
    type: int
    default: 240
  wait_timeout:
    description:
      - Seconds to wait until all clients that are online have answered. What came by then counts. Must be shorter than
        O(deadline).
    type: int
    default: 180
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._site
seealso:
  - module: configmgr.client.fleet_info
  - module: configmgr.client.site_device_info
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Which clients of the pilot say that they are in the mode
  configmgr.client.site_cmpivot_info:
    provider: cm01.corp.example
    collection: Pilot
    evidence: true
  register: site
  run_once: true

- name: Say who they are
  ansible.builtin.debug:
    msg: "{{ site.msg }} {{ site.devices | map(attribute='name') | join(', ') }}"
  run_once: true
"""

RETURN = r"""
devices:
  description:
    - The clients that answered and are not V(normal), by their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the device.
      type: str
    resource_id:
      description: Its number on the site.
      type: int
    verdict:
      description: As of M(configmgr.client.provisioning_mode_info).
      type: str
    summary:
      description: The verdict as a sentence.
      type: str
    provisioning_mode:
      description: C(ProvisioningMode).
      type: bool
    system_task_excludes:
      description: C(SystemTaskExcludes).
      type: str
    timeline:
      description: When it was entered and when it ends, by the site's clock.
      type: dict
    evidence:
      description: What was seen. Each item has C(signal), C(value) and C(means).
      type: list
      elements: dict
counts:
  description: How many members have each verdict, are V(offline), or gave V(no_answer).
  returned: success
  type: dict
  sample: {normal: 812, stuck: 3, offline: 140, no_answer: 2}
verdicts:
  description: Names of the members that answered, by verdict.
  returned: success
  type: dict
  sample: {normal: [PC-0001, PC-0002], stuck: [PC-0007]}
no_answer:
  description: Names of the members that are online and did not answer.
  returned: success
  type: list
  elements: str
  sample: [PC-0007]
offline:
  description: Names of the members that the site does not see.
  returned: success
  type: list
  elements: str
  sample: []
complete:
  description: Whether the site gave all rows. One result has 100,000 cells at the most.
  returned: success
  type: bool
  sample: true
operations:
  description: Numbers of the site's operations.
  returned: success
  type: list
  elements: int
  sample: [16777463]
msg:
  description: What was found, in a sentence.
  returned: success
  type: str
  sample: "Collection Pilot: 815 of 957 members answered, of which 3 are in provisioning mode."
"""

import typing as t
from collections import Counter, defaultdict

from ansible_collections.configmgr.client.plugins.module_utils._adminservice.row import Row
from ansible_collections.configmgr.client.plugins.module_utils._argspec import wait_problem
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import pivot
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.result import as_result
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.timeline import timeline
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    DEFAULT_MINIMUM_AGE,
    Verdict,
    assess,
)
from ansible_collections.configmgr.client.plugins.module_utils._module import Result
from ansible_collections.configmgr.client.plugins.module_utils._site import devices
from ansible_collections.configmgr.client.plugins.module_utils._site.cmpivot import MOST_CELLS, Answers, answers, ask
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._site.devices import Device
from ansible_collections.configmgr.client.plugins.module_utils._site_module import SiteTask, main
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline

ARGUMENT_SPEC = {
    "collection": {"type": "str", "default": "SMS00001"},
    "evidence": {"type": "bool", "default": False},
    "minimum_age": {"type": "int", "default": DEFAULT_MINIMUM_AGE},
    "wait_timeout": {"type": "int", "default": 180},
    **SITE_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options, before anything is sent."""
    if not params["collection"].strip():
        return "collection is empty: give its id or its name"
    return wait_problem(params)


def run(task: SiteTask) -> Result:
    service, params = task.service, task.params
    collection = devices.collection(service, params["collection"])
    members = [
        device
        for device in devices.of_resources(service, devices.members(service, collection.id))
        if device.is_client and not device.is_obsolete
    ]
    questions = {"mode": pivot.MODE, **(pivot.EVIDENCE if params["evidence"] else {})}
    if len(members) > _MOST_CLIENTS:
        questions = {"mode": pivot.UNUSUAL}
    operations = {signal: ask(service, collection.id, query) for signal, query in questions.items()}
    patience = Deadline(params["wait_timeout"])
    found = {
        signal: answers(service, collection.id, operation, patience, task.deadline)
        for signal, operation in operations.items()
    }
    told = _Told(found, unusual=questions["mode"] == pivot.UNUSUAL)
    counts: Counter[str] = Counter()
    silent: dict[str, list[str]] = {"offline": [], "no_answer": []}
    unusual = []
    verdicts: dict[str, list[str]] = defaultdict(list)
    names = Counter(device.name.lower() for device in members)
    for device in members:
        state = None
        if names[device.name.lower()] == 1:  # rows name devices by their names alone
            state = pivot.state_of(told.rows(device), task.now, device.client_version, device.name)
        if state is None:
            kind = "no_answer" if device.online else "offline"
            silent[kind].append(device.name)
            counts[kind] += 1
            continue
        assessment = assess(state, params["minimum_age"])
        counts[assessment.verdict.value] += 1
        verdicts[assessment.verdict.value].append(device.name)
        if assessment.verdict is not Verdict.NORMAL:
            facts = as_result(state, assessment, device.name)
            kept = {name: facts[name] for name in _KEPT}
            # By the site's clock, which is known where the client's own was not asked for.
            times = timeline(state.entered, state.max_minutes, device.client_version, task.now, in_mode=_is_in(state))
            kept["timeline"] = times.as_result()
            unusual.append({"name": device.name, "resource_id": device.resource_id, **kept})
    answered = len(members) - len(silent["offline"]) - len(silent["no_answer"])
    in_mode = sum(1 for each in unusual if each["provisioning_mode"])
    return {
        "changed": False,
        "devices": sorted(unusual, key=lambda each: str(each["name"])),
        "counts": dict(counts),
        "verdicts": {verdict: sorted(names_of) for verdict, names_of in verdicts.items()},
        "no_answer": sorted(silent["no_answer"]),
        "offline": sorted(silent["offline"]),
        "complete": all(each is not None and each.complete for each in found.values()),
        "operations": list(operations.values()),
        "warnings": [*_warnings(found, names), *([_MANY] if params["evidence"] and told.unusual else [])],
        "msg": f"Collection {collection.name}: {answered} of {len(members)} members answered, of which {in_mode}"
        f" {'is' if in_mode == 1 else 'are'} in provisioning mode.",
    }


_MOST_CLIENTS = MOST_CELLS // (4 * 3)
"""Each answers four values, of three columns."""
_MANY = (
    f"the collection has more than {_MOST_CLIENTS} clients, so evidence was not asked for: ask smaller collections for"
    " the verdicts of those in the mode"
)
_KEPT = ("verdict", "summary", "provisioning_mode", "system_task_excludes", "evidence")


def _is_in(state: ClientState) -> bool:
    return state.mode.enabled is not False


class _Told:
    """The rows of all questions, by the devices that they name."""

    def __init__(self, found: t.Mapping[str, Answers | None], unusual: bool) -> None:
        self._found = found
        self.unusual = unusual
        self._by_name: dict[str, dict[str, list[pivot.Fields]]] = {}
        for signal, each in found.items():
            rows: dict[str, list[pivot.Fields]] = defaultdict(list)
            for row in each.rows if each else ():
                rows[str(row.get("Device") or "").lower()].append(_fields(row))
            self._by_name[signal] = rows

    def rows(self, device: Device) -> pivot.Rows:
        name = device.name.lower()
        evidence = {}
        for signal, each in self._found.items():
            if signal == "mode" or each is None:
                continue
            said = self._by_name[signal].get(name)
            if said is not None:
                evidence[signal] = said
            elif each.answered is not None and device.resource_id in each.answered and each.complete:
                evidence[signal] = []
        asked = [signal for signal in self._found if signal != "mode"]
        mode, told = self._by_name["mode"].get(name, []), self._found["mode"]
        if self.unusual and told and told.complete and (mode or device.resource_id in (told.answered or ())):
            mode = pivot.with_usual(mode)
        return pivot.Rows(mode, evidence, asked, self.unusual)


def _fields(row: Row) -> pivot.Fields:
    return {name: None if value is None else str(value) for name, value in row.items()}


def _warnings(found: t.Mapping[str, Answers | None], names: t.Mapping[str, int]) -> list[str]:
    warnings = [f"the question for {signal} had no answer" for signal, each in found.items() if each is None]
    cut = [signal for signal, each in found.items() if each is not None and not each.complete]
    if cut:
        warnings.append(
            f"the site did not give all rows of {', '.join(cut)}: ask smaller collections to hear of everybody"
        )
    doubled = sorted(name for name, count in names.items() if count > 1)
    if doubled:
        warnings.append(f"devices of one name, whose answers cannot be told apart: {', '.join(doubled)}")
    return warnings


if __name__ == "__main__":
    main(ARGUMENT_SPEC)
