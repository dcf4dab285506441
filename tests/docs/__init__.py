"""Pages, listings, reference and repository: each statement is compared with the code."""
