# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.identity import (
    is_address,
    matches_netbios,
    mismatch,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import ComputerNames

LABELS = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=30).filter(
    lambda label: label[0].isalpha() and not label.endswith("-")
)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(".".join)


def computer(name: str, domain: str | None = "corp.example") -> ComputerNames:
    """As Windows names itself: the NetBIOS name is what fifteen characters hold, in capitals."""
    return ComputerNames(name[:15].upper(), name, domain)


@given(LABELS, DOMAINS)
def test_every_name_of_the_machine_is_accepted(name: str, domain: str) -> None:
    actual = computer(name, domain)
    for expected in (
        name,
        name.upper(),
        f"{name}.{domain}",
        f"{name}.{domain}.",
        f" {name} ",
        f"{name}.elsewhere.example",
    ):
        assert mismatch(expected, actual, "short") is None


@given(LABELS, LABELS, DOMAINS)
def test_no_name_of_another_machine_is_accepted(name: str, other: str, domain: str) -> None:
    assume(name[:15] != other if len(other) <= 15 else name != other)
    for expected in (other, f"{other}.{domain}"):
        for check in ("short", "fqdn"):
            problem = mismatch(expected, computer(name, domain), check)
            assert problem and name in problem and other in problem


@given(LABELS, DOMAINS)
def test_fqdn_is_compared_whole(name: str, domain: str) -> None:
    actual = computer(name, domain)
    assert mismatch(f"{name}.{domain}".upper() + ".", actual, "fqdn") is None
    assert mismatch(name, actual, "fqdn")
    assert mismatch(f"{name}.other.{domain}", actual, "fqdn")


def test_workgroup_computer_has_its_host_name_alone() -> None:
    assert mismatch("pc-0001", computer("pc-0001", None), "fqdn") is None
    assert mismatch("pc-0001.corp.example", computer("pc-0001", None), "fqdn")


@given(LABELS, LABELS, DOMAINS)
def test_longer_names_that_netbios_cuts_alike_are_told_apart(name: str, other: str, domain: str) -> None:
    """Equal first fifteen characters prove nothing of a longer name."""
    name, other = f"ws-berlin-00012{name}", f"ws-berlin-00012{other}"
    assert (mismatch(other, computer(name, domain), "short") is None) == (name == other)
    assert mismatch(other, ComputerNames(name[:15].upper(), name[:15].upper(), None), "short")
    assert mismatch(name[:15].upper(), computer(name, domain), "short") is None, "it is called so as well"


@given(LABELS, LABELS, DOMAINS)
def test_netbios_name_alone_tells_what_it_can(name: str, other: str, domain: str) -> None:
    for expected in (name, f" {name.upper()}.{domain}"):
        assert matches_netbios(expected, name[:15].upper()) is (True if len(name) <= 15 else None)
        if name[:15] != other[:15]:
            assert matches_netbios(expected, other[:15].upper()) is False


@given(st.ip_addresses())
def test_address_tells_nobody_which_machine_it_is(address: object) -> None:
    for expected in (str(address), f"[{address}]"):
        assert is_address(expected)
        assert matches_netbios(expected, "PC-0001") is None
        for check in ("short", "fqdn"):
            assert mismatch(expected, computer("pc-0001"), check)


@given(LABELS)
def test_name_is_no_address(name: str) -> None:
    assert not is_address(name)


@pytest.mark.parametrize("expected", ["192.0.2.7", "somebody-else", ""])
def test_check_that_is_off_accepts_all(expected: str) -> None:
    assert mismatch(expected, computer("pc-0001"), "off") is None


def test_no_name_is_nobodys_name() -> None:
    assert mismatch("", ComputerNames("", "", None), "short")
    assert mismatch("pc-0001", ComputerNames("", "", None), "short")


@pytest.mark.parametrize(("other", "own"), [("pc-1", "pc-10"), ("pc-10", "pc-1"), ("pc", "pc-1.x")])
def test_beginning_of_a_name_is_another_name(other: str, own: str) -> None:
    assert mismatch(other, computer(own), "short") and mismatch(f"{other}.corp.example", computer(own), "short")
