"""What formulas mean: notation trees with their symbols settled, as expressions that can be evaluated."""
