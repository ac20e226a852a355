"""The list of versions, from a Hub on loopback."""

from hub_server import LoopbackHub

from leadmodel.model import LeadModel
from leadmodel.serving.ui.reports import Revisions


def test_a_folder_has_no_other_revisions() -> None:
    assert "served from a folder" in Revisions(None).render("sha256:1")


def test_the_versions_of_a_repository_are_links_and_the_served_one_is_marked(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    first = model.push_to_hub("demo/leads")
    second = second_model.push_to_hub("demo/leads")
    html = Revisions("demo/leads").render(first.commit)
    links = [f'href="{hub.url}/demo/leads/tree/{tag}"' for tag in ("v2", "v1")]
    assert html.index(links[0]) < html.index(links[1])
    marked = [item for item in html.split("<li>") if "served now" in item]
    assert len(marked) == 1
    assert f"({first.commit[:8]}), served now" in marked[0]
    assert second.commit[:8] in html


def test_the_hub_is_asked_once_however_many_visitors_come(hub: LoopbackHub, model: LeadModel) -> None:
    model.push_to_hub("demo/leads")
    revisions = Revisions("demo/leads")
    hub.requests.clear()
    pages = {revisions.render("x") for _ in range(5)}
    assert len(pages) == 1
    assert len([request for request in hub.requests if "/refs" in request.path]) == 1


def test_what_the_hub_refuses_is_told(hub: LoopbackHub) -> None:
    html = Revisions("demo/none").render("x")
    assert "cannot list the revisions right now" in html
    assert "demo/none" in html
