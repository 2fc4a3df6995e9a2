"""Run the command line with `python -m cohortex`."""

from cohortex.cli import main

main()
