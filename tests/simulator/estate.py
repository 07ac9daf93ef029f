# SPDX-License-Identifier: GPL-3.0-or-later
"""A running fleet: its endpoints, their listeners, and what can be changed while it runs."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

from .endpoint import Endpoint, EndpointSpec
from .fleet import PATCH_KEYS, Fleet, merge, spec_of
from .server.accounts import AccountFiles
from .server.certificates import Authority
from .server.directory import Directory
from .server.listeners import bind, listen, reserve
from .server.winrm import serve_connection
from .site.connection import SiteConnection, SiteTraffic
from .site.planting import Faults
from .site.service import Service as SiteService
from .site.spec import SiteSpec
from .timing import Pacer
from .windows.clock import Clock, standing
from .windows.reading import Reader
from .windows.spec import MODEL_KEYS


class UnknownEndpoint(KeyError):
    """No endpoint of that name."""


class Estate:
    def __init__(self, fleet: Fleet, ca_file: Path) -> None:
        self.fleet = fleet
        self.clock = Clock(fleet.clock_start, standing if fleet.skips_waits else time.monotonic)
        self.pacer = Pacer(self.clock, skips=fleet.skips_waits)
        self.authority = Authority(ca_file)
        self.http_port = 0
        self.https_port = 0
        self._files = AccountFiles()
        self.directory = Directory(fleet.lockout_threshold)
        self._endpoints = {spec.name: Endpoint(spec, self.clock, self.pacer) for spec in fleet.endpoints}
        self._servers: dict[tuple[str, bool], asyncio.Server] = {}
        self._site_server: asyncio.Server | None = None
        self._set_site(fleet.site)
        self.site_port = 0
        self.site_traffic = SiteTraffic()

    async def start(self, http_port: int, https_port: int) -> None:
        specs = [endpoint.spec for endpoint in self._endpoints.values()]
        self.http_port, plain = reserve([spec.address for spec in specs if spec.http], http_port)
        self.https_port, secure = reserve([spec.address for spec in specs if spec.https], https_port)
        for endpoint in self._endpoints.values():
            for sockets, is_secure in ((plain, False), (secure, True)):
                if endpoint.spec.address in sockets:
                    await self._listen(endpoint, sockets[endpoint.spec.address], secure=is_secure)

        if self.site:
            spec = self.site.spec
            self.site_port, found = reserve([spec.address], 0)
            context = self.authority.listening_context(spec.address, (spec.provider,), None)
            self._site_server = await listen(found[spec.address], self._serve_site, context)

    async def stop(self) -> None:
        if self._site_server:
            self._site_server.close()
        for name in list(self._endpoints):
            self._close(name)
        self._files.close()

    def endpoint(self, name: str) -> Endpoint:
        if name not in self._endpoints:
            raise UnknownEndpoint(name)
        return self._endpoints[name]

    def endpoints(self) -> list[Endpoint]:
        return list(self._endpoints.values())

    async def add(self, entries: Any) -> list[Endpoint]:
        added = []
        for spec in self.fleet.add(entries, "endpoints"):
            endpoint = self._endpoints[spec.name] = Endpoint(spec, self.clock, self.pacer)
            await self._adjust(endpoint)
            added.append(endpoint)
        return added

    def remove(self, name: str) -> None:
        self.endpoint(name)
        self._close(name)
        del self._endpoints[name]
        self.fleet.remove(name)

    async def patch(self, name: str, mapping: Any) -> None:
        """Changes a living endpoint: the machine's own keys go to the machine, the others to its WinRM service."""
        endpoint = self.endpoint(name)
        Reader(mapping, name, PATCH_KEYS)
        old = endpoint.spec
        spec = spec_of(merge(old.source, mapping), name, old.address, old.account, old.given)
        machine_part = {key: value for key, value in mapping.items() if key in MODEL_KEYS}
        if machine_part:
            endpoint.machine.patch(machine_part)
        endpoint.reconfigure(spec, mapping)
        await self._adjust(endpoint)

    def patch_site(self, mapping: Any) -> None:
        """Changes how the service answers; null is the default of a key. What clients have made of it stays."""
        if self.site is None:
            raise UnknownEndpoint("site")
        merged = {key: value for key, value in {**self.site.spec.source, **mapping}.items() if value is not None}
        spec = SiteSpec.read(merged, "site", self.fleet.account)
        self.site.reconfigure(spec)
        self._site_faults = Faults(spec.faults)

    def _set_site(self, spec: SiteSpec | None) -> None:
        self.site = SiteService(spec, self.endpoints, self.pacer) if spec else None
        self._site_faults = Faults(spec.faults if spec else ())

    async def _serve_site(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.site is not None
        spec = self.site.spec
        identity = self.authority.identity(spec.address, (spec.provider,))
        connection = SiteConnection(
            self.site,
            lambda: self._site_faults,
            self.site_traffic,
            self._files,
            self.directory,
            identity,
            reader,
            writer,
        )
        await connection.serve()

    def listing(self) -> list[dict[str, Any]]:
        return [_entry(endpoint.spec) for endpoint in self._endpoints.values()]

    async def _adjust(self, endpoint: Endpoint) -> None:
        """Opens and closes listeners as the endpoint is now told to have them."""
        spec = endpoint.spec
        for wanted, secure, port in ((spec.http, False, self.http_port), (spec.https, True, self.https_port)):
            server = self._servers.get((spec.name, secure))
            if wanted and server is None:
                await self._listen(endpoint, bind(spec.address, port), secure=secure)
            elif not wanted and server is not None:
                self._servers.pop((spec.name, secure)).close()
                endpoint.drop_connections(secure=secure)

    async def _listen(self, endpoint: Endpoint, found: Any, *, secure: bool) -> None:
        spec = endpoint.spec
        names = (spec.name, spec.inventory_name or spec.name)
        serve = partial(serve_connection, endpoint, self._files, self.directory, self.authority if secure else None)
        context = self.authority.listening_context(spec.address, names, spec.certificate_mapping) if secure else None
        self._servers[spec.name, secure] = await listen(found, serve, context)

    def _close(self, name: str) -> None:
        for secure in (False, True):
            server = self._servers.pop((name, secure), None)
            if server is not None:
                server.close()
        self._endpoints[name].drop_connections()


def _entry(spec: EndpointSpec) -> dict[str, Any]:
    """What whoever uses the fleet may know about an endpoint: the credentials are those an operator would try."""
    return {
        "name": spec.name,
        "inventory_name": spec.inventory_name or spec.name,
        "address": spec.address,
        "username": spec.given.username,
        "password": spec.given.password,
        "profile": str(spec.source.get("profile", "normal")),
        "http": spec.http,
        "https": spec.https,
    }
