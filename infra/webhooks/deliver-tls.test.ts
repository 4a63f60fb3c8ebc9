import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CERTIFICATE, PRIVATE_KEY } from "./tls-receiver.fixture.ts";

const DELIVER = join(import.meta.dirname, "deliver.ts");

/** Delivers in a process that trusts the certificate: the trusted ones are read once, at the start. */
async function deliverTo(host: string, port: number, trusted: string | undefined): Promise<unknown> {
  const program = `
    const { deliver } = await import(${JSON.stringify(DELIVER)});
    const outcome = await deliver("https://${host}:${port}/", { headers: {}, body: new Uint8Array() }, {
      allows: () => true, resolve: async () => ["127.0.0.1"],
    });
    console.log(JSON.stringify(outcome));`;
  const child = Bun.spawn([process.execPath, "-e", program], {
    env: { ...process.env, ...(trusted !== undefined && { NODE_EXTRA_CA_CERTS: trusted }) },
    stdout: "pipe",
    stderr: "inherit",
  });
  return JSON.parse(await new Response(child.stdout).text());
}

test("a receiver has to prove its name, though it is dialled by its address", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-tls-"));
  const trusted = join(folder, "ca.pem");
  await Bun.write(trusted, CERTIFICATE);
  const receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { cert: CERTIFICATE, key: PRIVATE_KEY },
    fetch: () => new Response("taken"),
  });
  try {
    const { port } = receiver;
    expect(await deliverTo("hook.example.com", port as number, trusted)).toEqual({
      kind: "answered",
      status: 200,
      body: "taken",
    });
    expect(await deliverTo("other.example.com", port as number, trusted)).toMatchObject({ kind: "unreachable" });
    expect(await deliverTo("hook.example.com", port as number, undefined)).toMatchObject({ kind: "unreachable" });
  } finally {
    await receiver.stop(true);
    await rm(folder, { recursive: true, force: true });
  }
});
