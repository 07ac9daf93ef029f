# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The devices of a ConfigMgr site as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: site
short_description: The devices of a ConfigMgr site, and which of them may be in provisioning mode
version_added: 1.0.0
description:
  - Makes a host of each device that the site's administration service shows to the account.
  - Each host has the variable C(configmgr_device) with most of what M(configmgr.client.site_device_info) returns of it.
    Of policy request, heartbeat, inventory and client check it has the ages and not the times; C(active),
    C(client_id), C(last_active), C(management_point) and C(offline_since) are left out.
  - It is in the groups C(site_CODE), C(domain_NAME), C(client_VERSION), C(online) or C(offline), C(collection_ID) of
    each collection that O(collections) names, and C(provisioning_suspects) where it is suspected.
  - Its configuration is a file that ends in C(configmgr.yml) or C(configmgr.yaml).
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [configmgr.client.site]
  provider:
    description: Full name of a server of the site with the role SMS Provider.
    type: str
    required: true
    env:
      - name: CONFIGMGR_PROVIDER
  port:
    description: Port of the service.
    type: int
    default: 443
  path:
    description: Path of the service. The default is V(AdminService), or V(AdminService_TokenAuth) with O(auth=token).
    type: str
  auth:
    description: How to log in.
    type: str
    choices: [kerberos, ntlm, token]
    default: kerberos
    env:
      - name: CONFIGMGR_AUTH
  username:
    description: Account to log in with. Without a password, V(kerberos) takes a ticket from the cache.
    type: str
    env:
      - name: CONFIGMGR_USERNAME
  password:
    description: Password of the account.
    type: str
    env:
      - name: CONFIGMGR_PASSWORD
  token:
    description: Access token of a user for the service, with O(auth=token).
    type: str
    env:
      - name: CONFIGMGR_TOKEN
  validate_certs:
    description: Whether the service's certificate is checked.
    type: bool
    default: true
  ca_path:
    description: File with the certificates of the CAs to trust.
    type: path
    env:
      - name: CONFIGMGR_CA_PATH
  connect_timeout:
    description: Seconds to wait for the service to accept a connection.
    type: int
    default: 5
  read_timeout:
    description: Seconds to wait for an answer.
    type: int
    default: 60
  deadline:
    description: Seconds after which the inventory is given up.
    type: int
    default: 600
  collections:
    description:
      - Ids or names of collections of devices. Only their members become hosts, each in a group of its collection.
      - Without it all devices become hosts.
    type: list
    elements: str
    default: []
  filter:
    description:
      - Filter in OData's language, on properties of C(SMS_CombinedDeviceResources), in the place of O(collections).
    type: str
  hostname:
    description:
      - What becomes the host's name. V(fqdn) falls back to the name where the site knows no full name.
    type: str
    choices: [fqdn, name]
    default: fqdn
  include_obsolete:
    description: Whether records that another one stands for become hosts as well.
    type: bool
    default: false
  include_without_client:
    description: Whether devices without a registered client become hosts as well.
    type: bool
    default: false
  policy_interval:
    description: Minutes after which clients of this site ask for policy.
    type: int
    default: 60
  policy_intervals:
    description: How many of them may pass without a policy request before a device that is online is suspected.
    type: int
    default: 3
extends_documentation_fragment:
  - constructed
  - inventory_cache
requirements:
  - requests
  - requests-kerberos, and krb5 to get tickets with a password, for O(auth=kerberos)
  - requests_ntlm, for O(auth=ntlm)
notes:
  - Of several records with one name, the one that was heard of last becomes the host, with a warning.
  - Texts of the site are never taken for templates.
seealso:
  - module: configmgr.client.site_device_info
  - ref: ansible_collections.configmgr.client.docsite.guide_site
    description: What the site knows, rights, and what is not certain.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
# fleet.configmgr.yml, with the login in the variables CONFIGMGR_USERNAME and CONFIGMGR_PASSWORD
plugin: configmgr.client.site
provider: cm01.corp.example
ca_path: /etc/pki/cm01.pem
collections: [PS100012]
compose:
  ansible_connection: "'winrm'"
  ansible_winrm_transport: "'kerberos'"
groups:
  laptops: configmgr_device.on_internet
