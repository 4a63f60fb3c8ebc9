/** What an event of a stream tells of. */
export type WatchEventKind = "state" | "broadcast" | "gap" | "message";

const TEXT = new TextEncoder();

/** One event of a stream. Its texts are made once, however many streams it goes out by. */
export class WatchEvent {
  readonly id: string;
  readonly event: WatchEventKind;
  /** JSON. */
  readonly data: string;
  #members: string | undefined;
  #bytes: Uint8Array | undefined;

  constructor(id: string, event: WatchEventKind, data: string) {
    this.id = id;
    this.event = event;
    this.data = data;
  }

  /** The members of its frame but the stream's id: see `frames.ts`. */
  get members(): string {
    return (this.#members ??= `"at":${JSON.stringify(this.id)},"event":"${this.event}","data":${this.data}}`);
  }

  /** As a server-sent event. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= TEXT.encode(`id: ${this.id}\nevent: ${this.event}\ndata: ${this.data}\n\n`));
  }
}
