"""The description of the REST API, taken at its word by schemathesis."""

import subprocess
import sys
from pathlib import Path


def test_whatever_the_description_allows_is_never_answered_with_a_failure(
    address: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{address}/openapi.json",
            "--checks=not_a_server_error,status_code_conformance,response_schema_conformance",
            "--max-examples=25",
            "--seed=1",
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Operations:" in done.stdout
