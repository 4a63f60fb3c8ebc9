/** An event as a broker carries it. */
export interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly traceparent?: string;
  readonly data: Readonly<Record<string, unknown>>;
}
