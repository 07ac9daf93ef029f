# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management service of one endpoint: an envelope in, an envelope out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ..timing import Pacer
from ..windows.machine import Machine
from ..windows.wmi import WmiError
from . import config, faults, identify, names
from .calls import Call, describe, wmi_class
from .enumerations import Enumerations
from .paging import Paging
from .planting import Effect, Planted
from .reply import Reply
from .request import BadRequest, Request, parse, read
from .settings import WsmanSettings
from .shells import Shells
from .wmi_resource import WmiResource


@dataclass(frozen=True)
class Host:
    """What the service tells about the machine, and whether who logs in administers it."""

    machine_name: str
    os_version: str
    administrator: bool = True
    login_profiles: tuple[str, ...] = ()
    """What Identify lists, such as `http/basic`."""
    logins: Mapping[str, bool] = field(default_factory=dict)
    """Which logins the service's configuration allows, by their names there; and AllowUnencrypted."""
    channel_binding: str = "Relaxed"


@dataclass(frozen=True)
class Caller:
    """Who sent the request, as far as an answer tells it."""

    principal: str
    client_ip: str


class Service:
    def __init__(
        self,
        machine: Machine,
        host: Host,
        settings: WsmanSettings,
        planted: Planted,
        pacer: Pacer,
    ) -> None:
        self.settings = settings
        self._machine = machine
        self._host = host
        self._planted = planted
        self.enumerations = Enumerations(pacer.now, timedelta(milliseconds=settings.enumeration_timeout_ms))
        self._paging = Paging(self.enumerations, settings)
        self.shells = Shells(machine, settings, pacer, self._paging)
        self._pacer = pacer
        self._wmi = WmiResource(machine.wmi, machine.wmi32, self._paging, settings)
        self.running: list[Call] = []
        """The operations that are being worked on."""

    async def handle(self, data: bytes, caller: Caller, address: str) -> tuple[Reply, Call]:
        """Answers one envelope. Whatever is wrong with it becomes a fault, never an exception."""
        try:
            root = parse(data)
            if identify.is_identify(root):
                return self._identify(), Call("Identify")
            request = read(root)
        except BadRequest as bad:
            place = self._place(bad.host or address)
            body = bad.fault.render(place, bad.message_id).encode()
            return Reply(bad.fault.status, body), Call("Invalid", detail=bad.fault.reason.strip())
        call = self._describe(request)
        place = self._place(request.host or address)
        effect = self._planted.take(call)
        try:
            reply = await self._answer(request, call, caller, effect)
        except faults.Fault as fault:
            reply = Reply(fault.status, fault.render(place, request.message_id).encode())
        return effect.spoil(reply), call

    def reconfigure(self, host: Host, settings: WsmanSettings) -> None:
        self._host = host
        self.settings = self.shells.settings = self._wmi.settings = self._paging.settings = settings

    def restart(self) -> None:
        """What a restart of Windows leaves of shells and enumerations."""
        self.shells.clear()
        self.enumerations.clear()

    def identify_anonymously(self) -> Reply:
        return Reply(200, identify.response("OS: 0.0.0 SP: 0.0", self._host.login_profiles, self.settings).encode())

    def _identify(self) -> Reply:
        system = f"OS: {self._host.os_version} SP: 0.0"
        return Reply(200, identify.response(system, self._host.login_profiles, self.settings).encode())

    def _place(self, host: str) -> faults.Place:
        return faults.Place(host, self._host.machine_name, self.settings.language)

    def _describe(self, request: Request) -> Call:
        call = describe(request)
        body = request.body
        if call.operation in {"Pull", "Release"} and body is not None:
            pending = self.enumerations.find(body.findtext(f"{{{names.ENUMERATION}}}EnumerationContext") or "")
            return pending.call.continued(call.operation) if pending else call
        if call.operation in {"Receive", "Send", "Signal"}:
            return self.shells.describe(request, call)
        return call

    async def _answer(self, request: Request, call: Call, caller: Caller, effect: Effect) -> Reply:
        if len(self.running) >= self.settings.max_operations:
            raise faults.too_many_operations(self.settings.max_operations, self.settings.operations_quota)
        in_plugin = sum(1 for each in self.running if each.class_name)
        if call.class_name and in_plugin >= self.settings.max_plugin_operations:
            raise faults.too_many_plugin_operations()
        longest = self.settings.max_timeout_ms / 1000
        limit = min(request.operation_timeout or longest, longest)
        self.running.append(call)
        try:
            await self._block(effect.delay, limit)
            if instead := effect.before():
                return instead
            answer = await self._run(request, call, caller, limit, effect)
            effect.after()
            return Reply(200, answer.encode())
        finally:
            self.running.remove(call)

    async def _block(self, seconds: float, limit: float) -> None:
        """Lets a call take its time, by the fleet's clock; OperationTimeout ends it."""
        if seconds > 0:
            await self._pacer.sleep(min(seconds, limit))
        if seconds >= limit:
            raise faults.timed_out()

    def _fitting(self, request: Request, answer: str) -> str:
        """An answer that is larger than the client or the service allows is not sent (octets of UTF-16: inferred)."""
        limit = self.settings.max_envelope_kb * 1024
        if len(answer) * 2 > min(request.max_envelope_size or limit, limit):
            raise faults.response_too_large()
        return answer

    async def _run(self, request: Request, call: Call, caller: Caller, limit: float, effect: Effect) -> str:
        uri = request.resource_uri.partition("?")[0].lower()
        if wmi_class(request.resource_uri) is not None:
            try:
                self._machine.time_taken()  # by what nobody waited for
                answer = self._fitting(request, self._wmi.handle(request, call, effect))
                await self._block(self._machine.time_taken(), limit)
                return answer
            except faults.Fault as fault:
                # A call that blocks before it fails blocks its client too.
                if isinstance(fault.__cause__, WmiError):
                    await self._block(fault.__cause__.duration, limit)
                raise
        if uri in {names.SHELL_CMD, names.SHELL, names.SHELL_COMMAND.lower()}:
            if not self._host.administrator:
                raise faults.access_denied()
            return await self.shells.handle(request, call, caller.principal, caller.client_ip, limit)
        if uri == names.CONFIG and call.operation == "Get":
            logins, binding = self._host.logins, self._host.channel_binding
            return config.response(request, self.settings, logins, binding)
        raise faults.invalid_resource_uri()
