"""``python -m aidc.cli`` is ``aidc``."""

from aidc.cli import main

if __name__ == "__main__":
    main()
