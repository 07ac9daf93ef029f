# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for ProvisioningMaxMinutes. Pure."""

from __future__ import annotations

from .. import constants

LARGEST = 2**32 - 1


def problem(max_minutes: int, *, allow_short: bool | None = None) -> str | None:
    """Why *max_minutes* is not to be written; None where it is. *allow_short* None: there is no such option."""
    if not 0 <= max_minutes <= LARGEST:
        return (
            f"max_minutes={max_minutes} does not fit into a DWORD: give 0 (the default of 48 hours) or 60 to {LARGEST}"
        )
    otherwise = ", or allow_short=true to write it all the same" if allow_short is False else ""
    if 0 < max_minutes < constants.CHECK_INTERVAL_MINUTES and not allow_short:
        return (
            f"max_minutes={max_minutes} would act as {constants.CHECK_INTERVAL_MINUTES}, since the client looks once an"
            f" hour: give {constants.CHECK_INTERVAL_MINUTES} or more{otherwise}"
        )
    return None


def effective(max_minutes: int | None) -> int:
    """Minutes after which the client leaves: absent and 0 are the default, anything short is an hour."""
    return max(max_minutes or constants.DEFAULT_LIMIT_MINUTES, constants.CHECK_INTERVAL_MINUTES)
