"""Many trainings in one table: which runs there are to be, what they measured, and the page for people."""

from hybrid_seg_train.report.collect import collect
from hybrid_seg_train.report.page import page
from hybrid_seg_train.report.plan import Plan, PlannedRun, commands, load_plan

__all__ = ["Plan", "PlannedRun", "collect", "commands", "load_plan", "page"]
