"""Train a lead model: from a table of past leads to a folder that can be served and shared.

python train.py                                               the synthetic sample, into model/
python train.py --data leads.csv --target status              any CSV, Parquet or Excel file
python train.py --data leads.csv --recipe recipes/NAME.toml   with what is known of the source
python train.py … --push USER/MODEL --space USER/SPACE        and publishes model and app
"""

import argparse
import sys
import time
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
from tqdm import tqdm

from leadmodel.errors import InputError
from leadmodel.leads.reading import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.publishing.persistence import check_replaceable
from leadmodel.publishing.push import Destination
from leadmodel.publishing.space import SpaceDestination
from leadmodel.training.run import n_steps, train
from leadmodel.training.settings import TrainingSettings
from leadmodel.training.tuning import check_optuna


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="path, URL or hf://datasets/… of past leads; default: the sample")
    parser.add_argument("--recipe", help="TOML file with what is known of the data source")
    parser.add_argument("--target", help="column that holds the outcome")
    parser.add_argument("--positive", help="the outcome of a converted lead, where not obvious")
    parser.add_argument("--id", nargs="+", metavar="COL", help="columns that name a lead")
    parser.add_argument("--time", help="column that orders leads; the newest become the test leads")
    parser.add_argument("--drop", nargs="+", metavar="COL", help="columns not to learn from")
    parser.add_argument(
        "--tune", type=float, default=0, metavar="MINUTES", help="search for better parameters so long"
    )
    parser.add_argument(
        "--segment-by", metavar="FIELD", help="try models of their own for the values of a field of texts"
    )
    parser.add_argument("--output", default="model", help="folder of the model (default: model)")
    add_decision(parser)
    parser.add_argument("--push", metavar="USER/MODEL", help="publish the model on the Hugging Face Hub")
    parser.add_argument("--space", metavar="USER/SPACE", help="publish the app that serves it as a Space")
    parser.add_argument("--private", action="store_true", help="make both private, if they are made")
    parser.add_argument("--seed", type=int, default=0, help="same data, seed and versions: same model")
    return parser.parse_args(arguments)


def add_decision(parser: argparse.ArgumentParser) -> None:
    """Add what chooses the decision threshold and the grades."""
    rules = parser.add_argument_group("decision", "from which probability on to decide for a lead")
    rules.add_argument("--min-precision", type=float, metavar="SHARE", help="a floor, such as 0.7")
    rules.add_argument("--min-recall", type=float, metavar="SHARE", help="a floor, such as 0.9")
    rules.add_argument("--budget", metavar="N/week", help="how many can be called: 200/week, 30/day, 20%%")
    rules.add_argument("--value", type=float, help="what a conversion brings; with --cost")
    rules.add_argument("--cost", type=float, help="what a call costs; with --value")
    rules.add_argument("--bands", nargs="+", metavar="GRADE=SCORE", help="such as A=80 B=50 C=0")


