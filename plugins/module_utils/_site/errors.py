# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a task from being done that the service itself did not refuse."""

from __future__ import annotations


class SiteProblem(Exception):
    """The message says what it is and what to do. Nothing was changed."""


class NoTarget(SiteProblem):
    """There is no device or collection to ask, or nobody knows which."""


class ScriptUnusable(SiteProblem):
    """A script that the site lacks, or has in another form, or has not approved."""
