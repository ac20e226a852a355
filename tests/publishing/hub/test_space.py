import pytest
import yaml
from hub_server import Fault, LoopbackHub

from leadmodel.model import LeadModel
from leadmodel.publishing.hub.client import HubError
from leadmodel.publishing.hub.space import HubSpace

SPACE = "demo/leads-app"


def published(hub: LoopbackHub) -> dict[str, bytes]:
    files = hub.repository("space", SPACE).files
    return {name: file.content for name, file in files.items()}


def test_a_space_has_what_serves_the_model(hub: LoopbackHub, model: LeadModel) -> None:
    address = HubSpace(SPACE).publish("demo/leads", model.config.title, ["polars==2.1.0"])
    assert address == f"{hub.url}/spaces/{SPACE}"
    files = published(hub)
    assert {"app.py", "requirements.txt", "README.md", "leadmodel/model.py"} <= set(files)
    assert "leadmodel/publishing/model_card.md" in files
    assert files["requirements.txt"].endswith(b"\npolars==2.1.0\n")
    assert not [name for name in files if name.startswith(("tests/", "benchmarks/", "docs/"))]
    space = hub.repository("space", SPACE)
    assert (space.sdk, space.private) == ("gradio", False)
    assert space.variables["LEADMODEL_REPO"].value == "demo/leads"


def test_a_space_on_a_hub_without_variables_serves_the_model_by_its_files(
    hub: LoopbackHub, model: LeadModel, caplog: pytest.LogCaptureFixture
) -> None:
    hub.fail("*", "/variables", Fault.status(501), times=None)
    HubSpace(SPACE).publish("demo/leads", model.config.title)
    assert hub.repository("space", SPACE).variables == {}
    assert b'os.environ.setdefault("LEADMODEL_REPO", "demo/leads")' in published(hub)["app.py"]
    assert "Could not set the variable of the Space 'demo/leads-app'" in caplog.text
    assert "status 501" in caplog.text


@pytest.mark.parametrize(
    ("method", "part", "step"),
    [
        ("POST", "/api/repos/create", "create the Space"),
        ("POST", "/commit/", "write the files of the Space"),
    ],
)
def test_a_step_that_fails_is_named(hub: LoopbackHub, method: str, part: str, step: str) -> None:
    hub.fail(method, part, Fault.status(501), times=None)
    with pytest.raises(HubError, match=f"Could not {step} 'demo/leads-app': .* status 501"):
        HubSpace(SPACE).publish("demo/leads", "Leads")
    hub.heal()
    HubSpace(SPACE).publish("demo/leads", "Leads")
    assert [commit.title for commit in hub.repository("space", SPACE).commits][:-1] == ["Serve demo/leads"]


def test_its_readme_names_the_model(hub: LoopbackHub) -> None:
    HubSpace(SPACE).publish("demo/leads", "Leads: of 'all' kinds")
    text = published(hub)["README.md"].decode()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["models"] == ["demo/leads"]
    assert front["title"] == "Leads: of 'all' kinds"
    assert (front["sdk"], front["app_file"]) == ("gradio", "app.py")
    assert f"({hub.url}/demo/leads)" in text


def test_a_second_push_updates_it(hub: LoopbackHub) -> None:
    HubSpace(SPACE).publish("demo/leads", "Leads")
    HubSpace(SPACE).publish("demo/other", "Leads")
    space = hub.repository("space", SPACE)
    assert space.variables["LEADMODEL_REPO"].value == "demo/other"
    assert [commit.title for commit in space.commits[:2]] == ["Serve demo/other", "Serve demo/leads"]


def test_a_private_space_is_private(hub: LoopbackHub) -> None:
    HubSpace(SPACE, private=True).publish("demo/leads", "Leads")
    assert hub.repository("space", SPACE).private
