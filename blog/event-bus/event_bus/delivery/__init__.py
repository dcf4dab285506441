"""Delivery: subscribers, the couriers that carry the log to them, and the controls of an instructor."""
