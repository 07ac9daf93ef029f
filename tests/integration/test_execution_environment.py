# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder makes of the execution environment, and what it needs of Python, in an empty one.

No image is built: that takes a container engine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.harness import FQCN, INSTALLED, Lab

ROOT = Path(__file__).parents[2]
BUILDER = str(Path(sys.executable).with_name("ansible-builder"))


def built(*command: str, directory: Path) -> str:
    done = subprocess.run([BUILDER, *command], cwd=directory, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_build_context_is_made(installed: Path, tmp_path: Path) -> None:
    (artifact,) = (ROOT / ".build/artifact").glob("*.tar.gz")
    shutil.copy(artifact, tmp_path)
    shutil.copy(ROOT / "execution-environment.yml", tmp_path)
    built("create", "--context", "context", directory=tmp_path)
    (made,) = [path for path in (tmp_path / "context").iterdir() if path.name in ("Containerfile", "Dockerfile")]
    assert "ansible-galaxy collection install" in made.read_text()
    required = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())
    assert [each["name"] for each in required["collections"]] == [artifact.name]
    assert (tmp_path / "context/_build" / artifact.name).exists()


def test_its_needs_are_told(installed: Path, tmp_path: Path) -> None:
    told = yaml.safe_load(built("introspect", str(INSTALLED.parents[2]), directory=tmp_path))
    python = {re.split(r"[\[>=]", line)[0] for line in told["python"]}
    assert {"pywinrm", "pypsrp", "defusedxml", "krb5", "requests-kerberos", "pygal", "prometheus_client"} <= python
    assert {line.split()[0] for line in told["system"]} >= {"krb5-devel", "libkrb5-dev"}


def test_python_side_is_installed_without_a_compiler_and_runs(lab: Lab, tmp_path: Path) -> None:
    plain = ROOT / ".venv/plain/bin"  # from what the README has one install
    if not plain.exists():
        pytest.skip("no .venv/plain: make test makes it")
    name = lab.add({"one": {"profile": "stuck"}})["one"]
    inventory = lab.inventory({name: lab.host_vars(name)})
    done = subprocess.run(
        [plain / "ansible", "-i", inventory, name, "-m", f"{FQCN}.provisioning_mode_info"],
        env=lab.environment(RECORDER_FILE=str(tmp_path / "recorded"), PATH=f"{plain}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0 and '"verdict": "stuck"' in done.stdout, done.stdout + done.stderr
