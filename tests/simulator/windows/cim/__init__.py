# SPDX-License-Identifier: GPL-3.0-or-later
"""What WMI itself knows: types, class definitions (MOF) and the query language (WQL). Knows no provider."""
