"""`python -m sekisho.cli`: the command line where the console script is not on the path."""

from sekisho.cli.main import run

run()
