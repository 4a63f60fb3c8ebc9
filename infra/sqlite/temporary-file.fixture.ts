import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A database file that does not exist yet, in a folder of its own that is removed when it is disposed of. */
export async function temporaryFile(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-sqlite-"));
  return { path: join(folder, "store.db"), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
