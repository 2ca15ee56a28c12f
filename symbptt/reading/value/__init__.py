"""The value of an expression of a note, at a numeric instance of its model and under a reading."""