def read_bands(bands: Sequence[str] | None) -> dict[str, int] | None:
    """Read the lowest scores of the grades from the command line."""
    if bands is None:
        return None
    pairs = [band.rpartition("=") for band in bands]
    for grade, _, score in pairs:
        if not grade or not score.isdecimal():
            raise InputError(f"Bands read like A=80 B=50 C=0. Got {' '.join(bands)!r} instead.")
    return {grade: int(score) for grade, _, score in pairs}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train one model, from the command line to the finished folder."""
    options = parse_arguments(arguments)
    started = time.perf_counter()

    # What would stop the run at its end is better found now.
    check_replaceable(options.output)
    if options.space and not options.push:
        raise InputError("A Space serves a published model: --space needs --push as well.")
    if not 0 <= options.tune < float("inf"):
        raise InputError(f"--tune takes minutes, 0 or more. Got {options.tune} instead.")
    if options.tune:
        check_optuna()
    repository = Destination(options.push, private=options.private) if options.push else None
    space = SpaceDestination(options.space, private=options.private) if options.space else None

    recipe = Recipe.load(options.recipe) if options.recipe else Recipe()
    if options.data is None:
        print("No --data given: training on the synthetic sample, which describes nobody.")
        recipe, leads = SAMPLE_RECIPE, make_sample()
    else:
        leads = read_table(options.data)
        # Of an address only the file's name: its query may hold a token.
        recipe = recipe.updated(title=recipe.title or Path(urlsplit(options.data).path).stem)
    recipe = recipe.updated(
        target=options.target,
        positive=options.positive,
        time=options.time,
        id=options.id and tuple(options.id),
        drop=options.drop and (*recipe.drop, *options.drop),
        decision=recipe.decision.updated(
            min_precision=options.min_precision,
            min_recall=options.min_recall,
            budget=options.budget,
            value=options.value,
            cost=options.cost,
            bands=read_bands(options.bands),
        ),
    )
    check_names([*(options.id or ()), *(options.drop or ())], leads)
    print(f"{len(leads):,} leads, {leads.shape[1]} columns")

    settings = TrainingSettings(seed=options.seed, tune_minutes=options.tune, segment_by=options.segment_by)
    with tqdm(total=n_steps(settings), desc="training", unit="step") as bar:

        def progress(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        model = train(leads, recipe, settings, progress)

    model.save_pretrained(options.output)
    report(model)
    if repository:
        publish(model, repository, space)
    seconds = time.perf_counter() - started
    print(f"\n{options.output}/ written after {seconds:.1f} s. Serve it:")
    print(f"LEADMODEL_REPO={options.output} {sys.executable} app.py")


def check_names(names: Sequence[str], leads: pd.DataFrame) -> None:
    """Raise InputError for a name that no column has: a mistyped leak would stay a feature."""
    for name in names:
        if name not in leads.columns:
            close = get_close_matches(name, map(str, leads.columns), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"No column is named {name!r}.{hint}")


def publish(model: LeadModel, repository: Destination, space: SpaceDestination | None) -> None:
    """Publish the model, and the app that serves it, and print where they are."""
    title = model.config.title
    published = repository.publish(model.files, f"{title}: {model.evaluation.headline()}")
    print(f"\nModel: {published.address} ({published.tag}, commit {published.commit[:8]})")
    if space:
        print(f"App:   {space.publish(repository.repo_id, title)}")
        if space.private:
            print("Give the Space a secret HF_TOKEN, a token that reads the private model.")


def report(model: LeadModel) -> None:
    """Print what a person wants to know first: what was used, and how good it is."""
    schema, evaluation = model.schema, model.evaluation
    print(f"\nFields used: {', '.join(field.label for field in schema.fields)}")
    for name, why in schema.ignored.items():
        print(f"  left out  {name or '(no name)'}: {why}")
    print(f"\nOn {evaluation.n_test:,} test leads ({model.config.training.split}):")
    for kind, name in METRIC_NAMES.items():
        if not (estimate := evaluation.test.get(kind)):
            continue
        print(f"  {name:<36}{estimate.value:7.3f}   ({estimate.low:.3f} to {estimate.high:.3f})")
    print("\nCross-validated log loss on the same folds:")
    for one in evaluation.comparison:
        behind = f"{one.behind.value:+.4f} ({one.behind.low:+.4f} to {one.behind.high:+.4f})"
        print(f"  {one.name:<36}{one.metrics['log_loss']:7.4f}   {behind if one.behind.value else 'best'}")
    if tuning := evaluation.tuning:
        print(f"\nTuning: {tuning.summary()}")
    if parts := evaluation.parts:
        print(f"\nSegments: {parts.summary()}")
    print(f"\nCalibration: {evaluation.calibration.summary()}")
    decision = model.config.decision
    print(f"\n'{decision.positive}' from {decision.threshold:.3f} on: {decision.rule}")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"train.py: {error}", file=sys.stderr)
        sys.exit(2)
