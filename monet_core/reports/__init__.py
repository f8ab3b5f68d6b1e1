"""What was done, in a paper's words, and as the command that does it again. Loads without torch."""

from monet_core.reports.commands import segment_command, train_command
from monet_core.reports.methods import command_line, methods_paragraph
from monet_core.reports.references import REFERENCES, Reference, reference_list

__all__ = [
    "REFERENCES",
    "Reference",
    "command_line",
    "methods_paragraph",
    "reference_list",
    "segment_command",
    "train_command",
]
