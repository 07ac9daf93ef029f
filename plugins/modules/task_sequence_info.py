#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells whether a task sequence runs on an endpoint, waits for a restart, or is dead and has left something."""

from __future__ import annotations

DOCUMENTATION = r"""
module: task_sequence_info
short_description: Tells whether a task sequence runs, waits for a restart, or has left something behind
version_added: 1.0.0
description:
  - Answers why a task sequence stays at I(Installing) in Software Center, with the evidence.
  - Reads over WS-Management; starts no process on the endpoint and changes nothing.
  - A task sequence that died leaves its execution request behind. A request alone does not prove that anything runs.
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._connection
seealso:
  - module: configmgr.client.task_sequence_request
  - module: configmgr.client.provisioning_mode_info
  - ref: ansible_collections.configmgr.client.docsite.guide_verdicts.leftovers
    description: How a dead task sequence is told from one that runs.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look for task sequences
  configmgr.client.task_sequence_info:
  register: task_sequences

- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ task_sequences.state }}: {{ task_sequences.summary }}"
"""

RETURN = r"""
state:
  description:
    - V(running) has live evidence. With V(resume_pending) nothing runs, and Windows Setup goes on after a restart.
    - V(left_over) has nothing that runs, and something that a dead task sequence left. V(none) has neither.
    - V(unknown) means that a signal could not be read.
  returned: success
  type: str
  sample: left_over
summary:
  description: The state as a sentence, with its reason.
  returned: success
  type: str
  sample: "Nothing runs, and this was left: 1 execution request(s), 1 pause of software distribution."
evidence:
  description: What was seen. Each item has C(signal), C(value) and C(means).
  returned: success
  type: list
  elements: dict
  sample:
    - signal: request
      value: Ready/NotifyExecution/Failure
      means: the request {6D7C9B1E-52A0-4E0B-9E43-000000000001} is of a task sequence that does not run
execution_requests:
  description: The instances of C(CCM_TSExecutionRequest). Null where they could not be read.
  returned: success
  type: list
  elements: dict
  contains:
    request_id:
      description: C(RequestID), the key.
      type: str
      sample: "{6D7C9B1E-52A0-4E0B-9E43-000000000001}"
    advert_id:
      description: C(AdvertID), the deployment.
      type: str
      sample: ABC20010
    content_id:
      description: C(ContentID), the package.
      type: str
      sample: ABC00042
    package_name:
      description: C(MIFPackageName), the name of the task sequence.
      type: str
      sample: Upgrade to Windows 11
    program_id:
      description: C(ProgramID), C(*) for a task sequence.
      type: str
      sample: "*"
    state:
      description: C(State).
      type: str
      sample: Ready
    running_state:
      description: C(RunningState).
      type: str
      sample: NotifyExecution
    completion_state:
      description: C(CompletionState).
      type: str
      sample: Failure
    process_id:
      description: C(ProcessID); 0 where no process was started.
      type: int
      sample: 0
    process:
      description: Name of the running process with that id; null where there is none.
      type: str
      sample: TSManager.exe
    received_at:
      description: C(ReceivedTime), taken for UTC.
      type: str
      sample: "2026-11-01T02:00:00Z"
    age_minutes:
      description:
        - The least number of minutes since then, since it is not known whether the client writes UTC or local time.
        - Null where that cannot be determined.
      type: int
      sample: 1800
    maintenance_task:
      description: C(MTCHandle), the id of its maintenance request.
      type: str
      sample: "{3AAF7E53-0E4B-4C6F-8A6D-00000000A001}"
  sample: []
maintenance_requests:
  description:
    - The instances of C(SMS_MaintenanceTaskRequests), those of other kinds of software included.
    - Each has its keys in C(item) and its C(client). Null where they could not be read.
  returned: success
  type: list
  elements: dict
  sample:
    - {item: "TaskID={3AAF7E53-0E4B-4C6F-8A6D-00000000A001}", client: execmgr}
orphaned_policy:
  description: Keys of the policy instances that come from a task sequence. Null where they could not be read.
  returned: success
  type: list
  elements: str
  sample: []
software_distribution:
  description: C(Paused) and C(PausedCookie), where they are there. Null where they could not be read.
  returned: success
  type: dict
  sample: {Paused: 1, PausedCookie: 1}
registry:
  description:
    - C(Package), C(Program), C(Active Request Handle) and C(CleanUpFolder) of C(HKLM\SOFTWARE\Microsoft\SMS\Task
      Sequence), where they are there. Null where they could not be read.
  returned: success
  type: dict
  sample: {Package: ABC00042}
computer_name:
  description: What the endpoint calls itself. Null where it could not be read.
  returned: success
  type: str
  sample: PC-0001
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.reader import read_task_sequences
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.result import as_result
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.rules import assess
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, main

ARGUMENT_SPEC = {**CONNECTION_SPEC}


def run(task: Task) -> Result:
    state = read_task_sequences(task.endpoint, task.guard)
    return {"changed": False, **as_result(state, assess(state))}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run)