"""

import re
import typing as t

import ansible.constants as C
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.configmgr.client.plugins.module_utils import _site_module
from ansible_collections.configmgr.client.plugins.module_utils._argspec import range_problem
from ansible_collections.configmgr.client.plugins.module_utils._module import TaskFailed
from ansible_collections.configmgr.client.plugins.module_utils._site import devices
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._site.facts import device_facts, host_variables
from ansible_collections.configmgr.client.plugins.module_utils._site.suspicion import suspicion
from ansible_collections.configmgr.client.plugins.plugin_utils._site_action import brake

_SUFFIXES = ("configmgr.yml", "configmgr.yaml")
_VARIABLE = "configmgr_device"

Found = dict[str, t.Any]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    NAME = "configmgr.client.site"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(_SUFFIXES)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        key = self.get_cache_key(path)
        found: Found | None = None
        if cache and self.get_option("cache"):
            try:
                found = self._cache[key]
            except KeyError:
                pass
        if found is None:
            found = self._asked()
            if self.get_option("cache"):
                self._cache[key] = found
        self._populate(found)

    def _asked(self) -> Found:
        """Facts and collections of the devices, by host: plain JSON types, for the cache."""
        missing = _site_module.missing_library()
        if missing:
            raise AnsibleParserError(missing)
        params = {name: self.get_option(name) for name in (*SITE_SPEC, *_OPTIONS)}
        wrong = range_problem(params)
        if params["filter"] and params["collections"]:
            wrong = "filter and collections exclude each other: give one of them"
        if wrong:
            raise AnsibleParserError(wrong)

        def trace(line: str) -> None:
            self.display.vvv(line, host=params["provider"])

        try:
            return _site_module.execute(_hosts, params, False, trace, trace, brake, C.DEFAULT_LOCAL_TMP)
        except TaskFailed as error:
            raise AnsibleParserError(str(error)) from None  # whose text ansible-core would add

    def _populate(self, found: Found) -> None:
        strict = self.get_option("strict")
        constructs = any(self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        for warning in found["doubtful"]:
            self.display.warning(warning)
        for host, facts in found["hosts"].items():
            self.inventory.add_host(host)
            # Not by the inventory's own method: from version 2.19 on that marks each value with where it came from,
            # which is most of the time and of the memory.
            self.inventory.get_host(host).set_variable(_VARIABLE, _harmless(facts))
            for group in _groups(facts, found["collections"].get(host, [])):
                self.inventory.add_child(self.inventory.add_group(group), host)
            if not constructs:
                continue
            variables = self.inventory.get_host(host).get_vars()
            self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
            variables = self.inventory.get_host(host).get_vars()
            self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


_OPTIONS = (
    *("collections", "filter", "hostname", "include_obsolete", "include_without_client"),
    *("policy_interval", "policy_intervals"),
)


def _hosts(task: _site_module.SiteTask) -> Found:
    params, service = task.params, task.service
    collections = [devices.collection(service, wanted) for wanted in params["collections"]]
    members = {collection.id: devices.members(service, collection.id) for collection in collections}
    if collections:
        found = devices.of_resources(service, set().union(*members.values()))
    else:
        found = devices.all_devices(service, params["filter"] or "")
    kept = [
        device
        for device in found
        if (params["include_obsolete"] or not device.is_obsolete)
        and (params["include_without_client"] or device.is_client)
    ]
    addresses = devices.addresses(service, {device.resource_id for device in kept})
    hosts: dict[str, Found] = {}
    heard_of: dict[str, str] = {}
    doubtful = set()
    for device in kept:
        address = addresses.pop(device.resource_id, None)
        host = (address.fqdn if address and params["hostname"] == "fqdn" else None) or device.name
        if not _HOST.fullmatch(host):
            doubtful.add(f"the device {device.resource_id} is left out, since {host!r:.80} is no name of a host")
            continue
        judgement = suspicion(device, task.now, params["policy_interval"], params["policy_intervals"])
        facts = device_facts(device, address, judgement, task.now)
        last_active = facts["last_active"] or ""
        if host in hosts:
            doubtful.add(f"{host} stands for several devices, of which the one that was heard of last is taken")
            if heard_of[host] >= last_active:
                continue
        hosts[host], heard_of[host] = host_variables(facts), last_active
    belongs = {
        host: [identifier for identifier, ids in members.items() if facts["resource_id"] in ids]
        for host, facts in hosts.items()
        if members
    }
    return {"hosts": hosts, "collections": belongs, "doubtful": sorted(doubtful)}


_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


def _groups(facts: Found, collections: list[str]) -> t.Iterator[str]:
    for prefix, value in (
        ("site", facts["site_code"]),
        ("domain", facts["domain"]),
        ("client", facts["client_version"]),
    ):
        if value:
            yield _group(f"{prefix}_{value}")
    if facts["online"] is not None:
        yield "online" if facts["online"] else "offline"
    if facts["provisioning_suspect"]:
        yield "provisioning_suspects"
    for identifier in collections:
        yield _group(f"collection_{identifier}")


def _group(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _harmless(value: t.Any) -> t.Any:
    """What Ansible might take for a template is marked; the rest stays as plain as it came."""
    if isinstance(value, str):
        return wrap_var(value) if "{" in value else value
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    if isinstance(value, dict):
        return {name: _harmless(item) for name, item in value.items()}
    return value
