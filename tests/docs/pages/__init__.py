"""How a page is proven: the tests type what it shows, cut its listings from the source, and follow its links.

A block of code on a page is one of these, told by the words after its language, which readers do not see:

```console                          typed into a shell, and what it says is compared with what is shown
```console needs=docker             likewise, where there is such a thing (see `needs.py`)
```python from=PATH                 a listing: this file of the repository
```python from=PATH#add_post,judge  these functions, classes or names of it, or what stands between the comments
                                    `region NAME` and `endregion`; `make docs` cuts them anew
```python to=PATH                   a file that the reader writes; it is written where the commands run
```diff                             a change that the reader makes; `patch -p1` makes it there
```text, ```mermaid, ```            a drawing

In a console a command stands behind `$ `, its further lines behind `> `, and everything that it says below it:

…    on a line of its own: any lines; within a line: anything
⋮    at the end: the command goes on, and what comes next is typed in another terminal
⋮    at the beginning of a block: what goes on in the terminal that was opened last has gone on to say this
^C   what is pressed in the terminal that was opened last; how the command ends stands below it

Ids, times of day, and numbers before a unit of time or size need no sign: an id on the page stands for the one that the
run draws, the same one from then on, in what is typed too. `make pages PAGE=docs/some.md` proves one page; with
REWRITE=1 it writes what was said into the page: read it before you commit.

Each page has a fresh copy of the repository, on the ports of a class, and is typed from top to bottom. What only looks
(`curl` without data, `make status`, `minibus state` …) is looked at again until it is as shown, as readers are slower
than a test.
"""
