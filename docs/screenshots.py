"""Take the pictures of the README: python docs/screenshots.py [--model DIR]

Needs playwright and Debian's chromium. The form is filled in with typical values, no real lead.
"""

import argparse
import re
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import start, stop

HERE = Path(__file__).parent
CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
    ],
}


def main() -> None:
    """Start the app, use it as a visitor would, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="model")
    process, address, _ = start(Path(parser.parse_args().model).resolve())
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**CHROMIUM)  # type: ignore[arg-type]
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.goto(address)
            page.locator("button:enabled", has_text=re.compile(r"^\s*Score\s*$")).wait_for()
            page.get_by_role("button", name="Fill in an example").click()
            expect(page.get_by_label("Time on website (s)")).not_to_have_value("")
            page.get_by_label("Time on website (s)").fill("1200")
            page.get_by_role("button", name="Score").click()
            page.wait_for_selector(".lm-chance")
            page.wait_for_timeout(500)
            page.screenshot(path=HERE / "form.png", full_page=True)
            browser.close()
    finally:
        stop(process)


if __name__ == "__main__":
    main()
