#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has a ConfigMgr client leave provisioning mode through the site, for a computer that WinRM does not reach."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_provisioning_mode
short_description: Has a client leave provisioning mode through its site
version_added: 1.0.0
description:
  - For computers that WinRM does not reach. The site runs two scripts of this collection there, which
    M(configmgr.client.site_script) creates and somebody approves.
  - The first one only reads. Its answer gets the same verdict, by the same rules, as over WinRM, and only a client that
    is stuck, overdue or half exited is released.
  - The second one asks the client again whether anything speaks against it, and then has a process of its own call
    the client's method half a minute later, which asks once more right before. So no restart of the client loses an
    answer.
  - The first script then reads back until the mode is left, and the site tells the client to fetch policy.
  - Whether a site reaches a client in the mode at all is not certain. One that does not answer is left alone, and
    RV(outcome) says so.
options:
  name:
    description:
      - Name of the device, or its resource id where the site has several of that name.
      - The default is the host that the task runs for.
    type: str
  enabled:
    description: The state to be in. Entering the mode through a site is not offered.
    type: bool
    required: true
  minimum_age:
    description:
      - Minutes that a client must have been in the mode before it can count as V(stuck).
      - The script itself refuses one that entered the mode less than 15 minutes ago.
    type: int
    default: 240
  trigger:
    description:
      - Notifications to send to a client that has left the mode, in this order, by the names that
        M(configmgr.client.site_client_notification) takes. An empty list sends none.
    type: list
    elements: str
    default: [machine_policy, application_evaluation]
  answer_timeout:
    description: Seconds to wait for a script's answer. It takes some twenty where all is well.
    type: int
    default: 120
  wait_timeout:
    description:
      - Seconds to wait until the change is read back, of which half a minute goes by before it is made.
      - Together with twice the O(answer_timeout), must be shorter than O(deadline).
    type: int
    default: 300
  audit_path:
    description:
      - A file on the controller to which a line of JSON is added, and flushed to the disk, before each request that has
        something changed on the client, and another when its end is known. R(The audit trail,
        ansible_collections.configmgr.client.docsite.guide_releasing.audit) describes them.
      - Where the file cannot be opened the task fails before anything is sent. Nothing is added in check mode.
    type: path
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._site
seealso:
  - module: configmgr.client.provisioning_mode
  - module: configmgr.client.site_script
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Release the client if it is stuck
  configmgr.client.site_provisioning_mode:
    provider: cm01.corp.example
    enabled: false
"""

RETURN = r"""
outcome:
  description:
    - What the site could learn of the client.
    - V(answered) it told its state. V(offline) the site does not see it, so nothing was asked. V(no_answer) it was
      silent. V(expired) the site gave the script up. V(failed) the script failed. V(not_understood) it printed
      something else. V(refused) its own guard did not let it leave the mode.
  returned: success
  type: str
  sample: answered
action:
  description: What was done, or would be in check mode. V(none) means that nothing was.
  returned: success
  type: str
  sample: released
left_alone:
  description: Why the client was left alone; empty where it was not.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: "Released. In provisioning mode for 1 d 6 h, and nothing runs."
steps:
  description: The steps taken, or that would be in check mode. Each has C(step) and C(argument).
  returned: success
  type: list
  elements: dict
  sample:
    - {step: set_mode, argument: false}
    - {step: notify, argument: machine_policy}
    - {step: notify, argument: application_evaluation}
operations:
  description: Numbers of the site's operations for this task, in order.
  returned: success
  type: list
  elements: int
  sample: [16777463, 16777464, 16777465]
verdict:
  description:
    - The verdict before the change, V(unknown) where the client did not tell its state.
    - Everything else that M(configmgr.client.provisioning_mode_info) returns is returned too, as it was then, but for
      the difference of the clocks.
  returned: success
  type: str
  sample: stuck
summary:
  description: The verdict as a sentence, with its reason.
  returned: success
  type: str
  sample: In provisioning mode for 1 d 6 h, and nothing runs.
provisioning_mode:
  description: C(ProvisioningMode) as read back last.
  returned: success
  type: bool
  sample: false
system_task_excludes:
  description: C(SystemTaskExcludes) as read back last.
  returned: success
  type: str
  sample: ""
evidence:
  description: What was seen before the change. Each item has C(signal), C(value) and C(means).
  returned: success
  type: list
  elements: dict
  sample:
    - {signal: mode, value: "true", means: in provisioning mode}
timeline:
  description: As in M(configmgr.client.provisioning_mode_info), before the change.
  returned: success
  type: dict
  sample: {entered_at: "2026-11-01T02:00:00Z", age_minutes: 1800}
retryable:
  description: Whether another try may find it otherwise, as of a client that is offline or silent.
  returned: success
  type: bool
  sample: false
