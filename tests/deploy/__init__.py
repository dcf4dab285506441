"""The Makefile, the images, the manifests and the commands for clusters."""
