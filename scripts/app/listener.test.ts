import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "#infra/testing/eventually.ts";
import { CERTIFICATE, PRIVATE_KEY } from "#infra/webhooks/tls-receiver.fixture.ts";
import { readCertificate } from "./certificate.ts";
import { EXPIRED, FIRST, SECOND } from "./certificates.fixture.ts";
import { listen, type Listener } from "./listener.ts";

const SOON_MS = 5_000;

let folder: string;
let files: { cert: string; key: string };
let listener: Listener | undefined;
let lines: { event: string; reason: unknown }[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-tls-"));
  files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  lines = [];
});
afterEach(async () => {
  await listener?.cut();
  listener = undefined;
  rmSync(folder, { recursive: true });
});

function put({ cert, key }: { cert: string; key: string }): void {
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
}

function open(): Listener {
  listener = listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 30,
    maxRequestBodySize: 1_000,
    files,
    lookEveryMs: 5,
    log: (_level, event, fields) => void lines.push({ event, reason: fields?.["reason"] }),
    fetch: async (request, server) =>
      server.upgrade(request, { data: undefined }) ? undefined : new Response(listener?.peerOf(request)),
    websocket: { message: (socket, text) => void socket.send(text) },
  });
  return listener;
}

/** What a client gets that trusts one certificate; why it got nothing. */
async function ask(ca: string, host = "localhost"): Promise<string> {
  try {
    const url = `https://${host}:${listener?.port}/`;
    return await (await fetch(url, { tls: { ca }, keepalive: false } as RequestInit)).text();
  } catch (error) {
    return `refused: ${(error as { code?: string }).code ?? String(error)}`;
  }
}

test("listen() serves TLS to who trusts its certificate, and nobody goes on in plain text", async () => {
  put(FIRST);
  expect(open().scheme).toBe("https");
  expect(await ask(FIRST.cert)).toBe("127.0.0.1");
  expect(await ask(SECOND.cert)).toStartWith("refused: ");
  const plain = await fetch(`http://127.0.0.1:${listener?.port}/`).then(
    ({ status }) => status,
    () => "refused",
  );
  expect(plain).not.toBe(200);
});

test("a certificate for another name is refused by clients", async () => {
  put({ cert: CERTIFICATE, key: PRIVATE_KEY });
  open();
  expect(await ask(CERTIFICATE)).toBe("refused: ERR_TLS_CERT_ALTNAME_INVALID");
});

test("listen() does not start with what cannot be served, and says which file is wrong", async () => {
  for (const [pair, message] of [
    [EXPIRED, /tls\.crt: the certificate ended at 2025-02-01T00:00:00\.000Z$/],
    [{ cert: FIRST.cert, key: SECOND.key }, /tls\.crt: the key in .*tls\.key belongs to another certificate$/],
    [{ cert: "canary", key: FIRST.key }, /tls\.crt is not a certificate in PEM$/],
    [{ cert: FIRST.cert, key: "canary" }, /tls\.key is not a private key in PEM without a passphrase$/],
    [{ cert: FIRST.key, key: FIRST.cert }, /tls\.crt is not a certificate in PEM$/],
  ] as const) {
    put(pair);
    expect(open).toThrow(message);
  }
  put(FIRST);
  expect(() => readCertificate(files, Date.parse("2024-01-01"))).toThrow(/begins at 2025-01-01/);
  expect(() => readCertificate({ ...files, cert: "/nonexistent" })).toThrow(/\/nonexistent cannot be read$/);
});

test("a renewed certificate is served to new connections, and open ones go on", async () => {
  put(FIRST);
  open();
  const socket = new WebSocket(`wss://localhost:${listener?.port}/`, { tls: { ca: FIRST.cert } } as never);
  const heard: unknown[] = [];
  socket.onmessage = ({ data }) => void heard.push(data);
  await eventually("the socket is open", SOON_MS, async () => socket.readyState === WebSocket.OPEN);
  put(SECOND);
  await eventually("the new one is served", SOON_MS, async () => (await ask(SECOND.cert)) === "127.0.0.1");
  for (let i = 0; i < 10; i++) expect(await ask(FIRST.cert)).toStartWith("refused: ");
  socket.send("still here");
  await eventually("the open socket is answered", SOON_MS, async () => heard.includes("still here"));
  expect(lines.map(({ event }) => event)).toContain("tls:renewed");
  socket.close();
});

test("a renewed certificate that cannot be served changes nothing, and is told of once", async () => {
  put(FIRST);
  open();
  for (const pair of [EXPIRED, { cert: SECOND.cert, key: FIRST.key }, { cert: "", key: "" }]) {
    const told = lines.length;
    put(pair);
    await eventually("it is told", SOON_MS, async () => lines.length > told);
    expect(lines.at(-1)?.event).toBe("tls:refused");
    expect(await ask(FIRST.cert)).toBe("127.0.0.1");
  }
  const told = lines.length;
  put(FIRST);
  await Bun.sleep(0);
  put(SECOND);
  await eventually("the next good one is served", SOON_MS, async () => (await ask(SECOND.cert)) === "127.0.0.1");
  expect(lines.slice(told).filter(({ event }) => event === "tls:renewed")).toHaveLength(1);
});
