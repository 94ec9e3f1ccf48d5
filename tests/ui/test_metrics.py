from __future__ import annotations

import keepsake
from tests.ui.serving import Asker


class TestMetrics:
    def test_what_was_only_logged_is_among_the_metrics(self, asker: Asker, trained: list[keepsake.Experiment]) -> None:
        ids = ",".join(experiment.id for experiment in trained)
        expected = [{"name": "loss", "experiments": 2}, {"name": "train_loss", "experiments": 2}]
        assert asker.json("/metrics", ids=ids) == {"metrics": expected}

    def test_nothing_is_known_of_no_experiments(self, asker: Asker) -> None:
        assert asker.json("/metrics") == {"metrics": []}
