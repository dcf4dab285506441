"""The whole blog in real processes: what readers, writers, instructors and course clients see."""
