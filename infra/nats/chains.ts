/**
 * Runs `work` for every item with up to `window` at a time, but never two of one chain: the next item of a chain
 * starts when the one before has resolved. So a chain keeps its order even when one item fails on the way, which a
 * plain window does not give: there the items behind the failed one are already under way.
 *
 * Results stand in the order of the items. After a failure nothing new is started, and the first error is thrown when
 * all that was under way has ended.
 */
export async function runInChains<T, R>(
  items: readonly T[],
  chainOf: (item: T) => string,
  window: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const chains = new Map<string, number[]>();
  items.forEach((item, index) => {
    const chain = chains.get(chainOf(item));
    if (chain === undefined) chains.set(chainOf(item), [index]);
    else chain.push(index);
  });
  const results = new Array<R>(items.length);
  const waiting = chains.values();
  const errors: unknown[] = [];

  const worker = async (): Promise<void> => {
    for (const chain of waiting) {
      for (const index of chain) {
        if (errors.length > 0) return;
        try {
          results[index] = await work(items[index] as T);
        } catch (error) {
          errors.push(error);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, chains.size) }, worker));
  if (errors.length > 0) throw errors[0];
  return results;
}
