// Tells when the server was heard again, to those whose question it has not answered.

import { model } from "./model.js";

// Calls `again` whenever the server was heard while `findError()` says that it did not answer. Returns a function that ends this.
export function whenHeard(findError, again) {
  let { updated } = model.get();
  return model.subscribe((state) => {
    if (state.updated === updated) return;
    updated = state.updated;
    const error = findError();
    if (error && !error.status) again();
  });
}
