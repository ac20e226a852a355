# Commands for a fresh machine with Python 3.11 or newer: make app, make test, make quick, make notebook.
PYTHON ?= python3
BIN := .venv/bin
ANALYSIS := analysis

.PHONY: app test quick notebook

app: .venv/app.installed
	$(BIN)/python app.py

test: .venv/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

# The unit tests: no browser, no training, no server; under a minute.
quick: .venv/test.installed
	$(BIN)/ruff check .
	$(BIN)/pytest -q -n 2 -m "not (train or app or browser or spark or hub or package)"

# Of other leads: make notebook WITH="-p data leads.csv -p target status"
notebook: .venv/test.installed
	mkdir -p $(ANALYSIS)
	$(BIN)/python -m papermill notebooks/lead_analysis.ipynb $(ANALYSIS)/lead_analysis.ipynb $(WITH)
	$(BIN)/python -m nbconvert --to html --template report --TemplateExporter.extra_template_basedirs=notebooks \
	  $(ANALYSIS)/lead_analysis.ipynb

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/app.installed: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/test.installed: requirements-dev.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@ .venv/app.installed
