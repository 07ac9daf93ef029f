# SPDX-License-Identifier: GPL-3.0-or-later
"""own_session.py PORT USER PASSWORD ADDRESS...: what bare_pywinrm.py reads, with the collection and no Ansible."""

from __future__ import annotations

import sys

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_mode
from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.pywinrm import PywinrmTransport

port, username, password, *addresses = sys.argv[1:]
for address in addresses:
    settings = Settings(host=address, port=int(port), scheme="http", auth="ntlm", username=username, password=password)
    deadline = Deadline(60)
    with Session(settings, lambda s=settings, d=deadline: PywinrmTransport(s, d), deadline) as session:  # type: ignore[misc]
        assert read_mode(Endpoint(session)).exited
