# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface: plain HTTP and JSON on 127.0.0.1, for tests and demos."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from .estate import Estate, UnknownEndpoint
from .server.http import BadHttp, HttpConnection, HttpRequest, HttpResponse
from .server.traffic import total
from .windows.reading import SpecError, duration

log = logging.getLogger(__name__)
_LONGEST_BODY = 64 * 1024 * 1024
_IDLE = 3600.0


class ControlError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Routes `METHOD /path` to what it does. `shut_down` is called to end the simulator."""

    def __init__(self, estate: Estate, shut_down: Callable[[], None]) -> None:
        self._estate = estate
        self._shut_down = shut_down

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = HttpConnection(reader, writer)
        try:
            while True:
                request = await http.next_request(_IDLE, _LONGEST_BODY)
                if request is None:
                    return
                await http.write(http.encode(await self._answer(request), self._estate.clock.now()))
                if not http.reusable:
                    return
        except (BadHttp, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the simulator ends
        finally:
            writer.close()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            status, answer = 200, await self._route(request)
        except ControlError as error:
            status, answer = error.status, {"error": str(error)}
        except UnknownEndpoint as error:
            status, answer = 404, {"error": f"no endpoint {error.args[0]!r}"}
        except (SpecError, ValueError, OSError) as error:
            status, answer = 400, {"error": str(error)}
        except Exception as error:
            log.exception("%s %s", request.method, request.target)
            status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
        return HttpResponse(status, json.dumps(answer, default=str).encode(), "application/json")

    async def _route(self, request: HttpRequest) -> Any:
        parts = [unquote(part) for part in request.target.partition("?")[0].strip("/").split("/")]
        body = _body(request)
        match (request.method, parts):
            case ("GET", ["endpoints"]):
                return self._estate.listing()
            case ("POST", ["endpoints"]):
                entries = body if isinstance(body, list) else [body]
                added = {endpoint.spec.name for endpoint in await self._estate.add(entries)}
                return [entry for entry in self._estate.listing() if entry["name"] in added]
            case ("GET", ["endpoints", name]):
                return self._estate.endpoint(name).describe()
            case ("PATCH", ["endpoints", name]):
                await self._estate.patch(name, body)
                return {}
            case ("DELETE", ["endpoints", name]):
                self._estate.remove(name)
                return {}
            case ("GET", ["endpoints", name, "traffic"]):
                return self._estate.endpoint(name).traffic.describe()
            case ("DELETE", ["endpoints", name, "traffic"]):
                self._estate.endpoint(name).traffic.reset()
                return {}
            case ("POST", ["endpoints", name, "event"]):
                self._fire(name, body)
                # Connections that the event ended are closed in the next rounds of the loop: before this is answered.
                for _ in range(3):
                    await asyncio.sleep(0)
                return {}
            case ("GET", ["traffic"]):
                return total(endpoint.traffic for endpoint in self._estate.endpoints())
            case ("DELETE", ["traffic"]):
                for endpoint in self._estate.endpoints():
                    endpoint.traffic.reset()
                return {}
            case ("GET", ["site"]) if self._estate.site:
                return {"source": self._estate.site.spec.source, **self._estate.site_traffic.describe()}
            case ("PATCH", ["site"]):
                self._estate.patch_site(body)
                return {}
            case ("POST", ["site", "scripts", name]) if self._estate.site:
                if body == "changed":
                    self._estate.site.change_script(name)
                else:
                    self._estate.site.approve(name, {"approved": 3, "denied": 1, "waiting": 0}[body])
                return {}
            case ("DELETE", ["site", "traffic"]):
                self._estate.site_traffic.reset()
                return {}
            case ("GET", ["accounts"]):
                return self._estate.directory.describe()
            case ("DELETE", ["accounts"]):
                self._estate.directory.unlock()
                return {}
            case ("GET", ["clock"]):
                return {"now": self._estate.clock.now().isoformat()}
            case ("POST", ["clock"]):
                return self._advance(body)
            case ("POST", ["shutdown"]):
                self._shut_down()
                return {}
        raise ControlError(404, f"nothing is done for {request.method} {request.target}")

    def _fire(self, name: str, body: Any) -> None:
        if not isinstance(body, dict) or not isinstance(body.get("event"), str):
            raise ControlError(400, 'expected {"event": name, …}')
        detail = dict(body)
        try:
            self._estate.endpoint(name).fire(detail.pop("event"), **detail)
        except TypeError as error:
            raise ControlError(400, f"{body['event']}: {error}") from error

    def _advance(self, body: Any) -> Any:
        if not isinstance(body, dict) or set(body) != {"advance"}:
            raise ControlError(400, 'expected {"advance": "49h"}')
        self._estate.pacer.advance(duration(body["advance"], "advance"))
        return {"now": self._estate.clock.now().isoformat()}


def _body(request: HttpRequest) -> Any:
    if not request.body:
        return None
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise ControlError(400, f"not JSON: {error}") from error
