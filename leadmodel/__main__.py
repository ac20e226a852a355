"""The commands beside training: python -m leadmodel COMMAND --help."""

import argparse
import os
import sys
from collections.abc import Sequence

from tqdm import tqdm

from leadmodel.errors import InputError
from leadmodel.leads.event_leads import open_leads
from leadmodel.leads.event_recipe import EventHints
from leadmodel.leads.event_tables import read_event_tables
from leadmodel.leads.event_times import read_moment
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.writing import check_writable, write_leads
from leadmodel.model import LeadModel
from leadmodel.monitoring.rollback import go_back
from leadmodel.options import add_lead_options, read_past_leads
from leadmodel.serving.bulk import score_file
from leadmodel.training.past import prepare_all
from leadmodel.training.report import audit_report
from leadmodel.training.settings import TrainingSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m leadmodel", description="Work with a lead model.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_events(commands)
    _add_score(commands)
    _add_rollback(commands)
    options = parser.parse_args(arguments)
    options.run(options)


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("check", help="audit past leads before a model is trained on them")
    parser.add_argument(
        "leads", help="CSV, Parquet or Excel; a path, a URL or hf://…; or a folder of tables"
    )
    add_lead_options(parser)
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> None:
    leads, recipe = read_past_leads(options.leads, options, print)
    print(audit_report(prepare_all(leads, recipe, TrainingSettings())))


def _add_events(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "events", help="make the leads of a moment from tables of events, for scoring"
    )
    parser.add_argument("folder", help="folder of the tables, CSV or Parquet")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--recipe", help="TOML file with [events]")
    source.add_argument(
        "--model", help="folder or repository of a model that was trained with such a recipe"
    )
    parser.add_argument(
        "--cutoff", required=True, help="the moment, such as 2022-09-01; nothing later is used"
    )
    parser.add_argument("--output", required=True, help="CSV or Parquet file to write")
    parser.set_defaults(run=_events)


def _events(options: argparse.Namespace) -> None:
    check_writable(options.output)
    cutoff, hints = read_moment(options.cutoff), _event_hints(options)
    with read_event_tables(options.folder, hints) as tables:
        leads, report = open_leads(tables, hints, cutoff)
    write_leads(leads, options.output)
    print(
        f"{report.summary()}\n{len(leads):,} leads of {cutoff:%Y-%m-%d %H:%M} written to {options.output}"
    )


def _event_hints(options: argparse.Namespace) -> EventHints:
    source = options.recipe or options.model
    known = Recipe.load(source) if options.recipe else LeadModel.from_pretrained(source).config
    if known.events is None:
        raise InputError(
            f"{source} says nothing of events: a recipe with [events], or a model of it, is needed."
        )
    return known.events


def _add_score(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("score", help="score a file of leads into another")
    parser.add_argument("leads", help="CSV, Parquet or Excel; a path, a URL or hf://…")
    parser.add_argument("--model", default="model", help="folder of the model (default: model)")
    parser.add_argument("--output", required=True, help="CSV, Parquet or Excel file to write")
    parser.add_argument(
        "--safe-cells", action="store_true", help="put ' before texts of a CSV that a spreadsheet would run"
    )
    parser.set_defaults(run=_score)


def _score(options: argparse.Namespace) -> None:
    model = LeadModel.from_pretrained(options.model)
    with tqdm(desc="scoring", unit="lead", unit_scale=True) as bar:
        scored = score_file(model, options.leads, options.output, bar.update, safe_cells=options.safe_cells)
    print(f"{scored.n_leads:,} leads scored into {options.output}")
    if scored.n_disarmed:
        print(f"{scored.n_disarmed:,} texts that a spreadsheet would run begin with ' now")


def _add_rollback(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("rollback", help="publish an earlier version again, as the newest")
    parser.add_argument("--model", required=True, help="repository of the model, USER/MODEL")
    parser.add_argument("--to", metavar="vN", help="version to go back to (default: the one before)")
    parser.set_defaults(run=_rollback)


def _rollback(options: argparse.Namespace) -> None:
    published = go_back(options.model, options.to)
    print(f"{published.address} is {published.tag} now, commit {published.commit[:8]}")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads the output has had enough, as `head` does; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InputError as error:
        print(f"leadmodel: {error}", file=sys.stderr)
        sys.exit(2)
