#!/usr/bin/env bun
/** `bun run image`: builds the image of the app without a registry. See `--help`. */
import { parseArgs } from "node:util";
import { run } from "#infra/stack/command.ts";
import { loadSettings } from "./app/settings-sources.ts";
import { buildImage } from "./image/build.ts";

const USAGE = `bun run image    builds the image of the app from this checkout, and gives it to the Docker engine

  --tag TAG   its tag: troupe/app:TAG (default: latest)
  --help      this text

It holds this machine's Bun and libraries: no registry is asked for a base image. Where one is, infra/images/app/Dockerfile
makes the same image on Debian. Then: docker run --read-only --tmpfs /tmp -e DATABASE_URL=… troupe/app:latest`;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { tag: { type: "string", default: "latest" }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help) console.log(USAGE);
else {
  const revision = (await run("git", ["rev-parse", "HEAD"]).catch(() => "")).trim();
  const { settings } = loadSettings(process.env);
  const { reference, bytes } = await buildImage({ host: settings.DOCKER_HOST, tag: values.tag, revision });
  console.log(`${reference}: ${(bytes / 1e6).toFixed(0)} MB`);
}
