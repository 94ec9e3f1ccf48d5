"""Scales: how much work a run of the benchmarks does."""

from __future__ import annotations

from dataclasses import dataclass

MB = 10**6


@dataclass(frozen=True)
class Scale:
    """Sizes and counts of one run."""

    pairs: int
    """How many alternating pairs a time is the median of."""
    patience_s: float
    """How long the pairs of one figure may take until the machine is quiet."""
    big_file_bytes: int
    """Length of the file that is captured, checked out and read."""
    memory_file_bytes: int
    """Length of the file during whose capture memory is measured."""
    metrics_checkpoints: int
    metrics_runs: int
    """How many times the checkpoints without files are measured."""
    tree_files: int
    """How many files the tree of code has."""
    import_pairs: int
    model_width: int
    model_layers: int
    training_batch: int
    """How many texts each step of training learns from."""
    steps_between_checkpoints: int
    comparison_rounds: int
    """How often every program saves every series."""
    comparison_calls: int
    """How many calls with metrics each program gets in a round."""
    step_windows: int
    """How many stretches of training are timed with the courier at work, and as many without."""
    step_window_s: float
    settle_runs: int
    collect_chunks: int
    """How many chunks the repository has that is collected."""
    collect_runs: int
    listing_experiments: tuple[int, ...]
    """How many experiments the repositories have that are listed."""
    listing_long: tuple[int, int]
    """How many experiments, and of how many checkpoints each, the one with long experiments has."""
    page_experiments: int
    """How many experiments the table of the page shows."""
    page_curves: int
    """How many experiments have curves that the page draws."""
    page_points: int
    """How many points each of those curves has."""
    page_many_points: int
    """How many points all curves of a chart have together, in the chart with many."""
    page_runs: int
    """How often a page is opened."""
    page_numbers: int
    """How many numbers are typed into the page's filter."""
    page_frames: int
    """How many frames the table of the page is scrolled for."""
    page_peer_experiments: int
    """How many experiments the tables of other programs' pages show, and ours beside them."""
    free_bytes: int
    """How much room the disk must have."""


FULL = Scale(
    pairs=11,
    patience_s=120.0,
    big_file_bytes=500 * MB,
    memory_file_bytes=4000 * MB,
    metrics_checkpoints=10_000,
    metrics_runs=5,
    tree_files=2_000,
    import_pairs=21,
    model_width=256,
    model_layers=4,
    training_batch=8,
    steps_between_checkpoints=10,
    comparison_rounds=3,
    comparison_calls=200,
    step_windows=6,
    step_window_s=10.0,
    settle_runs=7,
    collect_chunks=100_000,
    collect_runs=3,
    listing_experiments=(100, 1_000, 10_000, 100_000),
    listing_long=(1_000, 1_000),
    page_experiments=10_000,
    page_curves=50,
    page_points=2_000,
    page_many_points=1_000_000,
    page_runs=5,
    page_numbers=4,
    page_frames=180,
    page_peer_experiments=200,
    free_bytes=12_000 * MB,
)

QUICK = Scale(
    pairs=3,
    patience_s=0.0,
    big_file_bytes=20 * MB,
    memory_file_bytes=60 * MB,
    metrics_checkpoints=400,
    metrics_runs=1,
    tree_files=200,
    import_pairs=3,
    model_width=128,
    model_layers=2,
    training_batch=2,
    steps_between_checkpoints=2,
    comparison_rounds=1,
    comparison_calls=20,
    step_windows=1,
    step_window_s=1.0,
    settle_runs=2,
    collect_chunks=1_000,
    collect_runs=1,
    listing_experiments=(100, 1_000),
    listing_long=(20, 50),
    page_experiments=300,
    page_curves=5,
    page_points=40,
    page_many_points=1_000,
    page_runs=1,
    page_numbers=1,
    page_frames=20,
    page_peer_experiments=20,
    free_bytes=1_000 * MB,
)
