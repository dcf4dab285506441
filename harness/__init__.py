"""What labs, tests, conformance and bench share: a blog of real processes, a fault proxy, parts of the course."""
