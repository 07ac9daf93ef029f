# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Ansible processes against a simulated fleet, and what came of them.

An Ansible process costs more than a second, so a test module describes its endpoints and tasks in a table, runs all of
them at once, and asserts over the one result. --dist=loadfile keeps it on one worker.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator

ROOT = Path(__file__).parents[2]
COLLECTIONS = ROOT / ".build" / "collections"
INSTALLED = COLLECTIONS / "ansible_collections" / "configmgr" / "client"
FQCN = "configmgr.client"
EVERY_MODULE = tuple(sorted(path.stem for path in (INSTALLED / "plugins" / "modules").glob("[!_]*.py")))
ONCE = tuple(f"{FQCN}.{name}" for name in ("aggregate", "brake", "fleet_info", "report"))
"""Those that run once for all hosts."""
SITE_MODULES = tuple(name for name in EVERY_MODULE if name.startswith("site_"))
"""Those that ask the site's service, and no endpoint."""
MODULES = tuple(name for name in EVERY_MODULE if f"{FQCN}.{name}" not in ONCE and name not in SITE_MODULES)
"""Those that ask one endpoint, and run once for each host."""

USERNAME = "CORP\\operator"
PASSWORD = "Xk9-Pass_wort-7!"
WRONG_PASSWORD = "Vr4-Other_wort-2!"

# What tests say of a connection, by the names of the variables of each of Ansible's connections.
SPELLINGS = {
    "winrm": {
        "scheme": "ansible_winrm_scheme",
        "auth": "ansible_winrm_transport",
        "path": "ansible_winrm_path",
        "validation": "ansible_winrm_server_cert_validation",
        "ca": "ansible_winrm_ca_trust_path",
        "certificate": "ansible_winrm_cert_pem",
        "key": "ansible_winrm_cert_key_pem",
        "encryption": "ansible_winrm_message_encryption",
        "binding": "ansible_winrm_send_cbt",
        "proxy": "ansible_winrm_proxy",
        "read_timeout": "ansible_winrm_read_timeout_sec",
        "operation_timeout": "ansible_winrm_operation_timeout_sec",
    },
    "psrp": {
        "scheme": "ansible_psrp_protocol",
        "auth": "ansible_psrp_auth",
        "path": "ansible_psrp_path",
        "validation": "ansible_psrp_cert_validation",
        "ca": "ansible_psrp_ca_cert",
        "certificate": "ansible_psrp_certificate_pem",
        "key": "ansible_psrp_certificate_key_pem",
        "encryption": "ansible_psrp_message_encryption",
        "binding": "ansible_psrp_negotiate_send_cbt",
        "proxy": "ansible_psrp_proxy",
        "read_timeout": "ansible_psrp_read_timeout",
        "operation_timeout": "ansible_psrp_operation_timeout",
    },
}


def argument_spec(module: str) -> dict[str, Any]:
    """The options that a module takes, by their names."""
    return dict(importlib.import_module(f"ansible_collections.{FQCN}.plugins.modules.{module}").ARGUMENT_SPEC)


def spelled(connection: str, **settings: Any) -> dict[str, Any]:
    """Variables of a host with that connection; what is no setting of one connection is a variable already."""
    names = SPELLINGS[connection]
    return {"ansible_connection": connection, **{names.get(name, name): value for name, value in settings.items()}}


