# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of many hosts from within one task, as Ansible would find them for a task of each host's own.

Ansible resolves the options of the one host that a task runs for. This does the same for any host of the play: its
variables with those of play, role and task, templated in its own context, and the keywords and the command line's
password besides.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C
from ansible.plugins.loader import connection_loader

from ...module_utils._wsman.certificates import check_files
from ...module_utils._wsman.errors import SettingsError
from ...module_utils._wsman.settings import Settings
from .._connection.settings import CONNECTIONS, settings_of

_LISTS = ("ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch")


class HostSettings:
    """For the *task* of an action, whose *task_vars* and *play_context* are those of the host that it runs for."""

    def __init__(
        self, task: t.Any, play_context: t.Any, templar: t.Any, task_vars: t.Mapping[str, t.Any], connect_timeout: float
    ) -> None:
        self._task = task
        self._play_context = play_context
        self._templar = templar
        self._lists = {name: task_vars[name] for name in _LISTS}
        self._connect_timeout = connect_timeout
        self._manager = task.get_variable_manager()
        self._keywords: dict[str, t.Any] = task.dump_attrs()
        for name in ("timeout", "retries"):  # the task's own; connections have others of these names
            self._keywords.pop(name, None)
        owner: t.Mapping[str, t.Any] = task_vars.get("ansible_delegated_vars", {}).get(task.delegate_to) or task_vars
        self._password_is_of_owner = any(name in owner for name in C.MAGIC_VARIABLE_MAPPING["password"])
        if play_context.password and not self._password_is_of_owner:
            self._keywords["password"] = play_context.password
        self._connections: dict[str, t.Any] = {}

    def of(self, name: str) -> Settings:
        """Raises AnsibleError or SettingsError where that host's variables cannot be used."""
        variables = self._variables(name)
        templar = self._templar.copy_with_new_env(available_variables=variables)
        kind = str(templar.template(variables.get("ansible_connection", self._task.connection)))
        connection = self._connection(kind)
        connection.set_options(task_keys=self._keywords, var_options=_given(connection, variables, templar))
        settings = settings_of(connection, variables, self._connect_timeout)
        check_files(settings)
        return settings

    def _variables(self, name: str) -> dict[str, t.Any]:
        # The lists of the play's hosts would be made anew for each host, which is quadratic.
        host = self._manager._inventory.get_host(name)  # no public way leads there
        variables: dict[str, t.Any] = self._manager.get_vars(
            play=self._task.play, host=host, task=self._task, _hosts=[name], _hosts_all=[name]
        )
        variables.update(self._lists)
        return variables

    def _connection(self, kind: str) -> t.Any:
        """One plugin serves all hosts: it is never connected, and set_options leaves nothing of the host before."""
        if kind not in self._connections:
            connection = connection_loader.get(kind, self._play_context)
            if connection is None or connection.transport not in CONNECTIONS:
                raise SettingsError(f"ansible_connection={kind} cannot carry WS-Management: use winrm or psrp")
            self._connections[kind] = connection
        return self._connections[kind]


def _given(connection: t.Any, variables: t.Mapping[str, t.Any], templar: t.Any) -> dict[str, t.Any]:
    """The variables that the plugin takes options from, templated."""
    if hasattr(connection, "_resolve_option_variables"):  # ansible-core 2.19 and later, for its own tasks
        given: dict[str, t.Any] = connection._resolve_option_variables(variables, templar)
        return given
    names = C.config.get_plugin_vars("connection", connection._load_name)
    given = {name: templar.template(variables[name]) for name in names if name in variables}
    given["_extras"] = {}
    if getattr(connection, "allow_extras", False):
        prefix = f"ansible_{connection.extras_prefix}_"
        extras = [name for name in variables if name.startswith(prefix) and name not in given]
        given["_extras"] = {name: templar.template(variables[name]) for name in extras}
    return given
