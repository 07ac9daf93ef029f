# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site knows of devices: the module and the inventory, however the service answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import PASSWORD, USERNAME, WRONG_PASSWORD, Event
from tests.integration.site import TOKEN, SiteLab

MODULE = "site_device_info"

# What the site knows of each machine, beside its name.
DEVICES: dict[str, dict[str, Any]] = {
    "WELL": {},
    "STUCK": {"profile": "stuck", "provisioning": {"entered": "1810m ago"}},
    "STUCK-OFF": {"profile": "stuck", "site": {"online": False}},
    "JUST-ON": {"profile": "stuck", "site": {"online_since": "20m"}},
    "SLOW": {"site": {"policy": "4h"}},
    "LATE": {"site": {"policy": "2h"}},
    "NEVER-ON": {"site": {"online": None}},
    "NO-CLIENT": {"client_version": None},
    "GONE": {"profile": "stuck", "site": {"obsolete": True}},
    "STALE": {"profile": "stuck", "site": {"heartbeat": "9d", "inventory": "10d"}},
    "ELSEWHERE": {"site": {"site_code": "PS2"}},
    "NO-FQDN": {"site": {"fqdn": False}},
    "TWICE": {"profile": "stuck"},
    "TWICE-OLD": {"site": {"name": "TWICE", "obsolete": True}},
}
SUSPECTS = ["SLOW", "STALE", "STUCK", "TWICE"]
COLLECTIONS = [
    {"id": "PS100012", "name": "Pilot", "members": ["WELL", "STUCK", "GONE"]},
    {"id": "PS100013", "name": "Nobody", "members": []},
    {"id": "PS100014", "name": "Twins", "members": ["WELL"]},
    {"id": "PS100015", "name": "Twins", "members": ["STUCK"]},
    {"id": "PS100016", "name": "O'Brien's", "members": ["SLOW"]},
]


@pytest.fixture(scope="module", autouse=True)
def fleet(site: SiteLab) -> None:
    site.simulator.add(
        *({"name": name, "http": False, "https": False, "machine_name": name, **spec} for name, spec in DEVICES.items())
    )
    site.simulator.set_site(collections=COLLECTIONS)


def names(event: Event) -> list[str]:
    return [device["name"] for device in event.result["devices"]]


# -- the module ----------------------------------------------------------------------------------------------------


def test_all_devices(site: SiteLab) -> None:
    event = site.task(MODULE)
    assert event.status == "ok", event.result
    assert names(event) == sorted([*(set(DEVICES) - {"TWICE-OLD"}), "TWICE"])
    assert event.result["suspects"] == SUSPECTS
    assert event.result["site"] == {"code": "PS1", "name": "Primary Site One", "version": "5.00.9128.1000"}
    assert event.result["msg"] == "Site PS1: 14 devices, of which 4 are suspected of provisioning mode."
    assert event.result["changed"] is False
    by_name = {device["name"]: device for device in event.result["devices"] if not device["obsolete"]}
    stuck = by_name["STUCK"]
    assert (stuck["fqdn"], stuck["online"], stuck["client"]) == ("stuck.corp.example", True, True)
    assert 1809 <= stuck["policy_age_minutes"] < 1825
    assert stuck["provisioning_suspect_reasons"] == ["online, and its last policy request is 1 d 6 h old"]
    assert len(by_name["STALE"]["provisioning_suspect_reasons"]) == 3
    assert by_name["LATE"]["provisioning_suspect"] is False
    for name, words in {
        "STUCK-OFF": "offline",
        "JUST-ON": "less than a policy interval",
        "NEVER-ON": "never online",
        "NO-CLIENT": "no ConfigMgr client",
    }.items():
        assert by_name[name]["provisioning_suspect"] is None
        assert words in by_name[name]["provisioning_suspect_reasons"][0]
    # What never happened is null, however the site spells it.
    assert by_name["NO-CLIENT"]["last_hardware_scan"] is by_name["NO-CLIENT"]["last_client_check"] is None


