import pytest
from catboost.utils import get_gpu_device_count

from leadmodel.errors import InputError
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import read_settings
from leadmodel.training.progress import Stopwatch, progress_bar, stage_table


def test_the_stages_add_up() -> None:
    watch = Stopwatch({"preparation": 3.0})
    watch.lap("folds")
    watch.lap("folds")
    assert list(watch.seconds) == ["preparation", "folds"]
    table = stage_table({"preparation": 3.0, "folds": 9.0})
    assert [line.split() for line in table.splitlines()] == [
        ["preparation", "3.0", "s", "25%"],
        ["folds", "9.0", "s", "75%"],
        ["all", "12.0", "s", "100%"],
    ]


@pytest.mark.parametrize("n_leads", [1_000, 100_000])
def test_the_bar_ends_with_the_last_step(n_leads: int, capsys: pytest.CaptureFixture[str]) -> None:
    settings = TrainingSettings(race_below=0)
    scaled = settings.for_leads(n_leads)
    folds = [f"fold {number} of {scaled.n_folds}" for number in range(1, scaled.n_folds + 1)]
    models = [f"model {number} of {scaled.n_members}" for number in range(1, scaled.n_members + 1)]
    others = ["Prior", "Logistic regression", "Random forest", "Boosting", "model evaluated", "packaged"]
    with progress_bar(settings, n_leads) as progress:
        for step in [*folds, *others[:4], *models]:
            progress(step)
        assert "100%" not in capsys.readouterr().err
        for step in [*others[4:], "a step that only some leads need"]:
            progress(step)
    shown = capsys.readouterr().err
    assert "100%" in shown
    assert "left" in shown


def test_without_a_gpu_none_can_be_asked_for() -> None:
    if get_gpu_device_count():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match="CatBoost finds no GPU here"):
        read_settings(seed=0, tune=0, segment_by=None, segments=None, drop_leaks=False, device="gpu")
