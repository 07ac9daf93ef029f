# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report in a real browser: its numbers, its filter, and that it needs nothing from anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.configmgr.client.plugins.plugin_utils._report.page import html
from tests.unit.plugins.plugin_utils._report.test_formats import HOSTILE, content, inside, row

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium to look at pages with")


def seen(tmp_path: Path, page: str, script: str) -> Any:
    """What *script*, an expression, is in the browser once the page has been loaded."""
    probe = f"<script>document.body.dataset.seen = JSON.stringify((() => {{ {script} }})());</script></body>"
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", probe), encoding="utf-8", errors="replace")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, "--enable-logging=stderr", "--dump-dom", file.as_uri()],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Content Security Policy" not in done.stderr and "Uncaught" not in done.stderr, done.stderr
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found is not None, done.stdout[-2000:]
    return json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


FILTER = """
const [words, status] = ["words", "status"].map(name => document.getElementById(name));
const visible = () => Array.from(document.querySelectorAll("#hosts tbody tr")).filter(row => row.offsetParent !== null);
const set = (text, kind) => {
  words.value = text; status.value = kind;
  document.getElementById("filter").dispatchEvent(new Event("input"));
  return [visible().length, document.getElementById("shown").textContent];
};
return [set("", ""), set("", "stuck"), set("pc-0001", ""), set("read NOTHING runs", ""), set("no such words", "")];
"""


@pytest.mark.parametrize("count", [40, 10_000])
def test_the_table_is_filtered(tmp_path: Path, count: int) -> None:
    hosts = {f"PC-{number:05}": row("normal", "Not in provisioning mode.") for number in range(count)}
    hosts |= {f"LT-{number}": row("stuck", "Read: nothing runs.", timeline=inside(1800)) for number in range(3)}
    total = count + 3
    assert seen(tmp_path, html(content(hosts)), FILTER) == [
        [total, f"{total} of {total} hosts"],
        [3, f"3 of {total} hosts"],
        [min(10, count - 10), f"{min(10, count - 10)} of {total} hosts"],
        [3, f"3 of {total} hosts"],
        [0, f"0 of {total} hosts"],
    ]


def test_nothing_is_fetched_or_carried_out(tmp_path: Path) -> None:
    hosts = {name: row("failed", f"said {name}", error_layer=name) for name in HOSTILE}
    hosts["PC-1"] = row("overdue", "x " * 500, timeline=inside(9000), client_version="5.00.9128.1007")
    script = """
    return [performance.getEntriesByType("resource").length, document.querySelectorAll("script").length,
      document.querySelectorAll("img, iframe, object, embed, link").length,
      document.querySelectorAll("svg").length > 2];
    """
    assert seen(tmp_path, html(content(hosts)), script) == [0, 2, 0, True]
