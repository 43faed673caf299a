"""`python -m tests.kills --kills 300 --seed 1`: kill that many workers and print what came of it."""

import argparse
import logging
import tempfile
import time
from pathlib import Path

from tests.kills.lives import run

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--kills", type=int, default=300)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()
logging.disable()  # hundreds of doubts are told of, as they should be
began = time.monotonic()
with tempfile.TemporaryDirectory() as folder:
    print(run(options.kills, options.seed, Path(folder)))
print(f"seed {options.seed}, {time.monotonic() - began:.0f} s")
