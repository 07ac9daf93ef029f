# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name in Ansible's own process."""

from __future__ import annotations

from ..modules import site_provisioning_mode
from ..plugin_utils._site_action import SiteAction


class ActionModule(SiteAction):
    MODULE = site_provisioning_mode
