// Which metrics the experiments in charts have, as they go on.

import { useLayoutEffect, useMemo, useState } from "./ui.js";
import { whenHeard } from "../core/heard.js";
import { askMetrics, loggedMetrics, metricsOf } from "../core/metrics.js";
import { model } from "../core/model.js";

// Returns {metrics, isAsking, error}: those that the table knows are there when what else was logged could not be asked.
export function useMetrics(table, ids) {
  const key = ids.join();
  const asked = useMemo(() => loggedMetrics(ids), [key]); // on its way before anything is drawn: no curve can be asked for before
  const [others, setOthers] = useState({ key: asked.names ? key : null, names: asked.names ?? [], error: null });
  useLayoutEffect(() => {
    let isOver = false;
    let failure = null;
    const take = async (answer) => {
      const [names, error] = await answer.then((found) => [found, null], (problem) => [[], problem]);
      if (isOver) return;
      failure = error;
      setOthers((before) => joined(before, key, names, error));
    };
    take(asked.answer);
    const endWaiting = whenHeard(() => failure, () => take(loggedMetrics(ids).answer));
    let { revision } = model.get();
    const end = model.subscribe((state) => {
      const changed = state.revision === revision ? [] : ids.filter((id) => state.changed.includes(id));
      revision = state.revision;
      if (changed.length) take(failure ? loggedMetrics(ids).answer : askMetrics(changed));
    });
    return () => {
      isOver = true;
      end();
      endWaiting();
    };
  }, [key]);
  return { metrics: useMemo(() => metricsOf(table, ids, others.names), [table, key, others]), isAsking: others.key !== key, error: others.key === key ? others.error : null };
}

function joined(before, key, names, error) {
  if (before.key !== key) return { key, names, error };
  const added = names.filter((name) => !before.names.includes(name));
  return added.length || before.error !== error ? { key, names: [...before.names, ...added], error } : before;
}
