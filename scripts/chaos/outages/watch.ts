import { BROKERS } from "#infra/base/brokers.ts";
import { pause } from "#infra/base/pause.ts";
import { POSTED_TYPE } from "./events.ts";
import type { Letter, Sighting } from "./history.ts";

const EVERY_MS = 400;
const ASK_WITHIN_MS = 10_000;
const PENDING = /^troupe_outbox_pending\{[^}]*sink="([^"]+)"[^}]*\} (\d+(?:\.\d+)?)/gm;

/** Looks at `/ready` until `over`, and keeps what it said. */
export async function watchReady(address: string, into: Sighting[], over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const at = Date.now();
    const answer = await fetch(`${address}/ready`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) })
      .then(async (response) => ({
        status: response.status,
        body: (await response.json()) as { components?: readonly { name: string; status: string }[] },
      }))
      .catch(() => undefined);
    const down = (answer?.body.components ?? []).filter(({ status }) => status === "down").map(({ name }) => name);
    into.push({ at, status: answer?.status ?? 0, down });
    await pause(EVERY_MS, over);
  }
}

/** How many records wait for each sink, by the app's metrics; `undefined` when it does not answer. */
export async function pendingOf(address: string): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const response = await fetch(`${address}/metrics`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) });
    if (!response.ok) return undefined;
    const text = await response.text();
    return new Map([...text.matchAll(PENDING)].map(([, sink, count]) => [sink ?? "", Number(count)]));
  } catch {
    return undefined;
  }
}

/** The dead letters about posted events. */
export async function readLetters(address: string): Promise<Letter[]> {
  const letters: Letter[] = [];
  const get = async (path: string): Promise<unknown> => (await fetch(address + path)).json();
  for (let cursor: string | null = ""; cursor !== null;) {
    const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await get(`/dead-letters?limit=200${query}`)) as {
      readonly items: readonly { readonly id: string; readonly reason: string; readonly target: string }[];
      readonly next: string | null;
    };
    for (const { id, reason, target } of page.items) {
      const broker = BROKERS.find((one) => target === one || target === `routed-${one}`);
      const whole = (await get(`/dead-letters/${encodeURIComponent(id)}`)) as { readonly record: { body: string } };
      const { event } = JSON.parse(whole.record.body) as {
        event?: { readonly type: string; readonly data: { readonly key: string; readonly n: number } };
      };
      if (broker === undefined || event?.type !== POSTED_TYPE) continue;
      letters.push({ stream: "events", key: event.data.key, n: event.data.n, broker, reason });
    }
    cursor = page.next;
  }
  return letters;
}
