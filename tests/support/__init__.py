"""What tests of every kind share: the blog as forked processes, its gateway, a fuzzer, bytes on the wire."""
