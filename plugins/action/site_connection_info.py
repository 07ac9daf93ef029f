# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name in Ansible's own process.

Unlike the other actions it goes on without the library that the service is asked with: that is a finding.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C

from ..module_utils import _module
from ..module_utils._trail_file import Origin
from ..modules import site_connection_info
from ..plugin_utils._site_action import SiteAction, brake


class ActionModule(SiteAction):
    MODULE = site_connection_info

    def _work(
        self, params: dict[str, t.Any], _log: _module.Log, trace: _module.Log, _origin: Origin
    ) -> _module.Result:
        return site_connection_info.examine(params, trace, brake, C.DEFAULT_LOCAL_TMP)
