# SPDX-License-Identifier: GPL-3.0-or-later
"""Codes to classes. The table is of wsmerror.h, winerror.h and wbemcli.h, not of the code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault

ACCESS, NOT_FOUND, QUOTA = errors.AccessDenied, errors.NotFound, errors.QuotaExceeded
REFUSED, INVALID, PROVIDER = errors.OperationRefused, errors.InvalidRequest, errors.ProviderFailure
CODES = [
    (5, ACCESS),
    (2147942405, ACCESS),
    (0x80041003, ACCESS),
    (2150859012, ACCESS),
    (2150859013, ACCESS),
    (2150859014, ACCESS),
    (2150858752, NOT_FOUND),
    (2150858754, NOT_FOUND),
    (2150858811, NOT_FOUND),
    (0x80041002, NOT_FOUND),
    (0x8004100E, NOT_FOUND),
    (0x80041010, NOT_FOUND),
    (2150858778, errors.FilterRejected),
    (2147942402, errors.FileMissing),
    (0x80070003, errors.FileMissing),
    (2150859173, QUOTA),
    (2150859174, QUOTA),
    (2150859175, QUOTA),
    (2150859176, QUOTA),
    *[(code, QUOTA) for code in range(2150859236, 2150859242)],
    (2150858793, errors.OperationTimedOut),
    (2150858753, REFUSED),
    (2150858771, REFUSED),
    (2150858801, REFUSED),
    (2150859010, REFUSED),
    (2150859064, REFUSED),
    (2150859065, REFUSED),
    (2150859066, REFUSED),
    (0x8004102E, REFUSED),
    (87, INVALID),
    (2150858767, INVALID),
    (2150858817, INVALID),
    (2150858842, INVALID),
    (2150858843, INVALID),
    (2150858846, INVALID),
    (2150859011, INVALID),
    (2150859038, INVALID),
    (2150859067, INVALID),
    (0x80041008, INVALID),
    (0x8004102F, INVALID),
    (0x80004005, PROVIDER),
    (0x80041001, PROVIDER),
    (0x80041004, PROVIDER),
    (0x80041013, PROVIDER),
    (0x80041033, PROVIDER),
]
SUBCODES = [
    ("AccessDenied", ACCESS),
    ("DestinationUnreachable", NOT_FOUND),
    ("CannotProcessFilter", errors.FilterRejected),
    ("QuotaLimit", QUOTA),
    ("TimedOut", errors.OperationTimedOut),
    ("ActionNotSupported", REFUSED),
    ("ActionMismatch", REFUSED),
    ("InvalidSelectors", INVALID),
    ("InvalidParameter", INVALID),
    ("SchemaValidationError", INVALID),
    ("InternalError", errors.Fault),
    ("", errors.Fault),
]


@pytest.mark.parametrize(
    ("code", "kind"), CODES, ids=lambda value: f"{value:#x}" if isinstance(value, int) else value.__name__
)
def test_code_says_what_happened(code: int, kind: type[errors.Fault]) -> None:
    error = fault(FaultDetail(code, "InternalError", "Es ist ein Fehler aufgetreten."))
    assert type(error) is kind
    assert f"{code:#010x}" in str(error)


@pytest.mark.parametrize(("subcode", "kind"), SUBCODES)
def test_subcode_says_it_where_there_is_no_code(subcode: str, kind: type[errors.Fault]) -> None:
    assert type(fault(FaultDetail(None, subcode, "?"))) is kind
    assert type(fault(FaultDetail(0xDEADBEEF, subcode, "?"))) is kind


def test_code_is_more_exact_than_the_subcode() -> None:
    """Windows reports its quota of operations with the subcode InternalError, and missing classes with others."""
    assert type(fault(FaultDetail(2150859174, "InternalError", ""))) is QUOTA
    assert type(fault(FaultDetail(2150859012, "DestinationUnreachable", ""))) is ACCESS


@given(st.text(max_size=30), st.text(max_size=30))
def test_texts_decide_nothing(reason: str, provider: str) -> None:
    assert type(fault(FaultDetail(None, "", reason, provider))) is errors.Fault


def test_message_prefers_the_providers_words_and_always_says_something() -> None:
    assert str(fault(FaultDetail(5, "x", "general", "exact"))).startswith("exact [0x00000005")
    assert str(fault(FaultDetail(None, "InternalError", "general"))) == "general [InternalError]"
    assert str(fault(FaultDetail(1234, "", ""))) == "[0x000004d2]"


def test_every_kind_of_fault_names_its_layer() -> None:
    layers = {kind: kind.layer for kind in {kind for _code, kind in CODES}}
    assert layers.pop(errors.FilterRejected) == layers[NOT_FOUND], "a rejected filter is a missing class"
    assert len(set(layers.values())) == len(layers)
