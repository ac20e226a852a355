"""Train a lead model: from a table of past leads to a folder that can be served and shared.

python train.py                                               the synthetic sample, into model/
python train.py --data leads.csv --target status              any CSV, Parquet or Excel file
python train.py --data leads.csv --recipe recipes/NAME.toml   with what is known of the source
python train.py --help                                        every option

With the package installed, `leadmodel train leads.csv --target status` does the same.
"""

from leadmodel.cli.main import run

if __name__ == "__main__":
    run("train", prog="train.py")
