"""Run the command line: leadmodel COMMAND --help."""

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from leadmodel.atomic import check_writable
from leadmodel.batch.events import write_open_leads
from leadmodel.batch.score import score_file
from leadmodel.cli.common import (
    OUTCOMES,
    add_lead_options,
    add_outcome_options,
    add_sheet_option,
    lead_options,
    say,
)
from leadmodel.errors import InputError, quoted
from leadmodel.leads.outcome.rule import OutcomeRule
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import MAX_AGE_DAYS, go_back, open_deployment
from leadmodel.monitoring.log.files import LogStore
from leadmodel.monitoring.log.outcomes import Columns, store_outcomes
from leadmodel.prepare.source import read_leads_of, read_past_leads

# Exit status of `drift`, so that a schedule can tell it from an error.
DRIFTED = 3

# What only one command needs and takes seconds to import, such as Matplotlib, Gradio or the training, is
# imported when that command runs. These are modules of their own, and even their options need the imports.
HEAVY = {
    "train": "train a model of past leads",
    "serve": "serve a model: a form for people, an API for programs",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in HEAVY:
        return _run_heavy(arguments[0], arguments[1:], f"leadmodel {arguments[0]}")
    parser = argparse.ArgumentParser(prog="leadmodel", description="Predict which leads become customers.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, description in HEAVY.items():
        commands.add_parser(name, help=description)  # listed, but run above
    for add_command in (
        *(_add_check, _add_events, _add_score, _add_drift),
        *(_add_retrain, _add_publish, _add_rollback, _add_outcomes),
    ):
        add_command(commands)
    options = parser.parse_args(arguments)
    return options.run(options) or 0


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("check", help="audit past leads before training a model on them")
    parser.add_argument(
        "leads", help="CSV, Parquet or Excel; a path, a URL or hf://…; or a folder of tables"
    )
    add_lead_options(parser)
    parser.add_argument(
        "--write-recipe",
        metavar="FILE.toml",
        help="write what was found as a recipe, to correct and train with",
    )
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> None:
    from leadmodel.prepare.data import prepare_all
    from leadmodel.prepare.settings import TrainingSettings
    from leadmodel.training.check.report import LeadAudit, audit_report, check_new_recipe

    path = options.write_recipe
    if path:
        check_new_recipe(path, Recipe.load(options.recipe) if options.recipe else None)
    leads, recipe = read_past_leads(options.leads, **lead_options(options), on_report=say)
    data = prepare_all(leads, recipe, TrainingSettings())
    say(audit_report(data))
    if path:
        LeadAudit(data).write_recipe(path)
        say(f"\nThe recipe is written to {path}. Correct it, then train with --recipe {shlex.quote(path)}")


def _add_events(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "events", help="build the leads of one date from event tables, for scoring"
    )
    parser.add_argument("folder", help="folder of the tables, CSV or Parquet; or the file of the only one")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--recipe", help="TOML file with [events]")
    source.add_argument(
        "--model", help="folder or repository of a model that was trained with such a recipe"
    )
    parser.add_argument(
        "--cutoff", required=True, help="date or time, such as 2022-09-01; later events are ignored"
    )
    parser.add_argument("--output", required=True, help="CSV or Parquet file to write")
    parser.set_defaults(run=_events)


def _events(options: argparse.Namespace) -> None:
    check_writable(options.output)
    source = options.recipe or options.model
    recipe = Recipe.load(source) if options.recipe else LeadModel.from_pretrained(source).config.recipe
    if recipe is None or recipe.events is None:
        raise InputError(
            f"{source} has no event recipe. Name a recipe with [events], or a model trained with one."
        )
    report, n_leads, at = write_open_leads(options.folder, recipe.events, options.output, options.cutoff)
    say(f"{report}\n{n_leads:,} leads of {at:%Y-%m-%d %H:%M} written to {options.output}")


def _add_score(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("score", help="score a file of leads into another")
    parser.add_argument(
        "leads",
        help="CSV, Parquet or Excel; a path, a URL or hf://…; of a model trained on events also the "
        "folder of their tables",
    )
    parser.add_argument("--model", default="model", help="folder or USER/MODEL (default: model)")
    parser.add_argument("--output", required=True, help="CSV, Parquet or Excel file to write")
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="score the leads that tables of events make at this date or time, such as 2022-09-01; later "
        "events are ignored (default: right after the newest event)",
    )
    parser.add_argument(
        "--safe-cells",
        action="store_true",
        help="prefix CSV texts that a spreadsheet would run as formulas with '",
    )
    add_sheet_option(parser)
    parser.set_defaults(run=_score)


def _score(options: argparse.Namespace) -> None:
    model = LeadModel.from_pretrained(options.model)
    if options.at is None and not Path(options.leads).is_dir():
        return _score_leads(options, model, options.leads)
    check_writable(options.output, (".csv", ".parquet", ".xlsx"))
    if model.event_config is None:
        problem = f"The model {options.model} was not trained on events"
        raise InputError(f"{problem}: name a file of leads, and leave --at out.")
    with tempfile.TemporaryDirectory(prefix="leadmodel-") as folder:
        made = Path(folder, "leads.parquet")
        report, n_leads, at = write_open_leads(options.leads, model.event_config, made, options.at)
        _tell(f"{report}\n{n_leads:,} leads of {at:%Y-%m-%d %H:%M}")
        _score_leads(options, model, str(made))


def _score_leads(options: argparse.Namespace, model: LeadModel, leads: str) -> None:
    with tqdm(desc="scoring", unit="lead", unit_scale=True) as bar:

        def progress(n_leads: int, n_expected: int) -> None:
            # The expected number is an estimate from the size of the file.
            bar.total = max(n_expected, int(bar.n) + n_leads)
            bar.update(n_leads)

        scored = score_file(
            model,
            leads,
            options.output,
            progress,
            safe_cells=options.safe_cells,
            sheet=options.sheet,
            on_report=_tell,
        )
    say(f"{scored.n_leads:,} leads scored into {options.output}\nModel: {model.summary()}")
    if scored.renamed:
        taken = ", ".join(f"{quoted(column)} as {quoted(name)}" for name, column in scored.renamed.items())
        say(f"Columns were taken for fields of other spelling: {taken}")
    if scored.n_disarmed:
        print(
            f"{scored.n_disarmed:,} texts that a spreadsheet would run as formulas are now prefixed with '"
        )


def _add_drift(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "drift",
        help="compare new leads with the training leads of a model",
        epilog=f"Exit status: 0 stable, {DRIFTED} drifted, 2 wrong input.",
    )
    parser.add_argument("leads", help="CSV, Parquet or Excel; a path, a URL or hf://…")
    parser.add_argument("--model", default="model", help="folder or USER/MODEL (default: model)")
    parser.add_argument("--json", metavar="FILE", help="write all figures as JSON; - for standard output")
    add_sheet_option(parser)
    parser.add_argument("--plot", metavar="FILE.png", help="draw the fields that drifted")
    parser.set_defaults(run=_drift)


def _drift(options: argparse.Namespace) -> int:
    from leadmodel.drift.drift import measure_drift
    from leadmodel.drift.report import draw_drift, drift_report
    from leadmodel.plots.style import to_png

    if options.plot and not options.plot.lower().endswith(".png"):
        raise InputError(f"The picture must end in .png. Got {quoted(options.plot, 300)} instead.")
    model = LeadModel.from_pretrained(options.model)
    with tqdm(desc="reading", unit="lead", unit_scale=True) as bar:
        drift = measure_drift(model, options.leads, bar.update, sheet=options.sheet, on_report=_tell)
    if options.json and options.json != "-":
        _write(options.json, drift.model_dump_json(indent=2).encode())
    if options.plot:
        _write(options.plot, to_png(draw_drift(drift)))
    if options.json == "-":
        print(drift.model_dump_json(indent=2))
    else:
        say(drift_report(drift))
    return DRIFTED if drift.drifted else 0


def _tell(text: str) -> None:
    """Print what is said on reading where it cannot mix with the results."""
    say(text, file=sys.stderr)


def _write(path: str, content: bytes) -> None:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise InputError(f"{quoted(path, 300)} cannot be written: {error.strerror}.") from None


def _add_retrain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "retrain", help="train a challenger, and publish it if it passes the gate against the champion"
    )
    parser.add_argument("--data", required=True, help="leads to train on now, including the old ones")
    parser.add_argument("--model", default="model", help="folder or USER/MODEL (default: model)")
    parser.add_argument(
        "--push", action="store_true", help="publish to the repository; a folder needs no push"
    )
    parser.add_argument("--dry-run", action="store_true", help="decide, but publish nothing")
    parser.add_argument(
        "--force", action="store_true", help="publish even if the gate refuses; the model card says so"
    )
    parser.add_argument(
        "--max-age",
        type=float,
        default=MAX_AGE_DAYS,
        metavar="DAYS",
        help="replace an older champion by any challenger that is not worse (default: %(default)g)",
    )
    parser.add_argument("--track", metavar="PROJECT", help="record the run, as train does")
    add_outcome_options(parser)
    parser.set_defaults(run=_retrain)


def _retrain(options: argparse.Namespace) -> None:
    from leadmodel.drift.report import drift_report
    from leadmodel.monitoring.retraining import champion_recipe, retrain
    from leadmodel.training.progress import progress_bar
    from leadmodel.training.tracking import open_tracker

    # Opened first: from here on nobody else can replace the champion unnoticed.
    with open_deployment(options.model, push=options.push and not options.dry_run) as deployment:
        champion = deployment.champion
        more = {name: tuple(getattr(options, name) or ()) for name in OUTCOMES}
        recipe = champion_recipe(champion, OutcomeRule(**more))
        leads = read_leads_of(options.data, recipe, say)
        tracking = open_tracker(options.track, champion.config.title) if options.track else nullcontext()
        with tracking as tracker, progress_bar() as progress:
            retrained = retrain(
                leads,
                champion,
                recipe,
                max_age_days=options.max_age,
                force=options.force,
                progress=progress,
                run=tracker.address if tracker else None,
            )
            if tracker and retrained.challenger:
                tracker.record(retrained.challenger)
        if retrained.drift:
            say(drift_report(retrained.drift))
        gate = retrained.gate
        say(f"\n{gate.told(carried_out=not options.dry_run)}")
        if options.dry_run:
            print("Nothing was changed: --dry-run")
        elif gate.publish and retrained.challenger:
            title = champion.config.title
            say(deployment.replace(retrained.challenger, f"{title}: {gate.told()}"))


def _add_publish(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "publish", help="publish a trained model; what is there already is not published twice"
    )
    parser.add_argument("model", nargs="?", default="model", help="folder of the model (default: model)")
    parser.add_argument("--push", metavar="USER/MODEL", required=True, help="repository of the model")
    parser.add_argument("--space", metavar="USER/SPACE", help="publish the app that serves it as a Space")
    parser.add_argument("--private", action="store_true", help="make both private, if they are made")
    parser.set_defaults(run=_publish)


def _publish(options: argparse.Namespace) -> None:
    from leadmodel.cli.train import publish
    from leadmodel.publishing.hub.push import HubRepository
    from leadmodel.publishing.hub.space import HubSpace

    model = LeadModel.from_pretrained(options.model)
    repository = HubRepository(options.push, private=options.private)
    publish(model, repository, HubSpace(options.space, private=options.private) if options.space else None)


def _add_rollback(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("rollback", help="publish an earlier version again, as the newest")
    parser.add_argument("--model", required=True, help="repository of the model, USER/MODEL")
    parser.add_argument("--to", metavar="vN", help="version to go back to (default: the one before)")
    parser.set_defaults(run=_rollback)


def _rollback(options: argparse.Namespace) -> None:
    published = go_back(options.model, options.to)
    print(f"{published.address} is now {published.tag}, commit {published.commit[:8]}")


def _add_outcomes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("outcomes", help="add outcomes to a prediction log")
    parser.add_argument("outcomes", help="CSV, Parquet or Excel; a path, a URL or hf://…")
    parser.add_argument("--log", required=True, help="folder of the log, or datasets/USER/NAME")
    parser.add_argument("--target", help="column with the outcome (default: the model's target)")
    add_outcome_options(parser)
    parser.add_argument(
        "--id", default="request_id", help="column with the request id (default: %(default)s)"
    )
    parser.add_argument(
        "--row", default="row", help="column with the row of the lead in its list (default: %(default)s)"
    )
    parser.set_defaults(run=_outcomes)


def _outcomes(options: argparse.Namespace) -> None:
    meanings = {name: getattr(options, name) for name in OUTCOMES}
    columns = Columns(options.target, request_id=options.id, row=options.row, **meanings)
    joined = store_outcomes(LogStore.of(options.log), options.outcomes, columns)
    print("\n".join(joined.summary()))


def run(command: str | None = None, prog: str = "leadmodel") -> NoReturn:
    """Run the command line, or one `command` of it under the name `prog`, and exit with its status.

    The exit status is 0 when done, 2 for wrong input, 3 for drift and 130 when interrupted.
    """
    status = 0
    try:
        arguments = sys.argv[1:]
        status = _run_heavy(command, arguments, prog) if command else main(arguments)
        # Here and not at the exit, where a closed pipe could no longer be caught.
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does. Python would flush it again at its exit,
        # and complain; the null device takes whatever is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InputError as error:
        say(f"{prog}: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        status = 130
    sys.exit(status)


def _run_heavy(command: str, arguments: Sequence[str], prog: str) -> int:
    return import_module(f"leadmodel.cli.{command}").main(arguments, prog=prog)
