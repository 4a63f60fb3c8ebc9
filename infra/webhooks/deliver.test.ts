import { afterAll, expect, test } from "bun:test";
import { deliver, DELIVERY_LIMITS, urlFault } from "./deliver.ts";
import { isPublicAddress } from "./public-address.ts";

/** A receiver that misbehaves as its path says, and counts who came. */
let visits = 0;
const receiver = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    visits++;
    const { pathname } = new URL(request.url);
    if (pathname === "/redirect") return new Response(null, { status: 302, headers: { location: "/ok" } });
    if (pathname === "/busy") return new Response("later", { status: 429, headers: { "retry-after": "7" } });
    if (pathname === "/silent") return new Promise<Response>(() => undefined);
    if (pathname === "/drip")
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            controller.enqueue(new Uint8Array([97]));
          },
        }),
      );
    if (pathname === "/endless")
      return new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)) }),
      );
    return Response.json({ host: request.headers.get("host"), body: await request.text() });
  },
});
afterAll(() => receiver.stop(true));

const HERE = `http://127.0.0.1:${receiver.port}`;
const MESSAGE = { headers: { "content-type": "application/json" }, body: new TextEncoder().encode('{"a":1}') };
const LOOPBACK = { allows: (address: string) => address === "127.0.0.1" };

const FORBIDDEN_HOSTS = [
  ...["127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "①②⑦.0.0.1", "127.0.0.1."],
  ...["0.0.0.0", "0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
  ...["169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1"],
  ...["198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
  ...[
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[::ffff:0:7f00:1]",
  ],
  ...[
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::]",
    "[100::1]",
  ],
  ...["[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]"],
  ...[
    "0251.0376.0251.0376",
    "0xa9fea9fe",
    "2852039166",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "169.254.170.2",
    "0.1.2.3",
    "127.255.255.255",
  ],
  ...["[::ffff:169.254.169.254]", "[2002:7f00::]", "[fd12:3456::1]", "[::ffff:0:0]", "100.64.0.0"],
  ...["localhost", "localhost.", "LOCALHOST", "metadata", "intranet"],
];

test("no spelling of an address inside may be registered (S14)", () => {
  expect(new Set(FORBIDDEN_HOSTS).size).toBeGreaterThan(60);
  for (const host of FORBIDDEN_HOSTS) {
    expect([host, urlFault(`https://${host}/hook`) !== undefined]).toEqual([host, true]);
  }
});

test("only http and https without credentials or fragment may be registered", () => {
  for (const url of [
    ...["", "hook", "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:alert(1)"],
    ...["https://user:secret@example.com/", "https://example.com/#part", `https://example.com/${"a".repeat(3_000)}`],
  ]) {
    expect([url.slice(0, 40), urlFault(url) !== undefined]).toEqual([url.slice(0, 40), true]);
  }
  for (const url of [
    "https://example.com/hook",
    "http://example.com:8080/a?b=c",
    "https://93.184.216.34/",
    "https://[2606:4700::1]/",
  ]) {
    expect([url, urlFault(url)]).toEqual([url, undefined]);
  }
});

test("addresses of the public internet are public, and what is no address is not", () => {
  for (const address of ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
    expect(isPublicAddress(address)).toBe(true);
  for (const text of ["", "example.com", "1.2.3", "::g"]) expect(isPublicAddress(text)).toBe(false);
});

test("a name that leads inside is not dialled, also when only one of its addresses does", async () => {
  const before = visits;
  for (const addresses of [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]]) {
    const outcome = await deliver(`http://hook.example.com:${receiver.port}/ok`, MESSAGE, {
      resolve: async () => addresses,
    });
    expect(outcome).toEqual({
      kind: "forbidden",
      detail: "The name hook.example.com leads to an address that is not public",
    });
  }
  expect(visits).toBe(before);
});

test("a name that changes its address after the check is dialled where it was checked", async () => {
  let asked = 0;
  const outcome = await deliver(`http://hook.example.com:${receiver.port}/ok`, MESSAGE, {
    ...LOOPBACK,
    // The second answer would lead elsewhere: it must never be asked for.
    resolve: async () => (asked++ === 0 ? ["127.0.0.1"] : ["192.0.2.1"]),
  });
  expect(asked).toBe(1);
  expect(outcome.kind).toBe("answered");
  const answer = JSON.parse(outcome.kind === "answered" ? outcome.body : "{}") as unknown;
  expect(answer).toEqual({ host: `hook.example.com:${receiver.port}`, body: '{"a":1}' });
});

test("a redirect is an answer, not a way", async () => {
  const before = visits;
  expect(await deliver(`${HERE}/redirect`, MESSAGE, LOOPBACK)).toMatchObject({ kind: "answered", status: 302 });
  expect(visits).toBe(before + 1);
});

test("a receiver that asks for a pause is heard", async () => {
  expect(await deliver(`${HERE}/busy`, MESSAGE, LOOPBACK)).toEqual({
    kind: "answered",
    status: 429,
    body: "later",
    retryAfter: "7",
  });
});

test("an endless answer is cut, a silent receiver is given up, an absent one is unreachable", async () => {
  const endless = await deliver(`${HERE}/endless`, MESSAGE, { ...LOOPBACK, maxAnswerBytes: 1_000 });
  expect(endless.kind === "answered" ? endless.body.length : 0).toBe(1_000);
  expect(await deliver(`${HERE}/silent`, MESSAGE, { ...LOOPBACK, timeoutMs: 100 })).toEqual({
    kind: "unreachable",
    detail: "No answer within 100 ms",
  });
  const absent = await deliver("http://127.0.0.1:1/", MESSAGE, LOOPBACK);
  expect(absent.kind).toBe("unreachable");
});

test("the status counts as soon as the head is there, whatever becomes of the body", async () => {
  expect(await deliver(`${HERE}/drip`, MESSAGE, { ...LOOPBACK, timeoutMs: 100 })).toMatchObject({
    kind: "answered",
    status: 200,
  });
  for (const [status, tail] of [
    [200, "content-length: 1000\r\n\r\nbroken off"],
    [429, "transfer-encoding: chunked\r\nretry-after: 7\r\n\r\nzz\r\n"],
  ] as const) {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(`HTTP/1.1 ${status} X\r\n${tail}`) },
    });
    const outcome = await deliver(`http://127.0.0.1:${server.port}/`, MESSAGE, LOOPBACK);
    expect(outcome).toMatchObject({ kind: "answered", status });
    server.stop(true);
  }
});

