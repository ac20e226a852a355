"""Serve a lead model: a form for people, an API for programs, tools for assistants.

The settings are environment variables; `leadmodel serve --help` lists them.
"""

import os

from leadmodel.cli.main import run

if __name__ == "__main__":
    # What the Space was published with; its variable takes precedence, but not every Hub has variables.
    os.environ.setdefault("LEADMODEL_REPO", "USER/MODEL")
    run("serve", prog="app.py")
