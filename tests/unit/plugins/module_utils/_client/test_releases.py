# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.releases import behaviours, release

REVISIONS = st.integers(0, 9999)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (8324, "older than 1511"),
        (8325, "1511"),
        (8354, "1511"),
        (8634, "1802"),
        (8691, "1802"),
        (8692, "1806"),
        (8789, "1810"),
        (8790, "1902"),
        (9012, "2006"),
        (9127, "2309"),
        (9128, "2403"),
        (9135, "2503"),
        (9141, "2509"),
        (9142, "newer than 2509"),
    ],
)
def test_release_is_the_last_one_at_or_below(build: int, name: str) -> None:
    assert release(f"5.00.{build}.1007") == release(f"5.0.{build}.0") == name


@given(st.integers(8325, 9141), REVISIONS, REVISIONS)
def test_revision_decides_nothing(build: int, one: int, other: int) -> None:
    assert release(f"5.00.{build}.{one}") == release(f"5.00.{build}.{other}")


@given(st.integers(8325, 9141))
def test_releases_follow_the_builds(build: int) -> None:
    assert int(release(f"5.00.{build}.1") or 0) <= int(release(f"5.00.{min(build + 1, 9141)}.1") or 0)


@pytest.mark.parametrize("version", [None, "", "unknown", "5.00"])
def test_version_that_cannot_be_read_has_no_release(version: str | None) -> None:
    assert release(version) is None
    assert {behaviour.applies for behaviour in behaviours(version)} == {None}


@pytest.mark.parametrize(
    ("build", "applying"),
    [
        (8577, {"compatibility_scan_enters_mode"}),
        (8634, {"compatibility_scan_enters_mode", "entry_fails_with_dependency"}),
        (8691, {"compatibility_scan_enters_mode", "entry_fails_with_dependency"}),
        (8692, set()),
        (8789, set()),
        (8790, {"leaves_by_itself"}),
        (9999, {"leaves_by_itself"}),
    ],
)
def test_behaviours_by_build(build: int, applying: set[str]) -> None:
    found = [behaviour.as_result() for behaviour in behaviours(f"5.00.{build}.1000")]
    assert {each["behaviour"] for each in found if each["applies"]} == applying
    assert all(each["means"] for each in found)
