# SPDX-License-Identifier: GPL-3.0-or-later
"""A ConfigMgr site: what it knows of the fleet's machines, and its administration service."""
