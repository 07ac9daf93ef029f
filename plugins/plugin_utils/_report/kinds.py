# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a status asks of a person, in five kinds. Pure."""

from __future__ import annotations

KINDS = {
    "failed": "bad",
    "overdue": "bad",
    "stuck": "bad",
    "half_exited": "bad",
    "unknown": "bad",
    "login_failed": "bad",
    "unreachable": "unseen",
    "not_asked": "unseen",
    "left_alone": "waiting",
    "resume_pending": "waiting",
    "held": "waiting",
    "recent": "waiting",
    "expected": "waiting",
    "released": "done",
    "entered": "done",
    "prepared": "done",
    "restored": "done",
    "not_installed": "well",
    "normal": "well",
    "as_wanted": "well",
}
"""Of each status of a row: ``bad`` needs hands, ``unseen`` another time, ``waiting`` patience; ``done`` is changed."""
TITLES = {
    "bad": "need somebody",
    "unseen": "not seen",
    "waiting": "wait",
    "done": "changed",
    "well": "well",
}
