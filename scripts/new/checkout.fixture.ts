import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");

/** The command's file. */
export const NEW = join(ROOT, "scripts/new.ts");

/** A copy of this checkout, removed when it is disposed of. */
export interface TemporaryCheckout extends Disposable {
  readonly root: string;
}

/** A checkout to make actors in. Its files are copies, as a link would lead the `#names` back to this one. */
export function temporaryCheckout(): TemporaryCheckout {
  const root = mkdtempSync(join(tmpdir(), "troupe-new-"));
  for (const entry of readdirSync(ROOT)) {
    if (entry === "node_modules") symlinkSync(join(ROOT, entry), join(root, entry));
    else if (![".git", ".troupe"].includes(entry)) cpSync(join(ROOT, entry), join(root, entry), { recursive: true });
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
