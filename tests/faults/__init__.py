"""Kills, full disks, load and hostile input: what the blog promises under each of them."""
