// A value that changes, and those who want to know. Framework-free, so that it can be tested by itself.

export class Store {
  #value;
  #listeners = new Set();

  constructor(value) {
    this.#value = value;
  }

  get() {
    return this.#value;
  }

  // Replaces some fields; listeners hear of it only when one of them is another than before.
  set(changes) {
    if (Object.keys(changes).every((name) => Object.is(changes[name], this.#value[name]))) return;
    this.#value = { ...this.#value, ...changes };
    for (const listener of [...this.#listeners]) listener(this.#value);
  }

  // Calls the listener at each change; returns a function that ends this.
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
