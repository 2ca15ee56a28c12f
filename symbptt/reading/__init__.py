"""LaTeX in: cells and losses from LaTeX, and notes whose formulas are checked."""
