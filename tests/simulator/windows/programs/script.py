# SPDX-License-Identifier: GPL-3.0-or-later
"""A small interpreter of PowerShell: enough for scripts that compute, loop, and read files through .NET.

Written from the language's specification and .NET's documentation. It knows variables, arithmetic, comparisons, ``-f``,
arrays, if, for, foreach, while, try, exit, calls of .NET members, New-Object, Write-Host and Start-Sleep. Anything else
is an error, as is a parse error before anything runs. In constrained language mode no member of .NET can be called
(official).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import dotnet
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|`\r?\n)|(?P<newline>\n|;)
    |(?P<string>['\u2018\u2019\u201a\u201b](?:[^'\u2018\u2019\u201a\u201b]|['\u2018\u2019\u201a\u201b]{2})*['\u2018\u2019\u201a\u201b])
    |(?P<variable>\$\w+)
    |(?P<number>\d+)
    |(?P<operator>-(?:eq|ne|lt|le|gt|ge|and|or|not|f)\b)
    |(?P<symbol>::|\+\+|\+=|-=|@\(|[-+*/%=(){}\[\],.!&|])
    |(?P<word>[A-Za-z_][\w-]*)
    |(?P<quoted>"[^"$`]*")
    |(?P<text>[^\x00-\x7f]+)""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]{2}")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "-eq": lambda a, b: bool(_folded(a) == _folded(b)),
    "-ne": lambda a, b: bool(_folded(a) != _folded(b)),
    "-lt": lambda a, b: bool(a < b),
    "-le": lambda a, b: bool(a <= b),
    "-gt": lambda a, b: bool(a > b),
    "-ge": lambda a, b: bool(a >= b),
}
_MOST_STEPS = 1_000_000

Code = Callable[["_Run"], Any]


class ScriptError(Exception):
    """The text that PowerShell prints before it ends with code 1."""


class _Break(Exception):
    pass


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


@dataclass(frozen=True)
class _Caught:
    """What `$_` is in a catch block."""

    exception: dotnet.NetException

    def member(self, name: str) -> Any:
        if name.lower() == "exception":
            return self.exception
        raise ScriptError(f"The property '{name}' cannot be found on this object.")


@dataclass
class _Mode:
    """`$ExecutionContext`, and its SessionState."""

    language: str

    def member(self, name: str) -> Any:
        return {"sessionstate": self, "languagemode": self.language}[name.lower()]


class _Run:
    def __init__(self, world: World) -> None:
        self.console = dotnet.Console()
        self.files = dotnet.Disk(world)
        self.language = world.variants.powershell_language
        self.variables: dict[str, Any] = {
            "true": True,
            "false": False,
            "null": None,
            "executioncontext": _Mode(self.language),
        }
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise ScriptError("The simulated powershell.exe stops a script that does not end")

    def require_full_language(self) -> None:
        if self.language != "FullLanguage":
            raise ScriptError("Cannot invoke method. Method invocation is supported only on core types in this mode.")


def run(world: World, text: str) -> ProgramResult:
    state = _Run(world)
    code, stderr = 0, ""
    try:
        _Parser(text).program()(state)
    except _Exit as end:
        code = end.code
    except dotnet.NetException as error:
        code, stderr = 1, f"{error.name}: {error}\r\n"
    except ScriptError as error:
        code, stderr = 1, f"{error}\r\n"
    console = state.console
    return ProgramResult(code, console.text, stderr, console.slept, tuple(console.earlier))


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    glued: bool
    """Whether it follows the token before it without a blank: `$a[0]` is an element, `$a [0]` is not."""


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, glued = 0, False
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match or not match.lastgroup:
            raise ScriptError(f"Unexpected token '{text[at : at + 20]}' in expression or statement.")
        at = match.end()
        if match.lastgroup != "blank":
            found.append(_Token(match.lastgroup, match[0], glued))
        glued = match.lastgroup not in ("blank", "newline")
    return [*found, _Token("end", "", False)]


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._in_call = False

    # -- statements ----------------------------------------------------------------------------------------------------

    def program(self) -> Code:
        code = self._statements("end")
        self._expect("")
        return code

    def _statements(self, until: str) -> Code:
        found: list[Code] = []
        while True:
            while self._next.kind == "newline":
                self._take()
            if self._next.kind == "end" or self._next.text == until:
                return _sequence(found)
            block = self._next.kind == "word" and self._next.text.lower() in _BLOCKS
            found.append(self._statement())
            if not block and self._next.kind not in ("newline", "end") and self._next.text != until:
                raise self._unexpected()

    def _block(self) -> Code:
        self._expect("{")
        code = self._statements("}")
        self._expect("}")
        return code

    def _statement(self) -> Code:
        word = self._next.text.lower() if self._next.kind == "word" else ""
        match word:
            case "if":
                return self._if()
            case "for":
                return self._for()
            case "foreach":
                return self._foreach()
            case "while":
                self._take()
                condition, body = self._parenthesized(), self._block()
                return _loop(condition, body, None)
            case "try":
                return self._try()
            case "break":
                self._take()
                return _raiser(_Break)
            case "exit":
                self._take()
                number = self._expression()
                return _exiter(number)
        if self._next.kind == "variable" and self._tokens[self._at + 1].text in ("=", "+=", "-=", "++"):
            return self._assignment()
        return _printer(self._pipeline())

    def _assignment(self) -> Code:
        name = self._take().text[1:].lower()
        operator = self._take().text
        value = _constant(1) if operator == "++" else self._pipeline()

        def assign(run: _Run) -> None:
            new, old = value(run), run.variables.get(name)
            if operator in ("+=", "++"):
                new = (old or 0) + new
            elif operator == "-=":
                new = (old or 0) - new
            run.variables[name] = new

        return assign

    def _if(self) -> Code:
        self._take()
        condition, body = self._parenthesized(), self._block()
        otherwise: Code | None = None
        if self._next.text.lower() == "elseif":
            otherwise = self._if()
        elif self._next.text.lower() == "else":
            self._take()
            otherwise = self._block()

        def decide(run: _Run) -> None:
            if condition(run):
                body(run)
            elif otherwise:
                otherwise(run)

        return decide

    def _for(self) -> Code:
        self._take()
        self._expect("(")
        first = self._statement()
        self._expect(";")
        condition = self._expression()
        self._expect(";")
        step = self._statement()
        self._expect(")")
        return _sequence([first, _loop(condition, self._block(), step)])

    def _foreach(self) -> Code:
        self._take()
        self._expect("(")
        name = self._take().text[1:].lower()
        if self._take().text.lower() != "in":
            raise self._unexpected()
        values = self._expression()
        self._expect(")")
        body = self._block()

        def each(run: _Run) -> None:
            found = values(run)
            try:
                for value in found if isinstance(found, list) else [found]:
                    run.step()
                    run.variables[name] = value
                    body(run)
            except _Break:
                pass

        return each

    def _try(self) -> Code:
        self._take()
        body = self._block()
        handler = cleanup = None
        while self._next.text.lower() in ("catch", "finally"):
            if self._take().text.lower() == "catch":
                handler = self._block()
            else:
                cleanup = self._block()
        if handler is None and cleanup is None:
            raise ScriptError("The Try statement is missing its Catch or Finally block.")

        def attempt(run: _Run) -> None:
            try:
                body(run)
            except dotnet.NetException as error:
                if handler is None:
                    raise
                run.variables["_"] = _Caught(error)
                handler(run)
            finally:
                if cleanup:
                    cleanup(run)

        return attempt

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _pipeline(self) -> Code:
        if self._next.kind == "word":
            return self._command()
        return self._expression()

    def _command(self) -> Code:
        name = self._take().text
        if name.lower() == "write-host":
            return self._write_host()
        if name.lower() == "start-sleep":
            seconds = self._expression()
            return lambda run: run.console.sleep(seconds(run))
        if name.lower() != "new-object":
            raise ScriptError(f"{name} : The term '{name}' is not recognized as the name of a cmdlet here.")
        type_name = self._type_name()
        arguments: list[Code] = []
        if self._next.text == "(":
            # One argument in parentheses; of several, PowerShell makes an array, and New-Object takes its elements.
            self._take()
            arguments.append(self._expression())
            self._expect(")")

        def create(run: _Run) -> Any:
            run.require_full_language()
            values = arguments[0](run) if arguments else []
            return dotnet.create(type_name, values if isinstance(values, list) else [values])

        return create

    def _write_host(self) -> Code:
        """Arguments separated by blanks; a word without quotes stands for itself. Lines end with LF (recorded)."""
        parts: list[Code] = []
        while self._next.kind not in ("newline", "end") and self._next.text != "}":
            parts.append(_constant(self._take().text) if self._next.kind in ("word", "text") else self._unary())
        return lambda run: run.console.write_line(" ".join(dotnet.shown(part(run)) for part in parts), "\n")

    def _type_name(self) -> str:
        name = self._take().text
        while self._next.glued and self._next.text in (".", "["):
            if self._take().text == "[":
                self._expect("]")
                name += "[]"
            else:
                name += "." + self._take().text
        return name.lower()

    def _parenthesized(self) -> Code:
        self._expect("(")
        code = self._pipeline()
        self._expect(")")
        return code

    def _expression(self) -> Code:
        left = self._comparison()
        while self._next.text.lower() in ("-and", "-or"):
            both = self._take().text.lower() == "-and"
            left = _logical(left, self._comparison(), both)
        return left

    def _comparison(self) -> Code:
        left = self._sum()
        while self._next.text.lower() in _COMPARISONS:
            operator = _COMPARISONS[self._take().text.lower()]
            left = _binary(left, self._sum(), operator)
        return left

    def _sum(self) -> Code:
        left = self._product()
        while self._next.text in ("+", "-"):
            plus = self._take().text == "+"
            left = _binary(left, self._product(), _add if plus else lambda a, b: a - b)
        return left

    def _product(self) -> Code:
        left = self._format()
        while self._next.text in ("*", "%"):
            times = self._take().text == "*"
            left = _binary(left, self._format(), (lambda a, b: a * b) if times else _remainder)
        return left

    def _format(self) -> Code:
        left = self._list()
        while self._next.text.lower() == "-f":
            self._take()
            left = _binary(left, self._list(), dotnet.formatted)
        return left

    def _list(self) -> Code:
        """The comma binds tighter than all but casts; among the arguments of a method it parts these instead."""
        first = self._unary()
        if self._next.text != "," or self._in_call:
            return first
        items = [first]
        while self._next.text == ",":
            self._take()
            items.append(self._unary())
        return lambda run: [item(run) for item in items]

    def _unary(self) -> Code:
        if self._next.text in ("!",) or self._next.text.lower() == "-not":
            self._take()
            inner = self._unary()
            return lambda run: not inner(run)
        if self._next.text == "[":
            return self._typed()
        return self._members(self._primary())

    def _typed(self) -> Code:
        """A cast, or a static member."""
        self._expect("[")
        name = self._type_name()
        self._expect("]")
        if self._next.text != "::":
            inner = self._unary()
            return lambda run: dotnet.cast(name, inner(run))
        self._take()
        member = self._take().text
        if self._next.text == "(" and self._next.glued:
            arguments = self._arguments()

            def call(run: _Run) -> Any:
                run.require_full_language()
                return dotnet.call_static(run.files, name, member, [argument(run) for argument in arguments])

            return self._members(call)
        return self._members(lambda run: dotnet.static(run.console, name, member))

    def _primary(self) -> Code:
        token = self._take()
        match token.kind:
            case "string":
                return _constant(_QUOTES.sub(lambda match: match[0][0], token.text[1:-1]))
            case "quoted":
                return _constant(token.text[1:-1])
            case "number":
                return _constant(int(token.text))
            case "variable":
                name = token.text[1:].lower()
                return lambda run: run.variables.get(name)
        if token.text == "(":
            return self._closed(self._outside_call(self._pipeline))
        if token.text == "@(":
            if self._next.text == ")":
                self._take()
                return lambda run: []
            code = self._closed(self._outside_call(self._expression))
            return lambda run: value if isinstance(value := code(run), list) else [value]
        self._at -= 1
        raise self._unexpected()

    def _outside_call(self, parse: Callable[[], Code]) -> Code:
        before, self._in_call = self._in_call, False
        code = parse()
        self._in_call = before
        return code

    def _closed(self, code: Code) -> Code:
        self._expect(")")
        return code

    def _members(self, code: Code) -> Code:
        while self._next.glued and self._next.text in (".", "["):
            if self._take().text == "[":
                index = self._outside_call(self._expression)
                self._expect("]")
                code = _binary(code, index, lambda values, at: values[at])
                continue
            name = self._take().text
            if self._next.text == "(" and self._next.glued:
                code = _method(code, name, self._arguments())
            else:
                code = _property(code, name)
        return code

    def _arguments(self) -> list[Code]:
        self._expect("(")
        before, self._in_call = self._in_call, True
        found: list[Code] = []
        while self._next.text != ")":
            found.append(self._expression())
            if self._next.text != ",":
                break
            self._take()
        self._in_call = before
        self._expect(")")
        return found

    # -- tokens --------------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        if token.kind == "end":
            raise self._unexpected()
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        if self._next.text != text:
            raise self._unexpected()
        if text:
            self._at += 1

    def _unexpected(self) -> ScriptError:
        return ScriptError(f"Unexpected token '{self._next.text}' in expression or statement.")


_BLOCKS = ("if", "for", "foreach", "while", "try")


def _constant(value: Any) -> Code:
    return lambda run: value


def _sequence(parts: list[Code]) -> Code:
    def all_of_them(run: _Run) -> None:
        for part in parts:
            run.step()
            part(run)

    return all_of_them


def _loop(condition: Code, body: Code, step: Code | None) -> Code:
    def loop(run: _Run) -> None:
        try:
            while condition(run):
                run.step()
                body(run)
                if step:
                    step(run)
        except _Break:
            pass

    return loop


def _raiser(kind: type[Exception]) -> Code:
    def leave(run: _Run) -> None:
        raise kind

    return leave


def _exiter(number: Code) -> Code:
    def leave(run: _Run) -> None:
        raise _Exit(int(number(run)))

    return leave


def _printer(code: Code) -> Code:
    """What a statement leaves is printed, unless it is nothing."""

    def show(run: _Run) -> None:
        value = code(run)
        if value is not None:
            run.console.write_line(dotnet.shown(value))

    return show


def _binary(left: Code, right: Code, operator: Callable[[Any, Any], Any]) -> Code:
    def compute(run: _Run) -> Any:
        first = left(run)
        try:
            return operator(first, right(run))
        except (TypeError, IndexError, ZeroDivisionError) as error:
            raise ScriptError(f"Cannot compute: {error}") from None

    return compute


def _logical(left: Code, right: Code, both: bool) -> Code:
    if both:
        return lambda run: bool(left(run)) and bool(right(run))
    return lambda run: bool(left(run)) or bool(right(run))


def _add(left: Any, right: Any) -> Any:
    return left + (dotnet.shown(right) if isinstance(left, str) else right)


def _remainder(left: int, right: int) -> int:
    """With the sign of the dividend, as in C."""
    return left % right if left >= 0 else -(-left % right)


def _method(target: Code, name: str, arguments: list[Code]) -> Code:
    def call(run: _Run) -> Any:
        run.require_full_language()
        return dotnet.call(target(run), name, [argument(run) for argument in arguments])

    return call


def _property(target: Code, name: str) -> Code:
    def get(run: _Run) -> Any:
        found = target(run)
        return found.member(name) if isinstance(found, (_Caught, _Mode)) else dotnet.get(found, name)

    return get