test("the addresses of a name are dialled in turn, until one takes a connection, and one alone gets the request", async () => {
  const before = visits;
  const options = { allows: () => true, resolve: async () => ["127.0.0.2", "::1", "127.0.0.1", "127.0.0.3"] };
  const outcome = await deliver(`http://hook.example.com:${receiver.port}/ok`, MESSAGE, options);
  expect(outcome).toMatchObject({ kind: "answered", status: 200 });
  expect(visits).toBe(before + 1);
  const nowhere = { allows: () => true, resolve: async () => ["127.0.0.2", "127.0.0.3"] };
  expect(await deliver(`http://hook.example.com:1/ok`, MESSAGE, nowhere)).toMatchObject({ kind: "unreachable" });
});

test("an address that leads nowhere is passed over", async () => {
  // Packets to an address of the reserved block are refused by the system, or go nowhere.
  const resolve = async () => ["240.0.0.1", "127.0.0.1"];
  const outcome = await deliver(`http://hook.example.com:${receiver.port}/ok`, MESSAGE, {
    allows: () => true,
    resolve,
  });
  expect(outcome).toMatchObject({ kind: "answered", status: 200 });
});

test("unless told otherwise, 64 KB of an answer are read, and an attempt takes 15 s at most", async () => {
  const endless = await deliver(`${HERE}/endless`, MESSAGE, LOOPBACK);
  expect(endless.kind === "answered" ? endless.body.length : 0).toBe(65_536);
  expect(DELIVERY_LIMITS.timeoutMs).toBe(15_000);
});
