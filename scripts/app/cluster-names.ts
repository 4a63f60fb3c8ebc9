import type { EventStreamOptions } from "#infra/nats/streams.ts";

/** What one cluster calls its own at servers that several clusters share. The cluster `default` has the names without a prefix. */
export interface ClusterNames {
  /** Stands before names of topics, queues, exchanges, streams and task queues: `""` or `<cluster>.`. */
  readonly prefix: string;
  /** The JetStream streams of events, of topics and of routed events, where they are not those of the default cluster. */
  readonly events: EventStreamOptions;
  readonly topics: EventStreamOptions;
  readonly routed: { readonly stream?: string; readonly events?: EventStreamOptions };
  /** The subjects by which nodes call each other. */
  readonly nodes: { readonly subjectPrefix?: string };
}

export function clusterNames(cluster: string): ClusterNames {
  if (cluster === "default") return { prefix: "", events: {}, topics: {}, routed: {}, nodes: {} };
  const prefix = `${cluster}.`;
  const events = { stream: `EVENTS-${cluster}`, subjectPrefix: `${prefix}evt` };
  return {
    prefix,
    events,
    topics: { stream: `TOPICS-${cluster}`, subjectPrefix: `${prefix}topic` },
    routed: { stream: `ROUTED-${cluster}`, events },
    nodes: { subjectPrefix: `${prefix}troupe.node` },
  };
}
