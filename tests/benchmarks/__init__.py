"""Speed and memory as ratios. `make bench` runs them all; `python -m tests.benchmarks NAME …` some."""
