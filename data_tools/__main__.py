import sys

from data_tools.command import main

sys.exit(main())
