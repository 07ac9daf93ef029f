# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos logins through playbooks, against a KDC of the test's own; its log and the simulator say what happened."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import kdc
from tests.integration.harness import PASSWORD, WRONG_PASSWORD, Case, Lab, Outcome

if kdc.missing():
    pytest.skip(kdc.missing(), allow_module_level=True)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> kdc.Kdc:
    return kdc.Kdc(tmp_path_factory.mktemp("realm"))


@pytest.fixture(scope="module")
def client(realm: kdc.Kdc) -> Iterator[dict[str, str]]:
    """The environment of a controller of this realm."""
    with realm.running() as environment:
        yield environment


def test_x(lab, realm, client):
    u = realm.add_user("operator", PASSWORD)
    k = realm.add_machines(["pc-1.corp.test"])
    out = lab.play({"one": Case(spec={"keytab": k["pc-1.corp.test"]}, vars={"ansible_user": u, "ansible_winrm_transport": "kerberos", "ansible_winrm_kerberos_hostname_override": "pc-1.corp.test"})}, "-vvvv", env=client)
    o = out["one"]
    print(o.event, o.traffic)
    print(realm._log.read_text())
    assert 0
