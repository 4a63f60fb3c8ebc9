import { describe, expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import type { EngineEvent } from "../engines/engine.ts";
import { Signer } from "../engines/identity.ts";
import { followEvents } from "./events.ts";

const signer = new Signer("dev", ["key"]);
const identityOf = (labels: Readonly<Record<string, string>> | undefined) => signer.read(labels);
const line = (action: string, seconds: number, cluster = "dev"): string => {
  const marks = { service: "web", revision: "r", replica: 0, fence: 1, image: "i", uid: "u" };
  const attributes = new Signer(cluster, ["key"]).labels(marks);
  return `${JSON.stringify({ Action: action, timeNano: seconds * 1e9, Actor: { ID: "c1", Attributes: attributes } })}\n`;
};

describe("followEvents()", () => {
  test("opens a stream that ended again from the last event on, and says each time that something may be missed", async () => {
    const controller = new AbortController();
    const streams: PassThrough[] = [];
    const asked: (number | undefined)[] = [];
    const following = followEvents({
      identityOf,
      signal: controller.signal,
      open: async (since) => {
        asked.push(since);
        const stream = new PassThrough();
        streams.push(stream);
        if (streams.length === 1) stream.end(line("start", 100) + line("die", 200));
        else stream.write(`not json\n${line("die", 300, "another")}${line("destroy", 400)}`);
        return stream;
      },
    });
    const seen: string[] = [];
    for await (const event of following) {
      seen.push(nameOf(event));
      if (seen.at(-1) === "destroy") controller.abort();
    }
    expect(seen).toEqual(["resync", "start", "die", "lost", "resync", "destroy"]);
    expect(asked).toEqual([undefined, 200]);
    expect(streams.at(-1)?.destroyed).toBe(true);
  });

  test("ends while it waits for a stream that says nothing", async () => {
    const controller = new AbortController();
    const following = followEvents({ identityOf, signal: controller.signal, open: async () => new PassThrough() });
    await following.next();
    const waiting = following.next();
    controller.abort();
    expect((await waiting).done).toBe(true);
  });

  test("tries again when the engine does not answer", async () => {
    const controller = new AbortController();
    let tries = 0;
    const following = followEvents({
      identityOf,
      signal: controller.signal,
      open: async () => {
        if (++tries < 3) throw new Error("away");
        return new PassThrough();
      },
    });
    expect((await following.next()).value).toEqual({ kind: "resync" });
    controller.abort();
    await following.return(undefined);
  });
});

function nameOf(event: EngineEvent): string {
  return event.kind === "container" ? event.action : event.kind;
}
