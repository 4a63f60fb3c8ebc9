#!/usr/bin/env bun
/**
 * `bun scripts/ops/secrets.ts --out DIR [--prefix HOSTS]`: random passwords and keys for `compose.yaml`, a file each. What is there already
 * stays as it is, so that it may be run again.
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const random = (bytes: number, encoding: "base64" | "base64url"): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString(encoding);

/**
 * Writes what is missing in `folder`. Answers the names of the files that were written.
 * @param prefix of the servers' host names, as in `troupe-` for `troupe-postgres`.
 */
export async function writeSecrets(folder: string, prefix = ""): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const written: string[] = [];
  /** The file's text. */
  const keep = async (name: string, make: () => string): Promise<string> => {
    const path = join(folder, name);
    if (!existsSync(path)) {
      await writeFile(path, make());
      // A container reads it as its own user: who may look into the folder is up to the host.
      await chmod(path, 0o444);
      written.push(name);
    }
    return (await readFile(path, "utf8")).trim();
  };
  const postgres = await keep("postgres_password", () => random(24, "base64url"));
  await keep("database_url", () => `postgres://troupe:${postgres}@${prefix}postgres:5432/troupe`);
  const user = await keep(
    "rabbitmq_user.conf",
    () => `default_user = troupe\ndefault_pass = ${random(24, "base64url")}\n`,
  );
  await keep(
    "rabbitmq_url",
    () => `amqp://troupe:${/default_pass = (\S+)/.exec(user)?.[1] ?? ""}@${prefix}rabbitmq:5672`,
  );
  const redis = await keep("redis.conf", () => `requirepass ${random(24, "base64url")}\n`);
  await keep("redis_url", () => `redis://:${redis.replace(/^requirepass /, "")}@${prefix}redis:6379`);
  await keep("admin_key", () => random(32, "base64url"));
  await keep("secret_key", () => random(32, "base64"));
  return written;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { out: { type: "string", default: ".troupe/secrets" }, prefix: { type: "string", default: "" } },
  });
  const written = await writeSecrets(values.out, values.prefix);
  console.log(written.length === 0 ? "every secret is there already" : `wrote ${written.join(", ")}`);
}
