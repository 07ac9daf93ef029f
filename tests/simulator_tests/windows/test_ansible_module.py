# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of Ansible's own, as its plugin sends them to powershell.exe."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .conftest import Endpoint

KEY = "HKLM:\\SOFTWARE\\Microsoft\\CCM\\CcmExec"
SCRIPT = f"Get-ItemPropertyValue -LiteralPath '{KEY}' -Name 'ProvisioningMode', 'ProvisioningMaxMinutes'"


def encoded(script: str) -> str:
    return f"PowerShell -NoProfile -EncodedCommand {base64.b64encode(script.encode('utf-16-le')).decode()}"


LINE = encoded("$input | & $cmd")


def sent(module: str, **arguments: Any) -> str:
    value = {**arguments, "_ansible_module_name": f"ansible.windows.{module}", "_ansible_verbosity": 0}
    action = {"params": {"Variables": [{"Name": "complex_args", "Value": value, "Scope": "Global"}]}}
    wrapper, manifest = json.dumps({"name": "exec_wrapper"}), json.dumps({"actions": [{}, action]})
    return f"{wrapper}\n\0\0\0\0\n{manifest}"


def run(endpoint: Endpoint, stdin: str) -> Any:
    result = endpoint.machine.run_program(None, LINE, stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_values_of_the_registry() -> None:
    endpoint = Endpoint("stuck", provisioning={"mode": True, "max_minutes": 60})
    found = run(endpoint, sent("win_reg_stat", path=KEY, name="provisioningmode"))
    assert found == {"changed": False, "exists": True, "value": "true", "raw_value": "true", "type": "REG_SZ"}
    found = run(endpoint, sent("win_powershell", script=SCRIPT))
    assert found["output"] == ["true", 60] and found["invocation"] == {"module_args": {"script": SCRIPT}}


@pytest.mark.parametrize(("path", "name"), [(KEY, "Missing"), (f"{KEY}\\Missing", "ProvisioningMode")])
def test_a_value_that_is_not_there(path: str, name: str) -> None:
    found = run(Endpoint("stuck"), sent("win_reg_stat", path=path, name=name))
    assert found == {"changed": False, "exists": False}


@pytest.mark.parametrize("stdin", ["", "{}", sent("win_ping", data="pong"), sent("win_powershell", script="Get-Date")])
def test_what_is_not_known_is_refused(stdin: str) -> None:
    result = Endpoint("stuck").machine.run_program(None, LINE, stdin)
    assert (result.exit_code, result.stdout) == (120, "")


def test_it_waits_for_the_input_that_its_script_reads() -> None:
    machine = Endpoint("stuck").machine
    assert machine.reads_input(None, LINE)
    assert not machine.reads_input(None, encoded("Get-Date"))


def test_the_start_of_powershell_takes_its_time() -> None:
    endpoint = Endpoint("stuck", powershell_start=1.2)
    stdin = sent("win_reg_stat", path=KEY, name="ProvisioningMode")
    assert endpoint.machine.run_program(None, LINE, stdin).duration == 1.2
    assert endpoint.machine.run_program(None, "sc.exe query CcmExec").duration == 0
