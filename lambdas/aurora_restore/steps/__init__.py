"""What the pipeline does: one module per state, each with `run(context, document) -> dict`."""
