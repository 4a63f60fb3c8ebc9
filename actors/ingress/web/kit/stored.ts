import { useSyncExternalStore } from "react";

/** A value that outlives the page: kept by the browser under a name, shared by all components, and by all tabs. */
interface Stored<T> {
  get(): T;
  set(change: (value: T) => T): void;
}

/** @param read of what is kept; what it gives for `undefined` or nonsense is the value at first. */
export function stored<T>(name: string, read: (kept: unknown) => T): Stored<T> & { use(): T } {
  const listeners = new Set<() => void>();
  const load = (): T => {
    try {
      return read(JSON.parse(localStorage.getItem(name) ?? "null"));
    } catch {
      return read(undefined);
    }
  };
  let value = load();
  addEventListener("storage", (event) => {
    if (!(event instanceof StorageEvent) || event.key !== name) return;
    value = load();
    for (const heard of listeners) heard();
  });
  const get = (): T => value;
  const subscribe = (heard: () => void): (() => void) => {
    listeners.add(heard);
    return () => listeners.delete(heard);
  };
  return {
    get,
    set(change) {
      value = change(value);
      localStorage.setItem(name, JSON.stringify(value));
      for (const heard of listeners) heard();
    },
    use: () => useSyncExternalStore(subscribe, get),
  };
}
