# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated service, asked by requests and its own plug-ins: statuses and shapes are the recorded ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from recordings import FOLDER as RECORDINGS
from requests_ntlm import HttpNtlmAuth
from simulator.client import Simulator
from simulator.site.odata import BadQuery, Query, moment

SITE = RECORDINGS / "adminservice"
ADDRESS = "127.19.201.1"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Simulator]:
    with Simulator(
        {
            "site": {"address": ADDRESS},
            "endpoints": [{"name": f"PC-{number}", "http": False, "https": False} for number in range(5)],
        }
    ) as fleet:
        yield fleet
        assert "Traceback" not in fleet.log()


def get(fleet: Simulator, path: str, **keywords: Any) -> requests.Response:
    keywords.setdefault("auth", HttpNtlmAuth("CORP\\operator", "Sim-Pass-1!"))
    url = f"https://{ADDRESS}:{fleet.ready['site_port']}/AdminService/{path}"
    return requests.get(url, verify=fleet.ca_file, timeout=10, **keywords)


def test_each_request_needs_a_login_of_its_own(fleet: Simulator) -> None:
    fleet.reset_site_traffic()
    with requests.Session() as session:
        session.trust_env, session.verify = False, fleet.ca_file
        session.auth = HttpNtlmAuth("CORP\\operator", "Sim-Pass-1!")
        url = f"https://{ADDRESS}:{fleet.ready['site_port']}/AdminService/wmi/SMS_Identification"
        assert [session.get(url, timeout=10).status_code for _ in range(3)] == [200] * 3
        assert session.get(url, auth=lambda request: request, timeout=10).status_code == 401
    assert fleet.site()["logins"] == {"ntlm": 3}


def test_the_statuses_of_the_recording(fleet: Simulator) -> None:
    anonymous = get(fleet, "wmi/SMS_Identification", auth=None)
    assert (anonymous.status_code, anonymous.text) == (401, "")
    fleet.set_site(role="none")
    assert get(fleet, "wmi/SMS_Identification").status_code == 404
    fleet.set_site(role=None, host="web_server")
    page = get(fleet, "wmi/SMS_Identification")
    assert page.status_code == 404 and "<title>404 - File or directory not found.</title>" in page.text
    fleet.set_site(host=None, build=9141)
    with pytest.raises(PermissionError):  # the plug-in's way to say that no challenge came
        get(fleet, "wmi/SMS_Identification")
    fleet.set_site(build=None)
    assert get(fleet, "wmi/SMS_Identification").status_code == 200


@pytest.mark.needs_shared
@pytest.mark.skipif(not SITE.is_dir(), reason=f"no recordings in {SITE}")
@pytest.mark.parametrize(
    "name",
    ["SMS_CombinedDeviceResources", "SMS_R_System", "SMS_Collection", "SMS_FullCollectionMembership", "SMS_Site"],
)
def test_rows_have_the_names_and_types_of_the_recording(fleet: Simulator, name: str) -> None:
    """Of the properties that both have."""
    (file,) = SITE.glob(f"{name}.mayyhem.json")
    recorded = json.loads(file.read_text(encoding="utf-8"))["value"]
    rows = get(fleet, f"wmi/{name}").json()["value"]
    kinds: dict[str, set[type]] = {}
    for row in recorded:
        for key, value in row.items():
            kinds.setdefault(key, set()).add(type(value))
    by_lower = {key.lower(): key for key in kinds}
    for row in rows:
        for key, value in row.items():
            if key.lower() in by_lower:
                assert key == by_lower[key.lower()], "spelled as the class spells it"
                assert type(value) in kinds[key] | {type(None), str}, key


def test_pages(fleet: Simulator) -> None:
    ids = [row["ResourceID"] for row in get(fleet, "wmi/SMS_CombinedDeviceResources").json()["value"]]
    assert len(ids) == 5
    found = []
    for skip in range(0, 6, 2):
        page = get(fleet, f"wmi/SMS_CombinedDeviceResources?$select=ResourceID&$top=2&$skip={skip}").json()["value"]
        assert all(set(row) == {"ResourceID"} for row in page)
        found += [row["ResourceID"] for row in page]
    assert found == ids


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Name eq 'pc-1'", True),
        ("Name eq 'PC-1' and Number gt 4", True),
        ("not (Name eq 'PC-1') or Number eq 5", True),
        ("Name eq 'PC-1' and (Number eq 4 or Number eq 6)", False),
        ("contains(Name,'C-') and startswith(Name,'p') and endswith(Name,'1')", True),
        ("Roles/any(x: x eq 'sms provider')", True),
        ("Quoted eq 'O''Brien'", True),
        ("Nothing eq null", True),
        ("Flag eq true", True),
        ("Name eq 'and'", False),
    ],
)
def test_filters(text: str, holds: bool) -> None:
    row = {"Name": "PC-1", "Number": 5, "Roles": ["SMS Provider"], "Quoted": "O'Brien", "Nothing": None}
    row["Flag"] = True
    assert Query.read("$filter=" + requests.utils.quote(text)).condition(row) is holds


@pytest.mark.parametrize(
    "text", ["Name", "Name eq", "Name is 'x'", "(Name eq 'x'", "Name eq 'x", "eq 'x'", "Name eq x"]
)
def test_a_filter_that_is_none(text: str) -> None:
    with pytest.raises(BadQuery):
        Query.read("$filter=" + requests.utils.quote(text)).condition({"Name": "x"})


def test_times_have_no_trailing_zeros(fleet: Simulator) -> None:
    now = fleet.now()
    for microsecond, end in ((423000, ".423Z"), (360000, ".36Z"), (0, "Z")):
        text = moment(now.replace(microsecond=microsecond))
        assert text is not None and text.endswith(end) and text[-len(end) - 1].isdigit()
