# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint at run time: its machine and its WinRM service, both made when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from .server.accounts import BUILT_IN, Account, Home
from .server.certificates import CertificateMapping
from .server.traffic import Traffic
from .site.spec import RecordSpec
from .timing import Pacer
from .windows.clock import Clock
from .windows.machine import Machine
from .windows.spec import MachineSpec
from .wsman.planting import Planted, Rule
from .wsman.service import Host, Service
from .wsman.settings import WsmanSettings

# Events after which nothing of the old network state is left.
_RESTARTS = {"reboot", "hard_reset", "upgrade_restart", "task_sequence_restart"}
NETWORK_EVENTS = ("drop_connections",)
_CONFIGURED_LOGINS = ("Basic", "Kerberos", "Negotiate", "Certificate", "CredSSP")


@dataclass(frozen=True)
class EndpointSpec:
    """What the fleet file says about an endpoint, validated."""

    name: str
    address: str
    account: Account
    given: Account
    """The credentials that the inventory hands out: wrong where a wrong password is played."""
    machine: MachineSpec
    inventory_name: str = ""
    schemes_http: tuple[str, ...] = ("negotiate", "kerberos")
    schemes_https: tuple[str, ...] = ("negotiate", "kerberos", "basic")
    allow_unencrypted: bool = False
    http: bool = True
    https: bool = True
    keytab: str = ""
    """The file with the keys of the machine's own services; without one it takes no Kerberos logins."""
    idle_timeout: float = 120.0
    round_trip: timedelta = timedelta(0)
    channel_binding: str = "relaxed"
    certificate_mapping: CertificateMapping | None = None
    url_prefix: str = "wsman"
    wsman: WsmanSettings = field(default_factory=WsmanSettings)
    faults: tuple[Rule, ...] = ()
    triggers: tuple[Rule, ...] = ()
    local_accounts: tuple[str, ...] = BUILT_IN
    site: RecordSpec = field(default_factory=RecordSpec)
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The mapping that this was read from, its profile merged in."""

    @property
    def home(self) -> Home:
        """An account that is told without a domain is the machine's own."""
        local, name = self.local_accounts, self.account.username
        if not {"\\", "@"} & set(name):
            local = (*local, name)
        domain = "" if self.machine.domain.upper() == "WORKGROUP" else self.machine.domain
        return Home(self.machine.machine_name, domain, local)


def _login_profiles(scheme: str, logins: Collection[str]) -> list[str]:
    """The security profiles that Identify lists for a listener (recorded for http with Basic and Negotiate)."""
    found = [f"{scheme}/basic"] if "basic" in logins else []
    return [*found, f"{scheme}/spnego-kerberos"] if {"negotiate", "kerberos"} & set(logins) else found


class Endpoint:
    def __init__(self, spec: EndpointSpec, clock: Clock, pacer: Pacer) -> None:
        self.spec = spec
        self.clock = clock
        self._pacer = pacer
        self.traffic = Traffic()
        self.planted = Planted(spec.faults, spec.triggers, self.fire)
        self._connections: dict[asyncio.Transport, bool] = {}

    @cached_property
    def machine(self) -> Machine:
        return Machine(self.spec.machine, self.clock)

    @cached_property
    def service(self) -> Service:
        return Service(self.machine, self._host(), self.spec.wsman, self.planted, self._pacer)

    def _host(self) -> Host:
        spec, machine = self.spec, self.spec.machine
        return Host(
            machine.machine_name,
            machine.os.version,
            machine.account == "administrator",
            (
                *_login_profiles("http", spec.schemes_http if spec.http else ()),
                *_login_profiles("https", spec.schemes_https if spec.https else ()),
            ),
            {
                "AllowUnencrypted": spec.allow_unencrypted,
                **{name: name.lower() in {*spec.schemes_http, *spec.schemes_https} for name in _CONFIGURED_LOGINS},
            },
            spec.channel_binding.title(),
        )

    @property
    def is_up(self) -> bool:
        """A machine that is restarting answers nothing."""
        if "machine" not in self.__dict__:  # nobody has looked at it yet, so nothing can have happened to it
            return True
        return self.machine.is_up

    @property
    def client_answers(self) -> bool:
        """Whether the ConfigMgr client runs, and so keeps its connection to the site."""
        if "machine" in self.__dict__:
            return self.machine.is_up and self.machine.channel.answers
        service = self.spec.machine.services.get("CcmExec")
        return self.spec.machine.client_version is not None and (service is None or service.state != "Stopped")

    @property
    def policy_received(self) -> datetime | None:
        """When the client last asked for policy, as far as that happened since the fleet began."""
        return self.machine.channel.policy_received if "machine" in self.__dict__ else None

    def fire(self, event: str, /, **detail: Any) -> None:
        """Something happens to the endpoint: to its network here, everything else in the machine."""
        if event in NETWORK_EVENTS:
            self.drop_connections()
            return
        self.machine.fire(event, **detail)
        if event in _RESTARTS:
            self.drop_connections()
            self.service.restart()

    def reconfigure(self, spec: EndpointSpec, changed: Collection[str]) -> None:
        self.spec = spec
        self.planted.replant(
            spec.faults if "faults" in changed else None, spec.triggers if "triggers" in changed else None
        )
        self.service.reconfigure(self._host(), spec.wsman)

    def connected(self, transport: asyncio.Transport, *, secure: bool) -> None:
        self.traffic.connections += 1
        self._connections[transport] = secure

    def disconnected(self, transport: asyncio.Transport) -> None:
        self._connections.pop(transport, None)

    def drop_connections(self, *, secure: bool | None = None) -> None:
        """Ends connections without a word, as an idle time-out of HTTP.sys does."""
        for transport, is_secure in list(self._connections.items()):
            if secure in {None, is_secure}:
                transport.close()

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.spec.name,
            "address": self.spec.address,
            **self.machine.describe(),
            "shells": self.service.shells.listing(),
            "shells_opened": self.service.shells.opened,
            "running": [{"operation": call.operation, "detail": call.detail} for call in self.service.running],
            "open_enumerations": len(self.service.enumerations),
            "open_connections": len(self._connections),
            "planted": self.planted.describe(),
        }
