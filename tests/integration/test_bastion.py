# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module from another host than the controller: the same as over the host's own connection, and no secret left."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import MODULES, Case, Lab, Outcome, argument_spec, leaks

READING = ("client_info", "client_log", "connection_info", "provisioning_mode_info", "task_sequence_info")
WRITING = tuple(name for name in MODULES if name not in READING)
# The options as a user gives them: from the variables of the host that the task is about.
ENDPOINT = {
    "host": "{{ ansible_host }}",
    "port": "{{ ansible_port }}",
    "scheme": "http",
    "username": "{{ ansible_user }}",
    "password": "{{ ansible_password }}",
}

READS: dict[str, Case] = {
    "client": Case("client_info", spec={"profile": "stuck"}),
    "log": Case("client_log", spec={"profile": "failed_entry"}),
    "connection": Case("connection_info"),
    "mode": Case("provisioning_mode_info", spec={"profile": "stuck"}),
    "task sequence": Case("task_sequence_info", spec={"profile": "leftovers"}),
    "no rights": Case("provisioning_mode_info", spec={"profile": "access_denied"}),
    "switched off": Case("provisioning_mode_info", spec={"profile": "switched_off"}),
    "wrong password": Case("provisioning_mode_info", spec={"profile": "wrong_password"}),
    "bad option": Case("provisioning_timeout", {"max_minutes": 59}),
}
WRITES: dict[str, Case] = {
    "trigger": Case("client_action", {"schedules": ["hardware_inventory"]}),
    "prepare": Case("client_preparation", {"max_minutes": 720}),
    "release": Case("provisioning_mode", {"enabled": False}, {"profile": "stuck"}),
    "safeguard": Case("provisioning_safeguard"),
    "timeout": Case("provisioning_timeout", {"max_minutes": 720}),
    "dependency": Case("smstsmgr_dependency", spec={"profile": "smstsmgr_dependency"}),
    "clear": Case("task_sequence_request", spec={"profile": "leftovers"}),
}
REHEARSALS = {f"{key}, rehearsed": replace(case, check=True) for key, case in WRITES.items()}
REFUSALS: dict[str, Case] = {
    "live upgrade": Case("provisioning_mode", {"enabled": False}, {"profile": "live_upgrade"}),
    "another machine": Case("provisioning_mode", {"enabled": False}, {"profile": "stale_name"}),
}
TABLE = {**READS, **WRITES, **REHEARSALS, **REFUSALS}


def test_the_table_has_each_module() -> None:
    assert {case.module for case in READS.values()} >= set(READING)
    assert {case.module for case in WRITES.values()} == set(WRITING)


@pytest.fixture(scope="module")
def audit(lab: Lab) -> Path:
    return lab.directory / "audit"


@pytest.fixture(scope="module")
def both(lab: Lab, audit: Path) -> dict[str, tuple[Outcome, Outcome]]:
    """Over the host's connection in Ansible's own process, and by a module on another host; an endpoint for each."""
    through = {f"{key}, through": by_bastion(case) for key, case in TABLE.items()}
    found = lab.play({**TABLE, **through}, "-vvvv", env=audited(lab, audit))
    return {key: (found[key], found[f"{key}, through"]) for key in TABLE}


def by_bastion(case: Case) -> Case:
    own = {"computer_name": "{{ inventory_hostname }}", "endpoint": ENDPOINT}
    options = {name: value for name, value in own.items() if name in argument_spec(case.module)} | case.options
    return replace(case, options=options, delegate_to="localhost")


def audited(lab: Lab, audit: Path) -> dict[str, str]:
    """Processes that are started are noted, and all that is written anywhere is written under one directory."""
    temporary = lab.directory / "home" / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PYTHONPATH": str(Path(__file__).with_name("audit")),
        "AUDIT_FILE": str(audit),
        "TMPDIR": str(temporary),
    }


# -- the same ----------------------------------------------------------------------------------------------------------

# How the module was run, and what goes on while it is: each may differ by what lies between two runs.
OF_ONE_RUN = {
    *("invocation", "exception", "ansible_facts"),
    *("clock_skew_seconds", "age_minutes", "uptime_minutes", "ProvisioningEnabledTime"),
}
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-][\d:]+)?")
# The same settings, as the host's variables and the option `endpoint` spell them.
OPTION = re.compile(r"\b(ansible_(winrm_|psrp_)?|endpoint\.)(user(name)?|password|transport|port|scheme|path)\b")
AGE = re.compile(r"\b\d+ (d|h|min)\b( \d+ (h|min)\b)?")


