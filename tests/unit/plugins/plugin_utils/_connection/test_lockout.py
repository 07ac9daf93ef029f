# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.plugin_utils._connection.lockout import MOST_REJECTIONS, Lockout


@pytest.mark.parametrize(
    ("auth", "username", "shared"),
    [
        ("ntlm", "CORP\\admin", True),
        ("ntlm", "admin@corp.example", True),
        ("kerberos", "admin@CORP.EXAMPLE", True),
        ("kerberos", "admin", True),
        ("ntlm", "admin", False),
        ("ntlm", ".\\admin", False),
    ],
)
def test_an_account_of_the_domain_is_one_on_all_hosts(tmp_path: Path, auth: str, username: str, shared: bool) -> None:
    one, other = (
        Lockout(str(tmp_path), Settings(host=host, auth=auth, username=username, password="p"))
        for host in ("pc-1", "pc-2")
    )
    for _ in range(MOST_REJECTIONS):
        assert one.problem() is None
        one.rejected()
    assert one.problem() is not None
    assert (other.problem() is not None) is shared
