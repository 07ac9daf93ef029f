# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import LoginRejected, TicketUnavailable
from ansible_collections.configmgr.client.plugins.module_utils._wsman.login.kerberos_errors import problem
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import OptionNames

CLIENT, SERVICE = "admin@CORP.EXAMPLE", "HTTP/pc-0001.corp.example"
NAMES = OptionNames(username="my_user", kerberos_hostname_override="my_override")
FIRST = -1765328384
"""MIT counts the codes of RFC 4120, and then its own, from here."""


@given(code=st.integers(FIRST, FIRST + 255), text=st.text())
def test_every_failure_has_one_message(code: int, text: str) -> None:
    found = problem(code, text, CLIENT, SERVICE, NAMES)
    assert isinstance(found, (LoginRejected, TicketUnavailable))
    assert len(str(found).splitlines()) == 1
    assert isinstance(found, LoginRejected) or (SERVICE in str(found) and str(code) in str(found))


@given(code=st.integers(FIRST, FIRST + 255))
def test_names_are_filled_in(code: int) -> None:
    assert not {"{", "}"} & set(str(problem(code, "", CLIENT, SERVICE, NAMES)))


@pytest.mark.parametrize("name", ["KDC_ERR_PREAUTH_FAILED 24", "KRB_AP_ERR_BAD_INTEGRITY 31"])
def test_only_a_judged_password_counts_as_rejected(name: str) -> None:
    rejected = FIRST + int(name.split()[1])
    assert isinstance(problem(rejected, "", CLIENT, SERVICE, NAMES), LoginRejected)
    assert problem(rejected, "", CLIENT, SERVICE, NAMES).layer == "login"


def test_nothing_else_counts_as_rejected() -> None:
    others = [FIRST + each for each in range(256) if each not in (24, 31)]
    assert {problem(code, "", CLIENT, SERVICE, NAMES).layer for code in others} == {"kerberos"}


def test_a_code_that_is_not_known_is_told_in_the_library_s_words() -> None:
    assert "Message stream {modified}" in str(problem(FIRST + 41, "Message stream {modified}", CLIENT, SERVICE, NAMES))


@pytest.mark.parametrize(("number", "name"), [(6, "my_user"), (7, "my_override"), (-1, "ansible_")])
def test_settings_are_named_as_the_user_spells_them(number: int, name: str) -> None:
    told = [str(problem(FIRST + each, "", CLIENT, SERVICE, NAMES)) for each in range(256)]
    assert (name in told[number]) if number >= 0 else not any(name in each for each in told)
