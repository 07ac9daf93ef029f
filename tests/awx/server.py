# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side: lists, objects, links between them, by the paths and answers that the modules of awx.awx rely on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.awx import rules

TOKEN = "Qm7-Awx_token-4!"
ENCRYPTED = "$encrypted$"
NODE_LINKS = ("success_nodes", "failure_nodes", "always_nodes")
JOBS = ("job_templates", "workflow_job_templates", "projects", "inventory_sources")

# Members of each kind of object that name another one, those that have to be there, and what others may be.
REFERENCES = {
    "organization": "organizations",
    "project": "projects",
    "source_project": "projects",
    "inventory": "inventories",
    "execution_environment": "execution_environments",
    "default_environment": "execution_environments",
    "credential": "credentials",
    "credential_type": "credential_types",
    "workflow_job_template": "workflow_job_templates",
}
REQUIRED = {
    "execution_environments": {"image"},
    "projects": {"organization"},
    "inventories": {"organization"},
    "credentials": {"credential_type"},
    "inventory_sources": {"inventory", "source"},
    "notification_templates": {"organization", "notification_type", "notification_configuration"},
    "job_templates": {"inventory", "project", "playbook"},
    "workflow_job_template_nodes": {"workflow_job_template"},
    "schedules": {"unified_job_template", "rrule"},
}
CHOICES: dict[str, dict[str, tuple[Any, ...]]] = {
    "projects": {"scm_type": ("", "git", "svn", "insights", "archive")},
    "inventory_sources": {"source": ("scm", "ec2", "gce", "azure_rm", "vmware", "satellite6", "openstack")},
    "job_templates": {"job_type": ("run", "check"), "verbosity": (0, 1, 2, 3, 4, 5)},
    "execution_environments": {"pull": ("always", "missing", "never", "")},
    "notification_templates": {
        "notification_type": ("awssns", "email", "grafana", "irc", "mattermost", "pagerduty", "slack", "webhook")
    },
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "inventories": {"kind": "", "host_filter": None, "variables": ""},
    "credential_types": {"managed": False},
}
TELLING = tuple(f"notification_templates_{when}" for when in ("started", "success", "error"))
LINKS = {
    "job_templates": ("credentials", "instance_groups", "labels", *TELLING),
    "workflow_job_templates": ("labels", *TELLING, "notification_templates_approvals"),
    "workflow_job_template_nodes": ("credentials", "instance_groups", "labels", *NODE_LINKS),
}
SETTINGS = {"webhook": {"url", "http_method", "headers"}, "email": {"host", "port", "sender", "recipients"}}


@dataclass
class Refused(Exception):
    status: int
    said: Mapping[str, Any]


