"""What if these rules were those: a population asked twice, who changes and why, in tables and charts. Pure."""

from sekisho.rules.what_if.changes import CHANGES, WORDS, Change, Flows, change_of
from sekisho.rules.what_if.charts import render_charts
from sekisho.rules.what_if.comparison import Diff, Example, conclude, diff
from sekisho.rules.what_if.counting import Group, Grouping
from sekisho.rules.what_if.csv_rows import CSV_HEAD, csv_row
from sekisho.rules.what_if.document import diff_document
from sekisho.rules.what_if.load import Load, LoadSide
from sekisho.rules.what_if.margins import Margin, binomial_tail
from sekisho.rules.what_if.page import render_page, summary_lines
from sekisho.rules.what_if.reasons import Reason, RuleEffect
from sekisho.rules.what_if.sample import sample_population
from sekisho.rules.what_if.sides import Side, SideShown
from sekisho.rules.what_if.sittings import Sittings
from sekisho.rules.what_if.splitting import OwnerOver, Split
from sekisho.rules.what_if.subjects import Subject, subject_of
from sekisho.rules.what_if.tables import DIMENSIONS, Dimension, Table, render_tables
from sekisho.rules.what_if.tally import Counts, Judged, Refused, Tally
from sekisho.rules.what_if.thresholds import UpperThreshold

__all__ = [
    "CHANGES",
    "CSV_HEAD",
    "DIMENSIONS",
    "WORDS",
    "Change",
    "Counts",
    "Diff",
    "Dimension",
    "Example",
    "Flows",
    "Group",
    "Grouping",
    "Judged",
    "Load",
    "LoadSide",
    "Margin",
    "OwnerOver",
    "Reason",
    "Refused",
    "RuleEffect",
    "Side",
    "SideShown",
    "Sittings",
    "Split",
    "Subject",
    "Table",
    "Tally",
    "UpperThreshold",
    "binomial_tail",
    "change_of",
    "conclude",
    "csv_row",
    "diff",
    "diff_document",
    "render_charts",
    "render_page",
    "render_tables",
    "sample_population",
    "subject_of",
    "summary_lines",
]
