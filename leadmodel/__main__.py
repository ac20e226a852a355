"""Run the command line: python -m leadmodel COMMAND."""

from leadmodel.cli.main import run

if __name__ == "__main__":
    run()
