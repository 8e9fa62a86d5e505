"""The Lambda functions of the Aurora Restore Pipeline: one package, one zip, one handler module per step."""
