"""Notes checked: their models found, every claim put to the test, and the likely mistake of what fails."""
