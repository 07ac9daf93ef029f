# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated site with its own fleet, and Ansible processes that ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.harness import FQCN, PASSWORD, USERNAME, Event, Lab, Run
from tests.simulator.client import Simulator

PROVIDER_ADDRESS = "127.19.{network}.1"
PROVIDER = "cm01.corp.test"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOi.Jt5-Site_Token-9.c2lnbmF0dXJl"


class SiteLab(Lab):
    """``options`` are those with which a task reaches the service: NTLM, to the address, with the fleet's CA."""

    def __init__(self, simulator: Simulator, directory: Path, network: int, address: str) -> None:
        super().__init__(simulator, directory, network)
        self.options: dict[str, Any] = {
            "provider": address,
            "port": simulator.ready["site_port"],
            "auth": "ntlm",
            "username": USERNAME,
            "password": PASSWORD,
            "ca_path": simulator.ca_file,
        }

    def tasks(
        self,
        tasks: Sequence[tuple[str, Mapping[str, Any]]],
        *command: str,
        env: Mapping[str, str] | None = None,
        **keywords: Any,
    ) -> list[Event]:
        """What came of tasks of these modules, with these options beside the usual ones; None takes one away."""
        content = [
            {
                "hosts": "localhost",
                "gather_facts": False,
                "tasks": [
                    {
                        "name": f"{number}",
                        f"{FQCN}.{module}": self._given(options),
                        "ignore_errors": True,
                        "diff": True,
                        **keywords,
                    }
                    for number, (module, options) in enumerate(tasks)
                ],
            }
        ]
        playbook = self.file("play.yml", content)
        run = self.ansible("ansible-playbook", "-i", self.inventory({}), playbook, *command, env=env)
        assert len(run.events) == len(tasks), run.output
        return run.events

    def task(self, module: str, /, **options: Any) -> Event:
        """Waits go by the fleet's clock."""
        (event,) = self.tasks([(module, options)], env=self.own_time())
        return event

    def _given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**self.options, **options}.items() if value is not None}

    def as_inventory(self, *command: str, env: Mapping[str, str] | None = None, **options: Any) -> Run:
        content = {"plugin": f"{FQCN}.site", **self._given(options)}
        path = self.directory / f"{next(self._runs):03d}.configmgr.yml"
        path.write_text(json.dumps(content), encoding="utf-8")
        return self.ansible("ansible-inventory", "-i", str(path), *(command or ("--list",)), env=env)

    def listed(self, **options: Any) -> dict[str, Any]:
        """The inventory as ansible-inventory prints it."""
        run = self.as_inventory(**options)
        assert run.rc == 0, run.output
        # As whoever reads the marks of ansible-core 2.19 and later takes it.
        found: dict[str, Any] = json.loads(run.output[run.output.index("{") :], object_hook=_unmarked)
        return found

    @contextmanager
    def site(self, **keys: Any) -> Iterator[None]:
        """Inside, the service differs by these keys of a fleet file's site."""
        before = self.simulator.site()["source"]
        self.simulator.set_site(**keys)
        self.simulator.reset_site_traffic()
        try:
            yield
        finally:
            self.simulator.set_site(**{name: before.get(name) for name in keys})

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What the service was asked since it was last changed."""
        found: list[dict[str, Any]] = self.simulator.site()["requests"]
        return found


def _unmarked(found: dict[str, Any]) -> Any:
    return found.get("__ansible_unsafe", found)
