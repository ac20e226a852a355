"""What a visitor waits for: the first page, and 10,000 uploaded rows as a ranked table.

    python benchmarks/pages.py

With synthetic leads. Needs playwright and Debian's chromium.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import our_app
from benchmarks.table import print_table
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.training.interface import train_model

CHROMIUM = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox", "--disable-gpu"]}


def main() -> None:
    """Measure, and print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        train_model(make_sample(), SAMPLE_RECIPE).save_pretrained(f"{folder}/model")
        leads = make_sample(10_000, random_state=1)
        leads.to_csv(f"{folder}/leads.csv", index=False)
        leads.to_excel(f"{folder}/leads.xlsx", index=False)
        browser = playwright.chromium.launch(**CHROMIUM)  # type: ignore[arg-type]
        with our_app(f"{folder}/model") as (address, _, _):
            first = first_page(browser, address)
            csv, excel = (
                best_of(3, lambda name=name: upload(browser, address, f"{folder}/{name}"))  # type: ignore[misc]
                for name in ("leads.csv", "leads.xlsx")
            )
            browser.close()
    print_table(
        "Pages: synthetic leads",
        [
            ("first page after the start, ready to score", first, "s", "", "under 2 s"),
            ("10,000 rows of CSV, from file to ranked table", csv, "s", "", "under 3 s"),
            ("10,000 rows of Excel, from file to ranked table", excel, "s", "", ""),
        ],
    )


def first_page(browser: Browser, address: str) -> float:
    """Return the seconds from the address to a form that can be used."""
    page = browser.new_page()
    started = time.perf_counter()
    page.goto(address)
    expect(page.get_by_role("button", name="Score", exact=True)).to_be_enabled(timeout=60_000)
    taken = time.perf_counter() - started
    page.close()
    return taken


def upload(browser: Browser, address: str, path: str) -> float:
    """Return the seconds from choosing a file to its ranked table."""
    page = browser.new_page()
    page.goto(address)
    page.get_by_role("tab", name="List", exact=True).click()
    started = time.perf_counter()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Download CSV").wait_for(timeout=120_000)
    taken = time.perf_counter() - started
    page.close()
    return taken


def best_of(times: int, call: Callable[[], float]) -> float:
    """Return the least of several measurements."""
    return min(call() for _ in range(times))


if __name__ == "__main__":
    main()
