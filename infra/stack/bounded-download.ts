/** Watches a download that another program makes: how far it is, and that it ends in time and within its size. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const LOOK_MS = 500;

/** What a download may take. */
export interface DownloadBounds {
  /** Where it writes. Everything in it counts. */
  readonly folder: string;
  readonly maxBytes: number;
  readonly withinMs: number;
  /** Told how many bytes are there, twice a second while they change. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Does `work` with a signal that is aborted when the folder grows above `maxBytes` or `withinMs` have passed; throws then `RangeError` or
 * the `TimeoutError` of a signal, whatever `work` made of it.
 */
export async function boundedDownload<T>(
  bounds: DownloadBounds,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const tooLarge = new AbortController();
  const late = AbortSignal.timeout(bounds.withinMs);
  let last = -1;
  const timer = setInterval(() => {
    void sizeOf(bounds.folder).then((bytes) => {
      if (bytes > bounds.maxBytes)
        tooLarge.abort(
          new RangeError(`the download is larger than it may be: ${bytes} bytes, limit is ${bounds.maxBytes}`),
        );
      else if (bytes !== last) bounds.onBytes(bytes);
      last = bytes;
    });
  }, LOOK_MS);
  const signal = AbortSignal.any([tooLarge.signal, late]);
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? (signal.reason as Error) : error;
  } finally {
    clearInterval(timer);
  }
}

/** The bytes of all files below a folder; what vanishes meanwhile counts as nothing. */
export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (entry.isFile())
      bytes += await stat(join(entry.parentPath, entry.name)).then(
        (found) => found.size,
        () => 0,
      );
  }
  return bytes;
}

/** `12 of 44 MB`. */
export function progressOf(bytes: number, megabytes: number): string {
  return `${Math.round(bytes / 1_000_000)} of ${megabytes} MB`;
}
