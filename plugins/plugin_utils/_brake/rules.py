# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what came of the waves so far lets the next one begin. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .outcome import Outcome
from .waves import endpoints


@dataclass(frozen=True)
class Limits:
    """Each is the most that is allowed; ``max_failed_share`` in percent, of at least ``min_attempts`` attempts.

    ``confirm_changes`` is what somebody has agreed to for this run, whatever ``max_changes`` says.
    """

    max_changes: int
    confirm_changes: int
    max_failed_share: int
    min_attempts: int
    max_consecutive_failures: int
    max_login_rejections: int


def to_change(outcomes: Iterable[Outcome], waiting: int) -> int:
    """How many endpoints the whole run changes at most: those that it tried to, and those that are *waiting*."""
    return waiting + sum(each in (Outcome.CHANGED, Outcome.FAILED) for each in outcomes)


def reason_to_stop(outcomes: Sequence[Outcome], waiting: int, limits: Limits) -> str:
    """A sentence, or empty to go on; *outcomes* in the order of the hosts, of those that had their turn.

    What is offline counts nowhere. Nor does what needed no change: it proves nothing of the change.
    """
    number = Counter(outcomes)
    changed, failed, logins = (number[each] for each in (Outcome.CHANGED, Outcome.FAILED, Outcome.LOGIN_FAILED))
    attempted, planned, row = changed + failed, to_change(outcomes, waiting), _longest_row(outcomes)
    if planned > max(limits.max_changes, limits.confirm_changes):
        return (
            f"{endpoints(planned)} would be changed, more than max_changes={limits.max_changes}: give"
            f" confirm_changes={planned} if that is meant, or change fewer hosts."
        )
    if logins > limits.max_login_rejections:
        return f"The login failed at {endpoints(logins)}, more than max_login_rejections={limits.max_login_rejections}."
    if failed + logins and not changed:
        return f"No endpoint was changed successfully so far: {failed} failed, and the login failed at {logins}."
    if row > limits.max_consecutive_failures:
        return (
            f"{endpoints(row)} in a row failed, more than max_consecutive_failures={limits.max_consecutive_failures}."
        )
    if attempted >= limits.min_attempts and failed * 100 > limits.max_failed_share * attempted:
        return (
            f"{failed} of {endpoints(attempted)} failed, which is {failed * 100 / attempted:.0f} % and more than"
            f" max_failed_share={limits.max_failed_share}."
        )
    return ""


def _longest_row(outcomes: Iterable[Outcome]) -> int:
    """Of failures with no success between them, whatever else is."""
    longest = row = 0
    for each in outcomes:
        if each is Outcome.FAILED:
            row += 1
            longest = max(longest, row)
        elif each is Outcome.CHANGED:
            row = 0
    return longest
