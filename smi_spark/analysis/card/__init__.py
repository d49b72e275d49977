"""The card of a cohort's version: what is in it and who, as everybody may see it; a page, its Markdown, and plots."""

from smi_spark.analysis.card.contents import Card
from smi_spark.analysis.card.files import open_card, withdraw_card, write_card

__all__ = ["Card", "open_card", "withdraw_card", "write_card"]
