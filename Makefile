# Two commands set up everything: `make demo` and `make test`. Without make: docs/install.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/.ready-for-demo
READY := $(VENV)/.ready
DOCS := $(VENV)/.ready-for-docs
S3 := .venv-s3/bin/moto_server
AZURITE := .venv-azure/.ready
CLIENTS := .venv-clients/.ready
ENGINES := airflow dagster prefect
# What the page of an engine needs beside its extra.
BESIDE_dagster := dagster-webserver
# A comma would end an argument of `call`.
MOTO := moto[server]>=5,<6

# $(call install,ENVIRONMENT,PACKAGES,OPTIONS OF UV): uv takes seconds where pip takes minutes; where uv cannot be had or
# finds no index (it does not read pip's configuration), pip does it.
define install
	$(1)/bin/python -m pip install --quiet uv 2>/dev/null || true
	{ test -x $(1)/bin/uv && $(1)/bin/uv pip install --quiet $(3) --python $(1)/bin/python $(2) 2>/dev/null; } \
	|| $(1)/bin/python -m pip install --quiet $(2)
endef

# Many interpreters are started, each of which would compile all that it loads where an environment forbids to keep that.
export PYTHONDONTWRITEBYTECODE :=

# Files of tests side by side, one on each core.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

# The checks that need no server of others, no npm and no browser.
QUICK := not slow and not browser and not s3 and not azure and not clients and not engines and not scale_out

LINT := mypy imports ruff format

.PHONY: demo test check quick browser engines lint $(LINT) docs matrix bench clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "minimax-tasks needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

# A demo needs the package alone.
$(DEMO): $(BIN)/python pyproject.toml
	@echo "installing the package into $(VENV): about 250 MB, a minute on most connections"
	$(call install,$(VENV),-e .)
	touch $(DEMO)

# Compiled once, where three workers of pytest would all do it.
$(READY): $(BIN)/python pyproject.toml
	$(call install,$(VENV),-e '.[dev]',--compile-bytecode)
	touch $(DEMO) $(READY)

demo: $(DEMO)
	$(BIN)/minimax-tasks render pipelines/storyboards/launch.yaml --sandbox --root demo-output

# A real S3 server for the storage tests. It needs a newer botocore than s3fs allows, so it lives apart.
$(S3): pyproject.toml
	test -x .venv-s3/bin/python || $(PYTHON) -m venv .venv-s3
	$(call install,.venv-s3,'$(MOTO)')
	touch $(S3)

# Azure's own emulator, for the same contract, where there is npm.
$(AZURITE): pyproject.toml
	mkdir -p $(dir $(AZURITE))
	if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --no-package-lock --prefix .venv-azure azurite@3; fi
	touch $(AZURITE)

# Clients that others published, at fixed versions: the sandbox has to serve them as they are. `trustme` makes
# the certificate that the one from npm, where there is npm, insists on.
$(CLIENTS): pyproject.toml
	test -x .venv-clients/bin/python || $(PYTHON) -m venv .venv-clients
	$(call install,.venv-clients,minimax-mcp==0.0.19 hermes-minimax-media==0.3.0 minimax-python==0.2.0 litellm==1.110.2 trustme)
	if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --no-package-lock --prefix .venv-clients mmx-cli@1.0.27; fi
	touch $(CLIENTS)

# Other workflow engines, each with this package and in an environment of its own.
.venv-%/.ready: pyproject.toml
	rm -f $@
	test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	$(call install,.venv-$*,-e '.[$*]' $(BESIDE_$*))
	touch $@

engines:
	@for engine in $(ENGINES); do $(MAKE) --no-print-directory --silent .venv-$$engine/.ready \
	|| printf '\n*** NOT TESTED: %s cannot be installed here, so its tests are left out ***\n\n' $$engine >&2; done

# The page tests open the report in a real browser.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || test -n "$$CHROMIUM" \
	|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	|| { echo "the page tests need Chromium: install it, or set CHROMIUM to its path" >&2; exit 1; }

test: $(READY) $(S3) $(AZURITE) $(CLIENTS) engines browser
	$(PYTEST)

# Types take a while on one core, so the tests do not wait for them; what any of them has to say stands above the dots.
check: $(READY)
	@$(MAKE) --no-print-directory --jobs $(LINT) quick

# Four side by side on two cores: many of these tests wait, and three leave a core idle for a third of the time. None of them
# uses the plugin of Schemathesis, which each process would load for a second.
quick: $(READY)
	@PYTEST_XDIST_AUTO_NUM_WORKERS=$$($(BIN)/python -c 'import os; print(2 * os.cpu_count())') \
	$(PYTEST) -q -p no:schemathesis -m '$(QUICK)' --hypothesis-profile quick

# The quick tests on every Python from 3.11 to 3.14 that is found, with the newest and the lowest dependencies.
matrix: $(READY)
	$(BIN)/python -m tests.matrix '$(QUICK)'

# Side by side, since mypy takes as long as the rest together.
lint: $(READY)
	@$(MAKE) --no-print-directory --jobs $(LINT)

ruff:
	$(BIN)/ruff check .

format:
	$(BIN)/ruff format --check .

mypy:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

$(DOCS): $(BIN)/python pyproject.toml
	$(call install,$(VENV),-e '.[docs]')
	touch $(DOCS)

# The pages that are made from the code, then the site in `site/`; a broken link stops it.
docs: $(DOCS)
	$(BIN)/python -m docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "the site is in site/index.html"

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .venv-s3 .venv-azure .venv-clients .venv-matrix $(ENGINES:%=.venv-%) demo-output dist build site
