"""Random faults against a model: a script of what people do and what breaks, run on real processes, then judged.

`commands` draws a script from a seed, `machine` runs it, `line` breaks what passes between bus and services, `people`
write and remember what they were told, `checkers` compare that with what is there, `mutants` prove that they can fail,
`campaign` runs many seeds, `story` tells of a failing one.
"""
