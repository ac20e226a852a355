"""Retrain every week on the Hub's own machines: a scheduled job that calls one command.

    python examples/schedule_on_hub.py USER/SPACE USER/MODEL hf://datasets/USER/LEADS/leads.csv

The job runs in the image of the Space that `train.py --space` has published, which holds this project and
all that it needs; Spaces keep it in /home/user/app. The token that is used now is given to the job as a
secret, so it must be able to read the leads and to write the model.
"""

import argparse
import shlex

from huggingface_hub import HfApi, get_token


def main() -> None:
    """Make the job, and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("space", help="USER/SPACE, whose image the job runs in")
    parser.add_argument("model", help="USER/MODEL, which is retrained")
    parser.add_argument("leads", help="hf://datasets/USER/NAME/file, all past leads")
    parser.add_argument("--schedule", default="@weekly", help="@daily, @weekly, or cron (default: @weekly)")
    options = parser.parse_args()
    retrain = [
        "python",
        "-m",
        "leadmodel",
        "retrain",
        "--data",
        options.leads,
        "--model",
        options.model,
        "--push",
    ]
    job = HfApi().create_scheduled_job(
        image=f"hf.co/spaces/{options.space}",
        command=["sh", "-c", f"cd /home/user/app && {shlex.join(retrain)}"],
        schedule=options.schedule,
        concurrency=False,
        timeout="2h",
        secrets={"HF_TOKEN": get_token()},
    )
    print(f"Scheduled {options.schedule}: {job.id}")


if __name__ == "__main__":
    main()
