// The curves of one experiment: the charts of the page of charts, for it alone.

import { html, useMemo, useState, useStore } from "./ui.js";
import { current, href, sharedAddress } from "../core/address.js";
import { readSettings } from "../core/chartsettings.js";
import { model } from "../core/model.js";
import { ChartBar } from "./chartbar.js";
import { ChartGrid, useChartKeys, useShared } from "./chartgrid.js";
import { useMetrics } from "./chartmetrics.js";
import { Empty, Failure } from "./message.js";

export function ChartsTab({ experiment }) {
  const ids = useMemo(() => [experiment.id.slice(0, 12)], [experiment.id]);
  return html`<${ChartsOf} ids=${ids} link=${href({ ...sharedAddress("charts"), query: { sel: experiment.id.slice(0, 8) } })} />`;
}

// Charts of some experiments, below another heading; `link` leads to the page of charts.
export function ChartsOf({ ids, link }) {
  const query = useStore(current, (address) => address.query);
  const table = useStore(model, (state) => state.table);
  const known = useMemo(() => ids.map((id) => table.ids[table.find(id)] ?? id), [table.ids, ids.join()]);
  const { metrics, isAsking, error } = useMetrics(table, known);
  const [spoken, speak] = useState("");
  const shared = useShared(table, known, "", speak);
  const settings = useMemo(() => ({ ...readSettings(query), chosen: [], hidden: [] }), [query]);
  useChartKeys();
  if (!metrics.length && error) return html`<${Failure} error=${error} />`;
  if (!metrics.length && !isAsking) return html`<${Empty} title="Nothing was measured yet."><p class="hint"><code>experiment.log(step=…, loss=…)</code> draws curves here.</p><//>`;
  return html`<div class="charts-main"><div class="toolbar"><${ChartBar} settings=${settings} metrics=${metrics} group="" /><a class="small-link" href=${link}>Open in Charts</a></div>
    <${ChartGrid} metrics=${metrics} shared=${shared} settings=${settings} /><p class="hidden-text" role="status">${spoken}</p></div>`;
}
