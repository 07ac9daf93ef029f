# SPDX-License-Identifier: GPL-3.0-or-later
"""No password in any output, log or report, however much is asked for; and nothing remains of a run."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest

from tests.integration.harness import PASSWORD, USERNAME, WRONG_PASSWORD, Case, Lab, Outcome, leaks
from tests.simulator.client import Simulator


def cases(lab: Lab) -> dict[str, Case]:
    through = {
        "host": "127.0.0.1",
        "port": lab.simulator.http_port,
        "scheme": "http",
        "username": USERNAME,
        "password": PASSWORD,
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    https = {"ansible_winrm_scheme": "https", "ansible_port": lab.simulator.https_port}
    trusted = {**https, "ansible_winrm_ca_trust_path": lab.simulator.ca_file}
    return {
        "info": Case(spec={"profile": "stuck"}),
        "release": Case("provisioning_mode", {"enabled": False}, {"profile": "stuck"}),
        "by command": Case("provisioning_mode", {"enabled": False}, {"profile": "native_refused"}),
        "entry": Case("provisioning_mode", {"enabled": True}),
        "timeout": Case("provisioning_timeout", {"max_minutes": 720}),
        "examined": Case("connection_info", {"record_to": str(lab.directory / "examined.json")}),
        "examined, wrong": Case(
            "connection_info", vars={"ansible_user": "CORP\\other", "ansible_password": WRONG_PASSWORD}
        ),
        "dependency": Case("smstsmgr_dependency", {}, {"profile": "smstsmgr_dependency"}),
        "bad option": Case("provisioning_timeout", {"max_minutes": "abc"}),
        "basic over https": Case(vars={**trusted, "ansible_winrm_transport": "basic"}),
        "basic over http": Case(vars={"ansible_winrm_transport": "basic"}),
        "untrusted": Case(vars=https),
        "wrong": Case(vars={"ansible_user": "CORP\\wrong", "ansible_password": WRONG_PASSWORD}),
        "denied": Case(spec={"profile": "access_denied"}),
        "garbage": Case(spec={"faults": [{"match": {}, "then": "garbage"}]}),
        "dropped": Case(spec={"faults": [{"match": {"nth": "2+"}, "then": "drop"}]}),
        "off": Case(spec={"profile": "switched_off"}),
        "through": Case(options={"endpoint": through}, vars=local),
        "through, bad port": Case(options={"endpoint": {**through, "port": "seventy"}}, vars=local),
        "through, unknown key": Case(options={"endpoint": {**through, "pasword": PASSWORD}}, vars=local),
        "endpoint over winrm": Case(options={"endpoint": through}),
    }


@pytest.fixture(scope="module")
def verbose(lab: Lab) -> dict[str, Outcome]:
    return lab.play(cases(lab), "-vvvv", env={"ANSIBLE_LOG_PATH": str(lab.directory / "ansible.log")})


def test_it_is_a_run_of_all_kinds(verbose: dict[str, Outcome]) -> None:
    assert {each.status for each in verbose.values()} == {"ok", "failed", "unreachable"}
    assert verbose["by command"].result["via"] == "command"


def test_no_result_holds_a_password(verbose: dict[str, Outcome]) -> None:
    for key, outcome in verbose.items():
        assert leaks(repr(outcome.result)) == [], key


def test_no_output_holds_a_password(lab: Lab, verbose: dict[str, Outcome]) -> None:
    """Also what each test module's other runs printed: see `complaints`."""
    log = (lab.directory / "ansible.log").read_text(encoding="utf-8")
    assert len(log) > 10000
    assert leaks(log) == []
    assert lab.complaints == []


def test_no_recording_holds_a_password(lab: Lab, verbose: dict[str, Outcome]) -> None:
    text = (lab.directory / "examined.json").read_text(encoding="utf-8")
    assert len(text) > 10000
    assert leaks(text) == []


def test_no_report_holds_a_password(lab: Lab) -> None:
    names = lab.add({"stuck": {"profile": "stuck"}, "wrong": {"profile": "wrong_password"}})
    report = lab.directory / "report.json"
    inventory = lab.inventory({name: lab.host_vars(name) for name in names.values()})
    options = ("-e", f"remediate_report_path={report}", "-e", "configmgr_client_hosts=windows", "-vvvv", "--diff")
    lab.ansible("ansible-playbook", "-i", inventory, "configmgr.client.remediate", *options)
    assert leaks(report.read_text(encoding="utf-8")) == []
    assert lab.complaints == []


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        f"x{PASSWORD}y",
        base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode(),
        base64.b64encode(b"ab" + PASSWORD.encode("utf-16-le") + b"c").decode(),
        PASSWORD.encode("utf-16-le").hex(),
    ],
)
def test_the_search_finds_what_it_is_for(text: str) -> None:
    assert leaks(f"a line with {text} in it")
    assert not leaks("a line with nothing in it")


# -- what remains ------------------------------------------------------------------------------------------------------


def processes(directory: Path) -> list[str]:
    """Command lines of the processes that name a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and int(entry.name) != os.getpid() and str(directory) in line:
            found.append(line)
    return found


def test_nothing_remains_of_a_run(lab: Lab, verbose: dict[str, Outcome]) -> None:
    for key, outcome in verbose.items():
        assert outcome.endpoint["shells"] == [], key
        assert outcome.endpoint["running"] == [], key
        assert outcome.endpoint["open_enumerations"] == 0, key
    assert processes(lab.directory) == []
    home = lab.directory / "home" / "ansible" / "tmp"
    assert not home.exists() or list(home.iterdir()) == []


def test_nothing_remains_of_a_fleet() -> None:
    simulator = Simulator({"endpoints": []})
    with simulator:
        identifier = simulator.ready["pid"]
        directory = Path(simulator.ca_file).parent
        assert Path(f"/proc/{identifier}").exists()
    assert not Path(f"/proc/{identifier}").exists()
    assert not directory.exists()


def test_no_log_silences_what_the_requests_hold(lab: Lab) -> None:
    name = lab.add({"one": {"profile": "normal"}})["one"]
    expires = "{{ '%Y-%m-%dT%H:%M:%SZ' | strftime(end, utc=true) }}"
    hold = {"owner": "Qz7-owner", "reason": "Qz7-reason", "expires": expires}
    task = {
        "name": "Hold",
        "configmgr.client.provisioning_mode": {"enabled": True, "hold": hold},
        "vars": {"end": "{{ now(utc=true).timestamp() + 3600 }}"},
        "no_log": True,
    }
    playbook = lab.file("no_log.yml", [{"hosts": name, "gather_facts": False, "tasks": [task]}])
    run = lab.ansible("ansible-playbook", "-i", lab.inventory({name: lab.host_vars(name)}), playbook, "-vvvv")
    assert run.rc == 0, run.output
    assert "Hold" in lab.simulator.endpoint(name)["registry"]["HKLM\\SOFTWARE\\configmgr.client"]
    assert "Qz7" not in run.output
