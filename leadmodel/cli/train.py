"""Train a lead model: from a table of past leads to a folder that can be served and shared.

leadmodel train                                          the synthetic sample, into model/
leadmodel train leads.csv --target status                any CSV, Parquet or Excel file
leadmodel train leads.csv --recipe NAME.toml             with a description of the source
leadmodel train FOLDER --recipe NAME.toml                leads made of the tables of events in a folder
leadmodel train … --push USER/MODEL --space USER/SPACE   and publishes model and app
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

from leadmodel.cli.common import (
    add_decision_options,
    add_lead_options,
    decision_options,
    lead_options,
    say,
)
from leadmodel.errors import InputError
from leadmodel.events.windows import ENGINES
from leadmodel.model import LeadModel
from leadmodel.options import installed
from leadmodel.prepare.checkpoints import checkpoints
from leadmodel.prepare.data import prepare
from leadmodel.prepare.source import read_past_leads
from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.publishing.files import check_replaceable
from leadmodel.publishing.hub.push import HubRepository
from leadmodel.publishing.hub.space import HubSpace
from leadmodel.training.check.report import audit_report
from leadmodel.training.fit import fit
from leadmodel.training.interface import read_settings
from leadmodel.training.package import package
from leadmodel.training.progress import Stopwatch, progress_bar, stage_table
from leadmodel.training.tracking import open_tracker


def parse_arguments(arguments: Sequence[str] | None, prog: str = "leadmodel train") -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "leads", nargs="?", help="path, URL or hf://… of past leads, or a folder of event tables"
    )
    parser.add_argument("--data", help="the same, by name")
    add_lead_options(parser)
    parser.add_argument(
        "--drop-leaks", action="store_true", help="leave out the fields that the audit suspects of leaking"
    )
    parser.add_argument(
        "--tune",
        type=float,
        default=0,
        metavar="MINUTES",
        help="search for better parameters for this time",
    )
    parser.add_argument(
        "--segment-by", metavar="FIELD", help="try a separate model for each value of a text field"
    )
    parser.add_argument(
        "--segments",
        type=_read_segments,
        metavar="K|auto",
        help="group the leads into K segments by their features, or as many as they support (auto); one "
        "model scores them all",
    )
    parser.add_argument("--output", default="model", help="folder of the model (default: model)")
    add_decision_options(parser)
    parser.add_argument(
        "--track", metavar="PROJECT", help="record the run: PROJECT, PROJECT@USER/SPACE or mlflow:URI"
    )
    parser.add_argument("--push", metavar="USER/MODEL", help="publish the model on the Hugging Face Hub")
    parser.add_argument("--space", metavar="USER/SPACE", help="publish the app that serves it as a Space")
    parser.add_argument("--private", action="store_true", help="create both as private repositories")
    parser.add_argument("--seed", type=int, default=0, help="same data, seed and versions: same model")
    parser.add_argument(
        "--resume", action="store_true", help="reuse what an interrupted run of this command has fitted"
    )
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="where CatBoost fits")
    parser.add_argument("--profile", action="store_true", help="print how long each stage took")
    options = parser.parse_args(arguments)
    if options.leads and options.data:
        parser.error("Name the leads once: as an argument or with --data.")
    options.data = options.leads or options.data
    return options


def _read_segments(text: str) -> int | Literal["auto"]:
    """Return the value of --segments; its size is checked once the leads are known."""
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes a number or auto. Got {text!r} instead.") from None


def main(arguments: Sequence[str] | None = None, prog: str = "leadmodel train") -> int:
    """Train one model, from the command line to the finished folder."""
    options = parse_arguments(arguments, prog)
    watch = Stopwatch()

    # What would stop the run at its end is checked now: the training takes minutes.
    check_replaceable(options.output)
    if options.space and not options.push:
        raise InputError("A Space serves a published model: --space needs --push as well.")
    settings = read_settings(
        seed=options.seed,
        tune=options.tune,
        segment_by=options.segment_by,
        segments=options.segments,
        drop_leaks=options.drop_leaks,
        device=options.device,
    )
    repository = HubRepository(options.push, private=options.private) if options.push else None
    space = HubSpace(options.space, private=options.private) if options.space else None

    if options.data is None and not options.recipe:
        print("No --data given: training on the synthetic sample.")
    given = lead_options(options) | decision_options(options)
    leads, recipe = read_past_leads(options.data, **given, on_report=say)
    print(f"{len(leads):,} leads, {leads.shape[1]} columns")
    watch.lap("reading")

    with open_tracker(options.track, recipe.title) if options.track else nullcontext() as tracker:
        data = prepare(leads, recipe, settings)
        print(f"\n{audit_report(data)}\n", flush=True)
        unfinished = Path(f"{options.output}.unfinished")
        bar = progress_bar(settings, len(data.split.train))
        with bar as progress, checkpoints(unfinished, resume=options.resume):
            fitted = fit(data, settings, progress)
            watch.lap("training")
            model = package(fitted, tracker.address if tracker else None)
            progress("model packaged")
            model.save_pretrained(options.output)
        watch.lap("packaging")
        if tracker:
            tracker.record(model)
    report(model)
    if options.profile:
        reading, packaging = watch.seconds["reading"], watch.seconds["packaging"]
        stages = {"reading": reading} | fitted.seconds | {"packaging": packaging}
        say(f"\nTime by stage:\n{stage_table(stages)}")
    print(f"\n{options.output}/ written after {sum(watch.seconds.values()):.1f} s. Serve it:")
    print(
        f"leadmodel serve {options.output}"
        if prog != "train.py"
        else f"LEADMODEL_REPO={options.output} {sys.executable} app.py"
    )
    if repository:
        try:
            publish(model, repository, space)
        except InputError as error:
            named = f"--push {options.push}" + (f" --space {options.space}" if options.space else "")
            raise InputError(
                f"{error} To publish without training again: leadmodel publish {options.output} {named}"
            ) from None
    return 0


def publish(model: LeadModel, repository: HubRepository, space: HubSpace | None) -> None:
    """Publish the model, and the app that serves it, and print where they are."""
    title = model.config.title
    published = repository.publish(model.files, f"{title}: {model.evaluation.headline()}")
    print(f"\nModel: {published.address} ({published.tag}, commit {published.commit[:8]})")
    if space:
        packages = ENGINES if model.event_config else ()
        print(f"App:   {space.publish(repository.repo_id, title, packages)}")
        if space.private:
            print("Give the Space a secret HF_TOKEN, a token that reads the private model.")


def report(model: LeadModel) -> None:
    """Print what a person wants to know first: what was used, and how good it is."""
    schema, evaluation = model.schema, model.evaluation
    say(f"\nFields used: {', '.join(field.label for field in schema.fields)}")
    for name, why in schema.ignored.items():
        say(f"  left out  {name or '(no name)'}: {why}")
    if evaluation.derived:
        say("\nDerived fields, by the column that they are made from:")
        for gain in evaluation.derived:
            say(f"  {gain.summary()}")
    say(f"\nOn {evaluation.n_test:,} test leads ({model.config.training.split}):")
    if not model.config.training.time_range:
        say("  There is no date column. Name one with --time, and the newest leads become the test leads.")
    for name, label in METRIC_NAMES.items():
        if estimate := evaluation.test.get(name):
            say(f"  {label:<36}{estimate.value:7.3f}   ({estimate.low:.3f} to {estimate.high:.3f})")
    # Even the true probabilities differ from the outcomes of a finite number of leads.
    floor = evaluation.calibration_floor
    say(f"  (chance alone would give a calibration error of {floor:.3f} on as many leads)")
    say(f"\nCross-validated log loss of {evaluation.compared_on}, on the same folds:")
    for trial in evaluation.comparison:
        gap = trial.behind
        text = f"{gap.value:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})" if gap.value else "best"
        say(f"  {trial.name:<36}{trial.metrics['log_loss']:7.4f}   {text}")
    if portfolio := evaluation.portfolio:
        say(f"\nSettings: {portfolio.summary()}")
    if tuning := evaluation.tuning:
        say(f"\nTuning: {tuning.summary()}")
    if parts := evaluation.parts:
        say(f"\nSegment models: {parts.summary()}")
    say(f"\nCalibration: {evaluation.calibration.summary()}")
    for name, result in evaluation.options.items():
        say("\n".join(["", *installed()[name].summary(result)]))
    verdict = model.readiness
    say("\n".join([f"\nVerdict: {verdict.level}", *(f"  {reason}" for reason in verdict.reasons)]))
    decision = model.config.decision
    say(f"\n'{decision.positive}' {decision.condition}: {decision.rule}")
    if model.config.training.run:
        say(f"\nThe run is recorded as {model.config.training.run}")
