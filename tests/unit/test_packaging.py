# SPDX-License-Identifier: GPL-3.0-or-later
"""What rots unseen: the artifact's contents, the action group, and documentation that drifts from the code.

`validate-modules` compares documentation with arguments only where it can run; this compares them always.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC

ROOT = Path(__file__).parents[2]
NAME = "ansible_collections.configmgr.client"
SHIPPED = {
    "CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "LICENSES", "MANIFEST.json",
    "README.md", "REUSE.toml", "SECURITY.md", "changelogs", "docs", "extensions", "meta",
    "playbooks", "plugins", "requirements.txt", "roles", "tests",
}  # fmt: skip
SECRET = re.compile("password|passphrase|secret|token", re.IGNORECASE)


def names(folder: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py"))


def roles() -> list[Path]:
    return sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())


# The artifact


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("artifact")
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    subprocess.run([galaxy, "collection", "build", ROOT, "--output-path", folder], check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as tar:
        return {member.name for member in tar if member.isfile()}


def test_artifact_holds_what_users_need_and_nothing_else(artifact: set[str]) -> None:
    assert {name.split("/")[0] for name in artifact} <= SHIPPED
    assert {name for name in artifact if name.startswith("tests/")} == {"tests/config.yml"}
    stray = re.compile(r"(^|/)(\.|__pycache__|molecule/|fragments/)|\.pyc$")
    assert [name for name in artifact if stray.search(name)] == []


def test_artifact_holds_all_that_runs(artifact: set[str]) -> None:
    files = [path for top in ("meta", "playbooks", "plugins", "roles") for path in (ROOT / top).rglob("*")]
    here = {str(path.relative_to(ROOT)) for path in files if path.is_file() and path.suffix != ".pyc"}
    assert here <= artifact


def test_each_place_has_the_version() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    for name in ("README.md", "execution-environment.yml"):
        assert set(re.findall(r"configmgr-client-(\d[^ ]*)\.tar", (ROOT / name).read_text())) == {version}, name
    awx = yaml.safe_load((ROOT / "roles/awx_setup/defaults/main.yml").read_text())
    assert awx["awx_setup_project_branch"] == version
    released = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())["releases"]
    assert version in released or "-" in version


def test_execution_environment_needs_what_all_need_and_kerberos() -> None:
    def lines(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {re.split(r"[\[>]", line)[0]: line.partition(">=")[2] for line in text if not line.startswith("#")}

    everybody, image = lines("requirements.txt"), lines("meta/ee-requirements.txt")
    assert everybody.items() <= image.items()
    assert set(image) - set(everybody) == {"krb5", "requests-kerberos"}


# Modules


def test_action_group_names_every_module_of_an_endpoint() -> None:
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["client"]
    assert names("modules") == names("action")
    specs = {name: import_module(f"{NAME}.plugins.modules.{name}").ARGUMENT_SPEC for name in names("modules")}
    assert sorted(group) == [name for name, spec in specs.items() if CONNECTION_SPEC.keys() <= spec.keys()]


@pytest.mark.parametrize("name", names("modules"))
def test_module_is_documented(name: str) -> None:
    module = import_module(f"{NAME}.plugins.modules.{name}")
    documentation = yaml.safe_load(module.DOCUMENTATION)
    assert documentation["module"] == name
    assert documentation["short_description"]
    assert documentation["version_added"]
    examples = yaml.safe_load(module.EXAMPLES)
    for example in [task for each in examples for task in each.get("tasks", [each])]:  # some are of whole plays
        assert any(key.startswith(("configmgr.client.", "ansible.", "block")) for key in example), example
    for key, value in yaml.safe_load(module.RETURN).items():
        assert {"description", "returned", "type"} <= value.keys(), key


@pytest.mark.parametrize("name", names("modules"))
def test_documented_options_are_the_accepted_ones(name: str) -> None:
    module = import_module(f"{NAME}.plugins.modules.{name}")
    assert accepted(module.ARGUMENT_SPEC) == documented(options(yaml.safe_load(module.DOCUMENTATION)))


@pytest.mark.parametrize("name", names("modules"))
def test_secret_options_say_whether_they_are_logged(name: str) -> None:
    spec = import_module(f"{NAME}.plugins.modules.{name}").ARGUMENT_SPEC
    assert [option for option, value in flat(spec) if SECRET.search(option) and "no_log" not in value] == []


def options(documentation: dict[str, Any]) -> dict[str, Any]:
    """The options, with those of this collection's documentation fragments."""
    found = dict(documentation.get("options", {}))
    fragments = documentation.get("extends_documentation_fragment", [])
    for fragment in [fragments] if isinstance(fragments, str) else fragments:
        if not fragment.startswith("configmgr.client."):
            continue  # ansible.builtin's fragments that are used here hold attributes only
        file, _dot, part = fragment.removeprefix("configmgr.client.").partition(".")
        source = import_module(f"{NAME}.plugins.doc_fragments.{file}").ModuleDocFragment
        found |= yaml.safe_load(getattr(source, (part or "documentation").upper())).get("options", {})
    return found


def accepted(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: facts(option, option.get("options")) for name, option in spec.items()}


def documented(docs: dict[str, Any]) -> dict[str, Any]:
    for name, option in docs.items():
        assert option["description"], name
    return {name: facts(option, option.get("suboptions"), documented) for name, option in docs.items()}


def facts(option: dict[str, Any], nested: dict[str, Any] | None, of: Any = accepted) -> dict[str, Any]:
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "default": option.get("default"),
        "required": option.get("required", False),
        "choices": list(option.get("choices") or []),
        "aliases": sorted(option.get("aliases") or []),
        "options": of(nested or {}),
    }


def flat(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [pair for name, value in spec.items() for pair in [(name, value), *flat(value.get("options") or {})]]


# Roles


@pytest.mark.parametrize("role", roles(), ids=lambda role: role.name)
def test_role_is_described(role: Path) -> None:
    assert (role / "README.md").is_file()
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    assert specs["main"]["short_description"]


def test_each_role_has_a_scenario() -> None:
    scenarios = {path.parent.name for path in (ROOT / "extensions/molecule").glob("*/verify.yml")}
    without = {"awx_setup"}  # which works on no endpoint: tests/integration/test_awx.py has an AWX for it
    assert {role.name for role in roles()} - without == scenarios
