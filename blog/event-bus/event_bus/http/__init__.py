"""The bus over HTTP: publish, read, register, control."""
