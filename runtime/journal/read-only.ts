/**
 * The same value, but every try to change it throws a `TypeError` saying `why`. Nested objects are wrapped when they are
 * read. For states: plain objects and arrays, as JSON has them.
 */
export function readOnly(value: unknown, why: () => string): unknown {
  if (typeof value !== "object" || value === null) return value;
  const refuse = (): never => {
    throw new TypeError(why());
  };
  const wrapped = new WeakMap<object, object>();
  const wrap = (target: object): object => {
    let view = wrapped.get(target);
    if (view === undefined) {
      view = new Proxy(target, handler);
      wrapped.set(target, view);
    }
    return view;
  };
  const handler: ProxyHandler<object> = {
    get(target, property) {
      const found: unknown = Reflect.get(target, property);
      return typeof found === "object" && found !== null ? wrap(found) : found;
    },
    set: refuse,
    deleteProperty: refuse,
    defineProperty: refuse,
    setPrototypeOf: refuse,
  };
  return wrap(value);
}
