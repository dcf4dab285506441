"""Prove the Markdown pages: type their commands, cut their listings from the source, and follow their links.

The text after a block's language says what the tests do with the block. A rendered page does not show that text.

```console                          type each command into a shell, and compare its output with the page
```console needs=docker             do the same, but only on a machine that has Docker (see `needs.py`)
```python from=PATH                 a listing: the whole file at this path of the repository
```python from=PATH#add_post,judge  a listing: these functions, classes, names or YAML keys of the file, or the lines
                                    between the comments `region NAME` and `endregion`; `make docs` cuts it again
```python to=PATH                   a file that the reader writes: the tests write it to this path
```diff                             a change that the reader makes: the tests apply it with `patch -p1`
```text, ```mermaid, ```            a drawing: the tests only check that it has no command

In a console block `$ ` starts a command, `> ` continues it on the next line, and its output follows below:

…    a line of its own: any number of lines; inside a line: any text
⋮    the last line of an output: the command continues to run, and the next command has a terminal of its own
⋮    the first line of a block: more output of the terminal that was opened last
^C   Ctrl-C in the terminal that was opened last; the output of its end follows below

Ids, times of day, and numbers before a unit of time or size differ in every run, and need no mark. The tests
replace each id of the page by the id of the run, in output and in later commands.

`make pages PAGE=docs/some.md` proves one page. With REWRITE=1 it writes the output of the run into the page: read
the page before you commit.

Each page gets a fresh copy of the repository, uses the ports of a class, and is typed from top to bottom. Some commands
change nothing (`curl` without data, `make status`, `minibus state` …). The tests repeat such a command until its output
equals the page, because events need a moment.
"""
