# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages, however the service cuts and links them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._adminservice import service as under_test
from ansible_collections.configmgr.client.plugins.module_utils._adminservice.service import AdminService
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.braked import LoginNote

PAGE = 5


class Pages(AdminService):
    """A service that has *count* rows, gives at most *most* at a time, and may link on."""

    def __init__(self, count: int, most: int, *, links: bool, elsewhere: str = "", repeats: bool = False) -> None:
        settings = Settings(host="cm01", port=443, path="AdminService", auth="ntlm", username="u", password="p")
        super().__init__(settings, Deadline(60), token="t", brake=LoginNote(), log=lambda _line: None)
        self.asked: list[str] = []
        self._count, self._most, self._links = count, most, links
        self._elsewhere, self._repeats = elsewhere, repeats

    def _ask(self, method: str, url: str, body: Any = None) -> Any:
        self.asked.append(url)
        assert len(self.asked) < 1000
        query = {name: int(value[0]) for name, value in parse_qs(urlsplit(url).query).items() if value[0].isdigit()}
        skip, top = 0 if self._repeats else query["$skip"], query["$top"]
        end = min(skip + min(top, self._most), self._count)
        answer: dict[str, Any] = {"value": [{"Id": number} for number in range(skip, end)]}
        if self._links and end < self._count and end - skip == self._most:
            answer["@odata.nextLink"] = f"{self._elsewhere}/AdminService/wmi/C?$skip={end}&$top={top}"
        return answer

    def ids(self) -> list[int]:
        return [row.integer("Id") or 0 for row in self.rows("wmi/C", "Id")]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "PAGE_SIZE", PAGE)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 8))
def test_all_rows_come_once(count: int, most: int) -> None:
    assert Pages(count, most, links=most < PAGE).ids() == list(range(count))


def test_a_page_that_repeats_ends_it() -> None:
    with pytest.raises(ProtocolError, match="was there before"):
        Pages(20, PAGE, links=False, repeats=True).ids()


@pytest.mark.parametrize("elsewhere", ["https://other", "http://cm01", "https://cm01:444", "https://cm01.evil.example"])
def test_a_link_to_another_service_is_not_followed(elsewhere: str) -> None:
    pages = Pages(20, 2, links=True, elsewhere=elsewhere)
    with pytest.raises(ProtocolError, match="another service"):
        pages.ids()
    assert len(pages.asked) == 1


def test_a_filter_is_sent_as_it_is_meant() -> None:
    pages = Pages(0, 5, links=False)
    list(pages.rows("wmi/C", "Id", filter="Name eq 'O''Brien & söhne #1+2'", select="Id,Name"))
    (url,) = pages.asked
    assert parse_qs(urlsplit(url).query)["$filter"] == ["Name eq 'O''Brien & söhne #1+2'"]
    assert urlsplit(url).fragment == ""
