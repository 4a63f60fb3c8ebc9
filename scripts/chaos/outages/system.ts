import { BROKERS } from "#infra/base/brokers.ts";
import { Ports } from "#infra/stack/ports.ts";
import { withConnection } from "#infra/stack/postgres.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import { AppProcess } from "../../e2e/app-process.ts";
import { ROUTE } from "./events.ts";
import { type Server } from "./history.ts";
import { skuOf } from "./lines.ts";

const SERVERS: readonly Server[] = ["postgres", ...BROKERS];
const UNCAUGHT = /"app:(?:rejection|exception)"/;

/** Servers of one run's own, and the app on them: all of it may be killed, and comes back at the same address. */
export class OwnSystem implements AsyncDisposable {
  readonly #servers: Readonly<Record<Server, OwnBroker>>;
  readonly #ports: Ports;
  readonly #port: number;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #onLine: (line: string) => void;
  #app: AppProcess | undefined;
  /** Lines of the app about errors that nobody caught. */
  readonly uncaught: string[] = [];

  private constructor(
    servers: Readonly<Record<Server, OwnBroker>>,
    ports: Ports,
    port: number,
    environment: Readonly<Record<string, string>>,
    onLine: (line: string) => void,
  ) {
    this.#servers = servers;
    this.#ports = ports;
    this.#port = port;
    this.#environment = environment;
    this.#onLine = onLine;
  }

  /**
   * Starts the servers side by side; the app is started by {@link startApp}.
   * @param onLine is told every line of the app's log.
   */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    onLine: (line: string) => void = () => undefined,
  ): Promise<OwnSystem> {
    const started = await Promise.allSettled(SERVERS.map((name) => OwnBroker.start(name)));
    const servers = Object.fromEntries(
      started.flatMap((one, i) => (one.status === "fulfilled" ? [[SERVERS[i], one.value]] : [])),
    ) as Record<Server, OwnBroker>;
    const failed = started.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      await Promise.allSettled(Object.values(servers).map((server) => server[Symbol.asyncDispose]()));
      throw failed.reason;
    }
    const ports = new Ports(false);
    return new OwnSystem(servers, ports, await ports.pick(3_000), environment, onLine);
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get app(): AppProcess {
    if (this.#app === undefined) throw new Error("The app has not been started");
    return this.#app;
  }

  server(name: Server): OwnBroker {
    return this.#servers[name];
  }

  /** What a process of the app is started with. */
  get environment(): Readonly<Record<string, string>> {
    const { postgres, nats, kafka, rabbitmq, redis } = this.#servers;
    return {
      PORT: String(this.#port),
      DATABASE_URL: postgres.address,
      NATS_URL: nats.address,
      KAFKA_BROKERS: kafka.address,
      RABBITMQ_URL: rabbitmq.address,
      REDIS_URL: redis.address,
      TROUPE_ROLES: "ingress,actors",
      TROUPE_SEED: "off",
      // A running stack beside this one is none of its business: only what is named here is used.
      TROUPE_DATA: `/nonexistent/${crypto.randomUUID()}`,
      ...this.#environment,
    };
  }

  /** Starts the app process. It need not be ready yet. */
  startApp(environment: Readonly<Record<string, string>> = {}): AppProcess {
    this.#app = new AppProcess({ ...this.environment, ...environment }, (line) => {
      this.#onLine(line);
      if (UNCAUGHT.test(line)) this.uncaught.push(line.slice(0, 500));
    });
    return this.#app;
  }

  /** Puts the route in place that takes every event to all brokers, and makes the products. */
  async setUp(products: number): Promise<void> {
    const json = { "content-type": "application/json" };
    const put = async (path: string, body: unknown): Promise<void> => {
      const { status, body: said } = await this.app.send("PUT", path, JSON.stringify(body), json);
      if (status >= 300) throw new Error(`PUT ${path} was answered ${status}: ${JSON.stringify(said)}`);
    };
    for (let i = 0; i < products; i++)
      await put(`/products/${skuOf(i)}`, { name: skuOf(i), price: 100, currency: "EUR" });
    await put("/routes/chaos", ROUTE);
  }

  /** Ends every connection to Postgres from the server's side, all databases. */
  async endBackends(): Promise<void> {
    await withConnection(
      this.#servers.postgres.address,
      async (sql) =>
        void (await sql`select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app?.[Symbol.asyncDispose]();
    await Promise.allSettled(Object.values(this.#servers).map((server) => server[Symbol.asyncDispose]()));
    this.#ports[Symbol.dispose]();
  }
}
