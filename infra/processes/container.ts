import { chown, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../base/pause.ts";
import type { ContainerRecord, ContainerSpec } from "../engines/container.ts";
import { containerName, type Marks } from "../engines/identity.ts";
import type { ProcessMark } from "../stack/process-mark.ts";
import { RunningCheck } from "./check.ts";
import { type Child, startChild, UNPRIVILEGED_USER } from "./child.ts";
import type { Program } from "./images.ts";
import { Lines } from "./lines.ts";
import { type GivenPort, portVariables } from "./ports.ts";

type Run =
  | { readonly kind: "created" }
  | { readonly kind: "running"; readonly child: Child; readonly startedAt: string; readonly check?: RunningCheck }
  | {
      readonly kind: "exited";
      readonly startedAt: string;
      readonly finishedAt: string;
      readonly exitCode: number;
      readonly oomKilled: boolean;
    };

const PATH = "/usr/local/bin:/usr/bin:/bin";

/** A slot of a service as one process of this machine: made once, started and stopped any number of times. */
export class ProcessContainer {
  readonly id = crypto.randomUUID().replaceAll("-", "") + crypto.randomUUID().replaceAll("-", "");
  readonly createdAt = new Date().toISOString();
  readonly lines = new Lines();
  readonly spec: ContainerSpec;
  readonly #marks: Marks;
  readonly #program: Program;
  readonly #folder: string;
  readonly #tell: (action: string) => void;
  #run: Run = { kind: "created" };
  #ports: readonly GivenPort[] = [];
  #oom = false;
  #ended: Promise<unknown> = Promise.resolve();

  /** `tell` hears what an engine would say of it: `start`, `die`, `health_status`. */
  constructor(spec: ContainerSpec, marks: Marks, program: Program, folder: string, tell: (action: string) => void) {
    this.spec = spec;
    this.#marks = marks;
    this.#program = program;
    this.#folder = join(folder, this.id.slice(0, 12));
    this.#tell = tell;
  }

  get name(): string {
    return containerName(this.#marks);
  }

  get service(): string {
    return this.#marks.service;
  }

  get identity(): Marks {
    return this.#marks;
  }

  /** The running process; `undefined` while there is none. */
  get mark(): ProcessMark | undefined {
    return this.#run.kind === "running" ? this.#run.child.mark : undefined;
  }

  get pid(): number | undefined {
    return this.#run.kind === "running" ? this.#run.child.pid : undefined;
  }

  get ports(): readonly GivenPort[] {
    return this.#run.kind === "running" ? this.#ports : [];
  }

  async start(ports: readonly GivenPort[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    if (process.getuid?.() === 0) await chown(this.#folder, UNPRIVILEGED_USER, UNPRIVILEGED_USER);
    const { entrypoint, command: own } = this.#program;
    const words = [...entrypoint, ...(this.spec.command.length > 0 ? this.spec.command : own)];
    const env = {
      PATH,
      ...this.#program.env,
      ...this.spec.env,
      ...portVariables(this.spec.ports, ports),
      HOME: this.#folder,
      TMPDIR: this.#folder,
    };
    const secrets = await this.#putSecrets();
    const child = await startChild({ ...this.#argv(words), cwd: this.#folder, env: { ...env, ...secrets } });
    this.#ports = ports;
    this.#oom = false;
    this.lines.begin();
    const written = [this.lines.take("stdout", child.stdout), this.lines.take("stderr", child.stderr)];
    const startedAt = new Date().toISOString();
    const { check } = this.spec;
    const checking =
      check?.kind === "exec"
        ? new RunningCheck(
            check,
            (signal) => this.#tries(check.command, env, signal),
            () => this.#tell("health_status"),
          )
        : undefined;
    this.#run = { kind: "running", child, startedAt, ...(checking === undefined ? {} : { check: checking }) };
    this.#tell("start");
    this.#ended = (async () => {
      const exitCode = await child.ended;
      await Promise.allSettled(written);
      checking?.stop();
      this.#run = { kind: "exited", startedAt, finishedAt: new Date().toISOString(), exitCode, oomKilled: this.#oom };
      this.lines.end();
      this.#tell("die");
    })();
  }

  /** Asks it to end, and ends it after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (this.#run.kind !== "running") return;
    const { child } = this.#run;
    const over = new AbortController();
    if (graceMs > 0) child.signal("SIGTERM");
    const killing = pause(graceMs, over.signal).then(() => !over.signal.aborted && child.signal("SIGKILL"));
    await this.#ended;
    over.abort();
    await killing;
  }

  /** It uses more memory than it may. */
  outOfMemory(): void {
    if (this.#run.kind !== "running") return;
    this.#oom = true;
    this.#run.child.signal("SIGKILL");
  }

  async forget(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  record(): ContainerRecord {
    const run = this.#run;
    const ended = run.kind === "exited" ? run : undefined;
    return {
      ...this.#marks,
      id: this.id,
      name: this.name,
      imageId: this.#program.id,
      state: run.kind,
      createdAt: this.createdAt,
      startedAt: run.kind === "created" ? null : run.startedAt,
      finishedAt: ended?.finishedAt ?? null,
      exitCode: ended?.exitCode ?? 0,
      oomKilled: ended?.oomKilled ?? false,
      ports: this.ports,
      check: run.kind === "running" ? (run.check?.state ?? null) : null,
      differences: [],
      stuck: null,
      resources: this.spec.resources,
    };
  }

  /** Secret files, and the variable that says where they are. */
  async #putSecrets(): Promise<Record<string, string>> {
    const { files = [] } = this.spec;
    if (files.length === 0) return {};
    const folder = join(this.#folder, "secrets");
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    for (const { name, content } of files) await writeFile(join(folder, name), content, { mode: 0o400 });
    if (process.getuid?.() === 0)
      for (const path of [folder, ...files.map(({ name }) => join(folder, name))])
        await chown(path, UNPRIVILEGED_USER, UNPRIVILEGED_USER);
    return { SECRETS_DIR: folder };
  }

  /** A path of the image is a path below its root; any other program is this machine's. */
  #argv([command = "", ...args]: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
    return { command: command.startsWith("/") ? join(this.#program.root, command) : command, args };
  }

  async #tries(words: readonly string[], env: Record<string, string>, signal: AbortSignal): Promise<boolean> {
    const child = await startChild({ ...this.#argv(words), cwd: this.#folder, env });
    signal.addEventListener("abort", () => child.signal("SIGKILL"), { once: true });
    return (await child.ended) === 0;
  }
}
