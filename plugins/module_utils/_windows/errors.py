# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of Windows itself, which arrive in a method's ReturnValue, not as a fault."""

from __future__ import annotations


class WindowsError(Exception):
    """``code`` is the ReturnValue; its meaning depends on the class that returned it.

    ``layer`` and ``remedy`` are as in WSManError.
    """

    layer = "windows"
    remedy = ""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class PermissionRefused(WindowsError):
    """The account may not do this to this registry key or service."""

    layer = "permission"
