// Which metrics the experiments in charts have, as they go on.

import { useLayoutEffect, useMemo, useState } from "./ui.js";
import { askMetrics, loggedMetrics, metricsOf } from "../core/metrics.js";
import { model } from "../core/model.js";

export function useMetrics(table, ids) {
  const key = ids.join();
  const asked = useMemo(() => loggedMetrics(ids), [key]); // on its way before anything is drawn: no curve can be asked for before
  const [others, setOthers] = useState(asked.names ? { key, names: asked.names } : { key: null, names: [] });
  useLayoutEffect(() => {
    let isOver = false;
    const take = async (answer) => {
      const names = await answer.catch(() => []); // what cannot be asked is shown where a chart asks for it
      if (!isOver) setOthers((before) => joined(before, key, names));
    };
    take(asked.answer);
    let { revision } = model.get();
    const end = model.subscribe((state) => {
      const changed = state.revision === revision ? [] : ids.filter((id) => state.changed.includes(id));
      revision = state.revision;
      if (changed.length) take(askMetrics(changed));
    });
    return () => {
      isOver = true;
      end();
    };
  }, [key]);
  return { metrics: useMemo(() => metricsOf(table, ids, others.names), [table, key, others]), isAsking: others.key !== key };
}

function joined(before, key, names) {
  if (before.key !== key) return { key, names };
  const added = names.filter((name) => !before.names.includes(name));
  return added.length ? { key, names: [...before.names, ...added] } : before;
}
