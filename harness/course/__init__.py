"""Parts of the course's shape: the Express services where Node is there, small Python ones where it is not."""
