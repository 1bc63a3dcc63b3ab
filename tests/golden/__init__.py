"""The model of a three-slot window as LP text, one file for each family of constraints.

``python -m tests.golden.write`` writes the files anew; a change in them is a change of the model.
"""
