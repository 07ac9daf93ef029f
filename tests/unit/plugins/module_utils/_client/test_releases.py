# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.release_table import RELEASES
from ansible_collections.configmgr.client.plugins.module_utils._client.releases import behaviours, release

REVISIONS = st.integers(0, 9999)
KNOWN = (RELEASES[0][0], RELEASES[-1][0])


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
        (9145, "2509"),
        (9146, "2603"),
        (9147, "newer than 2603"),
    ],
)
def test_release_is_the_last_one_at_or_below(build: int, name: str) -> None:
    assert release(f"5.00.{build}.1007") == release(f"5.0.{build}.0") == name


@given(st.integers(*KNOWN), REVISIONS, REVISIONS)
def test_revision_decides_nothing(build: int, one: int, other: int) -> None:
    assert release(f"5.00.{build}.{one}") == release(f"5.00.{build}.{other}")


@given(st.integers(*KNOWN))
def test_releases_follow_the_builds(build: int) -> None:
    assert int(release(f"5.00.{build}.1") or 0) <= int(release(f"5.00.{min(build + 1, KNOWN[1])}.1") or 0)


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


def test_the_table_goes_up() -> None:
    """Whoever adds a row in the wrong place, or one of a release that is there, is told."""
    builds, names = zip(*RELEASES, strict=True)
    assert list(builds) == sorted(set(builds))
    assert list(names) == sorted(set(names))


@given(st.integers(1), st.sampled_from([*range(len(RELEASES))]), st.data())
def test_a_build_without_a_row_behaves_as_the_release_before_it(beyond: int, row: int, data: st.DataObject) -> None:
    """Older than the table, between two rows, or past the last one: the newest known release leaves by itself."""

    def applying(build: int) -> list[bool | None]:
        return [each.applies for each in behaviours(f"5.00.{build}.1000")]

    newer = KNOWN[1] + beyond
    assert release(f"5.00.{newer}.1000") == f"newer than {RELEASES[-1][1]}"
    assert applying(newer) == applying(KNOWN[1])
    assert {each.name: each.applies for each in behaviours(f"5.00.{newer}.1000")}["leaves_by_itself"] is True
    older = data.draw(st.integers(0, KNOWN[0] - 1))
    assert release(f"5.00.{older}.1000") == f"older than {RELEASES[0][1]}"
    assert applying(older) == applying(KNOWN[0])
    first, name = RELEASES[row]
    last = RELEASES[row + 1][0] - 1 if row + 1 < len(RELEASES) else first
    between = data.draw(st.integers(first, last))
    assert release(f"5.00.{between}.1000") == name
    assert applying(between) == applying(first)
