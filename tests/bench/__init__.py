# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection costs, measured beside what one would run instead, on the same simulated endpoints."""
