import type { Troupe } from "#runtime";

/**
 * A troupe that may come later: each use asks `find` for the one that runs, which throws while there is none. Refs are
 * found when they are made, so make them per request.
 */
export function lateTroupe(find: () => Troupe): Troupe {
  return {
    get nodeId() {
      return find().nodeId;
    },
    ref: (type, key) => find().ref(type, key),
    call: (type, key, message, input, options) => find().call(type, key, message, input, options),
    list: (type, page) => find().list(type, page),
    status: () => find().status(),
    stop: (timeoutMs) => find().stop(timeoutMs),
    [Symbol.asyncDispose]: () => find()[Symbol.asyncDispose](),
  };
}