# Key: options, names of what is found.
CHOICES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "by name": ({"devices": ["stuck", "WELL.corp.example"]}, ["STUCK", "WELL"]),
    "by a name that two have": ({"devices": ["TWICE"]}, ["TWICE", "TWICE"]),
    "by a name that none has": ({"devices": ["WELL", "PC-9999"]}, ["WELL"]),
    "by a name with a quotation mark": ({"devices": ["o'brien"]}, []),
    "by id": ({"devices": ["16777221"]}, ["STUCK"]),
    "by a collection's id": ({"collection": "PS100012"}, ["GONE", "STUCK", "WELL"]),
    "by a collection's name": ({"collection": "Pilot"}, ["GONE", "STUCK", "WELL"]),
    "by a collection's name with a quotation mark": ({"collection": "O'Brien's"}, ["SLOW"]),
    "of an empty collection": ({"collection": "PS100013"}, []),
    "by a filter": ({"filter": "startswith(Name,'ST') and IsClient eq true"}, ["STALE", "STUCK", "STUCK-OFF"]),
    "suspects": ({"collection": "SMS00001", "suspects_only": True}, SUSPECTS),
    "with another interval": (
        {"devices": ["LATE", "SLOW"], "policy_intervals": 1, "suspects_only": True},
        ["LATE", "SLOW"],
    ),
    "with a long interval": ({"devices": ["SLOW"], "policy_interval": 120, "suspects_only": True}, []),
}


@pytest.fixture(scope="module")
def chosen(site: SiteLab) -> dict[str, Event]:
    return dict(zip(CHOICES, site.tasks([(MODULE, options) for options, _names in CHOICES.values()]), strict=True))


@pytest.mark.parametrize("key", CHOICES)
def test_some_devices(chosen: dict[str, Event], key: str) -> None:
    event = chosen[key]
    assert (event.status, names(event)) == ("ok", CHOICES[key][1]), event.result.get("msg")
    missing = {"by a name that none has": ["PC-9999"], "by a name with a quotation mark": ["o'brien"]}.get(key, [])
    assert event.result["not_found"] == missing


# Key: options, words of the message. Nothing of these is sent, but for what only the site can tell.
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no provider": ({"provider": None}, ["provider"]),
    "a URL": ({"provider": "https://cm01.corp.example/AdminService"}, ["provider='https:"]),
    "no password": ({"password": None}, ["auth=ntlm needs a password (password)"]),
    "no token": ({"auth": "token"}, ["auth=token needs a token", "CONFIGMGR_TOKEN"]),
    "a token on two lines": ({"auth": "token", "token": TOKEN + "\n" + TOKEN}, ["token holds"]),
    "a domain's name for Kerberos": ({"auth": "kerberos"}, [r"username=CORP\operator", "user@REALM"]),
    "no such CA": ({"ca_path": "/no/such.pem"}, ["ca_path=/no/such.pem cannot be read"]),
    "no port": ({"port": 0}, ["port=0 is not between"]),
    "no time": ({"deadline": 0}, ["deadline=0 is too small"]),
    "no time to read": ({"read_timeout": 0}, ["read_timeout=0 is too small"]),
    "two choices": ({"collection": "a", "filter": "b"}, ["mutually exclusive"]),
    "an empty name": ({"devices": ["WELL", " "]}, ["devices[1] is empty"]),
    "an empty collection": ({"collection": " "}, ["collection is empty"]),
}
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an unknown collection": ({"collection": "PS1FFFFF"}, ["shows the account no collection 'PS1FFFFF'"]),
    "a name of two collections": ({"collection": "Twins"}, ["is the name of 2 collections: give its id"]),
    "a collection of users": ({"collection": "SMS00002"}, ["is a collection of users"]),
    "a filter that is none": ({"filter": "Name is 'x'"}, ["HTTP 400"]),
    "a property that is none": ({"filter": "Nme eq 'x'"}, ["HTTP 400", "Nme"]),
}


@pytest.fixture(scope="module")
def wrong(site: SiteLab) -> dict[str, Event]:
    site.simulator.reset_site_traffic()
    found = dict(zip(WRONG, site.tasks([(MODULE, options) for options, _words in WRONG.values()]), strict=True))
    assert site.requests == []
    refused = site.tasks([(MODULE, options) for options, _words in REFUSED.values()])
    return {**found, **dict(zip(REFUSED, refused, strict=True))}


