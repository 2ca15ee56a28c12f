"""The fast style: the program as calls that write into arrays laid out before, what ``lambdify`` runs."""
