"""Run the blog: the table of its parts, on this machine (local), in a cluster (cluster)."""
