/**
 * The same value, but every try to change it throws a `TypeError` saying `why`. Nested objects are wrapped when they are
 * read. For states: plain objects and arrays, as JSON has them.
 */
export function readOnly(value: unknown, why: () => string): unknown {
  return typeof value === "object" && value !== null ? new Proxy(value, new ReadOnly(why)) : value;
}

/** The traps stand in a class, as every query makes a view: a function for each of them would cost more than most queries. */
class ReadOnly implements ProxyHandler<object> {
  readonly #why: () => string;
  /** The views of nested objects: one that is read twice is the same. */
  #views: WeakMap<object, object> | undefined;

  constructor(why: () => string) {
    this.#why = why;
  }

  get(target: object, property: string | symbol): unknown {
    const found: unknown = Reflect.get(target, property);
    return typeof found === "object" && found !== null ? this.#viewOf(found) : found;
  }

  set(): never {
    return this.#refuse();
  }

  deleteProperty(): never {
    return this.#refuse();
  }

  defineProperty(): never {
    return this.#refuse();
  }

  setPrototypeOf(): never {
    return this.#refuse();
  }

  #viewOf(target: object): object {
    const views = (this.#views ??= new WeakMap());
    let view = views.get(target);
    if (view === undefined) views.set(target, (view = new Proxy(target, this)));
    return view;
  }

  #refuse(): never {
    throw new TypeError(this.#why());
  }
}
