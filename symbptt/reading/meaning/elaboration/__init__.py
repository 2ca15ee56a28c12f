"""From notation trees to expressions: a registry of one rule for each kind of tree, a file for each family."""
