# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos logins to the site's service, as it demands them from version 2509 on: one for each request."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import kdc
from tests.integration.harness import PASSWORD
from tests.integration.proxy import Proxy
from tests.integration.site import PROVIDER, SiteLab

if kdc.missing():
    pytest.skip(kdc.missing(), allow_module_level=True)


@pytest.mark.parametrize("with_password", [True, False])
def test_kerberos(site: SiteLab, tmp_path: Path, with_password: bool) -> None:
    """Against a service that refuses NTLM, with one ticket for all requests."""
    site.simulator.add({"name": "STUCK", "profile": "stuck", "http": False, "https": False})
    realm = kdc.Kdc(tmp_path)
    principal = realm.add_user("operator", PASSWORD)
    keytab = realm.add_machines([PROVIDER])[PROVIDER]
    account = {"username": principal, "password": PASSWORD}
    with realm.running() as environment, Proxy(hosts={PROVIDER: site.options["provider"]}) as proxy:
        if not with_password:
            environment = {**environment, **realm.ticket(principal, PASSWORD)}
        with site.site(build=9141, keytab=keytab, credentials=account):
            options = {
                "provider": PROVIDER,
                "auth": "kerberos",
                "username": principal if with_password else None,
                "password": PASSWORD if with_password else None,
            }
            content = [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [{"configmgr.client.site_device_info": site._given(options)}],
                }
            ]
            env = {**environment, "HTTPS_PROXY": proxy.url}
            run = site.ansible("ansible-playbook", "-i", site.inventory({}), site.file("play.yml", content), env=env)
            logins, requests = site.simulator.site()["logins"], site.requests
    (event,) = run.events
    assert event.status == "ok", event.result
    assert event.result["suspects"] == ["STUCK"]
    assert logins == {"kerberos": len(requests)} and len(requests) == 4
    assert (realm.requests("AS_REQ", principal), realm.requests("TGS_REQ", principal)) == (1, 1)
    site.simulator.remove("STUCK")
