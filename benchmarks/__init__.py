"""What the engine costs, beside what a user would otherwise run: `python -m benchmarks`."""
