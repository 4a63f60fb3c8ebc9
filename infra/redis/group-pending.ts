import { silentLog } from "#runtime";
import { within } from "../base/deadline.ts";
import type { ClientTls } from "../base/tls.ts";
import { newClient, type RedisClient } from "./client.ts";

const WITHIN_MS = 3_000;

/** Reads how much work consumer groups have, over one connection that is opened when it is first needed, and again after it broke. */
export class GroupReadings {
  readonly #url: string;
  readonly #tls: ClientTls | undefined;
  #client: Promise<RedisClient> | undefined;

  constructor(url: string, tls?: ClientTls) {
    this.#url = url;
    this.#tls = tls;
  }

  /**
   * Entries of a stream that a group has not acknowledged: those it was given, and those to come (as far as the server
   * knows how many they are).
   * @throws when there is no such stream or group, or the server does not answer within 3 s.
   */
  async pending(stream: string, group: string): Promise<number> {
    const client = await this.#connected();
    const late = (): Error => new Error(`Redis did not answer within ${WITHIN_MS} ms`);
    const groups = await within(WITHIN_MS, client.xInfoGroups(stream), late);
    const found = groups.find(({ name }) => String(name) === group);
    if (!found) throw new Error(`The stream ${stream} has no group ${group}`);
    return Number(found.pending) + Number(found.lag ?? 0);
  }

  close(): void {
    void this.#client?.then((client) => client.destroy()).catch(() => undefined);
    this.#client = undefined;
  }

  async #connected(): Promise<RedisClient> {
    const client = await this.#client?.catch(() => undefined);
    if (client?.isReady) return client;
    this.#client = this.#connect();
    return await this.#client;
  }

  async #connect(): Promise<RedisClient> {
    const client = newClient({ url: this.#url, tls: this.#tls, log: silentLog, connectTimeoutMs: WITHIN_MS });
    await client.connect();
    return client;
  }
}