via:
  description: Which way was taken.
  returned: success
  type: str
  sample: site
device:
  description: The device as the site names it, with its C(resource_id) and C(name).
  returned: success
  type: dict
  sample: {resource_id: 16777221, name: PC-0007}
"""

import typing as t

from ansible_collections.configmgr.client.plugins.module_utils._adminservice.errors import AdminServiceError
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import TrailBroken
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.plan import (
    Action,
    Exit,
    Plan,
    difference,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.result import as_result
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    DEFAULT_MINIMUM_AGE,
    PASSING,
    Verdict,
    assess,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import (
    DONE,
    FAILED,
    REFUSED,
    UNKNOWN,
    Write,
    attempted,
)
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, TaskFailed, sentence
from ansible_collections.configmgr.client.plugins.module_utils._site.client_state import Left, Silent, SiteClient
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._site.devices import Device
from ansible_collections.configmgr.client.plugins.module_utils._site.operations import NOTIFICATIONS, notify
from ansible_collections.configmgr.client.plugins.module_utils._site.own_scripts import LEAVE_MODE, READ_MODE
from ansible_collections.configmgr.client.plugins.module_utils._site.script_store import Stored, usable
from ansible_collections.configmgr.client.plugins.module_utils._site.target import target
from ansible_collections.configmgr.client.plugins.module_utils._site.waiting import until
from ansible_collections.configmgr.client.plugins.module_utils._site_module import SiteTask, main
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ConnectionLost, ProtocolError

ARGUMENT_SPEC = {
    "name": {"type": "str"},
    "enabled": {"type": "bool", "required": True},
    "minimum_age": {"type": "int", "default": DEFAULT_MINIMUM_AGE},
    "trigger": {"type": "list", "elements": "str", "default": ["machine_policy", "application_evaluation"]},
    "answer_timeout": {"type": "int", "default": 120},
    "wait_timeout": {"type": "int", "default": 300},
    "audit_path": {"type": "path"},
    **SITE_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options, before anything is sent."""
    if params["enabled"]:
        return "enabled=true cannot be had through a site: use the module provisioning_mode over WinRM, or give false"
    for number, kind in enumerate(params["trigger"]):
        if kind not in NOTIFICATIONS:
            return f"trigger[{number}]={kind!r} is no notification: give one of {', '.join(NOTIFICATIONS)}"
    needed = 2 * params["answer_timeout"] + params["wait_timeout"]
    if needed >= params["deadline"]:
        return (
            f"twice answer_timeout={params['answer_timeout']} and wait_timeout={params['wait_timeout']} are {needed},"
            f" which must be less than deadline={params['deadline']} (seconds)"
        )
    return None


def run(task: SiteTask) -> Result:
    service, params = task.service, task.params
    device = target(service, task.site, params["name"])
    result: Result = {
        "changed": False,
        "action": "none",
        "steps": [],
        "operations": [],
        "via": "site",
        "device": {"resource_id": device.resource_id, "name": device.name},
    }
    if not device.online:
        since = "it was never online" if device.online is None else "it is offline"
        return {**result, **_untold(f"{since} by the site's notification channel", "offline")}
    read, leave = usable(service, READ_MODE), usable(service, LEAVE_MODE)
    client = SiteClient(service, device.resource_id, params["answer_timeout"], task.deadline)
    result["operations"] = client.operations
    try:
        state = client.read(read)
    except Silent as silence:
        return {**result, **_untold(str(silence), silence.outcome)}
    return {**result, **_release(task, device, client, state, read, leave)}


