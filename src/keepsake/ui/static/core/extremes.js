// The least and greatest values of metrics. They are no part of the table, since they take all that was measured to be read:
// they are asked for when somebody looks at them, those that stand first at first, and put into the table as they come.

import { getJson, isStatic } from "./api.js";
import { current } from "./address.js";
import { isExtreme } from "./columns.js";
import { model, orderPlaces } from "./model.js";
import { isApart } from "./table.js";

const BATCH = 200;
const known = new Set();
const stale = new Set(); // have changed since they were asked for
let isAsking = false;

// Asks for what is not known yet; `changed` are ids that have new values. Calls `tell` with how far it is, as a text.
export async function fillExtremes(changed, tell) {
  for (const id of changed) stale.add(id);
  if (isAsking) return;
  isAsking = true;
  try {
    for (let ids = missing(); ids.length && isExtreme(current.get().query.at); ids = missing()) {
      const { size } = model.get().table;
      if (ids.length > BATCH) tell(`${(size - ids.length).toLocaleString("en")} of ${size.toLocaleString("en")} read`);
      await ask(isStatic ? ids : ids.slice(0, BATCH));
    }
    const { table, matches } = model.get();
    model.set({ order: orderPlaces(table, matches) });
    tell("");
  } catch (error) {
    tell(`cannot be read: ${error.message}`);
  } finally {
    isAsking = false;
  }
}

async function ask(ids) {
  for (const id of ids) stale.delete(id);
  const answer = await getJson("extremes", isStatic ? {} : { ids: ids.join(",") });
  for (const id of ids) known.add(id);
  model.set({ table: model.get().table.withApart(answer) });
}

// Ids in the order in which they are shown, then the others.
function missing() {
  const { table, order } = model.get();
  if (!table.columns.some(isApart)) known.clear(); // it has been fetched anew
  if (!table.columns.some(({ group }) => group === "best.metrics" || group === "latest.metrics")) return [];
  return [...new Set([...order, ...table.ids.keys()])].map((place) => table.ids[place]).filter((id) => !known.has(id) || stale.has(id));
}
