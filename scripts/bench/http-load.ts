import { CpuMeter } from "./cpu.ts";
import { HttpConnection } from "./http-client.ts";
import { load, type Measured, rssOf } from "./measure.ts";
import { progress } from "./progress.ts";

/** What a load is driven against. */
export interface LoadTarget {
  /** Named in the line that tells who used the processors. */
  readonly label: string;
  /** `http://host:port`. */
  readonly address: string;
  /** The process that answers. */
  readonly pid: number;
  /** The one its Postgres runs in. */
  readonly postmaster?: number | undefined;
}

/** The `nth` request of a caller, counted from 0. */
export type RequestOf = (caller: number, nth: number) => Uint8Array;

/** What a load reached. */
export interface HttpMeasured extends Measured {
  /** What the answers of kind 2xx say was done, those of the warm-up included. */
  readonly done: number;
}

/** How much of a request was done, by the body of its answer. */
export type DoneIn = (body: string) => number;

/**
 * The same load for every server: one connection per caller, each with one request under way. Tells on standard error how
 * much of a processor each side used, the generator included: it shares the machine with what it measures.
 */
export async function driveHttp(
  { label, address, pid, postmaster }: LoadTarget,
  callers: number,
  requestOf: RequestOf,
  { seconds = 5, doneIn = () => 1 }: { readonly seconds?: number; readonly doneIn?: DoneIn } = {},
): Promise<HttpMeasured> {
  const connections = await Promise.all(Array.from({ length: callers }, () => HttpConnection.open(address)));
  const sent = connections.map(() => 0);
  try {
    const meter = new CpuMeter({ server: pid, ...(postmaster !== undefined && { Postgres: postmaster }) });
    let done = 0;
    const send = async (caller: number): Promise<void> => {
      const body = await connections[caller]!.send(requestOf(caller, sent[caller]!++));
      done += doneIn(body);
    };
    const measured = await load(callers, send, { seconds });
    const answered = sent.reduce((sum, count) => sum + count, 0);
    progress(`${label}, ${callers} callers, of one processor: ${meter.used(answered)}`);
    return { ...measured, rssMb: rssOf(pid), done };
  } finally {
    for (const connection of connections) connection.close();
  }
}
