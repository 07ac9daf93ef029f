# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._adminservice import errors
from ansible_collections.configmgr.client.plugins.module_utils._adminservice.answers import members, parsed
from ansible_collections.configmgr.client.plugins.module_utils._adminservice.row import Row
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError

URL = "https://cm01/AdminService/wmi/SMS_Site"
PAGE = b"\r\n<!DOCTYPE html><html><head><title>404</title></head></html>"
DENIED = b'{"error":{"code":"404","message":"Access denied  WMI QUERY: "}}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"", errors.NotVisible),
        (404, PAGE, errors.NotAProvider),
        (404, DENIED, errors.NoRole),
        (404, b'{"error":"gone"}', errors.NotVisible),
        (403, b"", errors.Forbidden),
        (400, b'{"error":{"message":{"value":"of OData 3"}}}', errors.BadRequest),
        (500, b"", errors.ServiceFailed),
        (503, PAGE, errors.ServiceFailed),
        (302, b"", errors.ServiceFailed),
        (200, PAGE, errors.NotAProvider),
    ],
)
def test_each_refusal_is_what_it_means(status: int, body: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        parsed(URL, status, body)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize("status", [200, 201, 204])
def test_nothing_is_an_answer(status: int) -> None:
    assert parsed(URL, status, b"") is None


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_answer_is_json_or_an_error_of_ours(status: int, body: bytes) -> None:
    with suppress(errors.AdminServiceError, ProtocolError):
        parsed(URL, status, body)


@pytest.mark.parametrize("answer", [None, [], {}, {"value": None}, {"value": {}}, {"value": [1]}, "text"])
def test_what_has_no_rows_is_not_taken_for_none(answer: Any) -> None:
    with pytest.raises(ProtocolError):
        members(URL, answer)


# -- properties ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["ResourceID", "ResourceId", "resourceid"])
def test_properties_are_found_without_case(spelling: str) -> None:
    assert Row({spelling: 16777219}).integer("ResourceID") == 16777219


@pytest.mark.parametrize("never", [None, "1970-01-01T00:00:00Z", "1980-01-01T00:00:00Z", "1980-01-01T00:00:00.000Z"])
def test_never_has_three_spellings(never: str | None) -> None:
    assert Row({"LastDDR": never}).moment("LastDDR") is None
    assert Row({}).moment("LastDDR") is None


@given(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2200, 1, 1)), st.integers(0, 7))
def test_times_have_any_number_of_decimals(moment: dt.datetime, decimals: int) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06}0"[: decimals + 1] if decimals else "") + "Z"
    found = Row({"x": text}).moment("x")
    assert found is not None and abs(found - moment.replace(tzinfo=dt.timezone.utc)) < dt.timedelta(seconds=1)
    assert found <= moment.replace(tzinfo=dt.timezone.utc)


WRONG = [*("", "soon", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-23:59", 5, True, 1.5, [], {}, ["x"], [1])]


@given(st.sampled_from(WRONG) | st.text(max_size=30) | st.integers() | st.floats())
def test_a_value_of_another_type_is_an_error_of_ours(value: Any) -> None:
    row = Row({"x": value})
    for read in (row.text, row.integer, row.boolean, row.moment, row.texts):
        with suppress(ProtocolError):
            read("x")


@pytest.mark.parametrize(("value", "truth"), [(True, True), (False, False), (1, True), (0, False), (None, None)])
def test_truth_has_two_spellings(value: Any, truth: bool | None) -> None:
    assert Row({"x": value}).boolean("x") is truth


@pytest.mark.parametrize("value", ["16777219", 16777219])
def test_a_number_may_come_as_text(value: Any) -> None:
    assert Row(json.loads(json.dumps({"x": value}))).integer("x") == 16777219
