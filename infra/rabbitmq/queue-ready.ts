import { within } from "../base/deadline.ts";
import type { ClientTls } from "../base/tls.ts";
import { type Client, newClient } from "./client.ts";

const WITHIN_MS = 3_000;

/** Reads how many messages wait in queues, over one connection that is opened when it is first needed, and again after it broke. */
export class QueueReadings {
  readonly #url: string;
  readonly #tls: ClientTls | undefined;
  #client: Promise<Client> | undefined;

  constructor(url: string, tls?: ClientTls) {
    this.#url = url;
    this.#tls = tls;
  }

  /**
   * Messages of a queue that are ready: not delivered to anybody yet. The queue is not made where it is not there.
   * @throws when there is no such queue, or the server does not answer within 3 s.
   */
  async ready(queue: string): Promise<number> {
    const client = await this.#connected();
    try {
      return await within(WITHIN_MS, readyIn(client, queue), late);
    } catch (error) {
      if (client.closed) this.#client = undefined;
      throw error;
    }
  }

  close(): void {
    void this.#client?.then((client) => client.close()).catch(() => undefined);
    this.#client = undefined;
  }

  async #connected(): Promise<Client> {
    this.#client ??= this.#connect();
    try {
      const client = await this.#client;
      if (!client.closed) return client;
      this.#client = this.#connect();
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  async #connect(): Promise<Client> {
    const client = newClient(this.#url, this.#tls);
    try {
      await within(WITHIN_MS, client.connect(), late);
      return client;
    } catch (error) {
      client.socket?.destroy();
      throw error;
    }
  }
}

/** On a channel of its own: the server closes the channel that asked for a queue which is not there. */
async function readyIn(client: Client, queue: string): Promise<number> {
  const channel = await client.channel();
  const { messageCount } = await channel.queueDeclare(queue, { passive: true });
  await channel.close();
  return messageCount;
}

const late = (): Error => new Error(`RabbitMQ did not answer within ${WITHIN_MS} ms`);
