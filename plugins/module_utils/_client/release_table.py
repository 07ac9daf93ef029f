# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first build of the client in each release of Configuration Manager, the oldest first. Data alone.

A new release is a new row here and nothing else. Source: Microsoft's table of versions. 2609 is out, and has no row
until its build is known. It is a Python file because a module takes no other with it to the machine that it runs on.
"""

from __future__ import annotations

RELEASES = (
    (8325, "1511"),
    (8355, "1602"),
    (8412, "1606"),
    (8458, "1610"),
    (8498, "1702"),
    (8540, "1706"),
    (8577, "1710"),
    (8634, "1802"),
    (8692, "1806"),
    (8740, "1810"),
    (8790, "1902"),
    (8853, "1906"),
    (8913, "1910"),
    (8968, "2002"),
    (9012, "2006"),
    (9040, "2010"),
    (9049, "2103"),
    (9058, "2107"),
    (9068, "2111"),
    (9078, "2203"),
    (9088, "2207"),
    (9096, "2211"),
    (9106, "2303"),
    (9122, "2309"),
    (9128, "2403"),
    (9132, "2409"),
    (9135, "2503"),
    (9141, "2509"),
    (9146, "2603"),
)
