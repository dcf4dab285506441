"""The ladder of stores: one file for each, behind one small interface."""
