"""Serve a lead model: a form for people, an API for programs.

    python app.py

LEADMODEL_REPO names the folder of the model (default: model/). Where that default does not
exist yet, the synthetic sample is trained first.
"""

import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from leadmodel.errors import InputError
from leadmodel.model import LeadModel
from leadmodel.serving.pages import build_demo, launch_options
from leadmodel.serving.service import ScoringService

DEFAULT_FOLDER = "model"


def load_model() -> LeadModel:
    """Open the model that LEADMODEL_REPO names, or the sample's."""
    repository = os.environ.get("LEADMODEL_REPO")
    if repository is None and not os.path.exists(DEFAULT_FOLDER):
        import train

        train.main([])
    return LeadModel.from_pretrained(repository or DEFAULT_FOLDER)


def main() -> None:
    """Load the model and serve it until stopped."""
    demo = build_demo(ScoringService(load_model()))
    demo.launch(**launch_options())


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"app.py: {error}", file=sys.stderr)
        sys.exit(2)
