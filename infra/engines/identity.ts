import { createHmac, timingSafeEqual } from "node:crypto";

/** The labels on every container this project creates. Nothing without our `troupe.cluster` value is ever touched. */
export const LABELS = {
  cluster: "troupe.cluster",
  service: "troupe.service",
  revision: "troupe.revision",
  replica: "troupe.replica",
  fence: "troupe.fence",
  image: "troupe.image",
  uid: "troupe.uid",
  signature: "troupe.signature",
} as const;

/** Who a container is: the slot `replica` of a `revision` of a `service`, in one `cluster`. */
export interface Identity {
  readonly cluster: string;
  readonly service: string;
  readonly revision: string;
  /** From 0. */
  readonly replica: number;
}

/** What the labels of a container of ours say besides. */
export interface Marks extends Identity {
  /** The image as it was asked for, as in `troupe/echo:1`. */
  readonly image: string;
  /** The fencing token of the round that created it. */
  readonly fence: number;
  /** Given to no other container. */
  readonly uid: string;
}

/**
 * Signs and knows our containers. Labels are easily written by hand: only what carries a signature over them all, made
 * with one of `keys`, is ours. The first signs. An old one stays until what it signed has been replaced: its containers
 * would be strangers, which hold the names of ours.
 */
export class Signer {
  readonly cluster: string;
  readonly #keys: readonly [string, ...string[]];

  /** @param keys none: one that anybody could guess. */
  constructor(cluster: string, keys: readonly string[] = []) {
    const [first = `troupe/${cluster}`, ...others] = keys;
    this.cluster = cluster;
    this.#keys = [first, ...others];
  }

  /** The labels of a container. */
  labels(marks: Omit<Marks, "cluster">): Record<string, string> {
    const labels = {
      [LABELS.cluster]: this.cluster,
      [LABELS.service]: marks.service,
      [LABELS.revision]: marks.revision,
      [LABELS.replica]: String(marks.replica),
      [LABELS.fence]: String(marks.fence),
      [LABELS.image]: marks.image,
      [LABELS.uid]: marks.uid,
    };
    return { ...labels, [LABELS.signature]: sign(labels, this.#keys[0]) };
  }

  /** What the labels say; `undefined` when the container is another cluster's, nobody's, or not signed by us. */
  read(labels: Readonly<Record<string, string>> | undefined): Marks | undefined {
    if (labels?.[LABELS.cluster] !== this.cluster) return undefined;
    const service = labels[LABELS.service];
    const revision = labels[LABELS.revision];
    const replica = labels[LABELS.replica] ?? "";
    const fence = labels[LABELS.fence] ?? "";
    const uid = labels[LABELS.uid];
    const image = labels[LABELS.image];
    const signature = labels[LABELS.signature];
    if (!service || !revision || !uid || !image || !signature) return undefined;
    if (!/^\d{1,4}$/.test(replica) || !/^\d{1,15}$/.test(fence)) return undefined;
    if (!this.#keys.some((key) => same(signature, sign(labels, key)))) return undefined;
    return {
      cluster: this.cluster,
      service,
      revision,
      replica: Number(replica),
      fence: Number(fence),
      image,
      uid,
    };
  }
}

function sign(labels: Readonly<Record<string, string>>, key: string): string {
  const { signature: _signature, ...signed } = LABELS;
  const text = JSON.stringify(Object.values(signed).map((label) => labels[label] ?? null));
  return createHmac("sha256", key).update(text).digest("base64url").slice(0, 27);
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * The name of a container, the same wherever it is computed: two scalers that want the same slot ask the engine for
 * the same name, and the engine lets one of them win.
 */
export function containerName(identity: Identity): string {
  return `troupe-${identity.cluster}-${identity.service}-${identity.revision}-${identity.replica}`;
}
