// A part that is fetched when it is first needed, since the first page should be there soon.

import { h, useEffect, useState } from "./ui.js";

// `load` is an async function that returns the component; it must always be the same one.
export function Lazy({ load, ...given }) {
  const [part, setPart] = useState(null);
  useEffect(() => void load().then((found) => setPart(() => found)), [load]);
  return part && h(part, given);
}
