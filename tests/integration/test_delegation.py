# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks for one host that are about others: the endpoint that is asked is the one whose name counts, and is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Lab, Run

RELEASE = {"enabled": False, "wait_timeout": 5}
MODULE = "configmgr.client.provisioning_mode"
HOSTS = {
    # Key: how the inventory calls an endpoint of that name; whether this is the name that the endpoint has.
    "name": ("{name}", True),
    "name in small letters": ("{small}", True),
    "full name": ("{name}.corp.example", True),
    "alias": ("desk-of-{name}", False),
    "address": ("{address}", False),
    "name of another": ("other-{name}", False),
}


@pytest.fixture(scope="module")
def names(lab: Lab) -> dict[str, str]:
    """The names of the endpoints themselves."""
    return lab.add({key: {"profile": "stuck"} for key in (*HOSTS, "added", "own name given", "another's connection")})


@pytest.fixture(scope="module")
def called(lab: Lab, names: dict[str, str]) -> dict[str, str]:
    """The names that the inventory has for them."""
    found = {key: name for key, name in names.items() if key not in HOSTS}
    for key, (spelling, _) in HOSTS.items():
        address = lab.host_vars(names[key])["ansible_host"]
        found[key] = spelling.format(name=names[key], small=names[key].lower(), address=address)
    return found


@pytest.fixture(scope="module")
def run(lab: Lab, names: dict[str, str], called: dict[str, str]) -> Run:
    """All of them from one loop of one task on localhost, as people write it."""
    variables = {key: lab.host_vars(names[key]) for key in names}
    hosts = {called[key]: variables[key] for key in names if key != "added"}
    tasks = [
        {"name": "Add", "add_host": {"name": called["added"], **variables["added"]}, "no_log": True},
        {
            "name": "Loop",
            MODULE: RELEASE,
            "delegate_to": "{{ item }}",
            "loop": [called[key] for key in (*HOSTS, "added")],
            "ignore_errors": True,
        },
        {
            "name": "Loop with a variable and a name of its own",
            MODULE: {**RELEASE, "computer_name": "{{ endpoint.calls_itself }}"},
            "delegate_to": "{{ endpoint.host }}",
            "loop": [{"host": called["own name given"], "calls_itself": names["own name given"]}],
            "loop_control": {"loop_var": "endpoint"},
        },
    ]
    play: dict[str, Any] = {"name": "Central", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
    other = {
        "name": "Another",
        "hosts": called["alias"],
        "gather_facts": False,
        "tasks": [{"name": "Delegate", MODULE: RELEASE, "delegate_to": called["another's connection"]}],
    }
    return lab.ansible(
        *("ansible-playbook", "-vvv", "-i", lab.inventory(hosts), lab.file("play.yml", [play, other])),
    )


def result(run: Run, item: str) -> dict[str, Any]:
    (looped,) = [event for event in run.events if event.task == "Loop"]
    (found,) = [each for each in looped.result["results"] if each["item"] == item]
    return dict(found)


@pytest.mark.parametrize("key", [*HOSTS, "added"])
def test_the_name_of_the_delegated_host_is_checked(
    lab: Lab, run: Run, names: dict[str, str], called: dict[str, str], key: str
) -> None:
    found, own = result(run, called[key]), key == "added" or HOSTS[key][1]
    assert lab.simulator.endpoint(names[key])["mode"] == ("normal" if own else "provisioning"), found["msg"]
    assert "localhost" not in found["msg"]
    if not own:
        assert found["failed"] and f"{called[key]} " in found["msg"]
        assert "computer_name" in found["msg"], "what to do"


@pytest.mark.parametrize("key", ["name", "full name", "added"])
def test_the_log_names_the_delegated_host(run: Run, called: dict[str, str], key: str) -> None:
    assert f"<{called[key]}> " in run.output
    assert "<localhost>" not in run.output


@pytest.mark.parametrize("key", ["own name given", "another's connection"])
def test_each_way_to_delegate(lab: Lab, run: Run, names: dict[str, str], key: str) -> None:
    assert lab.simulator.endpoint(names[key])["mode"] == "normal", run.output


def test_with_endpoint_its_host_counts_and_not_the_bastion(lab: Lab) -> None:
    names = lab.add({"right": {"profile": "stuck"}, "wrong": {"profile": "stuck"}})
    tasks = []
    for key, name in names.items():
        named = {"computer_name": name} if key == "right" else {}
        tasks.append(
            {
                "name": key,
                MODULE: {**RELEASE, **named, "endpoint": lab.endpoint_option(name)},
                "delegate_to": "bastion",
                "ignore_errors": True,
            }
        )
    play = {"name": "By a bastion", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
    inventory = lab.inventory({"bastion": lab.local_vars()})
    done = lab.ansible("ansible-playbook", "-i", inventory, lab.file("play.yml", [play]))
    assert lab.simulator.endpoint(names["right"])["mode"] == "normal", done.output
    assert lab.simulator.endpoint(names["wrong"])["mode"] == "provisioning"
    (refused,) = [event for event in done.events if event.task == "wrong"]
    assert lab.host_vars(names["wrong"])["ansible_host"] in refused.result["msg"]
    assert "bastion" not in refused.result["msg"]
