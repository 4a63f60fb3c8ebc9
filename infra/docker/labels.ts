/** The labels on every container this project creates. Nothing without our `troupe.cluster` value is ever touched. */
export const LABELS = {
  cluster: "troupe.cluster",
  service: "troupe.service",
  revision: "troupe.revision",
  replica: "troupe.replica",
} as const;

/** Who a container is: the slot `replica` of a `revision` of a `service`, in one `cluster`. */
export interface Identity {
  readonly cluster: string;
  readonly service: string;
  readonly revision: string;
  /** From 0. */
  readonly replica: number;
}

/** The labels of an identity. */
export function labelsOf(identity: Identity): Record<string, string> {
  return {
    [LABELS.cluster]: identity.cluster,
    [LABELS.service]: identity.service,
    [LABELS.revision]: identity.revision,
    [LABELS.replica]: String(identity.replica),
  };
}

/**
 * Reads an identity from labels, or `undefined` when the container is not ours: another cluster's, nobody's, or one
 * with labels that this project never writes.
 */
export function identityOf(
  cluster: string,
  labels: Readonly<Record<string, string>> | undefined,
): Identity | undefined {
  if (labels?.[LABELS.cluster] !== cluster) return undefined;
  const service = labels[LABELS.service];
  const revision = labels[LABELS.revision];
  const replica = labels[LABELS.replica];
  if (!service || !revision || replica === undefined || !/^\d{1,4}$/.test(replica)) return undefined;
  return { cluster, service, revision, replica: Number(replica) };
}

/**
 * The name of a container, the same wherever it is computed: two scalers that want the same slot ask the engine for
 * the same name, and the engine lets one of them win.
 */
export function containerName(identity: Identity): string {
  return `troupe-${identity.cluster}-${identity.service}-${identity.revision}-${identity.replica}`;
}
