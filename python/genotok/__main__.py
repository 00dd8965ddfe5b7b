"""`python -m genotok`: the program, where its script is not on the path."""

from genotok.cli import main

if __name__ == "__main__":
    main()
