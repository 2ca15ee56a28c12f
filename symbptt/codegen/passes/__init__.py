"""What is done to a program before it is written: each pass a function from program to program.

A pass changes neither what is computed nor its value but for rounding. :data:`PASSES` is the list of all; which of
them a style uses is in :mod:`symbptt.codegen.passes.pipeline`.
"""
