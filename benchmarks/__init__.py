"""Benchmarks: what Keepsake costs and what it saves, measured against targets.

`python -m benchmarks` runs all groups, prints a table and writes JSON. How it is measured:

- Times of files are ratios to `cp --reflink=never` of the same file to a new name on the same disk, in alternating
  pairs, the page cache warm and no fsync on either side. What is shown is the quotient of the two medians. Before each
  run the last one's files are deleted and all that is dirty is written out, so that both begin alike; a pair during
  which other programs took a noticeable part of the processors is measured again (`timing`).
- Sizes are lengths of all files of the repository, journals and manifests included, after `keepsake.wait()` or
  `stop()`, as parts of the bytes that were saved.
- Counts of requests are counted, with a store that records them.
- Models are trained for real, on the source code of Python's standard library (`transformer`).

A module a group, each with `measure(scale, directory)`; `--quick` runs the same code on little data.
"""
