# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own connection plug-ins, as ansible-core loads them. Nearly all that they do is PowerShell.

What is left: both log in, the one by opening a shell, the other by asking for a runspace; and a line that begins with
`type` is handed to cmd.exe by the winrm plug-in as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, ClassVar

from ansible.errors import AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

from . import pywinrm
from .base import NO_REALM, Client, Refused, Result, refused_in_words

_POWERSHELL = "it does that by PowerShell, which the simulator is not"
_REMOTING = "it does everything by PowerShell remoting, which the simulator does not have"
_NO_OTHER = "it opens one shell, and runs commands in it"
NO_SUCH_RESOURCE = 2150858811


@contextlib.contextmanager
def telling() -> Iterator[None]:
    try:
        with pywinrm.telling():
            yield
    except AnsibleError as error:
        raise refused_in_words(str(error)) from error


class Plugin(Client):
    plugin = ""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # By its short name it is found without the finder of collections, which would stay for other tests.
        self.connection = connection_loader.get(self.plugin, PlayContext())
        settings = self.settings()
        # What Ansible's executor does with the settings that the plug-in hands on to pywinrm.
        extras = {name: value for name, value in settings.items() if name.startswith(f"ansible_{self.plugin}_")}
        self.connection.set_options(var_options={**settings, "_extras": extras})

    def settings(self) -> dict[str, Any]:
        """Variables of an inventory."""
        return {
            "ansible_host": self.host.address,
            "ansible_port": self.login.port(self.host),
            "ansible_user": self.host.entry["username"],
            "ansible_password": self.login.password(self.host),
        }

    def close(self) -> None:
        with contextlib.suppress(Exception):  # nobody is interested in a connection that cannot be closed any more
            self.connection.close()


class Winrm(Plugin):
    name = "Ansible's winrm"
    plugin = "winrm"
    lacks: ClassVar = {
        **NO_REALM,
        **dict.fromkeys(("configuration", "identify", "pull", "wmi", "shells"), _NO_OTHER),
        **dict.fromkeys(("environment", "input"), _POWERSHELL),
        "code page": "it asks for UTF-8 always",
        "interrupt": "it waits for each command's end",
        "large request": _POWERSHELL,
        "negotiate": pywinrm.Pywinrm.lacks["negotiate"],
        "program": "it starts everything by cmd.exe",
    }

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "ansible_winrm_transport": [self.login.auth],
            "ansible_winrm_scheme": self.login.scheme,
            "ansible_winrm_connection_timeout": 10,
            "ansible_winrm_ca_trust_path": (
                self.host.fleet.ca_file if self.login.trusts_the_authority else "legacy_requests"
            ),
            "ansible_winrm_message_encryption": "auto" if self.login.encrypts else "never",
        }

    def hello(self) -> None:
        with telling():
            self.connection._connect()

    def ask_again(self) -> None:
        """Connected, it connects no more."""
        self.run("type nothing")

    def run(self, line: str, **options: Any) -> Result:
        assert line.startswith("type "), "anything else becomes PowerShell"
        with telling():
            exit_code, stdout, stderr = self.connection.exec_command(line)
        return Result(exit_code, stdout.decode(), stderr.decode())

    def run_in_one_call(self, line: str) -> Result:
        """By a process of `ansible`, which finds no settings but these."""
        variables = {"ansible_connection": "winrm", **self.settings()}
        command = [sys.executable, "-m", "ansible", "adhoc", "endpoint", "-i", "endpoint,", "-m", "ansible.builtin.raw"]
        with tempfile.TemporaryDirectory() as home:
            environment = {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
            found = subprocess.run(
                [*command, "-a", line, "-e", json.dumps(variables)],
                capture_output=True,
                text=True,
                env=environment,
                cwd=home,
                timeout=60,
                check=False,
            )
        match = re.search(r"rc=(\d+) >>\n(.*)", found.stdout, re.DOTALL)
        assert match, (found.stdout, found.stderr)
        return Result(int(match[1]), match[2], found.stderr)

    def leak_shell(self) -> None:
        self.hello()


class Psrp(Plugin):
    name = "Ansible's psrp"
    plugin = "psrp"
    lacks: ClassVar = NO_REALM | dict.fromkeys(
        (
            *("code page", "command", "configuration", "environment", "identify", "input", "interrupt"),
            *("large request", "leaked shell", "one call", "program", "pull", "shells", "stale connection", "wmi"),
        ),
        _REMOTING,
    )

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "ansible_psrp_auth": self.login.auth,
            "ansible_psrp_protocol": self.login.scheme,
            "ansible_psrp_cert_validation": "validate",
            "ansible_psrp_ca_cert": self.host.fleet.ca_file if self.login.trusts_the_authority else None,
            "ansible_psrp_message_encryption": "auto" if self.login.encrypts else "never",
        }

    def hello(self) -> None:
        """Logged in, it is told that there is no PowerShell to open a runspace in."""
        try:
            with telling():
                self.connection._connect()
        except Refused as refused:
            if (refused.kind, refused.code) != ("fault", NO_SUCH_RESOURCE):
                raise
