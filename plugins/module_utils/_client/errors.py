# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How work on the client fails. Each message is for the person who reads the task's result."""

from __future__ import annotations


class WrongMachine(Exception):
    """Another machine answers, or which one cannot be determined."""


class MethodFailed(Exception):
    """A method, or a program of the client, ran and failed."""


class NotReady(MethodFailed):
    """It failed in a way that a client shows for some minutes after a boot: it may succeed later."""


class TrailBroken(Exception):
    """The audit trail cannot be kept, so nothing is written on the endpoint any more."""


class NotUnderstood(Exception):
    """What came from the client is not what was asked for, so nothing is concluded from it."""


class NotVerified(Exception):
    """The call was made and its effect did not show in time; the message says which part."""
