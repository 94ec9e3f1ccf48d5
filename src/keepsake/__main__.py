"""`python -m keepsake` is the command line."""

from keepsake.cli.main import main

main()