@pytest.mark.parametrize("key", [*WRONG, *REFUSED])
def test_bad_input_gets_one_clear_error(wrong: dict[str, Event], key: str) -> None:
    event, words = wrong[key], {**WRONG, **REFUSED}[key][1]
    assert event.status == "failed"
    for word in words:
        assert word in event.result["msg"]
    assert len(event.result["msg"].splitlines()) == 1


# -- how the service answers -----------------------------------------------------------------------------------------

# Key: how the site is, options, words of the message, layer.
FAILURES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], str]] = {
    "wrong password": ({}, {"password": WRONG_PASSWORD}, ["rejected the login", "kerberos"], "login"),
    "ntlm, which is refused since 2509": ({"build": 9141}, {}, ["ntlm", "kerberos there"], "login"),
    "no role": ({"role": "none"}, {}, ["no role on this site"], "role"),
    "no role, of 2509": ({"role": "none_401"}, {}, ["rejected the login"], "login"),
    "no rights in WMI": (
        {"role": "denied"},
        {},
        ["denies access", "Access denied  WMI QUERY".replace("  ", " ")],
        "role",
    ),
    "no right to read": ({"rights": []}, {}, ["HTTP 403"], "site_permission"),
    "a management point": ({"host": "web_server"}, {}, ["without an administration service"], "site_host"),
    "a page to sign in": ({"faults": [{"act": "html"}]}, {}, ["web page"], "site_host"),
    "not JSON": ({"faults": [{"act": "garbage"}]}, {}, ["not JSON"], "protocol"),
    "an empty list in place of the site": (
        {"faults": [{"act": "empty"}]},
        {},
        ["does not answer as a site"],
        "protocol",
    ),
    "an error of the server": ({"faults": [{"status": 500, "target": "Combined"}]}, {}, ["HTTP 500"], "service"),
    "not available": ({"faults": [{"status": 503}]}, {}, ["HTTP 503"], "service"),
    "half an answer": ({"faults": [{"act": "half", "target": "Combined"}]}, {}, ["stopped answering"], "connection"),
    "a connection that breaks": (
        {"faults": [{"act": "close", "target": "R_System"}]},
        {},
        ["stopped answering"],
        "connection",
    ),
    "silence": ({"faults": [{"act": "hang"}]}, {"read_timeout": 1}, ["stayed silent", "SMS_REST_PROVIDER"], "timeout"),
    "a slow drip": (
        {"faults": [{"act": "drip", "target": "Combined"}]},
        {"deadline": 3},
        ["deadline of 3 s"],
        "timeout",
    ),
    "pages that repeat": ({"largest_page": 1000, "ignores_skip": True}, {}, [], ""),
    "another CA": ({}, {"ca_path": None}, ["certificate is not trusted", "ca_path"], "tls"),
    "no validation": ({"rights": []}, {"ca_path": None, "validate_certs": False}, ["HTTP 403"], "site_permission"),
    "nobody": ({}, {"port": 1}, ["cannot be reached", "SMS Provider"], "port"),
    "a token that nobody knows": (
        {"token": "another"},
        {"auth": "token", "token": TOKEN},
        ["refused the token"],
        "login",
    ),
    "a token that expires": (
        {"token": TOKEN, "token_lasts": 3},
        {"auth": "token", "token": TOKEN},
        ["may have expired"],
        "login",
    ),
}


@pytest.mark.parametrize("key", FAILURES)
def test_what_fails_is_told_from_what_is_not_there(site: SiteLab, key: str) -> None:
    how, options, words, layer = FAILURES[key]
    with site.site(**how):
        (event,) = site.tasks([(MODULE, options)])  # in real time
    if not layer:
        assert event.status == "ok"
        return
    assert event.status == "failed", event.result
    for word in words:
        assert word in event.result["msg"]
    assert event.result["error_layer"] == layer
    assert len(event.result["msg"].splitlines()) == 1
    assert TOKEN not in json.dumps(event.result)


def test_a_wrong_password_locks_nobody(site: SiteLab) -> None:
    """Ten tasks of ten hosts: no more than three logins are rejected, and the rest are not tried."""
    hosts = {f"H{number}": site.local_vars() for number in range(10)}
    task = {f"configmgr.client.{MODULE}": {**site.options, "password": WRONG_PASSWORD}, "ignore_errors": True}
    content = [{"hosts": "windows", "gather_facts": False, "tasks": [task]}]
    before = site.simulator.accounts().get(USERNAME, {"rejected": 0})["rejected"]
    run = site.ansible("ansible-playbook", "-i", site.inventory(hosts), site.file("play.yml", content))
    assert len(run.events) == 10 and {event.status for event in run.events} == {"failed"}
    assert site.simulator.accounts()[USERNAME]["rejected"] - before <= 3


