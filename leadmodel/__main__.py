"""The commands beside training: python -m leadmodel COMMAND --help."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from leadmodel.errors import InputError, quoted
from leadmodel.evaluation.drawing import to_png
from leadmodel.evaluation.drift_plots import draw_drift
from leadmodel.evaluation.gate import MAX_AGE_DAYS
from leadmodel.model import LeadModel
from leadmodel.monitoring.drift import measure_drift
from leadmodel.monitoring.drift_report import drift_report
from leadmodel.monitoring.retraining import champion_recipe, champion_settings, retrain
from leadmodel.monitoring.rollback import go_back
from leadmodel.monitoring.succession import hold_place
from leadmodel.options import add_lead_options, read_leads_of, read_past_leads
from leadmodel.serving.bulk import score_file
from leadmodel.training.past import prepare_all
from leadmodel.training.report import audit_report, progress_bar
from leadmodel.training.settings import TrainingSettings
from leadmodel.training.tracking import open_tracker

DRIFTED = 3
"""Exit status of `drift`, so that a schedule can tell it from an error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m leadmodel", description="Work with a lead model.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_score(commands)
    _add_drift(commands)
    _add_retrain(commands)
    _add_rollback(commands)
    options = parser.parse_args(arguments)
    return options.run(options) or 0


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("check", help="audit past leads before a model is trained on them")
    parser.add_argument("leads", help="CSV, Parquet or Excel; a path, a URL or hf://…")
    add_lead_options(parser)
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> None:
    leads, recipe = read_past_leads(options.leads, options)
    print(audit_report(prepare_all(leads, recipe, TrainingSettings())))


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


def _add_drift(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "drift",
        help="compare new leads with those the model has learned from",
        epilog=f"Exit status: 0 stable, {DRIFTED} drifted, 2 wrong input.",
    )
    parser.add_argument("leads", help="CSV, Parquet or Excel; a path, a URL or hf://…")
    parser.add_argument("--model", default="model", help="folder or USER/MODEL (default: model)")
    parser.add_argument("--json", metavar="FILE", help="write every figure there; - for the output itself")
    parser.add_argument("--plot", metavar="FILE.png", help="draw what moved")
    parser.set_defaults(run=_drift)


def _drift(options: argparse.Namespace) -> int:
    if options.plot and not options.plot.lower().endswith(".png"):
        raise InputError(f"The picture must end in .png. Got {quoted(options.plot, 300)} instead.")
    model = LeadModel.from_pretrained(options.model)
    with tqdm(desc="reading", unit="lead", unit_scale=True) as bar:
        drift = measure_drift(model, options.leads, bar.update)
    if options.json and options.json != "-":
        _write(options.json, drift.model_dump_json(indent=2).encode())
    if options.plot:
        _write(options.plot, to_png(draw_drift(drift)))
    print(drift.model_dump_json(indent=2) if options.json == "-" else drift_report(drift))
    return DRIFTED if drift.drifted else 0


def _write(path: str, content: bytes) -> None:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise InputError(f"{quoted(path, 300)} cannot be written: {error.strerror}.") from None


def _add_retrain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "retrain", help="train a challenger, and publish it if the gate lets it take the champion's place"
    )
    parser.add_argument("--data", required=True, help="leads to learn from today, old ones included")
    parser.add_argument("--model", default="model", help="folder or USER/MODEL (default: model)")
    parser.add_argument(
        "--push", action="store_true", help="publish to the repository; a folder needs no push"
    )
    parser.add_argument("--dry-run", action="store_true", help="decide, and change nothing")
    parser.add_argument("--force", action="store_true", help="publish whatever is measured; is recorded")
    parser.add_argument(
        "--max-age",
        type=float,
        default=MAX_AGE_DAYS,
        metavar="DAYS",
        help="an older champion gives way to a challenger that is not worse (default: %(default)g)",
    )
    parser.add_argument("--track", metavar="PROJECT", help="write the run down, as train.py does")
    parser.set_defaults(run=_retrain)


def _retrain(options: argparse.Namespace) -> None:
    with hold_place(options.model, push=options.push and not options.dry_run) as place:
        champion = place.champion
        recipe = champion_recipe(champion)
        leads = read_leads_of(options.data, recipe)
        tracking = open_tracker(options.track, champion.config.title) if options.track else nullcontext()
        steps = progress_bar(champion_settings(champion), with_amounts=recipe.amount is not None)
        with tracking as tracker, steps as progress:
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
            print(drift_report(retrained.drift))
        gate = retrained.gate
        print(f"\n{gate.told()}")
        if options.dry_run:
            print("Nothing was changed: --dry-run")
        elif gate.publish and retrained.challenger:
            title = champion.config.title
            print(place.give(retrained.challenger, f"{title}: {gate.told()}"))


def _add_rollback(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("rollback", help="publish an earlier version again, as the newest")
    parser.add_argument("--model", required=True, help="repository of the model, USER/MODEL")
    parser.add_argument("--to", metavar="vN", help="version to go back to (default: the one before)")
    parser.set_defaults(run=_rollback)


def _rollback(options: argparse.Namespace) -> None:
    published = go_back(options.model, options.to)
    print(f"{published.address} is {published.tag} now, commit {published.commit[:8]}")


if __name__ == "__main__":
    status = 0
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads the output has had enough, as `head` does; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InputError as error:
        print(f"leadmodel: {error}", file=sys.stderr)
        status = 2
    sys.exit(status)
