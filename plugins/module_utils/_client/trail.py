# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit trail of a task: a record before each request that writes, and another when its end is known.

The first, ``begin``, is kept before the guard judges and not between its judgement and the request: a disk that takes
its time would widen just the gap that the guard keeps narrow. So a ``begin`` says that a write is about to be judged,
and no request that writes goes out without one. Where the guard then says no, the ``end`` says ``refused``. A ``begin``
that has no ``end`` is of a task that was killed: whether its request was carried out is not known.
"""

from __future__ import annotations

import datetime as dt
import secrets
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass

from .._wsman import uris
from .._wsman.errors import WSManError
from .._wsman.session import Session

SCHEMA = 1
DONE, REFUSED, FAILED, UNKNOWN = "done", "refused", "failed", "unknown"

Record = dict[str, t.Any]
Keep = t.Callable[[Record], None]
"""Returns when the record is on the disk; raises TrailBroken."""

_WAYS = {uris.WMI: "wmi", uris.CIM_SCHEMA: "cim", uris.SHELL: "command"}


@dataclass(frozen=True)
class Write:
    """What is to be written: a step of a plan with its argument, and the value before and after it."""

    step: str
    argument: str | bool | None = None
    before: t.Any = None
    after: t.Any = None


class Attempts:
    """The requests of one *write*: ``around`` each of them, and ``end`` after the last."""

    def __init__(self, keep: Keep, write: Write, session: Session, computer_name: t.Callable[[], str | None]) -> None:
        self._keep = keep
        self._write = write
        self._session = session
        self._computer_name = computer_name
        self._begun: Record | None = None
        self.judged = False
        """Whether the guard let the request pass that is under way."""

    @contextmanager
    def around(self, operation: str, resource_uri: str) -> t.Iterator[None]:
        """From before one request is judged until it is answered. Raises TrailBroken before it is judged."""
        self.end(DONE)  # whoever sent the one before went on after its answer
        self._begin(operation, resource_uri)
        sent = self._session.writes_sent
        try:
            yield
        except BaseException as error:
            if not self.judged:
                self.end(REFUSED, error)
            elif isinstance(error, WSManError) and self._session.writes_sent == sent:
                self.end(FAILED, error)
            else:
                self.end(UNKNOWN, error)
            raise

    def end(self, result: str, error: BaseException | None = None) -> None:
        """Of the request before, unless its end is kept already."""
        if self._begun is None:
            return
        begun, self._begun = self._begun, None
        self._keep(
            {
                **begun,
                **self._moment("end"),
                "after": self._write.after if result == DONE else None,
                "result": result,
                "reason": "" if error is None else str(error) or type(error).__name__,
            }
        )

    def _begin(self, operation: str, resource_uri: str) -> None:
        self.judged = False
        via = next(way for prefix, way in _WAYS.items() if resource_uri.startswith(prefix))
        begun = {**begin(self._write, operation, via), **self._moment("begin")}
        self._keep(begun)
        self._begun = begun

    def _moment(self, event: str) -> Record:
        return moment(event, self._computer_name(), self._session.calls)


@contextmanager
def attempted(
    keep: Keep, write: Write, operation: str, via: str, computer_name: str, calls: t.Callable[[], int]
) -> t.Iterator[t.Callable[[str, str], None]]:
    """Of a request that no session sends: inside, the result and the reason are told; UNKNOWN until they are.

    Raises TrailBroken before anything is sent.
    """
    begun = {**begin(write, operation, via), **moment("begin", computer_name, calls())}
    keep(begun)
    came = {"result": UNKNOWN, "reason": ""}

    def tell(result: str, reason: str = "") -> None:
        came.update(result=result, reason=reason)

    try:
        yield tell
    except BaseException as error:
        tell(UNKNOWN, str(error) or type(error).__name__)
        raise
    finally:
        after = write.after if came["result"] == DONE else None
        keep({**begun, **moment("end", computer_name, calls()), "after": after, **came})


def begin(write: Write, operation: str, via: str) -> Record:
    """What a record says of the request itself."""
    return {
        "schema": SCHEMA,
        "attempt": secrets.token_hex(8),
        "step": write.step,
        "argument": write.argument,
        "before": write.before,
        "after": write.after,
        "operation": operation,
        "via": via,
    }


def moment(event: str, computer_name: str | None, calls: int) -> Record:
    """What a record says of the time at which it is made."""
    now = dt.datetime.now(dt.timezone.utc)
    return {
        "event": event,
        "time": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z",
        "computer_name": computer_name,
        "calls": calls,
    }
