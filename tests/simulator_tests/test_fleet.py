# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet file, the inventory, the control interface, the life of the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator, SimulatorError
from simulator.fleet import Fleet
from simulator.windows.reading import SpecError
from simulator_tests.wire import Host, read_value

PC = {"name": "PC"}


@pytest.mark.parametrize(
    ("fleet", "message"),
    [
        ({"endpoint": []}, "fleet.endpoint: unknown key … allowed: clock, credentials, endpoints"),
        ({"clock": "noon"}, "fleet.clock: 'noon' … allowed: a moment"),
        ({"endpoints": [{}]}, "endpoints[0].name: '' … allowed:"),
        ({"endpoints": [PC, {"name": "pc"}]}, "endpoints[1].name: 'pc' … allowed: a name that no other endpoint has"),
        ({"endpoints": [{**PC, "colour": 1}]}, "endpoints[0].colour: unknown key … allowed:"),
        ({"endpoints": [{**PC, "profile": "sick"}]}, "endpoints[0].profile: 'sick' … allowed: normal,"),
        ({"endpoints": [{**PC, "address": "10.0.0.1"}]}, "endpoints[0].address: '10.0.0.1' … allowed: an address in"),
        (
            {"endpoints": [{**PC, "address": "127.0.0.9"}, {"name": "B", "address": "127.0.0.9"}]},
            "endpoints[1].address",
        ),
        ({"endpoints": [{**PC, "https": "yes"}]}, "endpoints[0].https: 'yes' … allowed: true, false"),
        ({"endpoints": [{**PC, "auth": ["ntlm"]}]}, "endpoints[0].auth: 'ntlm' … allowed: negotiate,"),
        ({"endpoints": [{**PC, "idle_timeout": 0}]}, "endpoints[0].idle_timeout: 0 … allowed:"),
        ({"endpoints": [{**PC, "wsman": {"max": 1}}]}, "endpoints[0].wsman.max: unknown key"),
        (
            {"endpoints": [{**PC, "wsman": {"first_page": "two"}}]},
            "endpoints[0].wsman.first_page: 'two' … allowed: one, all",
        ),
        ({"endpoints": [{**PC, "faults": [{"match": {}}]}]}, "endpoints[0].faults[0]:"),
        (
            {"endpoints": [{**PC, "faults": [{"match": {}, "then": "x"}]}]},
            "endpoints[0].faults[0].then: 'x' … allowed:",
        ),
        (
            {"endpoints": [{**PC, "faults": [{"match": {"nth": 0}, "then": "drop"}]}]},
            "endpoints[0].faults[0].match.nth: 0",
        ),
        (
            {"endpoints": [{**PC, "triggers": [{"after": {"x": 1}, "do": "reboot"}]}]},
            "endpoints[0].triggers[0].after.x",
        ),
        ({"endpoints": [{**PC, "provisioning": {"mode": "maybe"}}]}, "endpoints[0].provisioning.mode: 'maybe'"),
        ({"endpoints": [{**PC, "credentials": {"password": "a:b"}}]}, "endpoints[0].credentials.password: 'a:b'"),
        ({"endpoints": [{"name": "A{1..2}", "count": 2}]}, "endpoints[0].count"),
        ({"endpoints": [{"name": "A{2..1}"}]}, "endpoints[0].name"),
    ],
)
def test_a_wrong_fleet_file_is_told_where(fleet: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Fleet.read(fleet)
    assert str(caught.value).startswith(message)


def test_one_entry_for_many() -> None:
    entries = [
        {"name": "A-{08..11}", "address": "127.30.0.1"},
        {"name": "B", "count": 2, "profile": "stuck"},
        {"name": "C", "address": "127.20.0.1"},
    ]
    specs = Fleet.read({"endpoints": entries}).endpoints
    assert [(spec.name, spec.address) for spec in specs] == [
        ("A-08", "127.30.0.1"),
        ("A-09", "127.30.0.2"),
        ("A-10", "127.30.0.3"),
        ("A-11", "127.30.0.4"),
        ("B-0001", "127.20.0.2"),
        ("B-0002", "127.20.0.3"),
        ("C", "127.20.0.1"),
    ]
    assert specs[4].machine.machine_name == "B-0001"


def test_overrides_go_into_the_profile() -> None:
    entry = {"name": "A", "profile": "stuck", "provisioning": {"max_minutes": 60}}
    (spec,) = Fleet.read({"endpoints": [entry]}).endpoints
    assert (spec.machine.provisioning.mode, spec.machine.provisioning.max_minutes) == (True, 60)


def test_inventory(fleet: Simulator) -> None:
    inventory = yaml.safe_load(fleet.inventory())["windows"]
    assert inventory["vars"]["ansible_port"] == fleet.http_port
    assert inventory["hosts"]["PC-WRONG"]["ansible_password"] == "Sim-Pass-1!"
    over_https = yaml.safe_load(fleet.inventory(https=True))["windows"]["vars"]
    assert (over_https["ansible_winrm_scheme"], over_https["ansible_winrm_ca_trust_path"]) == ("https", fleet.ca_file)


def test_inventory_verb(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with Simulator({"endpoints": [{**PC, "inventory_name": "old-name"}]}) as fleet:
        ready.write_text(json.dumps(fleet.ready))
        command = [sys.executable, str(Path(__file__).parents[1] / "simulator"), "inventory", str(ready)]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert list(yaml.safe_load(printed)["windows"]["hosts"]) == ["old-name"]


def test_state_and_unknown_names(fleet: Simulator) -> None:
    assert fleet.endpoint("PC-0001")["name"] == "PC-0001"
    with pytest.raises(SimulatorError, match="no endpoint 'PC-NONE'"):
        fleet.endpoint("PC-NONE")
    with pytest.raises(SimulatorError, match="nothing is done for GET"):
        fleet.request("GET", "/nothing")


def test_patch_switches_listeners(fresh: Host) -> None:
    fresh.send(read_value("ProvisioningMode"))
    fresh.fleet.patch(fresh.name, http=False)
    with pytest.raises(ConnectionRefusedError):
        fresh.connect()
    fresh.fleet.patch(fresh.name, http=True)
    fresh.send(read_value("ProvisioningMode"))


def test_patch_changes_the_machine(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, provisioning={"mode": False})
    assert b">false<" in fresh.pywinrm().send_message(read_value("ProvisioningMode"))


def test_a_wrong_patch_changes_nothing(fresh: Host) -> None:
    with pytest.raises(SimulatorError, match="unknown key"):
        fresh.fleet.patch(fresh.name, http=False, nothing=1)
    with pytest.raises(SimulatorError, match="maybe"):
        fresh.fleet.patch(fresh.name, http=False, provisioning={"mode": "maybe"})
    fresh.connect().close()


def test_unknown_event(fresh: Host) -> None:
    with pytest.raises(SimulatorError, match="start_in_place_upgrade"):
        fresh.fleet.event(fresh.name, "explode")


def test_endpoints_come_and_go(fleet: Simulator) -> None:
    (entry,) = fleet.add({"name": "PC-LATE", "profile": "stuck"})
    Host(fleet, "PC-LATE").send(read_value("ProvisioningMode"))
    fleet.remove("PC-LATE")
    assert "PC-LATE" not in [each["name"] for each in fleet.endpoints()]
    with pytest.raises(SimulatorError, match="name that no other"):
        fleet.add({"name": "PC-0001"})
    assert entry["address"].startswith("127.20.")


def test_forty_endpoints_start_quickly_and_all_answer() -> None:
    with Simulator({"endpoints": [{"name": "PC", "count": 40, "profile": "stuck"}]}) as fleet:
        for name in ("PC-0001", "PC-0040"):
            Host(fleet, name).send(read_value("ProvisioningMode"))


def test_a_wrong_fleet_file_ends_the_process() -> None:
    with pytest.raises(SimulatorError, match=r"endpoints\[0\]\.profile: 'sick'"):
        Simulator({"endpoints": [{**PC, "profile": "sick"}]}).start()


def test_it_ends_with_its_parent() -> None:
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from simulator.client import Simulator\n"
        "fleet = Simulator({'endpoints': [{'name': 'PC'}]}).start()\n"
        "print(fleet.ready['pid'], flush=True)\n"
        "os._exit(0)\n"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    deadline = time.monotonic() + 5
    while Path(f"/proc/{printed.strip()}").exists() and _is_running(int(printed)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_shutdown() -> None:
    with Simulator({"endpoints": [PC]}) as fleet:
        fleet.request("POST", "/shutdown")
        process = fleet._process
        assert process is not None
        assert process.wait(5) == 0
