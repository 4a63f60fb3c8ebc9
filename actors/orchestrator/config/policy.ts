/** Which images a configuration may ask for, and how much one container may take. */
export interface ConfigPolicy {
  /** Patterns of repositories; `*` stands for any text. */
  readonly images: readonly string[];
  readonly maxMemoryBytes: number;
  readonly maxCpus: number;
  readonly maxPids: number;
  /** Directories of the host that containers may be given; a path that begins with `.` is below the first. */
  readonly bindRoots: readonly string[];
}

export const DEFAULT_POLICY: ConfigPolicy = {
  images: ["troupe/*"],
  maxMemoryBytes: 4 * 1024 ** 3,
  maxCpus: 8,
  maxPids: 4_096,
  bindRoots: [],
};

/** The default policy, with the image patterns of `TROUPE_IMAGES` (a comma list) added. */
export function policyFromEnv(env: Readonly<Record<string, string | undefined>>): ConfigPolicy {
  const added = (env["TROUPE_IMAGES"] ?? "").split(",").map((pattern) => pattern.trim());
  const roots = (env["TROUPE_BIND_ROOTS"] ?? "").split(",").map((root) => root.trim());
  const bindRoots = roots.filter((root) => root.startsWith("/"));
  return {
    ...DEFAULT_POLICY,
    bindRoots,
    images: [...DEFAULT_POLICY.images, ...added.filter((pattern) => pattern !== "")],
  };
}

const REPOSITORY = /^[a-z0-9](?:[a-z0-9._/:-]*[a-z0-9])?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Why an image may not be used, or `undefined` when it may. It needs a tag other than `latest`, or a digest. */
export function imageObjection(image: string, policy: ConfigPolicy): string | undefined {
  if (image.length > 255) return "is longer than 255 characters";
  const [named = "", digest] = image.split("@", 2);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const repository = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (image.split("@").length > 2 || !REPOSITORY.test(repository) || /[./:-]{2}|[./_-]\/|\/[./_-]/.test(repository))
    return "is not the name of an image";
  if (digest !== undefined && !DIGEST.test(digest)) return "has a digest that is not sha256";
  if (tag !== undefined && !TAG.test(tag)) return "has a tag that cannot be";
  if (tag?.toLowerCase() === "latest") return "must not be tagged latest: it says nothing about what runs";
  if (tag === undefined && digest === undefined) return "needs a tag or a digest";
  if (!policy.images.some((pattern) => matches(pattern, repository)))
    return `is not allowed: allowed are ${policy.images.join(", ")}`;
  return undefined;
}

function matches(pattern: string, text: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const tail = rest.at(-1) ?? "";
  return text.length - tail.length >= at && text.endsWith(tail);
}

/** The path of the host that a mount means, or `undefined` when it is not below a root. Links are followed on the host itself. */
export function bindPath(source: string, { bindRoots }: ConfigPolicy): string | undefined {
  const [first] = bindRoots;
  const path = source.startsWith("./") && first !== undefined ? `${first}/${source.slice(2)}` : source;
  return bindRoots.some((root) => path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`))
    ? path
    : undefined;
}

export function bindRefusal({ bindRoots }: ConfigPolicy): string {
  return bindRoots.length === 0
    ? "mounts a path of the host, and none may be mounted: see TROUPE_BIND_ROOTS"
    : `mounts a path of the host that is not below ${bindRoots.join(", ")}`;
}
