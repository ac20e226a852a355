"""Serve a lead model: a form for people, an API for programs, tools for assistants.

LEADMODEL_REPO=USER/MODEL python app.py

The settings are environment variables; `leadmodel serve --help` lists them.
"""

from leadmodel.cli.main import run

if __name__ == "__main__":
    run("serve", prog="app.py")
