# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration service: which answer a request gets, with the statuses and shapes that were recorded."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from ..endpoint import Endpoint
from ..server.http import HttpResponse
from ..timing import Pacer
from .cmpivot import BadPivot, Pivot
from .odata import BadQuery, Query, Rows
from .operations import PIVOT, SCRIPT, Operation, Operations, Script
from .records import Record, Records
from .spec import SiteSpec

APPROVED = 3
_JSON = "application/json; odata.metadata=minimal"
_WEB_SERVER_PAGE = (
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html><head>'
    b"<title>404 - File or directory not found.</title></head><body><h2>404</h2></body></html>"
)


class Refused(Exception):
    """The status is the answer; a message, where there is one, stands in OData's error object."""

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message or "")
        self.status = status
        self.message = message


class Service:
    def __init__(self, spec: SiteSpec, endpoints: Callable[[], list[Endpoint]], pacer: Pacer) -> None:
        self.spec = spec
        self.records = Records(spec, endpoints, pacer.now)
        self.operations = Operations(lambda: self.spec, pacer.now)
        self._endpoints = endpoints
        self._pacer = pacer

    def reconfigure(self, spec: SiteSpec) -> None:
        self.spec = self.records.spec = spec

    def fire(self, machine: str, event: str) -> None:
        """Something happens to a machine, as of itself."""
        for endpoint in self._endpoints():
            if endpoint.spec.name == machine:
                endpoint.fire(event)

    @property
    def now(self) -> datetime:
        return self._pacer.now()

    async def answer(self, method: str, target: str, body: bytes, host: str) -> HttpResponse:
        """*host* is what the client calls this service, for the links in its answers."""
        path, _, query = target.partition("?")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if self.spec.host == "web_server":
            return HttpResponse(404, _WEB_SERVER_PAGE, "text/html")
        try:
            self._admit()
            status, answer = await self._route(method, parts, query, body, host)
        except Refused as refusal:
            if refusal.message is None:
                return HttpResponse(refusal.status)
            error = {"error": {"code": str(refusal.status), "message": refusal.message}}
            return HttpResponse(refusal.status, json.dumps(error).encode(), _JSON)
        except BadQuery as error:
            told = {"error": {"code": "400", "message": f"The query specified in the URI is not valid. {error}"}}
            return HttpResponse(400, json.dumps(told).encode(), _JSON)
        return HttpResponse(status, b"" if answer is None else json.dumps(answer).encode(), _JSON)

    def _admit(self) -> None:
        role = self.spec.role
        if role == "none":
            raise Refused(404)
        if role == "none_401":
            raise Refused(401)
        if role == "denied":
            raise Refused(404, "Access denied  WMI QUERY: ")

    async def _route(self, method: str, parts: list[str], query: str, body: bytes, host: str) -> tuple[int, Any]:
        given = _given(body)
        match (method, [part.lower() for part in parts]):
            case ("GET", [_root, "wmi", "sms_scripts"]):
                scripts = list(self._scripts.values())
                return 200, self._page(host, parts, query, lambda _where: Rows(scripts, _script_row))
            case ("GET", [_root, "wmi", name]) if self.records.has(name):
                return 200, self._class(host, parts, name, query)
            case ("POST", [_root, "wmi", "sms_scripts.createscripts"]):
                return 201, self._create(host, given)
            case ("POST", [_root, "wmi", "sms_scripts", guid, "adminservice.updateapprovalstate"]):
                return 201, self._approve(host, guid, given)
            case ("DELETE", [_root, "wmi", "sms_scripts", guid]):
                self.require("author_scripts")
                self._script(guid)
                del self._scripts[guid.upper()]
                return 204, None
            case ("POST", [_root, "wmi", "sms_clientoperation.initiateclientoperation"]):
                return 201, self._notify(host, given)
            case ("GET", [_root, "wmi", name]) if found := _key("sms_clientoperationstatus", name):
                self.require("read")
                return 200, {"value": [self.operations.status(self._operation(found))]}
            case ("POST", [_root, "v1.0", device, "adminservice.runscript"]):
                return 200, {"value": self._run_script(_key("device", device), given)}
            case ("GET", [_root, "v1.0", device, result]) if number := _operation_id("scriptresult", result):
                return 200, {"value": await self._script_result(_key("device", device), number)}
            case ("POST", [_root, "v1.0", collection, "adminservice.runcmpivot"]):
                return 200, self._pivot(collection, given)
            case ("GET", [_root, "v1.0", _of, result]) if number := _operation_id("cmpivotresult", result):
                return 200, {"value": await self._pivot_result(number)}
            case ("GET", [_root, "v1.0", "sms_cmpivotstatus"]):
                self.require("cmpivot")
                return 200, self._page(host, parts, query, self._pivot_status)
        raise Refused(404)

    # -- scripts ---------------------------------------------------------------------------------------------------

    @property
    def _scripts(self) -> dict[str, Script]:
        return self.operations.scripts

    def _script(self, guid: str) -> Script:
        if guid.upper() not in self._scripts:
            raise Refused(404)
        return self._scripts[guid.upper()]

    def _create(self, host: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self.require("author_scripts")
        try:
            stored = base64.b64decode(given["Script"], validate=True)
            guid, name = str(given["ScriptGuid"]).upper(), str(given["ScriptName"])
            stored.decode("utf-16")
        except (KeyError, ValueError):
            raise Refused(400, "The script is not valid.") from None
        if guid in self._scripts:
            raise Refused(500)
        # Who wrote it, the provider knows by the login.
        self._scripts[guid] = Script(guid, name, stored, self.spec.account.username)
        return _parameters(host, ReturnValue=0)

    def _approve(self, host: str, guid: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self.require("approve_scripts")
        script = self._script(guid)
        if script.author.lower() == self.spec.account.username.lower() and not self.spec.own_approval:
            raise Refused(500)
        script.approval, script.approver = int(given["ApprovalState"]), self.spec.account.username
        return _parameters(host, ReturnValue=0)

    def approve(self, name: str, state: int) -> None:
        """Somebody with the right to has done it in the console."""
        for script in self._scripts.values():
            if script.name == name:
                script.approval, script.approver = state, "CORP\\approver"

    def change_script(self, name: str) -> None:
        """Somebody has edited it there, which keeps its approval."""
        for script in self._scripts.values():
            if script.name == name:
                script.stored += "# changed".encode("utf-16-le")

    def _run_script(self, resource: str, given: Mapping[str, Any]) -> int:
        self.require("run_scripts")
        if set(given) != {"ScriptGuid"}:
            raise Refused(400, "Unknown member.")
        record = self._record(resource)
        script = self._script(str(given["ScriptGuid"]))
        if script.approval != APPROVED:
            raise Refused(403)
        return self.operations.begin(SCRIPT, [record], script.text).number

    async def _script_result(self, resource: str, number: int) -> dict[str, Any]:
        self.require("run_scripts")
        record, operation = self._record(resource), self._operation(str(number))
        await self._asked(operation)
        if record.resource_id in operation.failed:
            return {"Status": "2", "MoreResult": False, "Result": [{"ScriptOutput": None}]}
        if record.resource_id not in operation.done or operation.asked <= self.spec.pending:
            raise Refused(404)
        return {"Status": "1", "MoreResult": False, "Result": [{"ScriptOutput": operation.done[record.resource_id]}]}

    # -- notifications and CMPivot -----------------------------------------------------------------------------------

    def _notify(self, host: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self.require("notify")
        resources = given.get("TargetResourceIDs") or []
        collection = self.records.collection(str(given.get("TargetCollectionID", "")))
        if collection is None:
            raise Refused(404)
        members = self.records.members(collection)
        targets = [each for each in members if not resources or each.resource_id in resources]
        operation = self.operations.begin(int(given["Type"]), [each for each in targets if each.is_client], "")
        return _parameters(host, ReturnValue=0, OperationID=operation.number)

    def _pivot(self, of: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self.require("cmpivot")
        question = str(given.get("InputQuery", ""))
        try:
            Pivot.read(question)
        except BadPivot as error:
            raise Refused(400, str(error)) from None
        if of.startswith("device("):
            operation = self.operations.begin(PIVOT, [self._record(_key("device", of))], question)
            return {"value": {"OperationId": operation.number}}
        collection = self.records.collection(_key("collections", of).strip("'"))
        if collection is None:
            raise Refused(404)
        members = [each for each in self.records.members(collection) if each.is_client]
        return {"OperationId": self.operations.begin(PIVOT, members, question).number}

    async def _pivot_result(self, number: int) -> Any:
        self.require("cmpivot")
        operation = self._operation(str(number))
        await self._asked(operation)
        if operation.asked <= self.spec.pending and not operation.done:
            raise Refused(404)
        rows = [row for found in operation.done.values() for row in found]
        rows = rows[: self.spec.most_cells // max(map(len, rows), default=1)]
        if self.spec.cmpivot_answers == "object":
            return {"Status": "1", "MoreResult": False, "Result": rows}
        return [{"Result": rows}]

    def _pivot_status(self, where: str) -> Rows:
        one = re.fullmatch(r"ClientOperationId eq (\d+)", where, re.IGNORECASE)
        answered = [
            (operation.number, resource)
            for operation in self.operations.all(PIVOT)
            if one is None or operation.number == int(one[1])
            for resource in operation.done
        ]
        return Rows(answered, _pivot_state, exact=one is not None or not where)

    async def _asked(self, operation: Operation) -> None:
        """Time goes by until it is asked for again: the clients have had it."""
        operation.asked += 1
        await self._pacer.sleep(self.spec.latency.total_seconds())

    def _record(self, resource: str) -> Record:
        record = self.records.record(int(resource)) if resource.isdigit() else None
        if record is None:
            raise Refused(404)
        return record

    def _operation(self, number: str) -> Operation:
        operation = self.operations.find(int(number)) if number.isdigit() else None
        if operation is None:
            raise Refused(404)
        return operation

    # -- classes -----------------------------------------------------------------------------------------------------

    def _page(self, host: str, parts: list[str], text: str, rows: Callable[[str], Rows]) -> Mapping[str, Any]:
        """Of a class that is none of the records, by the filter."""
        self.require("read")
        query = Query.read(text)
        return {
            "@odata.context": f"https://{host}/AdminService/{parts[1]}/$metadata#{parts[2]}",
            "value": rows(query.where).page(query),
        }

    def _class(self, host: str, parts: list[str], name: str, text: str) -> Mapping[str, Any]:
        self.require("read")
        query, path = Query.read(text), "/".join(parts[:3])
        rows = self.records.page(name, query)
        answer: dict[str, Any] = {"@odata.context": f"https://{host}/AdminService/wmi/$metadata#{name}", "value": rows}
        most = self.spec.largest_page
        if self.spec.next_links and most and len(rows) == most:
            left = None if query.top is None else query.top - len(rows)
            options = [part for part in text.split("&") if not part.startswith(("$skip", "$top", "%24skip", "%24top"))]
            options.append(f"$skip={query.skip + len(rows)}")
            options += [] if left is None else [f"$top={left}"]
            if left != 0:
                answer["@odata.nextLink"] = f"https://{host}/{path}?{'&'.join(options)}"
        return answer

    def require(self, right: str) -> None:
        if right not in self.spec.rights:
            raise Refused(403)


def _pivot_state(answered: tuple[int, int]) -> dict[str, Any]:
    operation, resource = answered
    return {"ClientOperationId": operation, "ResourceID": resource, "ScriptExecutionState": 1}


def _script_row(script: Script) -> dict[str, Any]:
    return script.row(whole=False)


def _given(body: bytes) -> Mapping[str, Any]:
    if not body:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        raise Refused(400, "The request body is not valid.") from None
    return found if isinstance(found, dict) else {}


def _parameters(host: str, **values: Any) -> dict[str, Any]:
    """The answer of a method of WMI (recorded)."""
    return {"@odata.context": f"https://{host}/AdminService/wmi/$metadata#__PARAMETERS", **values}


def _key(name: str, text: str) -> str:
    """What stands in the brackets behind a name; empty where that is another name."""
    found = re.fullmatch(rf"{name}\((.+)\)", text)
    return found[1] if found else ""


def _operation_id(method: str, text: str) -> int:
    found = re.fullmatch(rf"adminservice\.{method}\(operationid=(\d+)\)", text)
    return int(found[1]) if found else 0
