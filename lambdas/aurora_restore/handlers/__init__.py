"""The Lambda entry points: one module per function, each naming its step and nothing else."""
