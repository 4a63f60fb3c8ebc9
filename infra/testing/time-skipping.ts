/** Temporal's test server, whose clock is turned on by hand: days of a workflow in a moment. */
import { Connection, type ConnectionOptions } from "@temporalio/client";
import { InternalConnectionOptionsSymbol } from "@temporalio/client/lib/connection.js";
import { run } from "../stack/command.ts";
import { jarProgram } from "../stack/maven-jars.ts";
import { TEMPORAL_TEST_JARS, TEMPORAL_TEST_MEGABYTES, TEMPORAL_TEST_VERSION } from "../stack/temporal-test-jars.ts";
import { UnavailableError } from "../stack/types.ts";
import { ChildServer } from "./child-server.ts";

/** A running test server. Its one namespace is `default`. */
export interface TimeSkipping extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
  /** Turns its clock on. Timers that come due on the way fire in order; while a task or an activity is under way it stands still. */
  skip(ms: number): Promise<void>;
  /** What its clock shows, in milliseconds since the epoch. */
  now(): Promise<number>;
}

/** The number of the type `Keyword` in Temporal's API. */
const KEYWORD = 2;

/**
 * Starts a test server of its own. Its jars come by Maven once, and are kept in the cache.
 * @param keywords search attributes that workflows carry: it takes no others, and cannot be asked which it knows.
 * @returns why there is none, where Java or the jars cannot be had.
 */
export async function timeSkippingServer(keywords: readonly string[] = []): Promise<TimeSkipping | string> {
  let java: string;
  let classPath: string;
  try {
    ({ java, classPath } = await jarProgram(
      { doing: (what) => console.error(`… ${what}`), waiting: (why) => console.error(`… ${why}`), run },
      {
        title: "Temporal's test server",
        name: "temporal-test-server",
        version: TEMPORAL_TEST_VERSION,
        jars: TEMPORAL_TEST_JARS,
        megabytes: TEMPORAL_TEST_MEGABYTES,
        artifact: "io.temporal:temporal-test-server",
      },
    ));
  } catch (error) {
    if (error instanceof UnavailableError) return error.message;
    throw error;
  }
  let address = "";
  const child = await ChildServer.start(async (_, port) => {
    address = `127.0.0.1:${await port()}`;
    const args = ["-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", classPath, "io.temporal.testserver.TestServer"];
    return {
      command: java,
      args: [...args, address.split(":")[1] ?? "", "--enable-time-skipping"],
      async ready() {
        const probe = Connection.lazy({ address });
        try {
          await probe.withDeadline(Date.now() + 1_000, () => probe.workflowService.getSystemInfo({}));
        } finally {
          await probe.close();
        }
      },
    };
  });
  const options = { address, [InternalConnectionOptionsSymbol]: { supportsTestService: true } };
  const connection = Connection.lazy(options as ConnectionOptions);
  const { testService } = connection;
  if (testService === undefined) throw new Error("Cannot reach the test service: the SDK has it under another name");
  const searchAttributes = Object.fromEntries(keywords.map((name) => [name, KEYWORD]));
  if (keywords.length > 0)
    await connection.operatorService.addSearchAttributes({ namespace: "default", searchAttributes });
  return {
    address,
    async skip(ms) {
      const duration = { seconds: Math.floor(ms / 1_000) as unknown as Long, nanos: (ms % 1_000) * 1_000_000 };
      await testService.unlockTimeSkippingWithSleep({ duration });
    },
    async now() {
      const { time } = await testService.getCurrentTime({});
      return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1_000_000;
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await child[Symbol.asyncDispose]();
    },
  };
}