def comparable(value: Any, outcome: Outcome) -> Any:
    """Without what differs between any two endpoints, and between any two runs."""
    if isinstance(value, dict):
        return {
            key: comparable(each, outcome)
            for key, each in value.items()
            if key not in OF_ONE_RUN and not key.startswith("_ansible_")
        }
    if isinstance(value, list):
        return [comparable(each, outcome) for each in value if not tells_where_options_come_from(each)]
    if isinstance(value, str):
        for part in (outcome.endpoint["address"], outcome.event.host):
            value = value.replace(part, "SELF")
        return AGE.sub("AGE", TIME.sub("TIME", OPTION.sub("OPTION", value)))
    return value


def tells_where_options_come_from(item: Any) -> bool:
    """A check of connection_info, or its line: variables of the host there, the option `endpoint` here."""
    return str(item.get("check") if isinstance(item, dict) else item).split(" ")[0] == "options"


@pytest.mark.parametrize("key", TABLE)
def test_the_result_is_the_same(both: dict[str, tuple[Outcome, Outcome]], key: str) -> None:
    direct, through = both[key]
    assert direct.status == through.status, through.msg

    def told(outcome: Outcome) -> Any:
        # A module always says whether it failed, an action only if it did.
        result = {"failed": False, "unreachable": False, **outcome.result}
        return comparable(result, outcome)

    assert told(direct) == told(through)
    assert len(direct.calls) == len(through.calls)


@pytest.mark.parametrize("key", TABLE)
def test_the_endpoint_is_the_same_afterwards(both: dict[str, tuple[Outcome, Outcome]], key: str) -> None:
    direct, through = both[key]
    assert comparable(direct.endpoint, direct) == comparable(through.endpoint, through)


@pytest.mark.parametrize("key", TABLE)
def test_what_is_meant_to_write_does_and_nothing_else(both: dict[str, tuple[Outcome, Outcome]], key: str) -> None:
    _, through = both[key]
    assert through.changed == (key in {**WRITES, **REHEARSALS}), through.msg
    assert bool(through.writes) == (key in WRITES)


def test_the_table_has_endings_of_all_kinds(both: dict[str, tuple[Outcome, Outcome]]) -> None:
    assert {through.status for _, through in both.values()} == {"ok", "failed", "unreachable"}
    assert both["live upgrade"][1].result["left_alone"]
    assert both["release"][1].endpoint["mode"] == "normal"


# -- no secret ---------------------------------------------------------------------------------------------------------


def test_no_output_holds_the_password(lab: Lab, both: dict[str, tuple[Outcome, Outcome]]) -> None:
    assert lab.complaints == []  # the run's output, at -vvvv
    assert leaks(repr([through.result for _, through in both.values()])) == []


@pytest.mark.usefixtures("both")
def test_no_command_line_holds_the_password(audit: Path) -> None:
    text = audit.read_text(encoding="utf-8")
    assert [module for module in MODULES if f"AnsiballZ_{module}.py" not in text] == []
    assert leaks(text) == []


def written(directory: Path) -> dict[Path, str]:
    return {path: path.read_bytes().decode("latin-1") for path in directory.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("both")
def test_no_file_remains(lab: Lab) -> None:
    assert written(lab.directory / "home") == {}


def test_a_payload_is_for_its_own_account_only(lab: Lab, audit: Path) -> None:
    """Ansible's doing, told in the documentation of `endpoint`; and proof that the search would find what remains."""
    directory = lab.directory / "kept"
    kept = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(directory)}
    lab.play({"kept": by_bastion(Case("client_info"))}, env=audited(lab, audit) | kept)
    payloads = [path for path, text in written(directory).items() if leaks(text)]
    assert [path.name for path in payloads] == ["AnsiballZ_client_info.py"]
    assert payloads[0].parent.stat().st_mode & 0o077 == 0


def test_with_pipelining_there_is_no_payload(lab: Lab) -> None:
    audit = lab.directory / "audit of pipelining"
    case = by_bastion(Case("client_info"))
    found = lab.play({"piped": case}, env=audited(lab, audit) | {"ANSIBLE_PIPELINING": "1"})
    assert found["piped"].result["installed"]
    assert "AnsiballZ" not in audit.read_text(encoding="utf-8")
    assert leaks(audit.read_text(encoding="utf-8")) == []
