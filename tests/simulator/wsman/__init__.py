# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management as Windows answers it: envelopes, operations, faults, shells."""
