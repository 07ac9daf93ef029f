# SPDX-License-Identifier: GPL-3.0-or-later
"""What `awx_setup` defines, in an AWX that refuses what AWX refuses; and the workflow of it, run as AWX does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.awx import rules
from tests.awx.server import TOKEN, Awx, serving
from tests.integration.harness import FQCN, ROOT, Lab, Run
from tests.integration.runner import Job, Nodes

SLICES = 3
SECRET = "Hj2-Site_secret-9!"
HOOK = "https://hooks.example/Zt6-hook"
SETTINGS: dict[str, Any] = {
    "awx_setup_image": "registry.example/configmgr-client:1.0.0",
    "awx_setup_slices": SLICES,
    "awx_setup_canary": 1,
    "awx_setup_minimum_age": 30,
    "awx_setup_credentials": ["Windows"],
    "awx_setup_instance_groups": ["near", "far"],
    "awx_setup_krb5_conf": "[libdefaults]\n default_realm = CORP.EXAMPLE\n",
    "awx_setup_site_provider": "cm01.corp.example",
    "awx_setup_site_username": "CORP\\reader",
    "awx_setup_site_password": SECRET,
    "awx_setup_inventory_variables": {"ansible_connection": "winrm"},
    "awx_setup_report_directory": "/reports",
    "awx_setup_notification_type": "webhook",
    "awx_setup_notification_configuration": {"url": HOOK, "http_method": "POST", "headers": {}},
}
FLEET: dict[str, dict[str, Any]] = {
    **{f"normal {number}": {} for number in range(5)},
    **{f"stuck {number}": {"profile": "stuck"} for number in range(3)},
    "upgrading": {"profile": "live_upgrade"},
    "off": {"profile": "switched_off"},
}


@pytest.fixture(scope="module")
def awx() -> Iterator[Awx]:
    with serving(Awx([f"playbooks/{path.name}" for path in (ROOT / "playbooks").glob("*.yml")])) as awx:
        awx.add("organizations", name="Default")
        awx.add("credential_types", name="Machine", kind="ssh", inputs={}, injectors={})
        awx.add("credentials", name="Windows", credential_type=2, inputs={})
        for group in ("far", "near"):
            awx.add("instance_groups", name=group)
        yield awx


def setup(lab: Lab, awx: Awx, settings: dict[str, Any], *more: str) -> Run:
    path = Path(lab.directory) / "awx.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    environment = {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}
    return lab.ansible("ansible-playbook", f"{FQCN}.awx", "-e", f"@{path}", *more, env=environment)


@pytest.fixture(scope="module")
def defined(lab: Lab, awx: Awx) -> list[Run]:
    """Rehearsed, done, and done again."""
    rehearsed = setup(lab, awx, {**SETTINGS, "awx_setup_site_provider": ""} | {"awx_setup_inventory": "x"}, "--check")
    assert not awx.writes, rehearsed.output
    return [setup(lab, awx, SETTINGS, "-vvv"), setup(lab, awx, SETTINGS)]


def test_it_is_defined_once(awx: Awx, defined: list[Run]) -> None:
    first, second = defined
    assert (first.rc, second.rc) == (0, 0), first.output + second.output
    assert first.stats["localhost"]["changed"] and not second.stats["localhost"]["changed"], second.output
    assert len(awx.objects["job_templates"]) == 5


def test_no_secret_is_told(awx: Awx, defined: list[Run]) -> None:
    assert awx.named("credentials", "ConfigMgr clients: site")["inputs"]["password"] == SECRET
    for run in defined:
        assert [secret for secret in (SECRET, HOOK, TOKEN) if secret in run.output] == []


def test_what_jobs_get(awx: Awx, defined: list[Run]) -> None:
    for template in awx.objects["job_templates"].values():
        credentials = awx.links[template["id"], "credentials"]
        assert {awx.objects["credentials"][number]["name"] for number in credentials} == {
            "Windows",
            "ConfigMgr clients: krb5.conf",
            "ConfigMgr clients: site",
        }
        groups = [awx.objects["instance_groups"][number] for number in awx.links[template["id"], "instance_groups"]]
        assert [group["name"] for group in groups] == ["near", "far"], "the first that has room takes a job"
        assert template["inventory"] == awx.named("inventories", "ConfigMgr clients")["id"]
        assert json.loads(template["extra_vars"])["survey_report_path"] == "/reports"
    source = awx.named("inventory_sources", "ConfigMgr clients: site")
    assert yaml.safe_load((ROOT / source["source_path"]).read_text()) == {"plugin": f"{FQCN}.site"}
    injected = awx.named("credential_types", "ConfigMgr clients: site")["injectors"]["env"]
    assert set(injected) == {"CONFIGMGR_PROVIDER", "CONFIGMGR_USERNAME", "CONFIGMGR_PASSWORD"}
    schedule = awx.named("schedules", "ConfigMgr clients")
    assert schedule["unified_job_template"] == awx.named("workflow_job_templates", "ConfigMgr clients")["id"]


# -- the workflow ------------------------------------------------------------------------------------------------------


class Workflow:
    """Runs the nodes that are defined, one job after the other, with the variables that AWX would give them."""

    def __init__(self, awx: Awx, nodes: Nodes, directory: Path) -> None:
        self.awx = awx
        self.nodes = nodes
        template = awx.named("workflow_job_templates", "ConfigMgr clients")
        self.answers = {each["variable"]: each["default"] for each in awx.surveys[template["id"]]["spec"]}
        self.artifacts: dict[str, Any] = {}
        self.jobs = 100

    def run(self, identifier: str) -> list[Job]:
        """The jobs of a node: as many as its template has slices."""
        node = self.awx.named("workflow_job_template_nodes", identifier)
        template = self.awx.objects["job_templates"][node["unified_job_template"]]
        slices = template["job_slice_count"]
        done: list[Job] = []
        for part in range(1, slices + 1):
            self.jobs += 1
            variables = {
                **json.loads(template["extra_vars"]),
                **self.answers,
                **self.artifacts,
                "awx_workflow_job_id": 100,
                # The laboratory has no site, no mounted volume, and no time.
                **dict.fromkeys(("survey_via_site", "remediate_via_site"), "never"),
                **dict.fromkeys(("survey_report_path", "remediate_report_path"), ""),
                "survey_report_formats": [],
                "remediate_report_formats": [],
                "remediate_wait_timeout": 5,
                "remediate_wave_pause": 0,
            }
            done.append(self.nodes.run(self.jobs, template["playbook"], self.nodes.of(part, slices), variables))
        for job in done:
            self.artifacts |= job.artifacts
        return done

    def after(self, identifier: str, outcome: str) -> list[str]:
        number = self.awx.named("workflow_job_template_nodes", identifier)["id"]
        nodes = self.awx.objects["workflow_job_template_nodes"]
        return [nodes[each]["identifier"] for each in self.awx.links.get((number, f"{outcome}_nodes"), [])]


@pytest.fixture
def nodes(lab: Lab, tmp_path: Path) -> Nodes:
    return Nodes(lab, tmp_path, FLEET)


def test_workflow(awx: Awx, defined: list[Run], nodes: Nodes, tmp_path: Path) -> None:
    workflow = Workflow(awx, nodes, tmp_path)
    stuck = sorted(name for key, name in nodes.names.items() if key.startswith("stuck"))

    def in_mode() -> list[str]:
        return [name for name in stuck if nodes.lab.simulator.endpoint(name)["mode"] != "normal"]

    slices = workflow.run("survey")
    assert [job.rc for job in slices] == [0] * SLICES, "".join(job.output for job in slices)
    assert nodes.asked() == {name: int(key != "off") for key, name in nodes.names.items()}
    assert len(workflow.artifacts) == SLICES
    assert workflow.after("survey", "success") == ["aggregate"] and not workflow.after("survey", "failure")

    (summed,) = workflow.run("aggregate")
    assert "3 artifacts. 10 hosts: 3 stuck, 1 unreachable, 1 expected, 5 normal" in summed.output
    assert f"3 to be released: {', '.join(stuck)}" in summed.output and summed.rc == 2
    assert workflow.artifacts["configmgr_client_to_release"] == stuck
    assert workflow.after("aggregate", "failure") == ["approve"] and not workflow.after("aggregate", "success")
    assert workflow.after("approve", "success") == ["canary"] and in_mode() == stuck
    node = awx.named("workflow_job_template_nodes", "approve")
    approval = awx.objects["workflow_approval_templates"][node["unified_job_template"]]
    assert approval["timeout"] == 86400

    (canary,) = workflow.run("canary")
    assert canary.rc == 0 and in_mode() == stuck[1:], canary.output
    assert workflow.after("canary", "success") == ["waves"]
    (waves,) = workflow.run("waves")
    assert waves.rc == 0 and in_mode() == [], waves.output
    assert workflow.after("waves", "success") == ["verify"]
    (verified,) = workflow.run("verify")
    assert verified.rc == 0 and "3 hosts: 3 normal" in verified.output
    other = {name for name in nodes.hosts if name not in stuck}
    assert {name: nodes.asked()[name] for name in other} == {name: int(name != nodes.names["off"]) for name in other}


def test_nothing_to_release_ends_it_green_and_nothing_known_ends_it_red(
    awx: Awx, defined: list[Run], nodes: Nodes, tmp_path: Path
) -> None:
    workflow = Workflow(awx, nodes, tmp_path)
    (job,) = workflow.run("aggregate")
    assert job.rc == 2 and "have left no report" in job.output
    (job,) = workflow.run("canary")
    assert job.rc != 0 and not any(nodes.asked().values()), job.output
    workflow.artifacts = {"configmgr_client_7": {"counts": {"normal": 4}, "hosts_by_status": {}}}
    (job,) = workflow.run("aggregate")
    assert job.rc == 0 and "Of 10 hosts only 4 were asked: a slice may be missing." in " ".join(job.output.split())


def test_a_slice_that_was_lost_on_its_way_is_run_again_alone(nodes: Nodes) -> None:
    fast = {"remediate_wait_timeout": 5}
    first, second = nodes.of(1, 2), nodes.of(2, 2)
    assert nodes.run(1, "playbooks/remediate.yml", first, fast).codes == [0, 0, 0]
    lost = nodes.run(2, "playbooks/remediate.yml", second, fast, cut=200)
    assert lost.artifacts == {} and not any(nodes.asked()[name] for name in second)
    before = nodes.asked()
    again = nodes.run(2, "playbooks/remediate.yml", second, fast)
    assert again.codes == [0, 0, 0]
    stuck = {name for key, name in nodes.names.items() if key.startswith("stuck")}
    assert again.artifacts["configmgr_client_2"]["counts"].get("released", 0) == len(stuck & set(second))
    assert {name: nodes.asked()[name] for name in first} == {name: before[name] for name in first}
    assert all(nodes.lab.simulator.endpoint(name)["mode"] == "normal" for name in stuck)


# -- mistakes ----------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nobody to ask": ({"awx_setup_site_provider": ""}, "awx_setup_inventory is empty: name an inventory"),
    "half a login": ({"awx_setup_site_password": ""}, "give awx_setup_site_username and awx_setup_site_password"),
    "no slice": ({"awx_setup_slices": 0}, "awx_setup_slices=0 is none of 1 to 1000"),
    "too many canaries": ({"awx_setup_canary": 51}, "awx_setup_canary=51 is none of 1 to 50"),
    "no number": ({"awx_setup_max_changes": "many"}, "awx_setup_max_changes"),
    "a time of no zone": (
        {"awx_setup_schedule": "DTSTART:20260105T020000 RRULE:FREQ=DAILY;INTERVAL=1"},
        "is not one time of a known zone",
    ),
    "no interval": ({"awx_setup_schedule": "DTSTART:20260105T020000Z RRULE:FREQ=DAILY"}, "has no INTERVAL"),
    "each second": ({"awx_setup_schedule": "DTSTART:20260105T020000Z RRULE:FREQ=SECONDLY;INTERVAL=1"}, "has no FREQ"),
    "a numbered day": (
        {"awx_setup_schedule": "DTSTART:20260105T020000Z RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=2MO"},
        "has a number before a day",
    ),
}


def test_bad_input_is_named(lab: Lab) -> None:
    cases = {key: SETTINGS | settings for key, (settings, _words) in WRONG.items()}
    run, told = lab.refusals("awx_setup", cases, lab.inventory({}), "localhost")
    assert {key for key, (_settings, words) in WRONG.items() if words not in told.get(key, "")} == set(), run.output
    assert SECRET not in run.output


def test_it_is_named_before_anything_is_sent(lab: Lab, awx: Awx, defined: list[Run]) -> None:
    before = len(awx.writes)
    run = setup(lab, awx, SETTINGS | {"awx_setup_slices": 0})
    assert run.rc == 2 and "awx_setup_slices=0 is none of 1 to 1000: give such a number of jobs" in run.output
    assert len(awx.writes) == before and SECRET not in run.output


PLANTED: dict[str, tuple[str, dict[str, Any], str]] = {
    "an option misspelled": ("job_template", {"job_slice_cout": 3}, "job_slice_cout"),
    "a kind that is none": ("job_template", {"job_type": "runn"}, "runn"),
    "a playbook that is none": ("job_template", {"playbook": "playbooks/release.yml"}, "not found for project"),
    "a question of a wrong default": (
        "workflow_job_template",
        {"survey_spec": {"name": "", "description": "", "spec": [
            {"question_name": "Age", "variable": "age", "type": "integer", "required": True, "default": "240"}]}},
        "is none of type integer",
    ),
    "a field that is none": (
        "credential_type",
        {"injectors": {"env": {"KRB5_CONFIG": "{{ '{{' }} tower.filename.other {{ '}}' }}"}}},
        "has no attribute",
    ),
    "a schedule": ("schedule", {"rrule": "DTSTART:20260105T020000Z RRULE:FREQ=DAILY"}, "INTERVAL is required"),
    "a circle": ("workflow_job_template_node", {"success_nodes": ["survey"]}, "a cycle"),
}  # fmt: skip
SOUND: dict[str, dict[str, Any]] = {
    "job_template": {"name": "planted", "project": "ConfigMgr clients: playbooks", "inventory": "ConfigMgr clients",
                     "playbook": "playbooks/survey.yml"},
    "workflow_job_template": {"name": "planted", "survey_enabled": True},
    "credential_type": {"name": "planted", "kind": "cloud",
                        "inputs": {"fields": [{"id": "krb5_conf", "label": "Text"}]},
                        "injectors": {"file": {"template.krb5_conf": "{{ '{{' }} krb5_conf {{ '}}' }}"}}},
    "schedule": {"name": "planted", "unified_job_template": "ConfigMgr clients"},
    "workflow_job_template_node": {"identifier": "verify", "workflow_job_template": "ConfigMgr clients"},
}  # fmt: skip


def test_mistakes_that_are_planted_are_found(lab: Lab, awx: Awx, defined: list[Run]) -> None:
    tasks = [
        {"name": key, f"awx.awx.{module}": {**SOUND[module], **mistake}, "ignore_errors": True}
        for key, (module, mistake, _) in PLANTED.items()
    ]
    play = Path(lab.directory) / "planted.json"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    run = lab.ansible("ansible-playbook", str(play), env={"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": TOKEN})
    said = {event.task: event for event in run.events if event.host == "localhost"}
    for key, (_, _, words) in PLANTED.items():
        assert said[key].status == "failed", run.output
        assert words in json.dumps(said[key].result), said[key].result


def test_answers_out_of_range(awx: Awx, defined: list[Run]) -> None:
    spec = awx.surveys[awx.named("workflow_job_templates", "ConfigMgr clients")["id"]]
    assert rules.answers(spec, {}) == []
    for question in spec["spec"]:
        for value in (question["min"] - 1, question["max"] + 1, "", "12"):
            assert rules.answers(spec, {question["variable"]: value}), question
        for value in (question["min"], question["max"]):
            assert rules.answers(spec, {question["variable"]: value}) == []
