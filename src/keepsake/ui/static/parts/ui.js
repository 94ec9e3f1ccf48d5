// What every component needs: Preact with templates, and a store as a hook.

import { Component, Fragment, h, render } from "../vendor/preact.js";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);
export { Component, Fragment, h, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };

// Returns what `pick` takes from a store, and shows the component again when that has changed.
export function useStore(store, pick = (value) => value) {
  const [, redraw] = useState(0);
  const picked = pick(store.get());
  const last = useRef(picked);
  last.current = picked;
  useEffect(() => {
    const check = () => Object.is(pick(store.get()), last.current) || redraw((count) => count + 1);
    check(); // it may have changed between drawing and this
    return store.subscribe(check);
  }, [store]);
  return picked;
}

// Runs an asynchronous function when `inputs` change. Returns {value, error, isLoading}; the last value stays until the
// next one is there. `load` gets an AbortSignal.
export function useLoaded(load, inputs) {
  const [state, setState] = useState({ value: null, error: null, isLoading: true });
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    load(abort.signal).then(
      (value) => abort.signal.aborted || setState({ value, error: null, isLoading: false }),
      (error) => abort.signal.aborted || setState({ value: null, error, isLoading: false }),
    );
    return () => abort.abort();
  }, inputs);
  return state;
}
