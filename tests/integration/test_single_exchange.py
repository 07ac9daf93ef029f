# SPDX-License-Identifier: GPL-3.0-or-later
"""One exchange over the connection that is open, where messages are sealed: the endpoint says what reached it."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session, Transport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.connect import transport
from tests.integration.harness import PASSWORD, Lab

IDLE_SECONDS = 4.0  # a login of several exchanges must fit between, on a busy machine too
LOGINS = [
    *(("pywinrm", auth) for auth in ("ntlm", "credssp")),
    *(("pypsrp", auth) for auth in ("ntlm", "credssp", "negotiate")),
]


class Single:
    """Sends each message in a single exchange."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.close = transport.close

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        return self._transport.send(message, read_timeout, single=True)


@pytest.mark.parametrize(("library", "auth"), LOGINS)
def test_takes_the_open_connection_or_says_that_nothing_was_sent(lab: Lab, library: str, auth: str) -> None:
    spec = {"auth": ["negotiate", "credssp"], "idle_timeout": IDLE_SECONDS}
    name = lab.add({"one": spec})["one"]
    host = lab.host_vars(name)
    settings = Settings(
        host=host["ansible_host"],
        port=host["ansible_port"],
        scheme="http",
        auth=auth,
        username=host["ansible_user"],
        password=PASSWORD,
        library=library,
    )
    deadline = Deadline(60)
    with closing(transport(settings, deadline)) as made:
        wql = "SELECT Caption FROM Win32_OperatingSystem"
        reads, writes = Session(settings, lambda: made, deadline), Session(settings, lambda: Single(made), deadline)
        assert reads.query("root/cimv2", wql)
        before = lab.simulator.traffic(name)
        assert writes.query("root/cimv2", wql)
        time.sleep(IDLE_SECONDS + 1)
        with pytest.raises(errors.StaleConnection):
            writes.request("http://example/Action", "http://example", "")
        after = lab.simulator.traffic(name)
        for what in ("connections", "login_requests"):
            assert after[what] == before[what]
        assert reads.query("root/cimv2", wql), "logs in anew"