def test_no_secret_in_any_output(site: SiteLab) -> None:
    site.tasks([(MODULE, {}), (MODULE, {"password": WRONG_PASSWORD})], "-vvvvv")  # the lab looks at what is printed
    with site.site(token=TOKEN):
        (event,) = site.tasks([(MODULE, {"auth": "token", "token": TOKEN})], "-vvvvv")
    assert event.status == "ok" and TOKEN not in json.dumps(event.result)


# Key: how the site is. Devices are the same in whatever pages they come.
SHAPES: dict[str, dict[str, Any]] = {
    "small pages": {"largest_page": 2, "next_links": True},
    "pages of one": {"largest_page": 1, "next_links": True},
    "an older build": {"build": 9106},
}


@pytest.mark.parametrize("key", SHAPES)
def test_all_pages_are_read(site: SiteLab, key: str) -> None:
    with site.site(**SHAPES[key]):
        event = site.task(MODULE)
    assert event.status == "ok", event.result
    assert (len(event.result["devices"]), event.result["suspects"]) == (14, SUSPECTS)


def test_what_the_account_may_not_see_is_not_there(site: SiteLab) -> None:
    with site.site(visible=["WELL"]):
        event = site.task(MODULE, devices=["WELL", "STUCK"])
    assert (names(event), event.result["not_found"]) == (["WELL"], ["STUCK"])


def test_the_environment_may_say_who_logs_in_where(site: SiteLab) -> None:
    content = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{f"configmgr.client.{MODULE}": {"port": site.options["port"], "devices": ["WELL"]}}],
        }
    ]
    env = {
        "CONFIGMGR_PROVIDER": site.options["provider"],
        "CONFIGMGR_USERNAME": USERNAME,
        "CONFIGMGR_PASSWORD": PASSWORD,
        "CONFIGMGR_AUTH": "ntlm",
        "CONFIGMGR_CA_PATH": site.options["ca_path"],
    }
    run = site.ansible("ansible-playbook", "-i", site.inventory({}), site.file("play.yml", content), env=env)
    assert run.rc == 0, run.output


# -- the inventory -------------------------------------------------------------------------------------------------


def test_the_inventory(site: SiteLab) -> None:
    found = site.listed(collections=["SMS00001", "Pilot"])
    hosts = found["_meta"]["hostvars"]
    assert set(hosts) == {
        f"{name.lower()}.corp.example" for name in DEVICES if name not in ("NO-CLIENT", "GONE", "NO-FQDN", "TWICE-OLD")
    } | {"NO-FQDN"}
    stuck = hosts["stuck.corp.example"]["configmgr_device"]
    assert (stuck["name"], stuck["online"], stuck["provisioning_suspect"]) == ("STUCK", True, True)

    def group(name: str) -> set[str]:
        return {host.partition(".")[0] for host in found[name]["hosts"]}

    assert group("provisioning_suspects") == {name.lower() for name in SUSPECTS}
    assert group("site_PS2") == {"elsewhere"}
    assert group("offline") == {"stuck-off"}
    assert group("collection_PS100012") == {"well", "stuck"}
    assert group("client_5_00_9128_1007") | {"no-fqdn"} >= group("online")
    assert len(group("domain_CORP")) == len(hosts)


def test_constructed_groups_and_variables(site: SiteLab) -> None:
    found = site.listed(
        filter="Name eq 'STUCK' or Name eq 'WELL'",
        hostname="name",
        compose={"ansible_host": "configmgr_device.addresses[0]", "age": "configmgr_device.policy_age_minutes // 60"},
        groups={"old": "configmgr_device.policy_age_minutes > 600"},
        keyed_groups=[{"key": "configmgr_device.os_build", "prefix": "build"}],
    )
    assert found["old"]["hosts"] == ["STUCK"]
    assert int(found["_meta"]["hostvars"]["STUCK"]["age"]) == 30  # a text before ansible-core 2.19
    assert found["_meta"]["hostvars"]["STUCK"]["ansible_host"].startswith("127.")
    assert set(found["build_10_0_19045_1"]["hosts"]) == {"STUCK", "WELL"}