def without_package(directory: Path, package: str) -> dict[str, str]:
    """An environment in which that package cannot be imported; *directory* takes a file for it."""
    (directory / "sitecustomize.py").write_text(
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {package!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    return {"PYTHONPATH": str(directory)}


def on_each(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Each connection with each key, to parametrize a test with."""
    return [(connection, key) for key in keys for connection in SPELLINGS]


@dataclass(frozen=True)
class Event:
    """One task's result on one host."""

    host: str
    task: str
    action: str
    status: str
    result: dict[str, Any]

    @property
    def only_checked(self) -> bool:
        """The options of what follows were checked, and nothing else."""
        checks = (f"{FQCN}.provisioning_mode", f"{FQCN}.brake")
        return self.action in checks and self.status == "ok" and "msg" not in self.result


@dataclass(frozen=True)
class Run:
    """An Ansible process that has ended."""

    rc: int
    output: str
    events: list[Event]
    stats: dict[str, dict[str, int]]

    def of(self, host: str, action: str = "") -> list[Event]:
        return [event for event in self.events if event.host == host and action in event.action]

    def at_work(self, *modules: str) -> list[Event]:
        """Of these modules, what did more than check its options."""
        actions = [f"{FQCN}.{module}" for module in modules]
        return [event for event in self.events if event.action in actions and not event.only_checked]

    def module(self, host: str) -> Event:
        """The one result of a module of the collection on a host."""
        (event,) = (event for event in self.of(host, FQCN) if event.action not in ONCE and not event.only_checked)
        return event


@dataclass(frozen=True)
class Case:
    """One endpoint, and the task that it gets.

    `spec` is the simulator's entry, without name and address; `vars` are variables of the host in the inventory.
    `name` is the inventory's name for it where that is another than the endpoint's. With `delegate_to`, `localhost`
    perhaps, the task runs there, and needs the option `endpoint`.
    """

    module: str = "provisioning_mode_info"
    options: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    name: str = ""
    delegate_to: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the task returned, and what the simulator knows of the endpoint afterwards."""

    event: Event
    before: dict[str, Any]
    endpoint: dict[str, Any]
    traffic: dict[str, Any]

    @property
    def status(self) -> str:
        return self.event.status

    @property
    def result(self) -> dict[str, Any]:
        return self.event.result

    @property
    def msg(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    def assert_refused(self, *words: str) -> None:
        """It failed before anything was sent, with one line that holds these words."""
        assert self.status == "failed", self.msg
        for word in words:
            assert word in self.msg
        assert len(self.msg.splitlines()) == 1
        assert self.traffic["connections"] == 0

    def assert_nothing_to_do(self) -> None:
        assert (self.status, self.changed, self.result["left_alone"]) == ("ok", False, ""), self.msg
        assert self.msg.startswith("Nothing to do.")
        assert self.writes == []

    def assert_left_alone(self, *words: str) -> None:
        assert (self.status, self.changed, self.writes) == ("ok", False, []), self.msg
        assert self.result["left_alone"] and self.msg.startswith("Left alone")
        for word in words:
            assert word in self.result["left_alone"]

    def assert_failed(self, *words: str) -> None:
        """It says `changed` where it did write: what was noted before a change that failed stays noted."""
        changed = self.endpoint["registry"] != self.before["registry"]
        assert (self.status, self.changed) == ("failed", changed), self.msg
        for word in words:
            assert word in self.msg

    @property
    def writes(self) -> list[dict[str, str]]:
        return list(self.endpoint["writes"][len(self.before["writes"]) :])

    @property
    def happened(self) -> list[str]:
        return [entry["event"] for entry in self.endpoint["events"][len(self.before["events"]) :]]

    @property
    def calls(self) -> list[dict[str, Any]]:
        return list(self.traffic["calls"])

    def methods(self) -> list[str]:
        return [call["method"] for call in self.calls if call["method"]]

    def commands(self) -> list[str]:
        return [call["detail"] for call in self.calls if call["operation"] == "Command"]

    @property
    def signals(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for item in self.result["evidence"]:
            found.setdefault(item["signal"], []).append(item)
        return found


def client_key(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the client's registry key, by name."""
    found: dict[str, Any] = endpoint["registry"]["HKLM\\SOFTWARE\\Microsoft\\CCM"]["CcmExec"]["key"]
    return found


def own_keys(endpoint: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the collection keeps in the endpoint's registry: by the name of a key, its values."""
    below = endpoint["registry"].get("HKLM\\SOFTWARE\\configmgr.client", {})
    return {key: {name: value["data"] for name, value in entry["key"].items()} for key, entry in below.items()}


def journal(endpoint: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What is noted of changes that can be undone, by the name of the setting."""
    return {name: json.loads(text) for name, text in own_keys(endpoint).get("Journal", {}).items()}


class Lab:
    """A simulated fleet and an Ansible controller, both of this process alone."""

    def __init__(self, simulator: Simulator, directory: Path, network: int) -> None:
        self.simulator = simulator
        self.directory = directory
        self._network = network
        self._numbers = count(1)
        self._runs = count(1)
        self.complaints: list[str] = []

    # -- endpoints -------------------------------------------------------------------------------------------------

    def address(self) -> tuple[str, str]:
        """A name and an address that nothing else in this process has."""
        number = next(self._numbers)
        return f"PC-{number:04d}", f"127.{self._network}.{number // 250}.{number % 250 + 1}"

    def add(self, specs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """New endpoints; their names by the keys of `specs`."""
        names, entries = {}, []
        for key, spec in specs.items():
            name, address = self.address()
            names[key] = name
            entries.append({"name": name, "address": address, "restart_seconds": "0s", **spec})
        self.simulator.add(*entries)
        return names

    def host_vars(self, name: str, connection: str = "winrm", **more: Any) -> dict[str, Any]:
        """Inventory variables of an endpoint: NTLM over HTTP."""
        (entry,) = [each for each in self.simulator.endpoints() if each["name"] == name]
        return {
            **spelled(connection, scheme="http", auth="ntlm"),
            "ansible_host": entry["address"],
            "ansible_port": self.simulator.http_port,
            "ansible_user": entry["username"],
            "ansible_password": entry["password"],
            **more,
        }

    def https_vars(self, name: str, **more: Any) -> dict[str, Any]:
        return (
            self.host_vars(
                name,
                ansible_port=self.simulator.https_port,
                ansible_winrm_scheme="https",
                ansible_winrm_ca_trust_path=self.simulator.ca_file,
            )
            | more
        )

    def endpoint_option(self, name: str) -> dict[str, Any]:
        """The same for a module that asks from another host."""
        variables = self.host_vars(name)
        return {
            "host": variables["ansible_host"],
            "port": variables["ansible_port"],
            "scheme": "http",
            "username": variables["ansible_user"],
            "password": variables["ansible_password"],
        }

    # -- processes -------------------------------------------------------------------------------------------------

    def file(self, name: str, content: Any) -> Path:
        path = self.directory / f"{next(self._runs):03d}-{name}"
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
        path.chmod(0o600)
        return path

    def inventory(self, hosts: Mapping[str, Mapping[str, Any]], group: Mapping[str, Any] | None = None) -> Path:
        # JSON is YAML; with the suffix .yml, Ansible's own YAML inventory plugin takes it.
        return self.file(
            "inventory.yml",
            {
                "all": {"hosts": {"localhost": self.local_vars()}},
                "windows": {"hosts": {name: dict(each) for name, each in hosts.items()}, "vars": dict(group or {})},
            },
        )

    @staticmethod
    def local_vars() -> dict[str, Any]:
        return {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of the user's environment, and all that an Ansible process needs."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        config = self.directory / "ansible.cfg"
        config.touch()
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(home / "tmp"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_FORKS": "16",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            **more,
        }

    def own_time(self) -> dict[str, str]:
        """For `env`: the collection goes by the fleet's clock. Hosts share it, so let them take turns (--forks 1)."""
        return {
            "PYTHONPATH": str(Path(__file__).with_name("fleet_time")),
            "FLEET_CONTROL": self.simulator.ready["control"],
        }

    def ansible(self, *command: str | os.PathLike[str], env: Mapping[str, str] | None = None) -> Run:
        """Runs a command of Ansible's; what must never be in its output is noted in `complaints`."""
        record = self.directory / f"{next(self._runs):03d}-record"
        line = [os.fspath(part) for part in command]
        program = Path(sys.executable).with_name(line[0])
        done = subprocess.run(
            [str(program), *line[1:]],
            env=self.environment(RECORDER_FILE=str(record), **(env or {})),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        events, stats = [], {}
        for text in record.read_text(encoding="utf-8").splitlines() if record.exists() else []:
            entry = json.loads(text)
            if "stats" in entry:
                stats = entry["stats"]
            else:
                events.append(Event(**entry))
        self._examine(" ".join(line), done.stdout, verbose=any(part.startswith("-vvv") for part in line))
        return Run(done.returncode, done.stdout, events, stats)

    def refusals(
        self, role: str, cases: Mapping[str, Mapping[str, Any]], inventory: Path, hosts: str
    ) -> tuple[Run, dict[str, str]]:
        """What the role's checks say of the variables of each case; cases that pass are left out."""
        # Of a loop, what is said of its items.
        said = (
            "{{ [ansible_failed_result.msg]"
            " + (ansible_failed_result.results | default([]) | map(attribute='msg', default='') | list) }}"
        )
        plays = [
            {
                "hosts": hosts,
                "gather_facts": False,
                "vars": dict(variables),
                "tasks": [
                    {
                        "block": [{"ansible.builtin.import_role": {"name": f"{FQCN}.{role}", "tasks_from": "check"}}],
                        "rescue": [{"name": key, "ansible.builtin.debug": {"msg": said}}],
                    }
                ],
            }
            for key, variables in cases.items()
        ]
        run = self.ansible("ansible-playbook", "-i", inventory, self.file("refused.yml", plays))
        return run, {event.task: "\n".join(event.result["msg"]) for event in run.events if event.task in cases}

    def _examine(self, what: str, output: str, *, verbose: bool) -> None:
        # ansible-core before 2.19 prints a traceback for every failed action when it is verbose.
        forbidden = ["internal error", "errantly sent data"] + ([] if verbose else ["Traceback (most recent"])
        found = [text for text in forbidden if text in output] + leaks(output)
        if found:
            self.complaints.append(f"{what}\n  holds {found}:\n{output}")

    # -- one task an endpoint --------------------------------------------------------------------------------------

    def play(
        self, cases: Mapping[str, Case], *options: str, env: Mapping[str, str] | None = None
    ) -> dict[str, Outcome]:
        """Adds an endpoint for each case, runs the tasks of all in one playbook, and gives each one's outcome."""
        names = self.add({key: case.spec for key, case in cases.items()})
        return self.again(names, cases, *options, env=env)

    def again(
        self,
        names: Mapping[str, str],
        cases: Mapping[str, Case],
        *options: str,
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Outcome]:
        """As `play`, on endpoints that there are already."""
        called = {key: case.name or names[key] for key, case in cases.items()}
        hosts = {called[key]: self._vars(names[key], case) for key, case in cases.items()}
        before = {key: self.simulator.endpoint(names[key]) for key in cases}
        for key in cases:
            self.simulator.reset_traffic(names[key])
        playbook = self.file("play.yml", _plays(called, cases))
        run = self.ansible("ansible-playbook", "-i", self.inventory(hosts), playbook, *options, env=env)
        return {
            key: Outcome(
                self._event(run, called[key]),
                before[key],
                self.simulator.endpoint(names[key]),
                self.simulator.traffic(names[key]),
            )
            for key in cases
        }

    def _vars(self, name: str, case: Case) -> dict[str, Any]:
        connection = case.vars.get("ansible_connection", "winrm")
        if connection in SPELLINGS:
            return self.host_vars(name, connection) | dict(case.vars)
        return self.local_vars() | dict(case.vars)

    @staticmethod
    def _event(run: Run, host: str) -> Event:
        found = run.of(host, FQCN)
        assert len(found) == 1, f"{host} has {len(found)} results in\n{run.output}"
        return found[0]


class Thrice:
    """Tasks rehearsed in check mode, done, and done again, all on the same endpoints; `others` are only done."""

    def __init__(self, lab: Lab, cases: Mapping[str, Case], others: Mapping[str, Case]) -> None:
        self.rehearsed = lab.play({key: replace(case, check=True) for key, case in cases.items()})
        self.names = {key: outcome.endpoint["name"] for key, outcome in self.rehearsed.items()}
        added = lab.add({key: case.spec for key, case in others.items()})
        self.done = lab.again({**self.names, **added}, {**cases, **others})
        self.again = lab.again(self.names, cases)

    def assert_rehearsed(self, key: str, *results: str) -> None:
        """Check mode wrote nothing and told what was then done, and doing it again changed nothing."""
        rehearsed, done, again = self.rehearsed[key], self.done[key], self.again[key]
        assert rehearsed.writes == [] and rehearsed.commands() == []
        for part in ("registry", "services"):
            assert rehearsed.endpoint[part] == rehearsed.before[part]
        for name in ("changed", "diff", *results):
            assert rehearsed.result[name] == done.result[name], name
        again.assert_nothing_to_do()
        assert again.commands() == []
        for name in results:
            assert again.result[name] == done.result[name], name


def _plays(called: Mapping[str, str], cases: Mapping[str, Case]) -> list[dict[str, Any]]:
    kinds = dict.fromkeys((case.module, case.delegate_to) for case in cases.values())
    return [
        _play(*kind, {called[key]: case for key, case in cases.items() if (case.module, case.delegate_to) == kind})
        for kind in kinds
    ]


def _play(module: str, delegate_to: str, own: Mapping[str, Case]) -> dict[str, Any]:
    names = argument_spec(module)
    assert {name for case in own.values() for name in case.options} <= set(names), f"{module} has no such option"
    return {
        "name": f"All cases of {module}",
        "hosts": list(own),
        "gather_facts": False,
        "vars": {
            "options": {name: dict(case.options) for name, case in own.items()},
            "checked": [name for name, case in own.items() if case.check],
            "mine": "{{ options[inventory_hostname] }}",
        },
        "tasks": [
            {
                "name": module,
                f"{FQCN}.{module}": {name: f"{{{{ mine.{name} | default(omit) }}}}" for name in names},
                "check_mode": "{{ ansible_check_mode or inventory_hostname in checked }}",
                "diff": True,
                "ignore_errors": True,
                "ignore_unreachable": True,
                **({"delegate_to": delegate_to} if delegate_to else {}),
            }
        ],
    }


def leaks(output: str, passwords: Iterable[str] = (PASSWORD, WRONG_PASSWORD)) -> list[str]:
    """The passwords that can be read in a text, in any of the spellings that people and protocols use."""
    return [spelling for password in passwords for spelling in _spellings(password) if spelling in output]


def _spellings(password: str) -> Sequence[str]:
    plain = [password, repr(password).strip("'"), json.dumps(password).strip('"')]
    encoded = [password.encode(), password.encode("utf-16-le")]
    texts = [*plain, *(data.hex() for data in encoded)]
    for data in encoded:
        for shift in range(3):
            # Base64 of the password in the middle of something: whole groups of four characters only.
            text = base64.b64encode(b"\0" * shift + data).decode()
            start = 4 if shift else 0
            texts.append(text[start : len(text) - len(text) % 4 - 4])
    return texts


def open_shells(endpoint: Mapping[str, Any]) -> list[Any]:
    return list(endpoint["shells"])
