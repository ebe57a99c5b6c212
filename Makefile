# Every verb works on a fresh machine with Python 3.11 or newer and make: it makes the environment first if it is missing or out of date.
# The locks name everything, so pip resolves nothing (--no-deps); each file must have its hash. It would compile with one processor; all are quicker.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH := .venv-bench
PORT ?= 3000
# Tests write thousands of small databases and files, and half of their time is the wait for the disk. They are in memory where 2 GB are free,
# unless TMPDIR names another folder.
MEMORY := $(shell test -z "$$TMPDIR" && test -w /dev/shm && test "$$(df -Pk /dev/shm | awk 'END {print $$4}')" -gt 2000000 && echo TMPDIR=/dev/shm)
PYTEST = $(MEMORY) $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder
export DAGSTER_DISABLE_TELEMETRY := yes
# A backfill waits while its code cannot be loaded, instead of failing for good.
export DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR := 1

.PHONY: demo test proof chaos soak fuzz upkeep dev check docs bench lock clean

demo: $(READY)  ## Load the last 8 weeks of everything from the sandbox, with the daemon and the sensor, and show what landed
	@$(BIN)/python -m analytics_assets.cli.demo

test: $(READY)  ## Unit, contract and integration tests; no network beyond this machine
	@$(PYTEST) --numprocesses 4 -m "not proof and not alone" $(TEST_ARGS)

proof: $(READY)  ## Processes, kills, a deployment, a browser, fuzz and time; a test whose server or browser is missing is skipped, or fails if TESTS_NEED_ALL is set
	@status=0; \
		$(PYTEST) --numprocesses 4 -m "proof and not alone" $(TEST_ARGS) || status=$$?; \
		$(PYTEST) -m alone $(TEST_ARGS) || status=$$?; \
		exit $$status

soak: $(READY)  ## 60 simulated days of schedules and sensor over failing vendors; SOAK_ARGS="--days 60 --seed 1"
	@timeout 3600 $(BIN)/python -m analytics_assets_tests.soak $(SOAK_ARGS)

chaos: $(READY)  ## Kill runs, code servers and daemons at random, take parts of a deployment away, backfill a year; CHAOS_ARGS="--seed 2 --kills 3" varies it
	@timeout --kill-after 30 5400 $(BIN)/python -m analytics_assets_tests.chaos $(CHAOS_ARGS)

fuzz: $(READY)  ## Land 20,000 mutated answers and compare every row; FUZZ_ARGS="--answers N --seed N" for others
	@timeout 3600 $(BIN)/python -m analytics_assets_tests.fuzz $(FUZZ_ARGS)

upkeep: $(READY)  ## Two simulated years of nightly runs, then what is old goes; UPKEEP_ARGS="--days 120 --lookback 5" is shorter
	@timeout --kill-after 30 3000 $(BIN)/python -m analytics_assets_tests.operations.housekeeping $(UPKEEP_ARGS)

dev: $(READY)  ## The Dagster UI on http://127.0.0.1:3000; ANALYTICS_MODE=live for live mode, PORT=3001 for another port
	@$(BIN)/python -c 'import socket, sys; taken = socket.socket().connect_ex(("127.0.0.1", $(PORT))) == 0; \
		sys.exit("Port $(PORT) is in use, perhaps by a `make dev` that is still at work: end it, or choose another, as in `make dev PORT=3001`." if taken else 0)'
	@DAGSTER_HOME="$(or $(DAGSTER_HOME),$(CURDIR))" $(BIN)/dg dev --host 127.0.0.1 --port $(PORT)

check: $(READY)  ## Lint, types, import contracts, definitions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/dg check yaml
	@$(BIN)/dg check defs --no-check-yaml

docs: $(READY)  ## Write the parts of the README and of docs/ that are made from the code
	@$(BIN)/python -m analytics_assets_tests.readme
	@$(BIN)/python -m analytics_assets_tests.sources.airbridge.task_page
	@$(BIN)/python -m analytics_assets_tests.growth.questions

bench: $(BENCH)/.ready  ## Time this project against a bare loop, dlt and a plain loop; BENCH_ARGS="--json FILE" writes the figures too
	@$(BENCH)/bin/python -m bench $(BENCH_ARGS)

lock: $(READY)  ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group bench --universal --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o bench/requirements.lock

clean:  ## Remove the environment and all local data
	rm -rf $(VENV) $(BENCH) data

$(READY): requirements.lock pyproject.toml
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile -r requirements.lock
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # some packages ship files of other Pythons
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

$(BENCH)/.ready: bench/requirements.lock
	@echo "Installing into $(BENCH) ..."
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r bench/requirements.lock
	@touch $@
