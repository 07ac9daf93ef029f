# SPDX-License-Identifier: GPL-3.0-or-later
"""The site that make docs builds: what antsibull-docs made of the collection and of docs/docsite."""

project = "configmgr.client"
html_title = "configmgr.client"
extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_copy_source = False
pygments_style = "ansible"

# Every reference has to lead somewhere. These lead into Ansible's own documentation, which is not asked here.
nitpicky = True
nitpick_ignore = [
    ("std:ref", "action_plugins"),
    ("std:ref", "ansible_configuration_settings"),
    ("std:ref", "common_return_values"),
]
nitpick_ignore_regex = [
    ("std:ref", r"ansible_collections\.ansible\.builtin\..*"),
    ("std:envvar", r"ANSIBLE_.*"),
]
