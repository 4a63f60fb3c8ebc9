/** Of the hosts the core runs on, some have an environment and a command line; a simulation only reads hints from them. */
const host = globalThis as {
  readonly Bun?: { readonly main?: string };
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly argv?: readonly string[];
    cwd?(): string;
  };
};

/** The number in an environment variable, where the host has one. */
export function numberFromHost(name: string): number | undefined {
  const text = host.process?.env?.[name];
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The file that is being run, as one would name it on the command line; `<file>` where the host does not tell. */
export function runningFile(): string {
  const path = host.Bun?.main ?? host.process?.argv?.[1] ?? "<file>";
  const folder = `${host.process?.cwd?.() ?? ""}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}
