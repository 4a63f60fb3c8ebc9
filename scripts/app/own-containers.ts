import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";

/** The containers of several hosts as one: lines by their time, and with `follow` as they come. */
export function joined(hosts: readonly OwnContainers[]): OwnContainers {
  const [only] = hosts;
  if (only !== undefined && hosts.length === 1) return only;
  return {
    async *logs(service, request) {
      const sources = hosts.map((host) => host.logs(service, request));
      if (request.follow) return yield* asTheyCome(sources);
      const lines = (await Promise.all(sources.map((source) => Array.fromAsync(source)))).flat();
      yield* lines.sort((a, b) => a.at.localeCompare(b.at));
    },
    stats: async (service) => (await Promise.all(hosts.map((host) => host.stats(service)))).flat(),
  };
}

/** What several sources give, each as soon as it is there. All of them are ended with this one. */
async function* asTheyCome<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const open = new Map<
    AsyncIterator<T>,
    Promise<{ readonly from: AsyncIterator<T>; readonly got: IteratorResult<T> }>
  >();
  const ask = (from: AsyncIterator<T>): void =>
    void open.set(
      from,
      from.next().then((got) => ({ from, got })),
    );
  for (const source of sources) ask(source[Symbol.asyncIterator]());
  try {
    while (open.size > 0) {
      const { from, got } = await Promise.race(open.values());
      if (got.done === true) open.delete(from);
      else {
        yield got.value;
        ask(from);
      }
    }
  } finally {
    await Promise.allSettled([...open.keys()].map(async (from) => await from.return?.()));
  }
}
