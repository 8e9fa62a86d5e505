"""The Lambda function of the state MaskData."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import mask_data

handler = build_handler("MaskData", mask_data.run, advances="masking")
