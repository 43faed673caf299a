"""`python -m minimax_tasks` is the command `minimax-tasks`."""

import sys

from minimax_tasks.commands.main import main

sys.exit(main())
