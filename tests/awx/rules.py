# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX refuses in a definition. Pure: each rule returns what is wrong, or an empty text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

ANSWERS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice"), str),
    "multiselect": (str, list),
    "integer": int,
    "float": (int, float),
}


def schedule(rrule: str) -> str:
    starts = re.findall(r"DTSTART(;[^:]+)?:(\d+T\d+Z?)", rrule)
    rules = re.findall(r"RULE:(\S*)", rrule)
    if len(starts) != 1:
        return "one DTSTART is required"
    if not starts[0][0] and not starts[0][1].endswith("Z"):
        return "DTSTART has no time zone"
    if not rules:
        return "a rule is required"
    if re.search("exdate:|rdate:", rrule.lower()):
        return "EXDATE and RDATE are not allowed"
    for rule in rules:
        parts = dict(part.partition("=")[::2] for part in rule.split(";"))
        if "INTERVAL" not in parts:
            return "INTERVAL is required"
        if parts.get("FREQ") not in ("MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
            return "FREQ is not supported"
        if re.match(r"\d", parts.get("BYDAY", "")):
            return "BYDAY with a number is not supported"
        if {"COUNT", "UNTIL"} <= parts.keys() or int(parts.get("COUNT", 1)) > 999:
            return "COUNT and UNTIL together, or a COUNT over 999"
    return ""


def survey(spec: Mapping[str, Any]) -> str:
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec.get(name), kind):
            return f"{name} is missing from the survey, or of another type"
    if not spec["spec"]:
        return "the survey has no question"
    seen: set[str] = set()
    for question in spec["spec"]:
        wrong = _question(question)
        if wrong:
            return wrong
        if question["variable"] in seen:
            return f"{question['variable']} is asked for twice"
        seen.add(question["variable"])
    return ""


def _question(question: Any) -> str:
    for name, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
        if not isinstance(question, dict) or not isinstance(question.get(name), kind):
            return f"{name} is missing from a question, or of another type"
    variable, kind = question["variable"], question["type"]
    if kind not in ANSWERS:
        return f"{variable}: {kind} is no type of question"
    default = question.get("default", "")
    if default != "" and (not isinstance(default, ANSWERS[kind]) or isinstance(default, bool)):
        return f"{variable}: the default {default!r} is none of type {kind}"
    if any(not isinstance(question.get(limit) or 0, int) for limit in ("min", "max")):
        return f"{variable}: min and max are whole numbers"
    if kind in ("multiplechoice", "multiselect"):
        if "choices" not in question:
            return f"{variable}: no choices"
        chosen = default.splitlines() if isinstance(default, str) else default
        if set(chosen) - set(_choices(question)):
            return f"{variable}: the default is none of the choices"
    return ""


def _choices(question: Mapping[str, Any]) -> list[str]:
    choices: str | list[str] = question["choices"]
    return choices.splitlines() if isinstance(choices, str) else choices


def answers(spec: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """What AWX says of the answers when a job is launched."""
    wrong: list[str] = []
    for question in spec["spec"]:
        variable = question["variable"]
        value = given.get(variable, question.get("default", ""))
        if value == "":
            wrong += [f"{variable} value missing"] if question["required"] else []
        elif not isinstance(value, ANSWERS[question["type"]]):
            wrong.append(f"{variable} is none of type {question['type']}")
        elif question["type"] in ("integer", "float"):
            if question.get("min") is not None and value < question["min"]:
                wrong.append(f"{variable} is less than {question['min']}")
            if question.get("max") is not None and value > question["max"]:
                wrong.append(f"{variable} is more than {question['max']}")
    return wrong


def credential_type(kind: Any, inputs: Mapping[str, Any], injectors: Mapping[str, Any]) -> str:
    if kind not in ("cloud", "net"):
        return f"kind {kind!r} is none of cloud and net"
    fields = [field.get("id", "") for field in inputs.get("fields", [])]
    if len(fields) != len(set(fields)) or not all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", field) for field in fields):
        return "ids of fields are variable names, each once"
    if set(inputs) - {"fields", "required"} or set(inputs.get("required", [])) - set(fields):
        return "what is required is none of the fields"
    for field in inputs.get("fields", []):
        if "label" not in field or field.get("type", "string") not in ("string", "boolean"):
            return f"{field['id']} has no label, or another type than string and boolean"
    return _injectors(fields, injectors)


def _injectors(fields: list[str], injectors: Mapping[str, Any]) -> str:
    files = injectors.get("file", {})
    if set(injectors) - {"file", "env", "extra_vars"} or ("template" in files and len(files) > 1):
        return "injectors are file, env and extra_vars; several files have names"
    for name in injectors.get("env", {}):
        if name.startswith("ANSIBLE_") or name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV"):
            return f"the variable {name} is not allowed"
    names = {name.partition(".")[2]: "/a/file" for name in files}
    known = {**dict.fromkeys(fields, "a value"), "tower": {"filename": names.get("", names)}}
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for kind, values in injectors.items():
        for name, text in values.items():
            try:
                environment.from_string(text).render(known)
            except jinja2.TemplateError as error:
                return f"{kind} {name}: {error}"
    return ""


def link(nodes: Mapping[int, Mapping[str, list[int]]], parent: int, kind: str, child: int) -> str:
    """Of a workflow's nodes, each with its links by their kind: whether one more may be added."""
    if any(child in children for name, children in nodes[parent].items() if name != kind):
        return "another link leads there already"
    ahead, seen = [child], set()
    while ahead:
        node = ahead.pop()
        if node == parent:
            return "a cycle"
        if node not in seen:
            seen.add(node)
            ahead += [each for children in nodes.get(node, {}).values() for each in children]
    return ""
