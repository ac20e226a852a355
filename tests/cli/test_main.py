from hub_server import LoopbackHub
from support import command

from leadmodel.publishing.hub.push import versions


def test_score_says_that_it_takes_a_repository() -> None:
    done = command("-m", "leadmodel", "score", "--help")
    assert "--model MODEL    folder or USER/MODEL (default: model)" in done.stdout


def test_publish_takes_a_folder_and_publishes_it_once(hub: LoopbackHub, folder: str) -> None:
    for _ in range(2):
        done = command("-m", "leadmodel", "publish", folder, "--push", "demo/leads", "--private")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"Model: {hub.url}/demo/leads (v1, commit " in done.stdout
    assert list(versions("demo/leads")) == ["v1"]
    assert hub.repository("model", "demo/leads").private
