/** A process of a test that has said where it is, and can be killed. */
export interface Killable {
  /** What it wrote first. */
  readonly said: string;
  /** Ends it by SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Where and with what {@link startKillable} runs its script; by default here, with our own environment. */
export interface KillableOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a script by this Bun, and waits for its first words. */
export async function startKillable(args: readonly string[], options: KillableOptions = {}): Promise<Killable> {
  const child = Bun.spawn([process.execPath, ...args], {
    ...options,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  return {
    said: new TextDecoder().decode(value),
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
