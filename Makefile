PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
NPM_READY = node_modules/.package-lock.json

.PHONY: help demo test check fix build bench clean

help:  ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(VENV)/.demo  ## chat in JupyterLab
	@$(BIN)/python tools/demo.py

test: $(VENV)/.test $(NPM_READY)  ## all tests: JavaScript, Python, and real notebooks of many kinds in Chromium
	npm test
	$(BIN)/python -m pytest

check: $(VENV)/.test $(NPM_READY)  ## lint, format, types, and whether what is built or drawn is up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/map.py --check
	$(BIN)/python tools/protocol.py --check
	npm run check
	npm run build
	git diff --exit-code -- dialogpt_widget/static

fix: $(VENV)/.test $(NPM_READY)  ## what linters and formatters can mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm run fix

build: $(VENV)/.test $(NPM_READY)  ## the bundle, the wheel and the source archive
	npm run build
	$(BIN)/python -m build --no-isolation

bench: $(VENV)/.test  ## speed, as ratios to what a user would otherwise run; BENCH="--quick reply" for some of it
	@test -e $(VENV)/.bench || { $(BIN)/python -m pip install --quiet -c constraints.txt -e ".[bench]" && touch $(VENV)/.bench; } \
	  || echo "CTranslate2 and ONNX Runtime could not be installed; what needs them is left out."
	$(BIN)/python -m benchmarks $(BENCH)

clean:  ## all that was made
	rm -rf $(VENV) node_modules dist build test-results

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) tools/environment.py $(VENV) demo
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt tools/colab.txt tools/kernels.py
	$(PYTHON) tools/environment.py $(VENV) test
	@touch $@ $(VENV)/.demo

$(NPM_READY): package.json package-lock.json
	@command -v npm >/dev/null || { echo "The front end's tests need Node.js 20 or newer with npm; install it and try again."; exit 1; }
	npm ci
	@touch $@
