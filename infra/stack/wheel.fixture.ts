/** A wheel small enough to be made in a test, and an index that serves it. */
import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import type { Wheel, WheelFile } from "./wheels.ts";

/** A ZIP archive of these files, deflated. */
export function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), shared, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    entries.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), shared, rest, Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** A wheel with one program, a shell script, that prints `said` when it is asked for its version. */
export function wheelOf(said: string): { wheel: Wheel; bytes: Buffer } {
  const program = "tool_bin-1.0.data/scripts/tool";
  const bytes = zipOf({ [program]: `#!/bin/sh\n${said}\n`, "tool_bin-1.0.dist-info/METADATA": "Name: tool-bin\n" });
  const file: WheelFile = { tags: "any", sha256: createHash("sha256").update(bytes).digest("hex") };
  const files = { "linux-x64": file, "linux-arm64": file, "darwin-x64": file, "darwin-arm64": file };
  return { wheel: { project: "tool-bin", version: "1.0", megabytes: 1, program, files }, bytes };
}