def test_records_that_stand_for_nobody_can_be_had(site: SiteLab) -> None:
    found = site.listed(include_obsolete=True, include_without_client=True, hostname="name")
    assert {"GONE", "NO-CLIENT"} <= set(found["_meta"]["hostvars"])
    run = site.as_inventory(include_obsolete=True, hostname="name")
    assert "TWICE stands for several devices" in run.output


@pytest.mark.parametrize("strict", [True, False])
def test_strict(site: SiteLab, strict: bool) -> None:
    run = site.as_inventory(compose={"x": "configmgr_device.no_such"}, strict=strict)
    assert ("no_such" in run.output) == strict, run.output


# Key: options, words.
BAD_INVENTORIES: dict[str, tuple[dict[str, Any], str]] = {
    "a wrong password": ({"password": WRONG_PASSWORD}, "rejected the login"),
    "an unknown collection": ({"collections": ["Pilots"]}, "no collection 'Pilots'"),
    "two choices": ({"collections": ["Pilot"], "filter": "Name eq 'x'"}, "exclude each other"),
    "no patience": ({"policy_intervals": 0}, "policy_intervals=0 is too small"),
    "no provider": ({"provider": None}, "provider"),
}


@pytest.mark.parametrize("key", BAD_INVENTORIES)
def test_an_inventory_that_cannot_be_had(site: SiteLab, key: str) -> None:
    options, words = BAD_INVENTORIES[key]
    run = site.as_inventory(**options)
    output = " ".join(run.output.split())  # which ansible-core before 2.19 breaks into lines
    assert words in output and "internal error" not in output
    strict = site.as_inventory(env={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1"}, **options)
    assert strict.rc != 0


def test_the_cache_is_used_until_somebody_says_not_to(site: SiteLab, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path)}
    path = site.directory / "cached.configmgr.yml"
    path.write_text(json.dumps({"plugin": "configmgr.client.site", **site.options, **cache}), encoding="utf-8")

    def listed() -> Mapping[str, Any]:
        run = site.ansible("ansible-inventory", "-i", str(path), "--list")
        assert run.rc == 0, run.output
        found: dict[str, Any] = json.loads(run.output[run.output.index("{") :])
        for name, group in found.items():
            if name != "_meta":
                for members in group.values():
                    members.sort()
        return found

    first = listed()
    site.simulator.reset_site_traffic()
    assert listed() == first
    assert site.requests == []
    play = site.file("play.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": []}])
    site.ansible("ansible-playbook", "-i", str(path), str(play), "--flush-cache")
    assert site.requests != []
    assert PASSWORD not in "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())


def test_texts_of_the_site_are_no_templates(site: SiteLab) -> None:
    hostile = "{{ lookup('pipe', 'touch /tmp/x') }}"
    site.simulator.add(
        {"name": "HOSTILE", "http": False, "https": False, "site": {"addresses": [hostile, "<b>&\u202e"]}},
        {"name": "HOSTILE-2", "http": False, "https": False, "site": {"name": "../../etc", "fqdn": False}},
    )
    try:
        path = site.directory / "hostile.configmgr.yml"
        path.write_text(json.dumps({"plugin": "configmgr.client.site", **site.options}), encoding="utf-8")
        task = {"ansible.builtin.debug": {"msg": "{{ hostvars['hostile.corp.example'].configmgr_device.addresses }}"}}
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]
        run = site.ansible("ansible-playbook", "-i", str(path), "-i", "localhost,", site.file("play.yml", play))
        assert run.rc == 0, run.output
        assert run.of("localhost")[0].result["msg"] == [hostile, "<b>&\u202e"]
        assert "'../../etc' is no name of a host" in " ".join(run.output.split())
    finally:
        site.simulator.remove("HOSTILE")
        site.simulator.remove("HOSTILE-2")


def test_documentation(site: SiteLab) -> None:
    run = site.ansible("ansible-doc", "-t", "inventory", "configmgr.client.site", "--json")
    assert run.rc == 0 and "provisioning_suspects" in run.output
