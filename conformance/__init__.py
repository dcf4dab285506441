"""The course's contract as a checker for anybody's service, in any language: `make conform`."""
