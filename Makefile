# Two commands set up everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
S3 := .venv-s3/bin/moto_server
AZURITE := .venv-azure/.ready
CLIENTS := .venv-clients/.ready

.PHONY: demo test browser lint bench clean

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "minimax-tasks needs Python 3.11 or newer; set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/minimax-tasks render pipelines/storyboards/launch.yaml --sandbox --root demo-output

# A real S3 server for the storage tests. It needs a newer botocore than s3fs allows, so it lives apart.
$(S3): pyproject.toml
	test -x $(S3) || $(PYTHON) -m venv .venv-s3
	.venv-s3/bin/python -m pip install --quiet 'moto[server]>=5,<6'
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
	.venv-clients/bin/python -m pip install --quiet minimax-mcp==0.0.19 hermes-minimax-media==0.3.0 minimax-python==0.2.0 trustme
	if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --no-package-lock --prefix .venv-clients mmx-cli@1.0.27; fi
	touch $(CLIENTS)

# The page tests open the report in a real browser.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || test -n "$$CHROMIUM" \
	|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	|| { echo "the page tests need Chromium: install it, or set CHROMIUM to its path" >&2; exit 1; }

test: $(READY) $(S3) $(AZURITE) $(CLIENTS) browser
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .venv-s3 .venv-azure .venv-clients demo-output dist build
