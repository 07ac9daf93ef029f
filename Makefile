# SPDX-License-Identifier: GPL-3.0-or-later
# Needs Python 3.11 or later and make. Everything made here stays in .venv and .build of this checkout.
PYTHON ?= python3

BUILD := $(CURDIR)/.build
# The demo's environment is the smaller one; a run that also tests needs no second one.
VENV := $(CURDIR)/.venv/$(if $(filter-out help install demo fleet bench docs clean,$(MAKECMDGOALS)),test,demo)
# The checkout, importable as ansible_collections.configmgr.client: for unit tests and mypy.
LINK := $(BUILD)/src/ansible_collections/configmgr/client
# What people get: built, installed, and run by the demo and the integration tests.
INSTALLED := $(BUILD)/collections/ansible_collections/configmgr/client/MANIFEST.json
SOURCES := $(shell find galaxy.yml $(wildcard *.md *.txt LICENSE LICENSES REUSE.toml meta plugins roles playbooks \
	extensions/eda docs/docsite tests/config.yml) \
	-name __pycache__ -prune -o -not -name '*.pyc' -print)
TESTS := $(wildcard tests/unit tests/guard tests/simulator_tests tests/conformance tests/integration)
TYPED := $(wildcard tests/simulator tests/guard tests/awx tests/conftest.py tests/kdc.py \
	extensions/eda/plugins/event_source/site_suspects.py)

# Nobody's own settings decide what is tested here, and nothing here touches theirs.
unexport $(filter ANSIBLE_% MOLECULE_%,$(.VARIABLES)) PYTHONPATH PYTHONHOME PIP_USER
export ANSIBLE_HOME := $(BUILD)/ansible
export ANSIBLE_REMOTE_TMP := $(BUILD)/ansible/tmp
export ANSIBLE_CONFIG := $(BUILD)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)/collections
export MOLECULE_EPHEMERAL_DIRECTORY := $(BUILD)/molecule
export LC_ALL := C.UTF-8
export PATH := $(VENV)/bin:$(PATH)
MAKEFLAGS += --no-print-directory

.PHONY: help demo fleet bench test lint conformance molecule test-cores release-check sanity docs install clean
.SECONDARY:

help:
	@echo 'make demo        survey, remediate and survey again fifty simulated endpoints and their site'
	@echo 'make fleet       leave the simulated endpoints running, to try the modules by hand'
	@echo 'make bench       time, CPU, memory and bytes, beside what one would run instead; SIZE=full for 10,000 endpoints'
	@echo 'make test        all checks and tests'
	@echo 'make lint        the checks only: ruff, mypy, ansible-lint, changelog, documentation'
	@echo 'make conformance other people'"'"'s clients against the simulated endpoints, as a table'
	@echo 'make molecule    the scenarios of the roles only: extensions/molecule'
	@echo 'make test-cores  what depends on ansible-core, under the oldest and the newest supported one'
	@echo 'make release-check make docs, and what Galaxy, REUSE and ansible-test ask of a release'
	@echo 'make sanity      ansible-test sanity only, under the oldest and the newest supported ansible-core'
	@echo 'make docs        the documentation as a site: .build/docs/html/index.html'
	@echo 'make install     build the collection and install it into .build/collections'
	@echo 'make clean       remove everything made here'
	@echo 'PYTHON=…         the interpreter to use, 3.11 or later (now: $(PYTHON)); make clean before another one'

demo fleet: $(VENV)/.ready install
	@PYTHONPATH=tests $(VENV)/bin/python tests/demo/$@.py # which imports the simulator

SIZE = short
bench: $(CURDIR)/.venv/bench/.ready install
	@PATH=$(<D)/bin:$$PATH PYTHONPATH=tests:$(BUILD)/collections $(<D)/bin/python -m bench $(SIZE) $(BUILD)/bench

lint: $(VENV)/.ready install $(LINK)
	@echo '== ruff' && ruff check
	@echo '== mypy'
	@mypy --python-version 3.10 $(wildcard $(LINK)/plugins)
	@mypy $(TYPED)
	@echo '== ansible-lint' && ansible-lint
	@echo '== antsibull-changelog' && antsibull-changelog lint
	@echo '== antsibull-docs' && antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .

test: lint $(CURDIR)/.venv/plain/.ready
	@echo '== pytest' && pytest $(TESTS)
	@$(MAKE) molecule

conformance: $(VENV)/.ready $(LINK)
	@pytest --quiet tests/conformance

# What is there before was left by a run that failed or was killed: perhaps with its simulator.
molecule: $(VENV)/.ready install
	@echo '== molecule'
	@[ ! -e $(MOLECULE_EPHEMERAL_DIRECTORY) ] || molecule destroy --no-command-borders --no-report
	@rm -rf $(MOLECULE_EPHEMERAL_DIRECTORY)
	@molecule test --all --no-command-borders --report
	@rm -rf $(MOLECULE_EPHEMERAL_DIRECTORY)

test-cores: test-core-2.16 test-core-2.21
test-core-2.16: PYTHONS = 3.12
test-core-2.21: PYTHONS = 3.13 3.12
test-core-%: install $(LINK)
	@tests/tools/test-core $* $(PYTHONS)

release-check: $(CURDIR)/.venv/release/.ready install docs
	@echo '== REUSE' && $(<D)/bin/reuse lint --lines
	@echo '== galaxy-importer' && PATH=$(<D)/bin:$$PATH tests/tools/galaxy-importer
	@$(MAKE) --jobs=2 --output-sync=target sanity

docs: $(CURDIR)/.venv/docs/.ready install
	@echo '== the site' && rm -rf $(BUILD)/docs && mkdir -p -m 700 $(BUILD)/docs/rst
	@PATH=$(<D)/bin:$$PATH antsibull-docs collection --fail-on-error --use-current --squash-hierarchy \
		--dest-dir $(BUILD)/docs/rst configmgr.client
	@$(<D)/bin/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs $(BUILD)/docs/rst $(BUILD)/docs/html

sanity: sanity-2.16 sanity-2.21
sanity-2.16: PYTHONS = 3.12
sanity-2.21: PYTHONS = 3.13 3.12
sanity-%: install
	@tests/tools/sanity $* $(PYTHONS)

install: $(INSTALLED)

$(INSTALLED): $(SOURCES) | $(VENV)/.ready $(ANSIBLE_CONFIG)
	@touch $(BUILD)/started && rm -rf $(BUILD)/artifact $(BUILD)/collections
	@ansible-galaxy collection build --output-path $(BUILD)/artifact >/dev/null
	@ansible-galaxy collection install --offline --no-deps --collections-path $(BUILD)/collections \
		$(BUILD)/artifact/*.tar.gz >/dev/null
	@touch -r $(BUILD)/started $@ # a source that changed meanwhile is newer

$(LINK):
	@mkdir -p $(@D) && ln -s ../../../.. $@

# Empty, and named: an ansible.cfg of the user or of the machine is then not read.
$(ANSIBLE_CONFIG):
	@mkdir -p $(@D) && touch $@

$(CURDIR)/.venv/%/.ready: $(wildcard tests/requirements/*.txt)
	@$(PYTHON) tests/tools/make_venv.py $(@D) tests/requirements/$*.txt

clean:
	@rm -rf .build .venv .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	@find . -name __pycache__ -prune -exec rm -rf {} +
