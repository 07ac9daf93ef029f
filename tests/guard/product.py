# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as these tests use it: what they need of ``plugins/`` stands here and nowhere else.

`run` does what an action plug-in does for one task, over a transport of the test's own. `stopped_clocks` makes
the collection wait and measure by another clock than the computer's, wherever in it somebody waits.
"""

from __future__ import annotations

import inspect
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.configmgr.client.plugins.module_utils._client.errors import TrailBroken
from ansible_collections.configmgr.client.plugins.module_utils._module import (
    Task,
    TaskFailed,
    failures,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import (
    ConnectionLost,
    DeadlineExceeded,
    EndpointUnreachable,
    ProtocolError,
    StaleConnection,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings

__all__ = [
    "ConnectionLost",
    "DeadlineExceeded",
    "EndpointUnreachable",
    "Outcome",
    "ProtocolError",
    "StaleConnection",
    "TrailBroken",
    "parameters",
    "run",
    "stopped_clocks",
]

_PACKAGE = "ansible_collections.configmgr.client.plugins."
MODULES = (
    "client_action",
    "client_preparation",
    "provisioning_mode",
    "provisioning_safeguard",
    "provisioning_timeout",
    "smstsmgr_dependency",
    "task_sequence_request",
)
"""Those that write."""
_MODULES = {name: import_module(f"{_PACKAGE}modules.{name}") for name in MODULES}


class Watch(Protocol):
    """A clock that a test moves."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Line(Protocol):
    """A transport, as a session wants one."""

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a task ended: with a ``result``, or failed with ``message``; ``strange`` is what should never come out."""

    result: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False
    message: str = ""
    strange: BaseException | None = None
    log: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """As Ansible takes it: a result that does not say so has changed nothing."""
        return self.result.get("changed") is True

    @property
    def left_alone(self) -> str:
        return str(self.result.get("left_alone") or "")

    @property
    def told(self) -> str:
        """All that a person gets to read."""
        warnings = " ".join(self.result.get("warnings") or ())
        return " ".join(filter(None, [self.message or str(self.result.get("msg", "")), self.left_alone, warnings]))

    def __str__(self) -> str:
        if self.strange is not None:
            return f"{type(self.strange).__name__}: {self.strange}"
        return f"{'failed' if self.failed else 'ok'}, changed={self.changed}: {self.told}"


def parameters(module: str, options: Mapping[str, Any], name: str) -> dict[str, Any]:
    """*options* with the defaults of the module's own specification, as a task gives them."""
    validated = ArgumentSpecValidator(_MODULES[module].ARGUMENT_SPEC).validate(dict(options))
    assert not validated.error_messages, validated.error_messages
    params: dict[str, Any] = {**validated.validated_parameters}
    if "computer_name" in params:
        params["computer_name"] = params["computer_name"] or name
    return params


def run(
    module: str,
    params: Mapping[str, Any],
    connect: Callable[[Deadline], Line],
    watch: Watch,
    *,
    keep: Callable[[dict[str, Any]], None],
    check_mode: bool = False,
) -> Outcome:
    """One task. An exception that Ansible would show as a traceback is returned like any other end.

    *keep* takes the records of the audit trail.
    """
    settings = Settings(host="endpoint.corp.example", auth="basic", username="operator", password="secret")
    log: list[str] = []
    _clocks.watch = watch
    try:
        with failures(settings.names):
            deadline = Deadline(params["deadline"], watch.monotonic)
            with Session(settings, lambda: connect(deadline), deadline, log.append) as session:
                task = Task(Endpoint(session), params, check_mode, log.append, keep=keep)
                result = _MODULES[module].run(task)
    except TaskFailed as error:
        return Outcome(error.result, failed=True, message=str(error), log=tuple(log))
    except Exception as error:
        return Outcome(strange=error, failed=True, log=tuple(log))
    return Outcome(result, log=tuple(log))


class _Clocks:
    """What time is it, and who waits: the watch of the task that runs."""

    watch: Watch | None = None

    def monotonic(self) -> float:
        assert self.watch is not None, "only a task may ask"
        return self.watch.monotonic()

    def sleep(self, seconds: float) -> None:
        assert self.watch is not None, "only a task may wait"
        self.watch.sleep(seconds)


_clocks = _Clocks()


@contextmanager
def stopped_clocks() -> Iterator[None]:
    """Inside, the collection waits and measures by the watch that `run` is given.

    It names no place: all that the collection has loaded is looked through for ``time``, under whatever name, for its
    functions, and for these among the default values of arguments, which are bound once and for all.
    """
    functions: dict[Any, Any] = {time.sleep: _clocks.sleep}
    functions |= dict.fromkeys((time.monotonic, time.perf_counter), _clocks.monotonic)
    clock = types.SimpleNamespace(**{name: _function(functions, each) or each for name, each in vars(time).items()})
    undo: list[Callable[[], None]] = []
    for module in [each for name, each in sys.modules.items() if name.startswith(_PACKAGE)]:
        for name, value in list(vars(module).items()):
            stand_in = clock if value is time else _function(functions, value)
            if stand_in is not None:
                undo.append(_set(module, name, stand_in))
        for function in _functions(module):
            undo += _rebind(function, functions)
    try:
        yield
    finally:
        for each in reversed(undo):
            each()


def _function(functions: Mapping[Any, Any], value: Any) -> Any:
    return functions.get(value) if isinstance(value, types.BuiltinFunctionType) else None


def _functions(module: types.ModuleType) -> Iterator[types.FunctionType]:
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        found = [value] if inspect.isfunction(value) else list(vars(value).values()) if inspect.isclass(value) else []
        yield from (each for each in found if inspect.isfunction(each))


def _rebind(function: types.FunctionType, functions: Mapping[Any, Any]) -> Iterator[Callable[[], None]]:
    defaults, named = function.__defaults__, function.__kwdefaults__
    if any(_function(functions, value) for value in defaults or ()):
        yield _set(function, "__defaults__", tuple(_function(functions, value) or value for value in defaults or ()))
    if any(_function(functions, value) for value in (named or {}).values()):
        replaced = {name: _function(functions, value) or value for name, value in (named or {}).items()}
        yield _set(function, "__kwdefaults__", replaced)


def _set(owner: Any, name: str, value: Any) -> Callable[[], None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, before)
