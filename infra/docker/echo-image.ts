import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../engines/engine.ts";
import { EngineError } from "../engines/errors.ts";
import { Images } from "../engines/images.ts";
import { cacheDir } from "../stack/cache.ts";

/** The image that every fresh checkout has: a small HTTP server. */
export const ECHO_IMAGE = "troupe/echo:1";

/** The images of an engine: our own is built here, all others come from their registries. */
export function localImages(engine: Engine): Images {
  return new Images(engine, (reference) => (reference === ECHO_IMAGE ? () => ensureEchoImage(engine) : undefined));
}

const SOURCES = join(import.meta.dir, "../images/echo");
const under = new WeakMap<Engine, Promise<void>>();

/**
 * Makes sure that the engine has `troupe/echo:1`: builds it from this repository's files where it is missing, without
 * a registry. Callers at the same time share one build.
 *
 * Needs Go, once per user: the binary is cached under `TROUPE_CACHE` (default `~/.cache/troupe`).
 */
export function ensureEchoImage(engine: Engine): Promise<void> {
  const running = under.get(engine);
  if (running) return running;
  const building = build(engine).finally(() => under.delete(engine));
  under.set(engine, building);
  return building;
}

async function build(engine: Engine): Promise<void> {
  if ((await engine.image(ECHO_IMAGE)) !== undefined) return;
  const { arch } = await engine.ping();
  const binary = await echoBinary(arch);
  const directory = await mkdtemp(join(tmpdir(), "troupe-echo-"));
  try {
    await copyFile(binary, join(directory, "echo"));
    await copyFile(join(SOURCES, "Dockerfile"), join(directory, "Dockerfile"));
    await engine.buildImage({ tag: ECHO_IMAGE, directory, files: ["Dockerfile", "echo"] });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The static binary for a processor architecture, from the cache or freshly compiled. */
async function echoBinary(arch: string): Promise<string> {
  const source = await Bun.file(join(SOURCES, "main.go")).text();
  const version = createHash("sha256").update(source).digest("hex").slice(0, 12);
  const cache = join(cacheDir(), "echo");
  const binary = join(cache, `echo-${version}-linux-${arch}`);
  if (await exists(binary)) return binary;

  const go = Bun.which("go") ?? ((await exists("/usr/local/go/bin/go")) ? "/usr/local/go/bin/go" : undefined);
  if (!go)
    throw new EngineError(
      "not_found",
      `Cannot build ${ECHO_IMAGE} as Go is not on the PATH: install Go, then try again`,
    );
  await mkdir(cache, { recursive: true });
  // Compiled beside its place and renamed: two builds at once never see half a file.
  const draft = `${binary}.${process.pid}`;
  const compiling = Bun.spawn([go, "build", "-trimpath", "-ldflags", "-s -w", "-o", draft, "."], {
    cwd: SOURCES,
    env: { ...process.env, CGO_ENABLED: "0", GOOS: "linux", GOARCH: arch, GOFLAGS: "" },
    stdout: "ignore",
    stderr: "pipe",
  });
  const errors = await new Response(compiling.stderr).text();
  if ((await compiling.exited) !== 0)
    throw new EngineError("refused", `Cannot compile the echo service: ${errors.slice(0, 500)}`);
  await rename(draft, binary);
  return binary;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
