# SPDX-License-Identifier: GPL-3.0-or-later
"""What works between here and a site: each layer that can fail fails once, and nothing is changed anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import FQCN, PASSWORD, WRONG_PASSWORD, without_package
from tests.integration.site import TOKEN, SiteLab

MODULE = "site_connection_info"
CHECKS = (
    *("library", "options", "dns", "port", "tls", "login", "provider", "role", "clock", "devices", "fast_channel"),
    *("scripts", "device"),
)
UNASKED = {"device": "skipped"}
UNAPPROVED = {"scripts": "warning", **UNASKED}


@pytest.fixture(scope="module", autouse=True)
def fleet(site: SiteLab) -> None:
    machines: dict[str, dict[str, Any]] = {
        "WELL": {},
        "STUCK": {"profile": "stuck"},
        "OFF": {"site": {"online": False}},
        "MUTE": {"site": {"answers": "never"}},
        "PLAIN": {"client_version": None},
    }
    site.simulator.add(
        *(
            {"name": name, "http": False, "https": False, "machine_name": name, **keys}
            for name, keys in machines.items()
        )
    )


# Key: how the site is, options, statuses other than ok, words of the text. What a failed check skips is not named.
EXAMINED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str], list[str]]] = {
    "before anything is set up": (
        {},
        {},
        UNAPPROVED,
        [
            "the account has a role on site PS1 (Primary Site One), version 5.00.9128.1000",
            "5 devices are shown; All Systems has 5 members",
            "3 of 4 clients looked at are online",
            "create it with the module site_script",
        ],
    ),
    "no such name": ({}, {"provider": "no-such-host.invalid"}, {"dns": "failed"}, ["role SMS Provider"]),
    "nobody there": ({}, {"port": 1}, {"port": "failed"}, ["Check provider and port"]),
    "another CA": ({}, {"ca_path": None}, {"tls": "failed"}, ["not trusted", "Set ca_path"]),
    "certificates unchecked": (
        {},
        {"ca_path": None, "validate_certs": False},
        {"tls": "warning", **UNAPPROVED},
        ["Anybody can pretend"],
    ),
    "options that cannot work": ({}, {"password": None}, {"options": "failed"}, ["auth=ntlm needs a password"]),
    "a URL for a name": ({}, {"provider": "https://cm01"}, {"options": "failed"}, ["provider='https://cm01'"]),
    "a wrong password": ({}, {"password": WRONG_PASSWORD}, {"login": "failed"}, ["rejected the login"]),
    "NTLM after 2509": ({"build": 9141}, {}, {"login": "failed"}, ["auth to kerberos there"]),
    "a token": ({"token": TOKEN}, {"auth": "token", "token": TOKEN}, UNAPPROVED, ["the token was let in"]),
    "a wrong token": ({"token": "x"}, {"auth": "token", "token": TOKEN}, {"login": "failed"}, ["refused the token"]),
    "a management point": (
        {"host": "web_server"},
        {},
        {"login": "skipped", "provider": "failed"},
        ["Name a server with the role SMS Provider as provider"],
    ),
    "a page to sign in": ({"faults": [{"act": "html"}]}, {}, {"login": "skipped", "provider": "failed"}, ["web page"]),
    "not JSON": ({"faults": [{"act": "garbage"}]}, {}, {"provider": "failed"}, ["not JSON"]),
    "no role": ({"role": "none"}, {}, {"role": "failed"}, ["Have the account added as an administrative user"]),
    "access denied": ({"role": "denied"}, {}, {"role": "failed"}, ["denies access"]),
    "no right to read": ({"rights": []}, {}, {"role": "failed"}, ["which role has which of these rights"]),
    "hidden devices": (
        {"visible": []},
        {},
        {"devices": "warning", "fast_channel": "warning", **UNAPPROVED},
        ["no device is shown", "security scopes"],
    ),
    "an error of the server": (
        {"faults": [{"status": 500, "target": "Combined"}]},
        {},
        {"devices": "failed", "fast_channel": "skipped", **UNAPPROVED},
        ["HTTP 500", "AdminService.log"],
    ),
    "silence": ({"faults": [{"act": "hang"}]}, {"read_timeout": 1}, {"login": "failed"}, ["SMS_REST_PROVIDER"]),
    "a connection that breaks": (
        {"faults": [{"act": "close", "target": "Combined"}]},
        {},
        {"devices": "failed", "fast_channel": "skipped", "scripts": "skipped", **UNASKED},
        ["stopped answering", "the conversation ended at devices"],
    ),
}
READY: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str], list[str]]] = {
    "a device": ({}, {"device": "WELL"}, {}, ["WELL ran a script and answered in", "normal"]),
    "a device in the mode": ({}, {"device": "STUCK"}, {}, ["STUCK ran a script and answered in", "stuck"]),
    "a device in the mode that is not reached": (
        {"reaches_mode": False},
        {"device": "STUCK"},
        {"device": "failed"},
        ["whether a client in provisioning mode runs scripts at all is not certain"],
    ),
    "a device that is off": ({}, {"device": "OFF"}, {"device": "failed"}, ["offline by the notification channel"]),
    "a device that is mute": ({}, {"device": "MUTE"}, {"device": "failed"}, ["did not answer in time"]),
    "a device without a client": ({}, {"device": "PLAIN"}, {"device": "failed"}, ["no ConfigMgr client"]),
    "no such device": ({}, {"device": "NOBODY"}, {"device": "failed"}, ["no device 'NOBODY'"]),
    "a dead channel": ({"fast_channel": "dead"}, {"device": "WELL"}, {"device": "failed"}, ["BgbServer.log"]),
    "no right to run scripts": (
        {"rights": ["read"]},
        {"device": "WELL"},
        {"device": "failed"},
        ["may not run scripts on this device's collection"],
    ),
}


@pytest.fixture(scope="module")
def ready(site: SiteLab) -> None:
    site.task("site_script")
    for name in ("configmgr.client read_mode 1", "configmgr.client leave_mode 1"):
        site.simulator.set_site_script(name, "approved")


@pytest.mark.parametrize("key", EXAMINED)
def test_layers(site: SiteLab, key: str) -> None:
    examine(site, *EXAMINED[key])


@pytest.mark.parametrize("key", READY)
@pytest.mark.usefixtures("ready")
def test_layers_of_a_site_with_the_scripts(site: SiteLab, key: str) -> None:
    examine(site, *READY[key])


def examine(
    site: SiteLab, keys: dict[str, Any], options: dict[str, Any], statuses: dict[str, str], words: list[str]
) -> None:
    with site.site(**keys):
        event = site.task(MODULE, **options)
        writes = [
            request for request in site.requests if request["method"] != "GET" and "RunScript" not in request["target"]
        ]
    assert event.status == "ok" and not event.result["changed"], event.result
    checks = event.result["checks"]
    assert [check["check"] for check in checks] == list(CHECKS)
    found = {check["check"]: check["status"] for check in checks}
    because = {check["check"] for check in checks if check["found"].startswith("not looked at, since")}
    assert {
        name: status for name, status in found.items() if status != "ok" and name not in because | set(statuses)
    } == {}
    assert {name: found[name] for name in statuses} == statuses, event.result["text"]
    assert event.result["usable"] == ("failed" not in found.values())
    assert (event.result["site"] is None) == (found["role"] != "ok")
    text = "\n".join(event.result["text"])
    for word in words:
        assert word in text
    assert PASSWORD not in text and TOKEN not in text
    assert not writes


def test_without_the_library_of_the_login(site: SiteLab, tmp_path: Path) -> None:
    (event,) = site.tasks([(MODULE, {})], env=without_package(tmp_path, "requests_ntlm"))
    (first, *_rest) = event.result["checks"]
    assert (first["status"], event.result["usable"]) == ("failed", False)
    assert "pip install requests_ntlm" in first["found"]


def test_the_playbook_asks_no_endpoint(site: SiteLab) -> None:
    extra = site.file("site.json", {"doctor_site": dict(site.options)})
    run = site.ansible(
        *("ansible-playbook", "-i", site.inventory({"well": site.host_vars("WELL")}), f"{FQCN}.doctor"),
        *("-e", f"@{extra}"),
    )
    assert run.rc == 0, run.output
    assert list(run.stats) == ["localhost"]
    assert "Usable." in run.output and re.search(r"role +ok +the account has a role on site PS1", run.output)