@dataclass
class Awx:
    """*playbooks* are those that the repository of any project has."""

    playbooks: list[str]
    objects: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    links: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    surveys: dict[int, dict[str, Any]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, endpoint: str, **members: Any) -> dict[str, Any]:
        number = 1 + sum(len(each) for each in self.objects.values())
        url = f"/api/v2/{endpoint}/{number}/"
        related = {"survey_spec": f"{url}survey_spec/"} if endpoint in JOBS else {}
        if endpoint == "projects":
            members["scm_revision"] = "0123456"
        made = {"id": number, "type": endpoint.removesuffix("s"), "url": url, "related": related, "summary_fields": {}}
        made |= {**DEFAULTS.get(endpoint, {}), **members}
        self.objects.setdefault(endpoint, {})[number] = made
        return made

    def named(self, endpoint: str, name: str) -> dict[str, Any]:
        """The one object of that name, as it is kept."""
        (found,) = (
            each for each in self.objects[endpoint].values() if name in (each.get("name"), each.get("identifier"))
        )
        return found

    # -- requests ------------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        parts = path.strip("/").split("/")[2:]
        if method != "GET":
            self.writes.append(f"{method} {path}")
        if len(parts) == 1:
            return self._list(parts[0], query) if method == "GET" else (201, _shown(self._create(parts[0], body)))
        this = self.objects.get(parts[0], {}).get(int(parts[1]))
        if this is None:
            raise Refused(404, {"detail": "Not found."})
        if len(parts) == 3:
            return self._beside(method, parts[0], this, parts[2], body)
        if method == "PATCH":
            self._check(parts[0], {**this, **body}, this["id"])
            this.update(body)
        elif method == "DELETE":
            del self.objects[parts[0]][this["id"]]
            return 204, None
        return 200, _shown(this)

    def _list(self, endpoint: str, query: Mapping[str, str]) -> tuple[int, Any]:
        kinds = JOBS if endpoint == "unified_job_templates" else (endpoint,)
        everything = [each for kind in kinds for each in self.objects.get(kind, {}).values()]
        found = [_shown(each) for each in everything if all(str(each.get(key)) == query[key] for key in query)]
        return 200, {"count": len(found), "next": None, "results": found}

    def _create(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        self._check(endpoint, body, 0)
        return self.add(endpoint, **body)

    def _beside(self, method: str, endpoint: str, this: dict[str, Any], what: str, body: Any) -> tuple[int, Any]:
        if what == "survey_spec":
            if method == "GET":
                return 200, self.surveys.get(this["id"], {})
            _refuse(rules.survey(body), "error")
            self.surveys[this["id"]] = body
            return 200, {}
        if what == "create_approval_template":
            made = self.add("workflow_approval_templates", **body)
            this |= {"unified_job_template": made["id"]}
            this["related"]["unified_job_template"] = made["url"]
            return 201, made
        if what not in LINKS.get(endpoint, ()):
            raise Refused(404, {"detail": "Not found."})
        there = self.links.setdefault((this["id"], what), [])
        if method == "GET":
            return 200, {"count": len(there), "next": None, "results": [{"id": number} for number in there]}
        if body.get("disassociate"):
            there.remove(body["id"])
        else:
            self._check_link(this, what, body["id"])
            there.append(body["id"])
        return 204, None

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _check(self, endpoint: str, body: Mapping[str, Any], own: int) -> None:
        missing = sorted(REQUIRED.get(endpoint, set()) - body.keys())
        if missing:
            raise Refused(400, {name: ["This field is required."] for name in missing})
        for name, choices in CHOICES.get(endpoint, {}).items():
            if name in body and body[name] not in choices:
                raise Refused(400, {name: [f'"{body[name]}" is not a valid choice.']})
        for name, kind in REFERENCES.items():
            if body.get(name) not in (None, "") and body[name] not in self.objects.get(kind, {}):
                raise Refused(400, {name: ["Invalid pk - object does not exist."]})
        alike = ("name", "identifier", "organization", "workflow_job_template", "unified_job_template")
        for number, other in self.objects.get(endpoint, {}).items():
            same = all(other.get(key) == body.get(key) for key in (alike[:3] if "name" in body else alike[1:4]))
            if number != own and same:
                raise Refused(400, {"__all__": ["An object with this name exists already."]})
        self._check_kind(endpoint, body)

    def _check_kind(self, endpoint: str, body: Mapping[str, Any]) -> None:
        if endpoint == "schedules":
            _refuse(rules.schedule(body["rrule"]), "rrule")
        elif endpoint == "job_templates":
            known = body["playbook"] in self.playbooks
            _refuse("" if known else f"Playbook {body['playbook']} not found for project.", "playbook")
            many = isinstance(body.get("job_slice_count", 1), int) and body.get("job_slice_count", 1) >= 1
            _refuse("" if many else "Ensure this value is greater than or equal to 1.", "job_slice_count")
        elif endpoint == "credential_types":
            _refuse(rules.credential_type(body.get("kind"), body["inputs"], body["injectors"]), "injectors")
        elif endpoint == "credentials":
            fields = self.objects["credential_types"][body["credential_type"]]["inputs"].get("fields", [])
            unknown = sorted(set(body.get("inputs", {})) - {each["id"] for each in fields})
            _refuse(f"Additional properties are not allowed: {unknown}" if unknown else "", "inputs")
        elif endpoint == "notification_templates":
            wanted = SETTINGS.get(body["notification_type"], set()) - body["notification_configuration"].keys()
            _refuse(f"Missing required fields: {sorted(wanted)}" if wanted else "", "notification_configuration")

    def _check_link(self, this: Mapping[str, Any], what: str, other: int) -> None:
        if what in NODE_LINKS:
            own = this["workflow_job_template"]
            nodes = [
                number
                for number, node in self.objects["workflow_job_template_nodes"].items()
                if node["workflow_job_template"] == own
            ]
            _refuse("" if other in nodes else "the node is of another workflow", "detail")
            links = {number: {kind: self.links.get((number, kind), []) for kind in NODE_LINKS} for number in nodes}
            _refuse(rules.link(links, this["id"], what, other), "detail")
        elif what == "credentials":
            kinds = [self.objects["credentials"][each]["credential_type"] for each in self.links[this["id"], what]]
            kind = self.objects["credentials"][other]["credential_type"]
            _refuse("Cannot assign multiple credentials of one type." if kind in kinds else "", "detail")


def _refuse(wrong: str, member: str) -> None:
    if wrong:
        raise Refused(400, {member: wrong})


def _shown(this: Mapping[str, Any]) -> dict[str, Any]:
    """Without secrets, which AWX never shows again."""
    if this["type"] != "credential":
        return dict(this)
    return {
        **this,
        "inputs": {name: ENCRYPTED if name == "password" else text for name, text in this["inputs"].items()},
    }


@contextmanager
def serving(awx: Awx) -> Iterator[Awx]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            target = urlsplit(self.path)
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, {"detail": "Authentication credentials were not provided."})
                with lock:
                    status, said = awx.answer(self.command, target.path, dict(parse_qsl(target.query)), body)
            except Refused as refused:
                status, said = refused.status, refused.said
            text = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _any

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    awx.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield awx
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
