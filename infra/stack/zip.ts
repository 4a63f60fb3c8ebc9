/**
 * Reads ZIP archives, which is what wheels are. On the host's own zlib: an inflater in JavaScript takes five times the processor time for
 * the 156 MB of Temporal.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";

const inflate = promisify(inflateRaw);

const END = 0x06_05_4b_50;
const END_BYTES = 22;
const ENTRY = 0x02_01_4b_50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** More than any program has; a damaged or hostile archive must not fill the memory. */
const MAX_ENTRY_BYTES = 512 * 1024 * 1024;

/** One file of an archive. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its local header begins. */
  readonly at: number;
}

/**
 * Writes the files of an archive below `folder` and answers their names. All of them may be executed: an archive of programs says so by
 * attributes that not every writer sets. Throws `RangeError` for what is no archive, or has a name that leads out of the folder.
 */
export async function unpackZip(archive: Buffer, folder: string): Promise<string[]> {
  const entries = entriesOf(archive).filter((entry) => !entry.name.endsWith("/"));
  for (const entry of entries) {
    const path = normalize(entry.name);
    if (path.startsWith("..") || path.startsWith("/"))
      throw new RangeError(`Cannot unpack an archive with the name ${JSON.stringify(entry.name)}`);
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), await contentOf(archive, entry), { mode: 0o755 });
  }
  return entries.map((entry) => entry.name);
}

async function contentOf(archive: Buffer, entry: Entry): Promise<Uint8Array> {
  if (entry.bytes > MAX_ENTRY_BYTES) throw new RangeError(`${entry.name} is too large: ${entry.bytes} bytes`);
  const start = entry.at + LOCAL_BYTES + archive.readUInt16LE(entry.at + 26) + archive.readUInt16LE(entry.at + 28);
  const packed = archive.subarray(start, start + entry.packedBytes);
  if (entry.method === STORED) return packed;
  if (entry.method !== DEFLATED) throw new RangeError(`${entry.name} is packed by method ${entry.method}, not deflate`);
  return await inflate(packed, { maxOutputLength: Math.max(1, entry.bytes) });
}

/** The central directory. */
function entriesOf(archive: Buffer): Entry[] {
  let end = archive.length - END_BYTES;
  while (end >= 0 && archive.readUInt32LE(end) !== END) end--;
  if (end < 0) throw new RangeError("This is no ZIP archive");
  const entries: Entry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== ENTRY) throw new RangeError("This ZIP archive is damaged");
    const nameBytes = archive.readUInt16LE(at + 28);
    entries.push({
      name: archive.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: archive.readUInt16LE(at + 10),
      packedBytes: archive.readUInt32LE(at + 20),
      bytes: archive.readUInt32LE(at + 24),
      at: archive.readUInt32LE(at + 42),
    });
    at += ENTRY_BYTES + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}
