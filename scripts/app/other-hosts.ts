/**
 * What is to be seen of containers on hosts that other processes drive, over NATS.
 *
 * O1 A host that does not answer is left out: the others are shown.
 * O2 A log is read page by page from about the time of the last line that was had; what was had already is known by its time, its
 *    container and its text, and does not come twice.
 */
import * as v from "valibot";
import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import { type LogRequest, ReplicaStats, ServiceLine } from "#actors/orchestrator/http/seeing.ts";
import { pause } from "#infra/base/pause.ts";
import type { NatsLink } from "#infra/nats/connection.ts";
import { askFor, serveRequests } from "#infra/nats/requests.ts";
import type { Log } from "#runtime";
import { joined } from "./own-containers.ts";

const ANSWERS_WITHIN_MS = 3_000;
/** How late a line may be that is followed. */
const FOLLOW_EVERY_MS = 500;
/** Characters of lines in one answer; a message of NATS may be twice as long. */
const PAGE_LENGTH = 400_000;
const AGAIN_MS = 2_000;
/** Of several containers one may be heard so much later than the others. */
const OVERLAP_MS = 2_000;

const Question = v.variant("about", [
  v.strictObject({ about: v.literal("stats"), service: v.string() }),
  v.strictObject({ about: v.literal("logs"), service: v.string(), since: v.optional(v.string()) }),
]);
type Question = v.InferOutput<typeof Question>;
const Page = v.object({ lines: v.array(ServiceLine), more: v.boolean() });

/** Where the process that drives a host is asked. A host's name may hold dots, a token of a subject may not. */
function subjectOf(prefix: string, host: string): string {
  return `${prefix}troupe.host.${Buffer.from(host).toString("hex")}`;
}

/** What {@link serveContainers} is given. */
export interface ServedContainers {
  readonly nats: NatsLink;
  /** Of the cluster's own subjects. */
  readonly prefix: string;
  readonly host: string;
  readonly containers: OwnContainers;
  readonly log: Log;
}

/** Lets other processes see the containers of a host of this one, until `signal` is aborted; tried again while NATS is away. */
export async function serveContainers(served: ServedContainers, signal: AbortSignal): Promise<void> {
  const { nats, prefix, host, containers, log } = served;
  const answer = async (body: unknown): Promise<unknown> => {
    const asked = v.parse(Question, body);
    if (asked.about === "stats") return await containers.stats(asked.service);
    return await pageOf(containers, asked);
  };
  while (!signal.aborted) {
    const end = await serveRequests({ link: nats, subject: subjectOf(prefix, host), answer, log }).catch(
      () => undefined,
    );
    if (end === undefined) await pause(AGAIN_MS, signal);
    else {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await end();
    }
  }
}

async function pageOf(
  containers: OwnContainers,
  { service, since }: Extract<Question, { about: "logs" }>,
): Promise<v.InferOutput<typeof Page>> {
  const stop = new AbortController();
  const lines: ServiceLine[] = [];
  let length = 0;
  const request = { follow: false, signal: stop.signal, ...(since === undefined ? {} : { since }) };
  for await (const line of containers.logs(service, request)) {
    if (length > PAGE_LENGTH) {
      stop.abort();
      return { lines, more: true };
    }
    lines.push(line);
    length += line.text.length + 200;
  }
  return { lines, more: false };
}

/** What {@link containersElsewhere} is given. */
export interface ElsewhereOptions {
  readonly nats: NatsLink;
  readonly prefix: string;
  /** The hosts that other processes drive. */
  readonly hosts: () => Promise<readonly string[]>;
}

/** The containers of all hosts that other processes drive. */
export function containersElsewhere({ nats, prefix, hosts }: ElsewhereOptions): OwnContainers {
  const all = async (): Promise<OwnContainers> =>
    joined((await hosts().catch(() => [])).map((host) => containersOf(nats, subjectOf(prefix, host))));
  return {
    async *logs(service, request) {
      yield* (await all()).logs(service, request);
    },
    stats: async (service) => await (await all()).stats(service),
  };
}

function containersOf(nats: NatsLink, subject: string): OwnContainers {
  const ask = (question: Question): Promise<unknown> => askFor(nats, subject, question, ANSWERS_WITHIN_MS);
  return {
    logs: (service, request) => linesOf((since) => ask({ about: "logs", service, ...(since && { since }) }), request),
    async stats(service) {
      const answer = await ask({ about: "stats", service }).catch(() => []); // OtherHosts.O1
      return v.parse(v.array(ReplicaStats), answer);
    },
  };
}

/** OtherHosts.O2 */
async function* linesOf(
  page: (since: string | undefined) => Promise<unknown>,
  { since, follow, signal }: LogRequest,
): AsyncGenerator<ServiceLine> {
  let from = since;
  const seen = new Map<string, number>();
  while (!signal.aborted) {
    const answer = await page(from).catch(() => undefined); // OtherHosts.O1
    const { lines, more } = answer === undefined ? { lines: [], more: false } : v.parse(Page, answer);
    const fresh = lines.filter((line) => !seen.has(keyOf(line)));
    yield* fresh;
    for (const line of fresh) seen.set(keyOf(line), Date.parse(line.at));
    const last = Date.parse(lines.at(-1)?.at ?? "");
    if (more && fresh.length > 0) {
      from = new Date(last).toISOString();
      continue;
    }
    if (!follow) return;
    if (!Number.isNaN(last)) from = new Date(last - OVERLAP_MS).toISOString();
    for (const [key, at] of seen) if (at < last - OVERLAP_MS) seen.delete(key);
    await pause(FOLLOW_EVERY_MS, signal);
  }
}

function keyOf({ at, containerId, stream, text }: ServiceLine): string {
  return `${at} ${containerId} ${stream} ${text}`;
}