def _release(
    task: SiteTask, device: Device, client: SiteClient, state: ClientState, read: Stored, leave: Stored
) -> Result:
    """What came of a client that has told its *state*."""
    assessment = assess(state, task.params["minimum_age"])
    result: Result = {**as_result(state, assessment, device.name), "clock_skew_seconds": None, "outcome": "answered"}
    result.update(left_alone="", retryable=assessment.verdict in PASSING)
    plan = Exit(task.params["minimum_age"]).plan(state)
    if plan.left_alone:
        return {**result, "left_alone": plan.left_alone, "msg": f"Left alone. {plan.left_alone}"}
    if not plan.has(Action.SET_MODE):
        others = ", ".join(step.action.value for step in plan.steps)
        if others:
            reason = f"{assessment.summary} What is to be done ({others}) needs WinRM."
            return {**result, "left_alone": reason, "msg": f"Left alone. {reason}"}
        return {**result, "msg": f"Nothing to do. {assessment.summary}"}
    if not result["name_matches"]:
        reason = f"the machine that answers calls itself {result['computer_name']}, and the site {device.name}"
        return {**result, "left_alone": reason, "msg": f"Left alone. {sentence(reason)}"}
    steps = [step for step in plan.steps if step.action is Action.SET_MODE]
    before, after = difference(state, Plan(steps))
    result["diff"] = {"before": before, "after": after}
    notifications = list(task.params["trigger"])
    told = [*(step.as_result() for step in steps), *map(_told, notifications)]
    result.update(action="released", changed=True, steps=told)
    if task.check_mode:
        return {**result, "msg": f"Would be released. {assessment.summary}"}
    left = _leave(task, device, client, state, leave)
    if left is not None and left.result == "refused":
        reason = f"the client's own guard refused: {left.reason}"
        undone = {"action": "none", "changed": False, "steps": [], "retryable": True, "outcome": "refused"}
        result.pop("diff")
        return {**result, **undone, "left_alone": reason, "msg": f"Left alone. {sentence(reason)}"}
    current = _read_back(task, client, read)
    warnings = _notify(task, device, client, notifications)
    if current.client_service is not None and current.client_service.disabled:
        warnings.append("the client's service is left disabled, as by an upgrade that died: enabling it needs WinRM")
    return {
        **result,
        "provisioning_mode": current.mode.enabled,
        "system_task_excludes": current.mode.excludes,
        "warnings": warnings,
        "msg": f"Released. {assessment.summary}",
    }


def _leave(task: SiteTask, device: Device, client: SiteClient, state: ClientState, script: Stored) -> Left | None:
    """What the client said to it; None where that is not known: reading it back will tell. Raises TaskFailed."""
    write, asked = Write(Action.SET_MODE.value, False, state.mode.text, "false"), len(client.operations)
    try:
        with _attempted(task, device, client, write, f"RunScript {LEAVE_MODE.file}") as tell:
            try:
                left = client.leave(script)
            except (Silent, ConnectionLost, ProtocolError) as error:
                task.log(f"what became of the script is not known: {error}")
                tell(UNKNOWN, str(error))
                return None
            if left.result == "started":
                tell(DONE, "")
            else:
                tell(REFUSED, left.reason)
            return left
    except TrailBroken as error:
        sent = len(client.operations) > asked
        told = {"changed": sent, "operations": client.operations, "via": "site", "error_layer": "audit"}
        raise TaskFailed(f"{error}.", {**told, "retryable": False}) from error


def _attempted(
    task: SiteTask, device: Device, client: SiteClient, write: Write, operation: str
) -> t.ContextManager[t.Callable[[str, str], None]]:
    return attempted(task.keep, write, operation, "site", device.name, lambda: len(client.operations))


def _read_back(task: SiteTask, client: SiteClient, read: Stored) -> ClientState:
    """The state once the mode is left. Raises TaskFailed."""
    last = "it did not answer"

    def look() -> ClientState | None:
        nonlocal last
        try:
            state = client.read(read)
        except (Silent, ConnectionLost, AdminServiceError) as error:
            last = str(error)
            return None
        last = f"the mode is {state.mode.text} and the excludes are {state.mode.excludes!r}"
        return state if state.mode.exited else None

    seconds = task.params["wait_timeout"]
    found = until(seconds, task.deadline, look)
    if found is None:
        raise TaskFailed(
            f"The client was told to leave the mode, and that could not be read back within {seconds} s: {last}. It may"
            " have left it, or may yet",
            {"changed": True, "operations": client.operations, "outcome": "not_verified", "via": "site"},
        )
    return found


def _notify(task: SiteTask, device: Device, client: SiteClient, kinds: t.Iterable[str]) -> list[str]:
    """Sends them; one that cannot be sent is a warning, since the exit stands without it."""
    warnings = []
    for kind in kinds:
        with _attempted(task, device, client, Write("notify", kind), "InitiateClientOperation") as tell:
            try:
                client.operations.append(notify(task.service, kind, resources=[device.resource_id]))
            except (AdminServiceError, ConnectionLost, ProtocolError) as error:
                warnings.append(f"the notification {kind} could not be sent: {error}")
                tell(FAILED if isinstance(error, AdminServiceError) else UNKNOWN, str(error))
            else:
                tell(DONE, "")
    return warnings


def _told(kind: str) -> dict[str, t.Any]:
    return {"step": "notify", "argument": kind}


def _untold(reason: str, outcome: str) -> Result:
    """The result where the client did not tell its state."""
    return {
        "outcome": outcome,
        "verdict": Verdict.UNKNOWN.value,
        "summary": sentence(reason),
        "evidence": [{"signal": "site", "value": outcome, "means": reason}],
        "timeline": None,
        "provisioning_mode": None,
        "system_task_excludes": None,
        "left_alone": reason,
        "retryable": outcome != "not_understood",
        "msg": f"Left alone. {sentence(reason)}",
    }


if __name__ == "__main__":
    main(ARGUMENT_SPEC)
